"""What a run's cells say of each model."""

from dataclasses import asdict, replace

import pytest

from bench.prediction.costs import measured
from tests.prediction.examples import cell, near, run_of, throughput


def test_costs_are_what_the_workloads_differ_by() -> None:
    (found,), unmeasured = measured(run_of(*throughput("gevent")))
    assert not unmeasured
    near(asdict(found.costs), {"base_s": 200e-6, "first_query_s": 500e-6, "query_s": 150e-6, "list_s": 600e-6}, 1e-9)
    assert (found.threads, found.python_overlaps, found.trap, found.memory_bytes) == (None, True, False, 7e7)
    assert (found.calls_s, found.request_bytes, found.streams) == (None, None, None)
    assert len(found.generations) == 6


def test_local_waits_are_idle_time_and_not_what_neighbours_took() -> None:
    (found,), _ = measured(run_of(*throughput("sync")))
    assert found.local_waits_s == pytest.approx((100e-6, 50e-6))
    (untold,), _ = measured(run_of(*throughput("sync", core_idle=None)))
    assert untold.local_waits_s == (0.0, 0.0)


def test_two_generations_are_enough_for_a_prediction() -> None:
    (found,), unmeasured = measured(run_of(*throughput("sync", generations=2)))
    assert (len(found.generations), unmeasured) == (2, [])


def test_a_twin_is_not_predicted_and_tells_which_generations_of_the_baseline_count() -> None:
    twins = [replace(one, observations=one.observations[::2]) for one in throughput("gevent (again)")]
    (found,), unmeasured = measured(run_of(*throughput("gevent"), *twins))
    assert (found.name, len(found.generations), unmeasured) == ("gevent", 3, [])


def test_the_other_scenarios_give_the_cost_of_calls_memory_and_streams() -> None:
    run = run_of(
        *throughput("gevent"),
        cell("gevent", "10 calls", "fanout", 1, cpu_per_call_s=1.02e-3),
        cell("gevent", "50 calls", "fanout", 1, cpu_per_call_s=3.004e-3),
        cell("gevent", "10", "scale", 1, requests=10),
        cell("gevent", "1,000", "scale", 1, requests=1_000, memory_per_request_bytes=3e4),
        cell("gevent", "5,000", "scale", 1, requests=5_000, memory_per_request_bytes=4e4, state="SATURATED"),
        cell("gevent", "500", "stream", 1),
    )
    (found,), _ = measured(run)
    assert found.calls_s == pytest.approx((1e-3, 3e-3))
    assert (found.request_bytes, found.streams) == (3e4, True)


def test_overlap_is_read_from_the_probes_and_a_loop_that_blocks_is_a_trap() -> None:
    (found,), _ = measured(run_of(*throughput("mine", overlap={"python": 1.0, "database": 4.1})))
    assert (found.python_overlaps, found.database_overlaps, found.threads, found.trap) == (True, False, None, True)


def test_nothing_is_predicted_for_a_floor() -> None:
    found, unmeasured = measured(run_of(*throughput("asyncio-floor"), *throughput("gevent")))
    assert ([model.name for model in found], unmeasured) == (["gevent"], [])


def test_a_model_without_usable_cells_is_unmeasured_and_says_why() -> None:
    cells = throughput("gevent")
    failed = replace(cells[0], observations=(replace(cells[0].observations[0], state="ERRORS"),))
    reasons = [
        (cells[1:], "no cell for GET /"),
        ([*cells[1:], failed], "GET / is ERRORS"),
        ([*cells[1:], cell("gevent", "GET /", throughput_rps=1.0)], "GET / has a generation without CPU time"),
        ([*cells[1:], cell("gevent", "GET /", throughput_rps=1.0, cpu_per_request_s=1.0)],
         "in some generation more work took less CPU time, so the run is too noisy"),
    ]  # fmt: skip
    for given, reason in reasons:
        found, (unmeasured,) = measured(run_of(*given))
        assert not found
        assert unmeasured.reason == reason
