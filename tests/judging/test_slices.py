"""What requests usually cost is compared cycle by cycle; what pauses add to it is counted over all slices."""

from statistics import fmean
from typing import Any

import pytest

from bench.judging.slices import Columns, by_cycle, figures_of, one_slice
from bench.judging.validity import judge_slices
from bench.results import Cell
from tests.judged_runs import ONE_READ, judged_of
from tests.observations import closed_slices, loaded, observations, open_slices

CPU = "cpu_per_request_s"


def with_changes(columns: Columns, **changes: Any) -> Columns:
    return {**columns, **changes}


def test_costs_and_rates_are_what_is_usual_and_shares_are_ratios_of_sums() -> None:
    columns = with_changes(closed_slices(1000.0, cycles=3), good=[10, 90, 100], wall_s=[0.1, 0.1, 0.1],
                           cpu_s=[0.05, 0.09, 0.09], database_cpu_s=[0.01, 0.03, 0.02],
                           generator_cpu_s=[0.02, 0.04, 0.03], idle_s=[0.03, 0.01, 0.02],
                           response_mean_s=[0.1, 0.2, 0.2], response_max_s=[0.3, 0.4, 0.5])  # fmt: skip
    found = figures_of(columns)
    assert found["throughput_rps"] == pytest.approx(900)
    assert found[CPU] == pytest.approx(0.001)
    assert found["database_cpu_per_request_s"] == pytest.approx(0.06 / 200)
    assert found["core_use"] == pytest.approx(0.23 / 0.3)
    assert found["core_idle"] == pytest.approx(0.2)
    assert found["generator_use"] == pytest.approx(0.3)
    assert found["mean_s"] == pytest.approx((10 * 0.1 + 90 * 0.2 + 100 * 0.2) / 200)
    assert found["max_s"] == 0.5
    assert found["longest_per_mean"] == pytest.approx(2.5)
    assert "p90_s" not in found


def test_a_percentile_is_that_of_all_requests_of_all_slices() -> None:
    columns = open_slices(cycles=2)
    slow, fast = [30_000] * 50, [1_000] * 150
    found = figures_of(with_changes(columns, responses_us=[slow, fast], services_us=[fast, fast]))
    assert (found["p50_s"], found["p90_s"], found["service_p90_s"]) == (0.001, 0.030, 0.001)
    assert found["p99_s"] is None, "fewer than ten requests are beyond it"
    assert found["offered_rps"] == pytest.approx(200.0)


def test_what_cannot_be_known_is_no_figure() -> None:
    nothing = figures_of(with_changes(closed_slices(cycles=1), good=[0], idle_s=[None], response_mean_s=[None],
                                      response_max_s=[None]))  # fmt: skip
    assert {name for name, value in nothing.items() if value is None} == {
        CPU, "throughput_rps", "pauses", "database_cpu_per_request_s", "core_idle", "mean_s", "max_s",
        "longest_per_mean",
    }  # fmt: skip


def test_a_figure_by_cycle_has_one_value_for_each_and_none_at_all_if_one_lacks_it() -> None:
    columns = with_changes(closed_slices(cycles=3), good=[1, 2, 4], cpu_s=[0.1, 0.1, 0.1])
    assert by_cycle(columns, CPU) == pytest.approx([0.1, 0.05, 0.025])
    assert by_cycle(with_changes(columns, good=[1, 0, 4]), CPU) == []
    assert len(by_cycle(open_slices(cycles=4), "p90_s")) == 4


def test_one_slice_keeps_what_is_the_same_for_all() -> None:
    found = one_slice(closed_slices(cycles=4, error="none"), 2)
    assert (found["good"], found["slice_s"], found["error"]) == ([50], 0.05, "none")


def test_one_slice_in_ten_with_garbage_is_a_pause_and_not_in_the_usual_cost() -> None:
    """A server takes 0.8 of another's CPU time in nine slices, and collects its garbage in the tenth."""
    other = closed_slices(1000.0, 0.001, cycles=50)
    collecting = {**other, "cpu_s": [0.14 if place % 10 == 3 else 0.04 for place in range(50)]}
    assert fmean(collecting["cpu_s"]) == pytest.approx(fmean(other["cpu_s"]))
    (workload,) = judged_of(*(
        Cell("throughput", model, {"name": ONE_READ}, CPU, (), {}, observations(*[loaded(columns)] * 3))
        for model, columns in (("gevent", other), ("asyncio-bridge", collecting))
    )).workloads  # fmt: skip
    found = workload.interval("asyncio-bridge", "gevent")
    assert found is not None
    assert found.ratio == pytest.approx(0.8)
    assert [cell.pauses for cell in workload.cells.values()] == pytest.approx([0.0, 0.25])
    assert pytest.approx(1.0) == 0.8 * 1.25, "both together are the mean"


def test_a_generation_on_a_slower_machine_is_no_pause_either() -> None:
    """Each generation by itself says what is usual."""
    speeds = [loaded(closed_slices(rps)) for rps in (1000.0, 1000.0, 400.0)]
    cell = Cell("throughput", "gevent", {"name": ONE_READ}, CPU, (), {}, observations(*speeds))
    assert judged_of(cell).cells[0].pauses == 0


def test_a_neighbour_on_the_same_core_makes_no_pause() -> None:
    slowed = closed_slices(1000.0, cycles=20, disturbance=(1.0, 1.0, 1.6))
    assert figures_of(slowed)["pauses"] == 0


def test_a_server_that_refused_its_first_connection_has_no_figures() -> None:
    columns = with_changes(closed_slices(1000.0, cycles=1), good=[0], errors=[1], wall_s=[0.0], cpu_s=[0.0],
                           generator_cpu_s=[0.0], database_cpu_s=[0.0], idle_s=[0.0], response_mean_s=[None],
                           response_max_s=[None], first_half_good=[0])  # fmt: skip
    assert set(figures_of(columns).values()) == {None}


def test_a_server_that_failed_before_its_first_slice_says_why_and_has_no_figures() -> None:
    columns = {**open_slices(cycles=1), "error": "refused: nobody is there"}
    columns = {name: [] if isinstance(value, list) else value for name, value in columns.items()}
    assert set(figures_of(columns).values()) == {None}
    found = judge_slices([columns])
    assert (found.state, found.reason) == ("ERRORS", "no request was answered, for instance refused: nobody is there")
