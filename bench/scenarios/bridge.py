"""Does the bridge cost no more than what it takes the place of: gevent, a thread per request, another framework?

Every round measures all models on fresh servers, in an order of its own, so that the figures of one round were measured
on the machine as it was then. What counts is CPU time per request, which can be repeated where throughput cannot. The
loads are closed loops, the last of them with 500 requests that all sleep. Then 5,000 requests sleep at once, as in
`scale`, for memory and threads.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bench.judging import JudgedCell
from bench.judging.pairs import paired_figure
from bench.judging.statistics import RatioInterval
from bench.models import Model
from bench.scenarios import scale
from bench.scenarios.base import MeasurementContext, Options, Reading, Scenario, Workload, load_reading
from bench.scenarios.classic import PYTHON
from bench.scenarios.schedule import Rounds
from bench.scenarios.throughput import ONE_READ

BRIDGE = "asyncio"
CPU = "cpu_per_request_s"
FLOOR, TWENTY_READS = "GET /", "GET /queries/?count=20"
SLEEPERS = Workload("500 sleepers", {"path": f"{PYTHON}?seconds=0.05", "connections": 500, "requests": 2_500})
WAITING = Workload("5,000 sleepers", {"requests": 5_000, "seconds": 3.0})


@dataclass(frozen=True)
class Target:
    """A figure of the bridge ÷ the same figure of another model must not be larger than `at_most`."""

    workload: str
    other: str
    at_most: float
    figure: str = CPU


FRAMEWORKS = (("gevent", 0.65), ("quart", 0.95), ("fastapi", 1.25))
TARGETS = (
    *(Target(FLOOR, other, at_most) for other, at_most in (*FRAMEWORKS, ("asyncio-threads", 0.35))),
    *(
        Target(workload, other, at_most)
        for workload in (ONE_READ, TWENTY_READS, SLEEPERS.name)
        for other, at_most in FRAMEWORKS
    ),
    Target(WAITING.name, "gevent", 1.00, scale.MEMORY),
)
MODELS = (BRIDGE, *dict.fromkeys(target.other for target in TARGETS))


def workloads(options: Options) -> Sequence[Workload]:
    """The loads in their order."""
    gets = [Workload(name, {"path": name.removeprefix("GET ")}) for name in (FLOOR, ONE_READ, TWENTY_READS)]
    return [*gets, SLEEPERS, WAITING]


def has_a_target(model: Model, workload: Workload) -> bool:
    """Whether a target needs the workload measured of the model."""
    return model.name == BRIDGE or any((workload.name, model.name) == (one.workload, one.other) for one in TARGETS)


def measure(context: MeasurementContext, workload: Workload) -> Reading:
    """Send one load to a server that has been warmed up before its first load."""
    if not context.memo:
        context.memo.update(scale.warm_up(context))
    if workload == WAITING:
        return scale.burst(context, workload)
    path = workload.parameters["path"]
    job = context.job(path, expect_body=context.fetch(path))
    if workload == SLEEPERS:  # after a time, what is then in flight would be a large part of the load
        requests, connections = workload.parameters["requests"], workload.parameters["connections"]
        job = context.job(
            path, expect_body=job.expect_body, connections=connections, max_requests=requests, warmup_s=0.0,
            duration_s=scale.WARM_TIMEOUT_S, timeout_s=scale.WARM_TIMEOUT_S,
        )  # fmt: skip
    return load_reading(context, job)


def expected_s(options: Options, model: Model) -> float:
    """How long the loads on one server take."""
    asked = [workload for workload in workloads(options) if has_a_target(model, workload)]
    loads_s = sum(options.warmup_s + options.duration_s + 0.1 for workload in asked if workload != WAITING)
    return loads_s + scale.WARM_S + (3 * WAITING.parameters["seconds"] if WAITING in asked else 0.0)


@dataclass(frozen=True)
class Comparison:
    """A target and what was measured for it. Without an interval there is nothing to compare."""

    target: Target
    bridge: float | None
    other: float | None
    interval: RatioInterval | None

    @property
    def met(self) -> bool:
        """Whether the ratio is small enough."""
        return self.interval is not None and self.interval.ratio <= self.target.at_most


def comparisons(cells: Sequence[JudgedCell], seed: int) -> list[Comparison]:
    """What was measured for each target, in the order of the targets."""
    by_name = {(cell.workload["name"], cell.model): cell for cell in cells if is_sound(cell)}
    return [comparison(target, by_name, seed) for target in TARGETS]


def comparison(target: Target, cells: Mapping[tuple[str, str], JudgedCell], seed: int) -> Comparison:
    """The target's figure of both models, round by round."""
    bridge, other = (cells.get((target.workload, model)) for model in (BRIDGE, target.other))
    interval = paired_figure(bridge, other, target.figure, seed) if bridge and other else None
    mine, its = (cell.median(target.figure) if cell else None for cell in (bridge, other))
    return Comparison(target, mine, its, interval)


def is_sound(cell: JudgedCell) -> bool:
    """Whether a cell's CPU time and memory are to be believed. They need no steady state."""
    return cell.judgement.state in ("VALID", "UNSTABLE")


def threads(cells: Sequence[JudgedCell]) -> tuple[int, int] | None:
    """The most threads of the bridge in any round: under a small load, and with thousands of requests waiting."""
    found = {cell.workload["name"]: cell.values("threads") for cell in cells if cell.model == BRIDGE}
    few, many = found.get(FLOOR), found.get(WAITING.name)
    return (int(max(few)), int(max(many))) if few and many else None


def all_met(cells: Sequence[JudgedCell], seed: int) -> bool:
    """Whether every target is met, and the threads do not grow."""
    counted = threads(cells)
    return all(one.met for one in comparisons(cells, seed)) and counted is not None and counted[1] <= counted[0]


SCENARIO = Scenario(
    name="bridge",
    question="What does the bridge cost, beside gevent, Quart, FastAPI and a thread per request?",
    workloads=workloads,
    measure=measure,
    finding=lambda cells: "",  # the table says it all
    figure=CPU,
    # The memory that the bridge takes counts from what the server held before its first load, so the order is fixed.
    schedule=Rounds(twin=False, shuffled=False, spread_limit=None),
    asks=has_a_target,
    expected_s=expected_s,
)
