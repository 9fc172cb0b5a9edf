"""Is the model right? Predicts cells that no run has, measures them, and sets the one over the other.

The machine's speed drifts by more than the model is off: so every cell is measured in three slices, each between a
short load of `GET /` and one of `GET /queries/?count=1`, which every run has, and all costs are scaled by how much
longer a request takes in these two than in the run (their geometric mean). The reader's own CPU time is scaled only by
what of that is no CPU time. Waits are not scaled. The slice in which the machine was fastest stands for the cell: it is
chosen by the loads around it, not by what it says. What remains is what is checked: whether costs add up as assumed,
what overlaps, and which limit binds.
"""

import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import cycle
from statistics import geometric_mean, median

from bench.bed import Bed
from bench.decide.costs import BASE, CPU, ONE_QUERY, Costs, Measured
from bench.decide.figures import Demand
from bench.decide.predict import limit_of, station_of, throughput
from bench.errors import BenchError
from bench.load import LoadJob, LoadResult
from bench.models import POOL, find_models
from bench.results import Run
from bench.scenarios.base import Entry, Ground, Options, run_load
from bench.server.life import serving
from bench.validity import Judgement

MODELS = ("gevent", "asyncio", "sync", "gevent-blocking-db")
TOLERANCE = 0.20
SHARE = 0.9  # of the cells that must be within it
FEWEST = 10
ANCHORS = {BASE: "/", ONE_QUERY: "/queries/?count=1"}
SLICES = 3
ANCHOR_S, SLICE_S, WARMUP_S = 0.3, 0.5, 0.1
ATTEMPTS = 3
PATIENCE_S = 30.0
WHOLE_MEMORY_BYTES = 1e12


@dataclass(frozen=True)
class Unseen:
    """A load that no scenario has, and the demand that describes it."""

    path: str
    connections: int
    demand: Demand
    pool: int = POOL
    needs: Callable[[Measured], bool] = field(default=lambda model: True)


@dataclass(frozen=True)
class Checked:
    """A cell as predicted and as measured."""

    model: str
    workload: str
    limit: str
    drift: float
    """How much longer a request takes now than in the run."""
    predicted_rps: float
    measured_rps: float
    state: str
    reason: str

    @property
    def ratio(self) -> float:
        """Predicted ÷ measured."""
        return self.predicted_rps / self.measured_rps if self.measured_rps else 0.0

    @property
    def near(self) -> bool:
        """Whether the prediction is within the tolerance."""
        return abs(self.ratio - 1) <= TOLERANCE


@dataclass(frozen=True)
class Anchor:
    """A load that tells how fast the machine is."""

    name: str
    rate_rps: float
    utilisation: float
    """CPU seconds of the server in a second."""


def demand_of(connections: int, **described: float) -> Demand:
    """One process with a core and all memory for itself, in a closed loop."""
    nothing: dict[str, float] = {"db_wait_s": 0.0, "queries": 0, "cpu_s": 0.0}
    usual = {"concurrency": connections, "cores": 1, "memory_bytes": WHOLE_MEMORY_BYTES}
    return Demand(**nothing | usual | described)  # type: ignore[arg-type]  # whole numbers are among the floats


def sleeping(seconds: float, connections: int, needs: Callable[[Measured], bool]) -> Unseen:
    """A sleep in Python, and then all rows."""
    demand = demand_of(connections, upstream_wait_s=seconds, queries=1, all_rows=True)
    return Unseen(f"/sleep/python/?seconds={seconds:g}", connections, demand, needs=needs)


def sleeping_database(seconds: float, connections: int, pool: int, needs: Callable[[Measured], bool]) -> Unseen:
    """A query that sleeps, and one for all rows; between them they wait so long."""
    demand = demand_of(connections, db_wait_s=seconds / 2, queries=2, all_rows=True, db_connections=pool)
    return Unseen(f"/sleep/postgres/?seconds={seconds:g}", connections, demand, pool, needs)


def several(queries: int, connections: int) -> Unseen:
    """Small queries one after the other."""
    demand = demand_of(connections, queries=queries, db_connections=POOL)
    return Unseen(f"/queries/?count={queries}", connections, demand)


def calling(calls: int, seconds: float, connections: int) -> Unseen:
    """Calls at once to an upstream that takes so long."""
    demand = demand_of(connections, upstream_wait_s=seconds, calls=calls)
    return Unseen(f"/fanout/?count={calls}&seconds={seconds:g}", connections, demand, needs=asks)


def asks(model: Measured) -> bool:
    """Whether the cost of a call was measured, and calls overlap."""
    return model.call_s is not None and model.python_overlaps


def overlaps(model: Measured) -> bool:
    """Whether all its waits do."""
    return model.python_overlaps and model.database_overlaps


def blocks(model: Measured) -> bool:
    """Whether some of its waits do not overlap."""
    return not overlaps(model)


UNSEEN = (
    several(5, 32),
    several(10, 48),
    sleeping(0.02, 64, overlaps),
    sleeping(0.05, 20, overlaps),
    sleeping(0.02, 8, blocks),
    Unseen("/cpu/?milliseconds=3", 16, demand_of(16, cpu_s=0.003)),
    calling(3, 0.02, 12),
    sleeping_database(0.02, 8, POOL, blocks),
    sleeping_database(0.03, 40, 5, overlaps),
    sleeping_database(0.03, 40, 10, overlaps),
    sleeping_database(0.05, 60, 30, overlaps),
)


def checks(
    run: Run, models: Sequence[Measured], bed: Bed, generate: Callable[[LoadJob], LoadResult]
) -> Iterator[Checked]:
    """Predict and measure, a server for each model and pool; the next as it is asked for."""
    known = {model.name: model for model in models if not model.twin}
    chosen = [known[name] for name in MODELS if name in known] or list(known.values())[: len(MODELS)]
    for model in chosen:
        for pool in dict.fromkeys(unseen.pool for unseen in UNSEEN):
            cells = [unseen for unseen in UNSEEN if unseen.pool == pool and unseen.needs(model)]
            if cells:
                yield from on_a_server(run, model, pool, cells, bed, generate)


def on_a_server(
    run: Run, model: Measured, pool: int, cells: Iterable[Unseen], bed: Bed, generate: Callable[[LoadJob], LoadResult]
) -> Iterator[Checked]:
    """The cells of a model and a pool, between anchors."""
    (registered,) = find_models(model.name)
    environment = {**bed.environment(registered), "POOL_SIZE": str(pool)}
    with serving(registered, environment, bed.logs) as server:
        options = Options(duration_s=ANCHOR_S, warmup_s=WARMUP_S)
        rng = random.Random(run.seed)
        ground = Ground(Entry(model.name, registered), server, bed, options, rng, {}, generate, lambda _: None)
        warm_up(ground, pool)
        turns = cycle(ANCHORS)
        before = anchor(ground, next(turns))
        for unseen in cells:
            slices = []
            for _ in range(SLICES):
                job = ground.job(unseen.path, connections=unseen.connections, duration_s=SLICE_S)
                result, _, judgement = run_load(ground, job)
                after = anchor(ground, next(turns))
                slices.append(checked(run, model, unseen, (before, after), result.throughput_rps, judgement))
                before = after
            yield min(slices, key=lambda one: one.drift)


def warm_up(ground: Ground, pool: int) -> None:
    """Open the pool, and fill what caches there are."""
    requests = 2 * pool
    ground.generate(
        ground.job(
            ANCHORS[ONE_QUERY], connections=requests, max_requests=requests, warmup_s=0.0, duration_s=PATIENCE_S,
            timeout_s=PATIENCE_S,
        )
    )  # fmt: skip


def checked(
    run: Run, model: Measured, unseen: Unseen, around: Sequence[Anchor], measured_rps: float, judgement: Judgement
) -> Checked:
    """What was measured beside what is predicted for the machine as it was then."""
    anchors = [then(run, model.name, now.name) for now in around]
    drift = geometric_mean(before.rate_rps / now.rate_rps for before, now in zip(anchors, around, strict=True))
    stolen = geometric_mean(before.utilisation / now.utilisation for before, now in zip(anchors, around, strict=True))
    rate_rps, limit = predicted(slowed(model, drift), unseen.demand, stolen)
    pool = f", pool {unseen.pool}" if unseen.pool != POOL else ""
    workload = f"{unseen.path} × {unseen.connections}{pool}"
    return Checked(model.name, workload, limit, drift, rate_rps, measured_rps, judgement.state, judgement.reason)


def anchor(ground: Ground, name: str) -> Anchor:
    """What the run has measured as well, now; again if the machine had no time for it."""
    for _ in range(ATTEMPTS):
        result, cost, judgement = run_load(ground, ground.job(ANCHORS[name]))
        if result.good and not result.errors.total:
            cpu_s = cost.cpu_s / (result.warmup_requests + result.requests)
            return Anchor(name, result.throughput_rps, result.throughput_rps * cpu_s)
    raise BenchError(f"{ground.entry.name} does not answer {name} ({judgement.reason}); try on a machine less busy")


def then(run: Run, model: str, name: str) -> Anchor:
    """The same in the run."""
    cell = run.cells["throughput", model, name]
    rates_rps, cpus_s = cell.values("throughput_rps"), cell.values(CPU)
    utilisation = median(rate * cpu_s for rate, cpu_s in zip(rates_rps, cpus_s, strict=True))
    return Anchor(name, median(rates_rps), utilisation)


def slowed(model: Measured, drift: float) -> Measured:
    """The model on a machine that takes so many times longer."""
    rounds = tuple(Costs(*(value * drift for value in vars(costs).values())) for costs in model.rounds)
    first_s, further_s = model.local_waits_s
    call_s = None if model.call_s is None else model.call_s * drift
    return replace(model, rounds=rounds, call_s=call_s, local_waits_s=(first_s * drift, further_s * drift))


def predicted(model: Measured, demand: Demand, stolen: float) -> tuple[float, str]:
    """Answers a second, and the limit. Where database waits block, those of the bench's own database count as well."""
    if demand.queries and not model.database_overlaps:
        first_s, further_s = model.local_waits_s
        local_s = (first_s + (demand.queries - 1) * further_s) / demand.queries
        demand = replace(demand, db_wait_s=demand.db_wait_s + local_s)
    demand = replace(demand, cpu_s=demand.cpu_s * max(1.0, stolen))
    station = station_of(model, model.costs, demand)
    return throughput(model, station, demand, 1), limit_of(model, station, demand, 1)


def passed(found: Sequence[Checked]) -> bool:
    """Whether enough of the valid cells are near."""
    valid = [one for one in found if one.state == "VALID"]
    return len(valid) >= FEWEST and sum(one.near for one in valid) >= SHARE * len(valid)
