"""How many requests a second does one process on one core answer, and what does each cost?

Closed loop: every connection sends its next request as soon as it has an answer. So this is the most that a server can
do, and the response times are those of a server that is never idle; how long users wait at a given rate is the question
of `latency`. But the response times tell whether clients are served alike: where all clients ask without a pause, a
fair server's longest answer does not take much longer than its mean. gevent's does. A greenlet goes on while it finds
work, so a client whose next request is there already is served before those that wait; in `gevent-yielding` it gives
way after each answer (entrypoints/gunicorn_yield.py).
"""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from bench.judging import JudgedCell, JudgedScenario
from bench.judging.sentences import sentence
from bench.load import LoadJob
from bench.models import Model
from bench.scenarios.base import MeasurementContext, Options, Reading, Scenario, Workload
from bench.scenarios.generation import Generation, closed_s
from bench.scenarios.options import CONNECTIONS
from bench.scenarios.schedule import Slices
from bench.words import join

ONE_READ = "GET /queries/?count=1"
# Servers that serve clients in turn stay below twice the mean here, so a longest answer beyond this is no accident.
UNEQUAL = 2.5
BODY = b'{"title": "Write a bench", "priority": 3}'
JSON = (("content-type", "application/json"),)


def workloads(options: Options) -> Sequence[Workload]:
    """From a request that costs no more than the framework itself to one that writes."""
    connections = {"connections": options[CONNECTIONS]}
    return [
        Workload("GET /", {"path": "/", **connections}, "the framework alone"),
        Workload(ONE_READ, {"path": "/queries/?count=1", **connections}, "one small database read"),
        Workload("GET /queries/?count=20", {"path": "/queries/?count=20", **connections}, "twenty database reads"),
        Workload("GET /todos/", {"path": "/todos/", **connections}, "a list of 50 rows"),
        Workload("POST /todos/", {"path": "/todos/", "method": "POST", **connections}, "a write"),
    ]


def measure(generation: Generation, workload: Workload) -> Mapping[str, Reading]:
    """A closed loop on the workload's path; every answer to a read must have the same bytes as the first one."""
    path = workload.parameters["path"]
    if workload.parameters.get("method") != "POST":
        return generation.closed(partial(reads, path=path), generation.options.cycles)
    try:
        return generation.closed(partial(writes, path=path), generation.options.cycles)
    finally:
        for context in generation.contexts.values():
            generation.testbed.restore_todos(context.server.model)


def reads(context: MeasurementContext, path: str, **more: Any) -> LoadJob:
    """A load that expects the bytes of a first answer. Raises OSError if there is none."""
    return context.job(path, expect_body=context.fetch(path), **more)


def writes(context: MeasurementContext, path: str) -> LoadJob:
    """A load that adds the same todo again and again."""
    return context.job(path, method="POST", body=BODY, headers=JSON, expect_status=201)


def finding(judged: JudgedScenario) -> str:
    """Whom a small database read costs least, and who does not serve all clients alike."""
    reads = judged.workload(ONE_READ)
    return " ".join(filter(None, (sentence(reads), unequal(list(reads.cells.values()))))) if reads else ""


def unequal(cells: Sequence[JudgedCell]) -> str:
    """The models whose longest answer takes many times the mean: some clients wait while others are served."""
    said = [f"{times:.1f} times the mean with {cell.model}" for cell in cells
            if cell.valid and (times := cell.median("longest_per_mean") or 0.0) >= UNEQUAL]  # fmt: skip
    return f"Clients are not served alike: the longest answer of a slice takes {join(said)}." if said else ""


def expected_s(options: Options, model: Model) -> float:
    """How long the slices on one server of a generation take."""
    return closed_s(options, options.cycles) * len(workloads(options))


SCENARIO = Scenario(
    name="throughput",
    question="How many requests a second does one process on one core answer, and what does each cost?",
    workloads=workloads,
    finding=finding,
    figure="cpu_per_request_s",
    where_idle="throughput_rps",
    schedule=Slices(measure),
    options=(CONNECTIONS,),
    wide=True,
    expected_s=expected_s,
)
