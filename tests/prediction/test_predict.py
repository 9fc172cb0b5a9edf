"""What binds, how many processes it takes, how long requests take, and what calls cost."""

from dataclasses import replace

import pytest

from bench.prediction.costs import Measured
from bench.prediction.figures import Demand
from bench.prediction.predict import predict
from bench.prediction.station import calls_s
from bench.prediction.vectors import ASYNCIO_LOOP, GEVENT_LOOP
from tests.prediction.examples import BLOCKING, DEMAND, SYNC, THREADS, model

LIMITS = [
    (model(), DEMAND, "connections", 20 / 0.0516),
    (model(), replace(DEMAND, concurrency=5), "load", 5 / 0.0516),
    (model(), replace(DEMAND, concurrency=5_000, db_connections=5_000), "cpu", 4 / 0.0016),
    (SYNC, DEMAND, "connections", 20 / 0.0516),
    (SYNC, replace(DEMAND, db_connections=500), "memory", 50 / 0.0516),
    (THREADS, replace(DEMAND, db_connections=500, cores=1), "cpu", 1 / 0.0016),
    (BLOCKING, replace(DEMAND, db_connections=500), "memory", 50 / 0.0516),
    (model(request_bytes=1e8), replace(DEMAND, db_connections=1_000, concurrency=5_000), "memory", None),
]  # fmt: skip


@pytest.mark.parametrize(("given", "demand", "limit", "rate_rps"), LIMITS)
def test_the_first_limit_binds_and_is_named(
    given: Measured, demand: Demand, limit: str, rate_rps: float | None
) -> None:
    found = predict(given, demand)
    assert found.limit == limit
    if rate_rps is not None:
        assert found.capacity_rps == pytest.approx(rate_rps, rel=0.08)


def test_in_a_closed_loop_little_holds_and_p99_is_not_below_the_median() -> None:
    for one in (model(), SYNC, THREADS, BLOCKING):
        for concurrency in (1, 30, 1_000):
            found = predict(one, replace(DEMAND, concurrency=concurrency))
            assert found.p50_s is not None
            assert found.p99_s is not None
            assert found.capacity_rps * found.p50_s == pytest.approx(concurrency)
            assert found.p99_s >= found.p50_s >= 0.0516 - 1e-9


def test_waits_that_block_take_processes_and_those_that_overlap_do_not() -> None:
    demand = replace(DEMAND, concurrency=None, rate_rps=150.0)
    processes = {one.name: predict(one, demand).processes for one in (model(), SYNC, THREADS, BLOCKING)}
    assert processes["gevent"] == 1
    assert processes["sync"] >= 150 * 0.0516 / 0.75
    assert processes["threads"] == 2
    assert processes["blocking"] >= processes["sync"]


def test_a_rate_beyond_the_capacity_has_no_response_time() -> None:
    found = predict(model(), replace(DEMAND, concurrency=None, rate_rps=5_000.0))
    assert (found.p50_s, found.p99_s, found.fits, found.keeps_slo) == (None, None, False, False)


def test_at_a_low_rate_a_request_takes_its_own_time() -> None:
    found = predict(model(), replace(DEMAND, concurrency=None, rate_rps=1.0))
    assert found.p50_s == pytest.approx(0.0516, rel=0.01)


def test_a_blocking_library_makes_upstream_waits_serial_on_asyncio_only() -> None:
    demand = replace(DEMAND, upstream_wait_s=0.1, calls=1, db_connections=500, cores=1, memory_bytes=8e7)
    for loop, slower in ((GEVENT_LOOP, False), (ASYNCIO_LOOP, True)):
        one = model(loop=loop, request_bytes=None)
        free, blocked = predict(one, demand), predict(one, replace(demand, blocking_libraries=True))
        assert (blocked.capacity_rps < free.capacity_rps / 2) is slower


def test_a_call_costs_more_the_more_are_under_way_and_nothing_beyond_what_was_measured() -> None:
    one = model(calls_s=(1e-3, 5e-3))
    demand = replace(DEMAND, queries=0, db_wait_s=0.0, cpu_s=0.0, cores=1, calls=1, upstream_wait_s=0.01)
    costs = {at_once: calls_s(one, replace(demand, concurrency=at_once)) for at_once in (1, 10, 30, 50, 5_000)}
    assert costs == pytest.approx({1: 1e-3, 10: 1e-3, 30: 3e-3, 50: 5e-3, 5_000: 5e-3})
    assert calls_s(one, replace(demand, concurrency=10, calls=3)) == pytest.approx(3 * 3e-3)
    assert calls_s(one, replace(demand, concurrency=None, rate_rps=3_000.0)) == pytest.approx(3e-3)


# A view that reads and then calls another service for 0.2 s: sixty at once, fifteen connections.
CALLING = replace(
    DEMAND, db_wait_s=0.0, cpu_s=0.0, upstream_wait_s=0.2, calls=1, concurrency=60, db_connections=15, cores=1
)


def test_a_connection_that_is_held_during_a_call_limits_how_many_call_at_once() -> None:
    held = predict(model(keeps_connection=True), CALLING)
    assert (held.limit, held.capacity_rps) == ("connections", pytest.approx(15 / 0.2, rel=0.02))
    free = predict(model(keeps_connection=False), CALLING)
    assert (free.limit, free.capacity_rps) == ("load", pytest.approx(60 / 0.2, rel=0.05))
    assert predict(model(keeps_connection=True), replace(CALLING, connection="given back")) == free
    assert predict(model(keeps_connection=False), replace(CALLING, connection="held")) == held


def test_at_a_rate_requests_queue_for_connections_that_are_held_during_calls() -> None:
    demand = replace(CALLING, concurrency=None, rate_rps=70.0)
    held, free = (predict(model(keeps_connection=keeps), demand) for keeps in (True, False))
    assert held.p99_s is not None
    assert free.p99_s is not None
    assert held.p99_s > 1.5 * free.p99_s
    assert predict(model(keeps_connection=True), replace(demand, rate_rps=80.0)).p99_s is None
