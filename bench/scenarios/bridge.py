"""Does the bridge cost no more than what it stands in for: gevent, a thread per request, or another framework?

Every round has all models on fresh servers, in an order of its own, so that the figures of a round met the same
machine; what counts is CPU time per request, which repeats where throughput does not. The loads are a closed loop, the
last but one with 500 requests that all sleep, and last 5,000 sleepers at once for memory and threads, as in `scale`.
The order is fixed, memory last: it counts from what the server held before its first load.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from bench.models import Model
from bench.results import Cell
from bench.scenarios import scale
from bench.scenarios.base import Column, MeasurementContext, Options, Reading, Scenario, Workload, load_reading
from bench.scenarios.classic import PYTHON
from bench.scenarios.throughput import ONE_READ

BRIDGE = "asyncio"
CPU = "cpu_per_request_s"
FLOOR, TWENTY_READS = "GET /", "GET /queries/?count=20"
SLEEPERS = Workload("500 sleepers", {"path": f"{PYTHON}?seconds=0.05", "connections": 500, "requests": 2_500})
WAITING = Workload("5,000 sleepers", {"requests": 5_000, "seconds": 3.0})


@dataclass(frozen=True)
class Target:
    """The most that the bridge may have of another model's figure."""

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


def fits(model: Model, workload: Workload) -> bool:
    """Whether there is a target that needs it."""
    return model.name == BRIDGE or any((workload.name, model.name) == (one.workload, one.other) for one in TARGETS)


def measure(context: MeasurementContext, workload: Workload) -> Reading:
    """One load on a server that has been warmed up before the first."""
    if not context.memo:
        context.memo.update(scale.warm_up(context))
    if workload == WAITING:
        return scale.burst(context, workload)
    path = workload.parameters["path"]
    job = context.job(path, expect_body=context.fetch(path))
    if workload == SLEEPERS:  # a number of requests and not a time: what is in flight at its end would count for much
        requests, connections = workload.parameters["requests"], workload.parameters["connections"]
        job = context.job(
            path, expect_body=job.expect_body, connections=connections, max_requests=requests, warmup_s=0.0,
            duration_s=scale.WARM_TIMEOUT_S, timeout_s=scale.WARM_TIMEOUT_S,
        )  # fmt: skip
    return load_reading(context, job)


def expected_s(options: Options, model: Model) -> float:
    """About how long a server is measured."""
    asked = [workload for workload in workloads(options) if fits(model, workload)]
    loads_s = sum(options.warmup_s + options.duration_s + 0.1 for workload in asked if workload != WAITING)
    return loads_s + scale.WARM_S + (3 * WAITING.parameters["seconds"] if WAITING in asked else 0.0)


def finding(cells: Sequence[Cell]) -> str:
    """The table says it."""
    return ""


SCENARIO = Scenario(
    name="bridge",
    question="What does the bridge cost, beside gevent, Quart, FastAPI and a thread per request?",
    workloads=workloads,
    measure=measure,
    columns=(Column("CPU µs", CPU, 1e6), Column("kB each", scale.MEMORY, 1e-3), Column("threads", "threads")),
    finding=finding,
    figure=CPU,
    compared=True,
    spread_limit=None,
    twin=False,
    shuffled=False,
    fits=fits,
    expected_s=expected_s,
)
