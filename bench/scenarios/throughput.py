"""How many requests a second does one process on one core answer, and what does each cost?

Closed loop: every connection sends as soon as it has its answer, so this is the most that a server can do, and its
latencies are those of a server that is never idle. How long users wait at a given rate is the question of `latency`.
"""

from collections.abc import Sequence

from bench.compare import sentence
from bench.results import Cell
from bench.scenarios.base import Column, Ground, Options, Reading, Scenario, Workload, load_reading

BODY = b'{"title": "Write a bench", "priority": 3}'
JSON = (("content-type", "application/json"),)


def workloads(options: Options) -> Sequence[Workload]:
    """From the framework's own floor to a write."""
    connections = {"connections": options.connections}
    return [
        Workload("GET /", {"path": "/", **connections}),
        Workload("GET /queries/?count=1", {"path": "/queries/?count=1", **connections}),
        Workload("GET /queries/?count=20", {"path": "/queries/?count=20", **connections}),
        Workload("GET /todos/", {"path": "/todos/", **connections}),
        Workload("POST /todos/", {"path": "/todos/", "method": "POST", **connections}),
    ]


def measure(ground: Ground, workload: Workload) -> Reading:
    """Every answer to a read must have the bytes of the first one."""
    path = workload.parameters["path"]
    if workload.parameters.get("method") == "POST":
        try:
            return load_reading(ground, ground.job(path, method="POST", body=BODY, headers=JSON, expect_status=201))
        finally:
            ground.bed.restore_todos(ground.server.model)
    return load_reading(ground, ground.job(path, expect_body=ground.fetch(path)))


def finding(cells: Sequence[Cell]) -> str:
    """Who answers most of the small database reads."""
    return sentence(cells, "GET /queries/?count=1", SCENARIO.figure, higher_is_better=True, what="answers")


SCENARIO = Scenario(
    name="throughput",
    question="How many requests a second does one process on one core answer, and what does each cost?",
    workloads=workloads,
    measure=measure,
    columns=(
        Column("req/s", "throughput_rps"),
        Column("p50 ms", "p50_s", 1e3, 1),
        Column("p90 ms", "p90_s", 1e3, 1),
        Column("p99 ms", "p99_s", 1e3, 1),
        Column("CPU µs", "cpu_per_request_s", 1e6),
    ),
    finding=finding,
    figure="throughput_rps",
    higher_is_better=True,
    compared=True,
    wide=True,
)
