"""Made-up runs of one figure, for tests of what judging says of them."""

from collections.abc import Mapping, Sequence
from math import isnan
from pathlib import Path
from typing import Any

from bench.judging import Judged, JudgedScenario, JudgedWorkload, judge
from bench.results import Cell, Run
from tests.observations import described, observations

LEVEL = (1000.0, 1010.0, 990.0, 1005.0, 995.0, 1000.0)
ONE_READ = "GET /queries/?count=1"
KINDS = ("GET /", ONE_READ, "GET /queries/?count=20", "GET /todos/", "POST /todos/")


def times(factor: float, values: Sequence[float] = LEVEL) -> tuple[float, ...]:
    """The rounds times a factor."""
    return tuple(value * factor for value in values)


def rates(
    model: str, values: Sequence[float], workload: str = ONE_READ, state: str = "VALID", scenario: str = "throughput"
) -> Cell:
    """A cell of throughput; NaN is a round that is not valid."""
    rounds = [
        {"state": "SATURATED" if isnan(value) else state, "throughput_rps": None if isnan(value) else value}
        for value in values
    ]
    return Cell(scenario, model, {"name": workload}, "throughput_rps", (), {}, 0.6, observations(*rounds))


def run_of(*cells: Cell, folder: Path = Path("nowhere"), seed: int = 1, **more: Any) -> Run:
    """A run with these cells, and with what it must say of them."""
    run = Run(folder, "2026-11-20T12:00:00Z", more.get("environment", {}), more.get("arguments", {}), seed)
    for cell in cells:
        run.add(cell)
    return described(run)


def judged_of(*cells: Cell) -> Judged:
    """The same, judged."""
    return judge(run_of(*cells))


def workload_of(measured: Mapping[str, Sequence[float]]) -> JudgedWorkload:
    """One workload of throughput, by model."""
    (workload,) = judged_of(*(rates(model, values) for model, values in measured.items())).workloads
    return workload


def scenario_of(*cells: Cell) -> JudgedScenario:
    """The scenario that these cells are of."""
    scenarios = judged_of(*cells).scenarios
    return scenarios[0] if scenarios else JudgedScenario("none", "", False, ())
