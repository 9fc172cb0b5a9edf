"""Is the model right? Predicts cells that no run has, measures them, and sets the one over the other.

The machine's speed drifts by more than the model is off: so every cell is measured between a short load of `GET /` and
one of `GET /queries/?count=1`, which every run has, and all costs are scaled by how much longer a request takes in
these two than they say (its geometric mean). The reader's own CPU time is scaled only by what of that is no CPU time.
Waits are not scaled. A cell is measured again, a few times at most, until both loads beside it were about as fast as
the fastest of their kind; else the time at which they were fastest stands for it. So it is the loads around a cell
that choose, never what it says. What remains is what is checked: whether costs add up as assumed, what overlaps, and
which limit binds.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import cycle
from statistics import geometric_mean, median

from bench.errors import BenchError
from bench.judging.validity import Judgement
from bench.load import Generator
from bench.models import POOL, find_models
from bench.prediction.costs import CPU, Costs, Measured
from bench.prediction.figures import Demand
from bench.prediction.predict import limit_of, throughput
from bench.prediction.station import station_of
from bench.prediction.unseen import ANCHORS, UNSEEN, Unseen
from bench.results import Run
from bench.scenarios.base import Contestant, MeasurementContext, Options, run_load
from bench.testbed.servers.life import serving
from bench.testbed.testbed import TestBed

MODELS = ("gevent", "asyncio", "sync", "gevent-blocking-db")
TOLERANCE = 0.20
SHARE = 0.9  # of the cells that must be within it
FEWEST = 10
SLICES = 4  # of a cell, at most
CALM = 1.12  # times slower than the fastest of its kind that an anchor may be
ANCHOR_S, SLICE_S, WARMUP_S = 0.3, 1.0, 0.1
ATTEMPTS = 3
PATIENCE_S = 30.0


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
    cpu_s: float
    """Of the server, for each request."""


def checks(run: Run, models: Sequence[Measured], testbed: TestBed, generator: Generator) -> Iterator[Checked]:
    """Predict and measure, a server for each model and pool; the next as it is asked for."""
    known = {model.name: model for model in models if not model.twin}
    chosen = [known[name] for name in MODELS if name in known] or list(known.values())[: len(MODELS)]
    if not chosen:
        raise BenchError(f"{run.path} has no model that anything can be predicted for; run python -m bench throughput")
    for model in chosen:
        for pool in dict.fromkeys(unseen.pool for unseen in UNSEEN):
            cells = [unseen for unseen in UNSEEN if unseen.pool == pool and unseen.needs(model)]
            if cells:
                yield from on_a_server(run, model, pool, cells, testbed, generator)


def on_a_server(
    run: Run, model: Measured, pool: int, cells: Sequence[Unseen], testbed: TestBed, generator: Generator
) -> Iterator[Checked]:
    """The cells of a model and a pool, between anchors."""
    (registered,) = find_models(model.name)
    environment = {**testbed.environment(registered), "POOL_SIZE": str(pool)}
    with serving(registered, environment, testbed.logs) as server:
        options = Options(duration_s=ANCHOR_S, warmup_s=WARMUP_S)
        rng = random.Random(run.seed)
        context = MeasurementContext(
            Contestant(model.name, registered), server, testbed, options, rng, {}, generator, lambda _: None
        )
        for path in (*(one.path for one in ANCHORS.values()), *(one.path for one in cells)):
            warm_up(context, path, 2 * pool)
        pace = Pace(context)
        for unseen in cells:
            slices = []
            for _ in range(SLICES):
                job = context.job(unseen.path, connections=unseen.connections, duration_s=SLICE_S)
                before = pace.last
                result, _, judgement = run_load(context, job)
                around = before, pace.next()
                slices.append(checked(run, model, unseen, around, result.throughput_rps, judgement))
                if pace.calm(around):
                    break
            yield slices[-1] if pace.calm(around) else min(slices, key=lambda one: one.drift)


def warm_up(context: MeasurementContext, path: str, requests: int) -> None:
    """Open the pool, and fill what caches there are."""
    context.generator.run(
        context.job(
            path, connections=requests, max_requests=requests, warmup_s=0.0, duration_s=PATIENCE_S,
            timeout_s=PATIENCE_S,
        )
    )  # fmt: skip


def checked(
    run: Run, model: Measured, unseen: Unseen, around: Sequence[Anchor], measured_rps: float, judgement: Judgement
) -> Checked:
    """What was measured beside what is predicted for the machine as it was then."""
    drift = geometric_mean(predicted(model, ANCHORS[now.name].demand)[0] / now.rate_rps for now in around)
    on_cpu = geometric_mean(
        now.cpu_s / median(run.cells["throughput", model.name, now.name].values(CPU)) for now in around
    )
    rate_rps, limit = predicted(slowed(model, drift), unseen.demand, drift / on_cpu)
    pool = f", pool {unseen.pool}" if unseen.pool != POOL else ""
    workload = f"{unseen.path} × {unseen.connections}{pool}"
    return Checked(model.name, workload, limit, drift, rate_rps, measured_rps, judgement.state, judgement.reason)


class Pace:
    """Takes one anchor after the other on a server, and knows how fast they have been."""

    def __init__(self, context: MeasurementContext) -> None:
        self.context = context
        self.turns = cycle(ANCHORS)
        self.fastest_rps: dict[str, float] = {}
        for _ in ANCHORS:
            self.last = self.next()

    def next(self) -> Anchor:
        """What the run has measured as well, now; again if the machine had no time for it."""
        name = next(self.turns)
        for _ in range(ATTEMPTS):
            result, cost, judgement = run_load(self.context, self.context.job(ANCHORS[name].path))
            if result.good and not result.errors.total:
                cpu_s = cost.cpu_s / (result.warmup_requests + result.requests)
                self.last = Anchor(name, result.throughput_rps, cpu_s)
                self.fastest_rps[name] = max(self.last.rate_rps, self.fastest_rps.get(name, 0.0))
                return self.last
        raise BenchError(f"{name} is not answered ({judgement.reason}); try on a machine that is less busy")

    def calm(self, around: Sequence[Anchor]) -> bool:
        """Whether none of them was disturbed."""
        return all(one.rate_rps * CALM >= self.fastest_rps[one.name] for one in around)


def slowed(model: Measured, drift: float) -> Measured:
    """The model on a machine that takes so many times longer."""
    rounds = tuple(Costs(*(value * drift for value in vars(costs).values())) for costs in model.rounds)
    first_s, further_s = model.local_waits_s
    calls_s = None if model.calls_s is None else (model.calls_s[0] * drift, model.calls_s[1] * drift)
    return replace(model, rounds=rounds, calls_s=calls_s, local_waits_s=(first_s * drift, further_s * drift))


def predicted(model: Measured, demand: Demand, stolen: float = 1.0) -> tuple[float, str]:
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
