"""Made-up models, runs and demands for the prediction's tests, and a comparison that forgives the last digits."""

from pathlib import Path
from typing import Any

import pytest

from bench.prediction.costs import Costs, Measured
from bench.prediction.figures import Demand
from bench.prediction.vectors import GEVENT_LOOP
from bench.results import Cell, Run
from tests.observations import described, observations

VECTORS = Path(__file__).with_name("decide_vectors.json")
DEMAND = Demand()
FLAT = tuple(Costs(2e-4, 4e-4, 1.5e-4, 5e-4) for _ in range(6))


def model(name: str = "gevent", **changes: Any) -> Measured:
    """An event loop whose waits all overlap, unless said otherwise; every generation alike."""
    usual: dict[str, Any] = {
        "app": "gevent_app", "python_overlaps": True, "database_overlaps": True, "threads": None, "loop": GEVENT_LOOP,
        "trap": False, "generations": FLAT, "calls_s": (5e-4, 5e-4), "memory_bytes": 8e7,
        "request_bytes": 3e4, "streams": True,
        "local_waits_s": (2e-4, 1e-4),
    }  # fmt: skip
    return Measured(name=name, **usual | changes)


SYNC = model("sync", python_overlaps=False, database_overlaps=False, threads=1, loop=None, request_bytes=None)
THREADS = model("threads", threads=10, loop=None)
BLOCKING = model("blocking", database_overlaps=False)


def times(factor: float) -> tuple[Costs, ...]:
    """Generations that cost so many times as much, and differ a little from each other."""
    return tuple(
        Costs(*(value * factor * (1 + number / 500) for value in vars(costs).values()))
        for number, costs in enumerate(FLAT)
    )


def near(actual: Any, expected: Any, tolerance: float = 1e-6) -> None:
    """The same structure with the same figures, texts and states."""
    if isinstance(expected, dict):
        assert actual.keys() == expected.keys()
        for name in expected:
            near(actual[name], expected[name], tolerance)
    elif isinstance(expected, list | tuple):
        assert len(actual) == len(expected)
        for one, other in zip(actual, expected, strict=True):
            near(one, other, tolerance)
    elif isinstance(expected, float) and not isinstance(expected, bool):
        assert actual == pytest.approx(expected, rel=tolerance)
    else:
        assert actual == expected


def cell(name: str, workload: str, scenario: str = "throughput", generations: int = 6, **figures: Any) -> Cell:
    """A valid cell whose generations are all alike."""
    overlap = {"python": 1.1, "database": 1.2}
    one = {"state": "VALID", "reason": "", "overlap": overlap, "pss_bytes": 7e7, "rss_bytes": 9e7, **figures}
    requests = {"requests": figures["requests"]} if "requests" in figures else {}
    return Cell(scenario, name, {"name": workload, **requests}, "cpu_per_request_s", (),
                {"app": "gevent_app", "loop": GEVENT_LOOP}, observations(*[one] * generations))  # fmt: skip


def run_of(*cells: Cell) -> Run:
    """A run of these cells."""
    run = Run(Path("nowhere"), "2026-01-01T00:00:00Z", {}, {"models": ["gevent"]}, 1)
    run.cells = {one.key: one for one in cells}
    return described(run)


COSTS_US = {"GET /": 200, "GET /queries/?count=1": 700, "GET /queries/?count=20": 3_550, "GET /todos/": 800}
# How much of each request's time the core was idle: at first for a slice's beginning and end, then for the queries too.
IDLE_US = {"GET /": 10, "GET /queries/?count=1": 110, "GET /queries/?count=20": 1_060, "GET /todos/": 120}
NEIGHBOURS = 2.0  # times as long as alone takes a request beside other work on the machine


def throughput(name: str, **changes: Any) -> list[Cell]:
    """The cells that a prediction needs."""
    cells = []
    for workload, cpu_us in COSTS_US.items():
        took_us = NEIGHBOURS * cpu_us + IDLE_US[workload]
        figures = {"cpu_per_request_s": cpu_us / 1e6, "throughput_rps": 1e6 / took_us,
                   "core_idle": IDLE_US[workload] / took_us}  # fmt: skip
        cells.append(cell(name, workload, **figures | changes))
    return cells
