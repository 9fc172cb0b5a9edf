"""How many requests a second does one process on one core answer, and what does each cost?

Closed loop: every connection sends its next request as soon as it has an answer. So this is the most that a server can
do, and the response times are those of a server that is never idle; how long users wait at a given rate is the question
of `latency`. But the response times tell whether clients are served alike: where all clients ask without a pause, a
fair server's longest answer does not take much longer than its median. gevent's does. A greenlet goes on while it finds
work, so a client whose next request is there already is served before those that wait; in `gevent-yielding` it gives
way after each answer (entrypoints/gunicorn_yield.py).
"""

from collections.abc import Sequence
from statistics import median

from bench.judging import JudgedCell, JudgedScenario
from bench.judging.phrases import sentence
from bench.scenarios.base import MeasurementContext, Options, Reading, Scenario, Workload, load_reading
from bench.scenarios.options import CONNECTIONS
from bench.scenarios.schedule import Rounds
from bench.words import join

ONE_READ = "GET /queries/?count=1"
# Servers that serve clients in turn stay below 5 medians here, so a longest answer of 10 medians is no accident.
UNEQUAL = 10.0
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


def measure(context: MeasurementContext, workload: Workload) -> Reading:
    """A closed loop on the workload's path; every answer to a read must have the same bytes as the first one."""
    path = workload.parameters["path"]
    if workload.parameters.get("method") == "POST":
        try:
            return load_reading(context, context.job(path, method="POST", body=BODY, headers=JSON, expect_status=201))
        finally:
            context.testbed.restore_todos(context.server.model)
    return load_reading(context, context.job(path, expect_body=context.fetch(path)))


def finding(judged: JudgedScenario) -> str:
    """Who answers most small database reads a second, and who does not serve all clients alike."""
    reads = judged.workload(ONE_READ)
    return " ".join(filter(None, (sentence(reads, "answers"), unequal(list(reads.cells.values()))))) if reads else ""


def unequal(cells: Sequence[JudgedCell]) -> str:
    """The models whose longest answer takes many times the median: some clients wait while others are served."""
    said = []
    for cell in cells:
        middles_s, longest_s = cell.values("p50_s"), cell.values("max_s")
        if cell.valid and middles_s and longest_s and (times := median(longest_s) / median(middles_s)) >= UNEQUAL:
            figures = f"{median(middles_s) * 1e3:.0f} and {median(longest_s) * 1e3:.0f} ms"
            said.append(f"{times:.0f} times the median with {cell.model} ({figures})")
    return f"Clients are not served alike: the longest answer takes {join(said)}." if said else ""


SCENARIO = Scenario(
    name="throughput",
    question="How many requests a second does one process on one core answer, and what does each cost?",
    workloads=workloads,
    measure=measure,
    finding=finding,
    figure="throughput_rps",
    higher_is_better=True,
    schedule=Rounds(),
    options=(CONNECTIONS,),
    wide=True,
)
