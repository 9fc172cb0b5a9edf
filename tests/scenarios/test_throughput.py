"""What `throughput` says beside its tables: who does not serve all clients alike."""

import pytest

from bench.results import Cell
from bench.scenarios.throughput import ONE_READ, SCENARIO, UNEQUAL, unequal
from tests.judged_runs import scenario_of
from tests.observations import observations


def cell(model: str, longest_s: float | None, workload: str = ONE_READ, state: str = "VALID") -> Cell:
    figures = {"throughput_rps": 1000.0, "p50_s": 0.010, "max_s": longest_s}
    rounds = tuple({"round": number, "state": state, "reason": "", **figures} for number in range(5))
    return Cell("throughput", model, {"name": workload}, "throughput_rps", (), {}, None, observations(*rounds))


def test_a_longest_answer_of_many_medians_is_told() -> None:
    cells = [cell("gevent", 0.25), cell("asyncio", 0.03), cell("gthread", 0.01 * UNEQUAL)]
    said = "25 times the median with gevent (10 and 250 ms) and 10 times the median with gthread (10 and 100 ms)"
    found = scenario_of(*cells)
    assert unequal(found.cells) == f"Clients are not served alike: the longest answer takes {said}."
    assert SCENARIO.finding(found).endswith(unequal(found.cells))


@pytest.mark.parametrize(
    "other",
    [
        cell("asyncio", 0.0999),
        cell("gevent (again)", 0.25),
        cell("gevent", 0.25, workload="GET /"),
        cell("gevent", 0.25, state="SATURATED"),
        cell("gevent", None),
    ],
)
def test_nothing_is_told_of_others(other: Cell) -> None:
    assert "Clients are not served alike" not in SCENARIO.finding(scenario_of(other))
