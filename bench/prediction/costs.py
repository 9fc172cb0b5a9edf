"""What has a run measured of each model that a prediction needs?"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import geometric_mean, median

from bench.judging.standings import is_twin
from bench.judging.validity import Judgement, judge_rounds
from bench.measuring.checks import TOGETHER_AT_MOST
from bench.models import MODELS
from bench.results import Cell, Run

BASE, ONE_QUERY, MANY_QUERIES, LIST = "GET /", "GET /queries/?count=1", "GET /queries/?count=20", "GET /todos/"
NEEDED = (BASE, ONE_QUERY, MANY_QUERIES, LIST)
FURTHER_QUERIES = 19  # of MANY_QUERIES beyond the one of ONE_QUERY
CPU = "cpu_per_request_s"
CALLS_AT_ONCE = (10, 50)


@dataclass(frozen=True)
class Costs:
    """Seconds of its process that each part of a request takes."""

    base_s: float
    """An empty request."""
    first_query_s: float
    """The first single-row query beyond that, with what it takes to get a connection."""
    query_s: float
    """Each further one."""
    list_s: float
    """A first query that answers with all 50 rows."""


@dataclass(frozen=True)
class Measured:
    """A model as the run knows it."""

    name: str
    app: str
    python_overlaps: bool
    database_overlaps: bool
    threads: int | None
    """Requests that a process can have begun; None: any number, as on an event loop."""
    loop: str | None
    trap: bool
    """Whether it is there to be seen failing, or is an event loop that some waits stop."""
    rounds: tuple[Costs, ...]
    calls_s: tuple[float, float] | None
    """One call to an upstream, where 10 and where 50 are under way in the process; None if it was not measured."""
    memory_bytes: float
    """A process that has served."""
    request_bytes: float | None
    """Each request in flight; None if it was not measured."""
    streams: bool | None
    """Whether it kept the open streams of the stream scenario; None if it was not asked."""
    local_waits_s: tuple[float, float]
    """What the first query, and each further one, kept the process waiting beside its CPU time."""

    @property
    def costs(self) -> Costs:
        """The rounds' geometric mean, which is what their paired ratios are about."""
        return Costs(*(geometric_mean(values) for values in zip(*(vars(c).values() for c in self.rounds), strict=True)))

    @property
    def twin(self) -> bool:
        """Whether it is the A/A twin of another."""
        return is_twin(self.name)

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
    """The models of a run, in its order, and those whose cells do not say enough."""
    names = dict.fromkeys(cell.model for cell in run.cells.values())
    known, unknown = [], []
    for name in sorted(names, key=order_of(list(run.arguments.get("models", ())))):
        cells = {cell.workload["name"]: cell for cell in run.of("throughput") if cell.model == name}
        if reason := missing(cells):
            unknown.append(Unmeasured(name, reason, "python -m bench throughput"))
        else:
            known.append(model_of(run, name, cells))
    return known, [model for model in unknown if not is_twin(model.name)]


def order_of(names: Sequence[str]) -> Callable[[str], tuple[int, str]]:
    """A key that sorts models as the run was asked for them, others behind."""
    return lambda name: (names.index(name) if name in names else len(names), name)


def missing(cells: Mapping[str, Cell]) -> str:
    """Which workload has nothing to be used, and why; empty if all have."""
    for workload in NEEDED:
        cell = cells.get(workload)
        if cell is None:
            return f"no cell for {workload}"
        if (processes := cell.info.get("processes") or 1) > 1:
            return f"measured with {processes} processes, and a prediction is made from one"
        if not (judgement := judged_by_cpu(cell)).valid:
            return f"{workload} is {judgement.state}"
        if len(cell.values(CPU)) < len(cell.observations) or min(cell.values(CPU)) <= 0:
            return f"{workload} has a round without CPU time"
    return "" if costs_of(cells) else "more queries seem to cost less: too noisy"


def judged_by_cpu(cell: Cell) -> Judgement:
    """Whether a cell may be used: its rounds must agree on CPU time, whatever a busy machine did to their rates."""
    judgements = [Judgement(one.state, one.reason) for one in cell.observations]
    return judge_rounds(judgements, cell.values(CPU))


def model_of(run: Run, name: str, cells: Mapping[str, Cell]) -> Measured:
    """All that the run says of a model; what it does not say comes from the registry."""
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
        rounds=costs,
        calls_s=calls_of(run, name, geometric_mean(each.base_s for each in costs)),
        memory_bytes=median(base.values("pss_bytes") or base.values("rss_bytes")),
        request_bytes=request_bytes(run, name),
        streams=streams(run, name),
        local_waits_s=local_waits(cells),
    )


def overlaps(cell: Cell) -> tuple[bool, bool]:
    """Whether waits in Python and in the database overlapped in the probes before the rounds."""
    probes = [one.raw["overlap"] for one in cell.observations if one.raw.get("overlap")]
    python, database = (median([probe[kind] for probe in probes] or [1.0]) for kind in ("python", "database"))
    return python <= TOGETHER_AT_MOST, database <= TOGETHER_AT_MOST


def costs_of(cells: Mapping[str, Cell]) -> tuple[Costs, ...]:
    """Of every round; empty if one of them has a part that costs nothing.

    The utilisation is the highest of the rounds, for what else the machine does can only lower it.
    """
    utilisation = max(
        rps * cpu_s
        for rps, cpu_s in zip(cells[BASE].values("throughput_rps"), cells[BASE].values(CPU), strict=True)
    )  # fmt: skip
    rounds = tuple(
        Costs(base / min(1.0, utilisation), one - base, (many - one) / FURTHER_QUERIES, all_rows - base)
        for base, one, many, all_rows in zip(*(cells[workload].values(CPU) for workload in NEEDED), strict=True)
    )
    return rounds if all(min(vars(costs).values()) > 0 for costs in rounds) else ()


def local_waits(cells: Mapping[str, Cell]) -> tuple[float, float]:
    """Time between answers at full load that no CPU time explains: waits for the bench's own database that blocked.

    The least of the rounds, for the same reason as the utilisation.
    """
    base_s, one_s, many_s = (
        min(1 / rps - cpu_s for rps, cpu_s in zip(cell.values("throughput_rps"), cell.values(CPU), strict=True))
        for cell in (cells[name] for name in (BASE, ONE_QUERY, MANY_QUERIES))
    )
    return max(0.0, one_s - base_s), max(0.0, many_s - one_s) / FURTHER_QUERIES


def calls_of(run: Run, name: str, base_s: float) -> tuple[float, float] | None:
    """CPU time of a call in requests that make ten and fifty of them at once, less the request itself."""
    found = []
    for count in CALLS_AT_ONCE:
        cell = run.cells.get(("fanout", name, f"{count} calls"))
        if cell is None or not cell.judgement.valid:
            return None
        found.append(max(0.0, median(cell.values("cpu_per_call_s")) - base_s / count))
    few_s, many_s = found
    return few_s, many_s


def request_bytes(run: Run, name: str) -> float | None:
    """Memory of a request in flight at the highest level that the model held."""
    cells = [cell for cell in run.of("scale") if cell.model == name and cell.values("memory_per_request_bytes")]
    levels = sorted((cell.workload["requests"], cell) for cell in cells if cell.judgement.valid)
    return median(levels[-1][1].values("memory_per_request_bytes")) if levels else None


def streams(run: Run, name: str) -> bool | None:
    """Whether all of its cells of the stream scenario are valid."""
    cells = [cell for cell in run.of("stream") if cell.model == name]
    return all(cell.judgement.valid for cell in cells) if cells else None


def on_asyncio(model: Measured) -> bool:
    """Whether its requests are served by an asyncio event loop, which nothing patches libraries for."""
    return bool(re.search("asyncio|uvloop|rloop", model.loop or ""))
