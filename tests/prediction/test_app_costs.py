"""What a trial's own application would need: its measured costs and waits in the formulas of `decide`."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from bench.errors import BenchError
from bench.prediction.predict import Prediction
from bench.prediction.tried import app_costs, decide_for_app, demand_of_trial, served_at_once
from bench.results import Run
from tests.judged_runs import LEVEL, times
from tests.observations import described
from tests.prediction.examples import run_of
from tests.trials import GTHREAD, HUNG, ORDERS, REPORT, load, trial_of, tried, tried_model, waits

# 50 ms, of which 2 ms are CPU time.
WAITING = waits(8.0)
SYNC = tried_model("sync", {ORDERS: WAITING})
THREADS = tried_model("gthread", 1.3, command=("python", "-m", "gunicorn", "--threads", "15", "shop:app"))
GEVENT = tried_model("gevent", 1.3)
USUAL = {"db_connections": 20, "cores": 4, "memory_mb": 4000, "slo_ms": 1000}


def slow(model: str, **more: Any) -> Any:
    """A load in which each request takes 2 ms of CPU time."""
    return load(model, times(0.5), cpu_per_request_s=None, **more)


def trial(*models: Any, **more: Any) -> Run:
    """A run with a load of every model."""
    return trial_of(tried(*models, **more), *(slow(model.name) for model in models))


def predictions(run: Run, **changes: float) -> dict[str, Prediction]:
    """By model."""
    load_of = {} if "rate" in changes else {"concurrency": 200}
    decision, _ = decide_for_app(run, demand_of_trial(run, {**USUAL, **load_of, **changes}))
    return {row.prediction.model: row.prediction for row in decision.rows}


def test_the_request_is_what_was_measured() -> None:
    known, _ = app_costs(trial(SYNC, THREADS, GEVENT))
    stations = {one.model.name: one.station for one in known}
    for station in stations.values():
        assert station.busy_s == pytest.approx(0.002, rel=0.05)
    assert stations["sync"].blocked_s == pytest.approx(0.048)
    assert stations["sync"].wait_s == 0
    assert stations["gevent"].blocked_s == 0
    assert stations["gevent"].other_wait_s == pytest.approx(0.048, rel=0.05)


def test_waits_that_hold_up_others_need_processes_and_those_that_overlap_need_cores() -> None:
    found = predictions(trial(SYNC, THREADS, GEVENT))
    assert (found["gevent"].processes, found["gevent"].limit) == (4, "cpu")
    assert found["gevent"].capacity_rps == pytest.approx(4 / 0.002, rel=0.1)
    assert found["sync"].limit == "memory"
    assert found["sync"].processes > 50
    assert found["gthread"].limit in ("threads", "cpu")
    assert found["sync"].capacity_rps < found["gevent"].capacity_rps


@pytest.mark.parametrize(
    ("changes", "limit"),
    [({"concurrency": 8}, "load"), ({"memory_mb": 60, "concurrency": 200}, "cpu"), ({"cores": 1}, "cpu")],
)
def test_what_binds_is_what_the_reader_says_there_is(changes: dict[str, float], limit: str) -> None:
    assert predictions(trial(SYNC, GEVENT), **changes)["gevent"].limit == limit


def test_a_rate_gets_the_fewest_processes_that_keep_it() -> None:
    found = predictions(trial(SYNC, GEVENT), rate=600)["gevent"]
    assert found.processes == 2
    assert found.p99_s is not None
    assert found.p99_s < 1


def test_an_application_with_a_database_is_limited_by_its_connections() -> None:
    using = replace(GEVENT, database_connections=6)
    found = predictions(trial(SYNC, using), db_connections=5)["gevent"]
    assert (found.limit, found.processes, found.connections) == ("connections", 1, 5)
    assert predictions(trial(SYNC, GEVENT), db_connections=5)["gevent"].connections == 0


def test_requests_count_as_they_are_weighted() -> None:
    both = {ORDERS: waits(1.1), REPORT: waits(1.1, wall_s=0.5)}
    found = tried(tried_model("sync", both), statuses={ORDERS: 200, REPORT: 200})
    often, rarely = found.requests
    found = replace(found, requests=(replace(often, weight=9.0), rarely))
    run = trial_of(found, slow("sync"), slow("sync", workload=REPORT))
    ((one,), _) = app_costs(run)
    assert one.station.alone_s == pytest.approx(0.9 * 0.05 + 0.1 * 0.5, rel=0.02)


def test_waits_too_short_to_tell_hold_up_others_for_as_long_as_they_left_the_core_idle() -> None:
    short = tried_model("gevent", {ORDERS: waits(3.0, wall_s=0.004, cpu_s=0.001)})
    idle, busy = (load("gevent", LEVEL, idle=share) for share in (0.5, 0.0))
    for cell, blocked_s in ((idle, 0.0005), (busy, 0.0)):
        ((one,), _) = app_costs(trial_of(tried(short), cell))
        assert one.station.blocked_s == pytest.approx(blocked_s, rel=0.05)


def test_a_request_waits_no_longer_than_under_the_model_under_which_it_waits_least() -> None:
    computing, disturbed = waits(8.0, wall_s=0.01, cpu_s=0.01), waits(8.0, wall_s=0.02, cpu_s=0.01)
    run = trial(tried_model("sync", {ORDERS: computing}), tried_model("gevent", {ORDERS: disturbed}))
    known, _ = app_costs(run)
    assert [one.station.wait_s + one.station.blocked_s for one in known] == [0, 0]


def test_waits_that_are_little_beside_the_cpu_time_need_no_more_processes_than_cores() -> None:
    one = tried_model("gevent", {ORDERS: waits(8.0, wall_s=0.02, cpu_s=0.0185)})
    run = trial_of(tried(one), load("gevent", times(0.05)))
    ((costs,), _) = app_costs(run)
    assert costs.station.blocked_s == 0
    assert predictions(run)["gevent"].processes == 4


def test_only_models_that_may_be_taken_are_predicted_and_the_others_are_named() -> None:
    hanging = replace(GTHREAD, differences=(HUNG,))
    unloaded = tried_model("asgiref", {}, memory_bytes=None)
    known, unknown = app_costs(trial_of(tried(SYNC, hanging, GEVENT, unloaded), slow("sync"), slow("gevent")))
    assert [one.model.name for one in known] == ["sync", "gevent"]
    assert [(one.name, one.reason) for one in unknown] == [
        ("gthread", "hangs"),
        ("asgiref", "not measured under load"),
    ]


def test_without_a_load_the_cpu_time_of_one_request_alone_is_taken() -> None:
    run = trial_of(tried(SYNC, GEVENT))
    decision, _ = decide_for_app(run, demand_of_trial(run, {**USUAL, "concurrency": 200}))
    assert decision.rows[0].prediction.model == "gevent"


@pytest.mark.parametrize(
    ("models", "demand", "says"),
    [
        ((SYNC, THREADS, GEVENT), {"concurrency": 8},
         "The trial recommends gthread: it would come to 158 answers a second, limited by the load. gthread needs"),
        ((SYNC, THREADS, GEVENT), {"rate": 100_000},
         "It does not keep 100,000 requests a second with p99 below 1,000 ms"),
        ((SYNC, THREADS), {"rate": 10}, "limited by CPU. gthread needs 1 process and 60.0 MB."),
    ],
)  # fmt: skip
def test_the_model_that_the_trial_recommends_is_advised(models: Any, demand: dict[str, float], says: str) -> None:
    run = trial(*models)
    decision, _ = decide_for_app(run, demand_of_trial(run, {**USUAL, **demand}))
    assert decision.verdict.advised == "gthread"
    assert says in decision.verdict.text


def test_without_a_recommendation_there_are_figures_only() -> None:
    run = trial(SYNC, GEVENT, statuses={ORDERS: 401})
    decision, _ = decide_for_app(run, demand_of_trial(run, {**USUAL, "concurrency": 8}))
    assert decision.verdict.text == "The trial recommends no model, so there are only figures."
    assert len(decision.rows) == 2


@pytest.mark.parametrize(
    ("run", "says"),
    [
        (lambda: trial_of(tried(replace(SYNC, differences=(HUNG,)))), r"nothing to predict from \(sync: hangs\)"),
        (lambda: described(run_of()), "is no trial of an application"),
    ],
)
def test_where_nothing_is_known_that_is_said(run: Callable[[], Run], says: str) -> None:
    with pytest.raises(BenchError, match=says):
        decide_for_app(made := run(), demand_of_trial(made, {**USUAL, "concurrency": 1}))


@pytest.mark.parametrize(
    ("name", "command", "most"),
    [
        ("sync", ("gunicorn", "shop:app"), 1),
        ("gthread", ("gunicorn", "--threads", "15", "shop:app"), 15),
        ("granian", ("granian", "--blocking-threads", "4", "shop:app"), 4),
        ("gevent", ("gunicorn", "shop:app", "--threads"), None),
        ("bridge-threads", ("uvicorn", "bridge_app:app"), 40),
    ],
)
def test_how_many_requests_a_process_serves_is_in_its_command(
    name: str, command: tuple[str, ...], most: int | None
) -> None:
    assert served_at_once(tried_model(name, command=command)) == most
