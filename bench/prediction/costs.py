"""What has a run measured of each model that a prediction needs, and which models lack something?"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from statistics import fmean, geometric_mean, median

from bench.judging.cells import judged_cell
from bench.judging.standings import FRAMEWORK, TWIN_SUFFIX, is_twin
from bench.measuring.checks import TOGETHER_AT_MOST
from bench.models import MODELS
from bench.prediction.layers import (
    BASE,
    CPU,
    MANY_QUERIES,
    ONE_QUERY,
    READS,
    Times,
    asyncio_loop,
    layers_of,
)  # fmt: skip
from bench.results import Cell, Run

NEEDED = (BASE, *READS)
FURTHER_QUERIES = 19  # of MANY_QUERIES beyond the one of ONE_QUERY
PAUSES, RATE, IDLE = "pauses", "throughput_rps", "core_idle"
CALLS_AT_ONCE = (10, 50)


@dataclass(frozen=True)
class Costs:
    """How many seconds each part of a request keeps its process busy."""

    base_s: float
    """A request that does nothing."""
    first_query_s: float
    """The first query for a single row, with getting a connection for it."""
    query_s: float
    """Each further query for a single row."""
    list_s: float
    """A first query that reads all 50 rows."""


@dataclass(frozen=True)
class Measured:
    """What a run says of a model."""

    name: str
    app: str
    python_overlaps: bool
    database_overlaps: bool
    threads: int | None
    """How many requests a process can serve at the same time; None for any number, as on an event loop."""
    loop: str | None
    trap: bool
    """Whether the registry has it as an example of what goes wrong, or some waits stop its event loop."""
    generations: tuple[Costs, ...]
    """The costs in each generation of servers."""
    calls_s: tuple[float, float] | None
    """CPU time of one call to another service, while 10 and while 50 are under way; None if it was not measured."""
    memory_bytes: float
    """Memory of a process that has served requests."""
    request_bytes: float | None
    """Memory of each request in flight; None if it was not measured."""
    streams: bool | None
    """Whether it kept all open streams of the stream scenario; None if that was not measured."""
    local_waits_s: tuple[float, float]
    """How long the first query, and each further one, made the process wait for the bench's own database."""
    framework: str = FRAMEWORK
    """What its application is written for."""
    keeps_connection: bool = False
    """Whether a request that has used the database keeps its connection while it calls another service."""
    layers: Mapping[str, Times] = field(default_factory=dict)
    """What reads would cost on other data layers, of those that can be predicted."""

    @property
    def costs(self) -> Costs:
        """The geometric mean of the generations, because these are compared by their ratios."""
        every = (vars(costs).values() for costs in self.generations)
        return Costs(*(geometric_mean(values) for values in zip(*every, strict=True)))

    @property
    def can_stream(self) -> bool:
        """Whether open streams hold no threads, and none was lost where that was measured."""
        return self.threads is None and self.streams is not False


@dataclass(frozen=True)
class Unmeasured:
    """A model that nothing is predicted for."""

    name: str
    reason: str
    remedy: str


def measured(run: Run) -> tuple[list[Measured], list[Unmeasured]]:
    """The models that a prediction can be made for, in the run's order, and those that lack something; no floors."""
    asked = dict.fromkeys(cell.model for cell in run.cells.values() if not is_twin(cell.model))
    names = [name for name in asked if not run.models[name].floor]
    known, unknown = [], []
    for name in sorted(names, key=order_of(list(run.arguments.get("models", ())))):
        own = [cell for cell in run.of("throughput") if cell.model == name]
        cells = {cell.workload["name"]: once_a_generation(run, cell) for cell in own}
        if reason := missing(run, cells):
            unknown.append(Unmeasured(name, reason, "python -m bench throughput"))
        else:
            known.append(model_of(run, name, cells))
    return known, unknown


def without_calls(models: Sequence[Measured]) -> list[Unmeasured]:
    """Those whose calls were not measured: nothing is predicted for them where requests wait for another service."""
    return [
        Unmeasured(model.name, "no valid fanout cells", "python -m bench all --scenarios throughput,fanout")
        for model in models
        if model.calls_s is None
    ]


def order_of(names: Sequence[str]) -> Callable[[str], tuple[int, str]]:
    """A sort key: models in the order in which the run was asked for them, and the others behind by name."""
    return lambda name: (names.index(name) if name in names else len(names), name)


def once_a_generation(run: Run, cell: Cell) -> Cell:
    """The cell with one observation for each generation: the baseline is in every group, its twin in the first."""
    twin = run.cells.get((cell.scenario, cell.model + TWIN_SUFFIX, cell.workload["name"]))
    if twin is None:
        return cell
    first = {one.round for one in twin.observations}
    return replace(cell, observations=tuple(one for one in cell.observations if one.round in first))


def missing(run: Run, cells: Mapping[str, Cell]) -> str:
    """Why the cells are not enough for a prediction; empty if they are."""
    for workload in NEEDED:
        cell = cells.get(workload)
        if cell is None:
            return f"no cell for {workload}"
        if (processes := cell.info.get("processes") or 1) > 1:
            return f"measured with {processes} processes, and a prediction needs one"
        if (state := judged_cell(run, cell).judgement.state) not in ("VALID", "UNSTABLE"):
            return f"{workload} is {state}"
        if len(cell.values(CPU)) < len(cell.observations) or min(cell.values(CPU)) <= 0:
            return f"{workload} has a generation without CPU time"
    return "" if costs_of(cells) else "in some generation more work took less CPU time, so the run is too noisy"


def model_of(run: Run, name: str, cells: Mapping[str, Cell]) -> Measured:
    """What the run says of a model, and what only the registry knows: threads, and whether it is a trap."""
    base = cells[BASE]
    registered = next((model for model in MODELS if model.name == name.partition(" (")[0]), None)
    python, database = overlaps(base)
    threads = registered.threads if registered else 1
    costs = costs_of(cells)
    return Measured(
        name=name,
        app=base.info.get("app") or (registered.app if registered else ""),
        python_overlaps=python,
        database_overlaps=database,
        threads=None if threads == 1 and (python or database) else threads,
        loop=base.info.get("loop"),
        trap=(registered is not None and "traps" in registered.families)
        or (bool(base.info.get("loop")) and not (python and database)),
        generations=costs,
        calls_s=calls_of(run, name, geometric_mean(each.base_s for each in costs)),
        memory_bytes=median(base.values("pss_bytes") or base.values("rss_bytes")),
        request_bytes=request_bytes(run, name),
        streams=streams(run, name),
        local_waits_s=local_waits(cells),
        framework=run.models[name].framework,
        keeps_connection=registered is not None and registered.keeps_connection,
        layers=layers_of(run, name, run.models[name].app, base.info.get("loop")),
    )


def overlaps(cell: Cell) -> tuple[bool, bool]:
    """Whether waits in Python, and waits in the database, overlapped in the probes before the load."""
    probes = [one.raw["overlap"] for one in cell.observations if one.raw.get("overlap")]
    python, database = (median([probe[kind] for probe in probes] or [1.0]) for kind in ("python", "database"))
    return python <= TOGETHER_AT_MOST, database <= TOGETHER_AT_MOST


def costs_of(cells: Mapping[str, Cell]) -> tuple[Costs, ...]:
    """The costs in every generation; nothing at all if in one of them some part would cost nothing or less.

    They are what requests usually cost, and what pauses add to them, which is too rare to be told for each part alone.
    Nothing is added for the core's idle time: all requests of a slice are there when it begins, over open connections,
    so that no server has to wait for the next one, not even a sync worker.
    """
    times = 1 + fmean([share for workload in NEEDED for share in cells[workload].values(PAUSES)] or [0.0])
    generations = tuple(
        Costs(*(part_s * times for part_s in (base, one - base, (many - one) / FURTHER_QUERIES, all_rows - base)))
        for base, one, many, all_rows in zip(*(cells[workload].values(CPU) for workload in NEEDED), strict=True)
    )
    return generations if all(min(vars(costs).values()) > 0 for costs in generations) else ()


def local_waits(cells: Mapping[str, Cell]) -> tuple[float, float]:
    """How long the first query, and each further one, blocks the process while the bench's own database works.

    Then the process has nothing to do, and at full load its core is idle for so long. The time between two answers that
    CPU time does not explain would not do: what neighbours on the machine take is in it too, which may be more than the
    request itself takes. A neighbour on this core can only hide idle time, and one on the database's core lengthens it,
    so the median of the generations is taken. The idle time of `GET /` is that of a slice's beginning and end.
    """
    base_s, one_s, many_s = (idle_s(cells[name]) for name in (BASE, ONE_QUERY, MANY_QUERIES))
    return max(0.0, one_s - base_s), max(0.0, many_s - one_s) / FURTHER_QUERIES


def idle_s(cell: Cell) -> float:
    """For how long a request left the server's core idle; 0 where the system does not tell."""
    found = [one.figures[IDLE] / one.figures[RATE] for one in cell.observations if one.figures[IDLE] is not None]
    return float(median(found or [0.0]))


def calls_of(run: Run, name: str, base_s: float) -> tuple[float, float] | None:
    """CPU time of one call, from requests that make ten and fifty calls at once; the request's own is taken off."""
    found = []
    for count in CALLS_AT_ONCE:
        cell = run.cells.get(("fanout", name, f"{count} calls"))
        if cell is None or not judged_cell(run, cell).valid:
            return None
        found.append(max(0.0, median(cell.values("cpu_per_call_s")) - base_s / count))
    few_s, many_s = found
    return few_s, many_s


def request_bytes(run: Run, name: str) -> float | None:
    """Memory of a request in flight, measured at the most requests at once that the model could serve."""
    cells = [cell for cell in run.of("scale") if cell.model == name and cell.values("memory_per_request_bytes")]
    levels = sorted((cell.workload["requests"], cell) for cell in cells if judged_cell(run, cell).valid)
    return median(levels[-1][1].values("memory_per_request_bytes")) if levels else None


def streams(run: Run, name: str) -> bool | None:
    """Whether it kept all streams in every cell of the stream scenario; None without such a cell."""
    cells = [cell for cell in run.of("stream") if cell.model == name]
    return all(judged_cell(run, cell).valid for cell in cells) if cells else None


def on_asyncio(model: Measured) -> bool:
    """Whether an asyncio event loop serves it, where nothing makes a blocking library cooperate as gevent does."""
    return asyncio_loop(model.loop)
