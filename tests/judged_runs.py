"""Made-up runs of servers that were loaded in slices, for tests of what judging says of them."""

from collections.abc import Mapping, Sequence
from math import isnan
from pathlib import Path
from typing import Any

from bench.judging import Judged, JudgedScenario, JudgedWorkload, judge
from bench.results import Cell, Run
from tests.observations import closed_slices, described, loaded, observations, open_slices

LEVEL = (1000.0, 1010.0, 990.0, 1005.0, 995.0, 1000.0)
ONE_READ = "GET /queries/?count=1"
COMMON, PROMISE = "one rate for all", "promise: p99 below 50 ms"
KINDS = ("GET /", ONE_READ, "GET /queries/?count=20", "GET /todos/", "POST /todos/")


def times(factor: float, values: Sequence[float] = LEVEL) -> tuple[float, ...]:
    """The values times a factor."""
    return tuple(value * factor for value in values)


def rates(
    model: str,
    values: Sequence[float],
    workload: str = ONE_READ,
    state: str = "",
    *,
    numbers: Sequence[int] = (),
    scenario: str = "throughput",
    **slices: Any,
) -> Cell:
    """A cell of throughput with these requests a second, generation by generation; NaN is one that answered nothing.

    The server fills its core unless `slices` (see `closed_slices`) says otherwise, so it is ranked by CPU time a
    request, which is 1 ÷ rate. `state` is that of every generation unless empty. `numbers` are those of the
    generations, for models whose servers were not all up together.
    """
    forced = {"state": state, "reason": "made up"} if state else {}
    nothing = {"state": "ERRORS", "reason": "it did not start"}
    measured = [nothing if isnan(rps) else {**loaded(closed_slices(rps, **slices)), **forced} for rps in values]
    numbered = [{"round": number, **one} for number, one in zip(numbers or range(len(values)), measured, strict=True)]
    return Cell(scenario, model, {"name": workload}, "cpu_per_request_s", (), {}, observations(*numbered))


def waits(model: str, p90s_s: Sequence[float], workload: str = COMMON, **slices: Any) -> Cell:
    """A cell of latency at one rate with these 90th percentiles, generation by generation."""
    measured = [loaded(open_slices(p90_s, **slices)) for p90_s in p90s_s]
    return Cell("latency", model, {"name": workload}, "p90_s", (), {}, observations(*measured))


def promises(model: str, rates_rps: Sequence[float], late: int = 3, workload: str = PROMISE) -> Cell:
    """A cell of rates that were promised, with so many late requests of 1,000 at each."""
    measured = [
        loaded(open_slices(0.02, rps, cycles=1, slice_s=1.0), promise_rps=rps, late=late, requests=1000)
        for rps in rates_rps
    ]
    return Cell("latency", model, {"name": workload, "slo_s": 0.05}, "promise_rps", (), {}, observations(*measured))


def run_of(*cells: Cell, folder: Path = Path("nowhere"), seed: int = 1, **more: Any) -> Run:
    """A run with these cells, and with what it must say of them."""
    run = Run(folder, "2026-11-20T12:00:00Z", more.get("environment", {}), more.get("arguments", {}), seed)
    for cell in cells:
        run.add(cell)
    return described(run)


def judged_of(*cells: Cell) -> Judged:
    """The same, judged."""
    return judge(run_of(*cells))


def workload_of(measured: Mapping[str, Sequence[float]], **slices: Any) -> JudgedWorkload:
    """One workload of throughput, by model."""
    (workload,) = judged_of(*(rates(model, values, **slices) for model, values in measured.items())).workloads
    return workload


def scenario_of(*cells: Cell) -> JudgedScenario:
    """The scenario that these cells are of."""
    scenarios = judged_of(*cells).scenarios
    return scenarios[0] if scenarios else JudgedScenario("none", "", False, ())
