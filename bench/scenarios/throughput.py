"""How many requests a second does one process on one core answer, and what does each cost?

Closed loop: every connection sends as soon as it has its answer, so this is the most that a server can do, and its
latencies are those of a server that is never idle. How long users wait at a given rate is the question of `latency`.
What they do tell is whether clients are served alike: where all ask without a pause, a fair server's longest answer is
not far from its median. gevent's is far from it: a greenlet goes on while it finds work, so a client whose next request
is there already is served before those that wait (`gevent-yielding`, entrypoints/gunicorn_yield.py, makes it give way).
"""

from collections.abc import Sequence
from statistics import median

from bench.judging.standings import is_twin, sentence
from bench.results import Cell
from bench.scenarios.base import Column, MeasurementContext, Options, Reading, Scenario, Workload, load_reading
from bench.words import join

ONE_READ = "GET /queries/?count=1"
# A longest answer of so many medians is no accident: servers that take turns stay below 5 here.
UNEQUAL = 10.0
BODY = b'{"title": "Write a bench", "priority": 3}'
JSON = (("content-type", "application/json"),)


def workloads(options: Options) -> Sequence[Workload]:
    """From the framework's own floor to a write."""
    connections = {"connections": options.connections}
    return [
        Workload("GET /", {"path": "/", **connections}),
        Workload(ONE_READ, {"path": "/queries/?count=1", **connections}),
        Workload("GET /queries/?count=20", {"path": "/queries/?count=20", **connections}),
        Workload("GET /todos/", {"path": "/todos/", **connections}),
        Workload("POST /todos/", {"path": "/todos/", "method": "POST", **connections}),
    ]


def measure(context: MeasurementContext, workload: Workload) -> Reading:
    """Every answer to a read must have the bytes of the first one."""
    path = workload.parameters["path"]
    if workload.parameters.get("method") == "POST":
        try:
            return load_reading(context, context.job(path, method="POST", body=BODY, headers=JSON, expect_status=201))
        finally:
            context.testbed.restore_todos(context.server.model)
    return load_reading(context, context.job(path, expect_body=context.fetch(path)))


def finding(cells: Sequence[Cell]) -> str:
    """Who answers most of the small database reads, and who does not serve all clients alike there."""
    best = sentence(cells, ONE_READ, SCENARIO.figure, higher_is_better=True, what="answers")
    return " ".join(filter(None, (best, unequal(cells))))


def unequal(cells: Sequence[Cell]) -> str:
    """Whose longest answer takes many times the median: some clients wait while others are served again and again."""
    said = []
    for cell in cells:
        middles_s, longest_s = cell.values("p50_s"), cell.values("max_s")
        asked = cell.workload["name"] == ONE_READ and cell.judgement.valid and not is_twin(cell.model)
        if asked and middles_s and longest_s and (times := median(longest_s) / median(middles_s)) >= UNEQUAL:
            figures = f"{median(middles_s) * 1e3:.0f} and {median(longest_s) * 1e3:.0f} ms"
            said.append(f"{times:.0f} times the median with {cell.model} ({figures})")
    return f"Clients are not served alike: the longest answer takes {join(said)}." if said else ""


SCENARIO = Scenario(
    name="throughput",
    question="How many requests a second does one process on one core answer, and what does each cost?",
    workloads=workloads,
    measure=measure,
    columns=(
        Column("req/s", "throughput_rps"),
        Column("p50 ms", "p50_s", 1e3, 1),
        Column("p90 ms", "p90_s", 1e3, 1),
        Column("max ms", "max_s", 1e3),
        Column("CPU µs", "cpu_per_request_s", 1e6),
    ),
    finding=finding,
    figure="throughput_rps",
    higher_is_better=True,
    compared=True,
    wide=True,
)
