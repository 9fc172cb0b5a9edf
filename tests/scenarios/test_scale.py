"""How many requests wait at once: the arithmetic as tables, and real servers with few of them."""

import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import psutil
import pytest
from generators import OneOff

from bench.load import ErrorCounts, LoadJob, LoadResult, run
from bench.models import Model, find_models
from bench.results import Cell
from bench.scenarios import scale
from bench.scenarios.base import Contestant, MeasurementContext, Options, Reading
from bench.scenarios.scale import LEVELS, deadline_s, figures, finding, judge, memory_per_request, workload
from bench.testbed.servers.cost import Cost
from bench.testbed.servers.life import Server, serving
from bench.testbed.testbed import TestBed
from tests.judged_runs import scenario_of
from tests.observations import observations

SYNC, GEVENT, ASYNCIO = find_models("sync,gevent,asyncio-bridge")


def context_of(server: Server, testbed: TestBed) -> MeasurementContext:
    """A context whose memo lives as long as it does."""
    contestant = Contestant(server.model.name, server.model)
    return MeasurementContext(contestant, server, testbed, Options(), random.Random(1), OneOff(), lambda _: None)


def measure(context: MeasurementContext, *levels: tuple[int, float]) -> list[Reading]:
    return [scale.measure(context, workload(*level)) for level in levels]


@pytest.fixture(scope="module")
def load() -> LoadResult:
    """A result to change: one refused request."""
    return run(LoadJob(host="127.0.0.1", port=9, connections=1, max_requests=1, warmup_s=0, duration_s=1, timeout_s=1))


def changed(load: LoadResult, good: int = 0, last_answer_s: float | None = None, **errors: int) -> LoadResult:
    requests = good + sum(errors.values())
    return replace(
        load, good=good, requests=requests, last_answer_s=last_answer_s, errors=ErrorCounts(**errors),
        cpu_user_s=0.1, cpu_system_s=0.1, cpu_window_s=1.0,
    )  # fmt: skip


@pytest.mark.parametrize(("seconds", "expected_s"), [(0.15, 3), (0.3, 3), (1.0, 10), (3.0, 30)])
def test_a_level_has_ten_sleeps_and_at_least_three_seconds(seconds: float, expected_s: float) -> None:
    assert deadline_s(seconds) == expected_s


def test_levels_ascend_and_a_serial_server_can_end_the_first_but_not_the_second() -> None:
    assert list(LEVELS) == sorted(LEVELS)
    (first, first_s), (second, second_s) = LEVELS[:2]
    assert first * first_s < deadline_s(first_s) < deadline_s(second_s) * 2 < second * second_s


@pytest.mark.parametrize(
    ("model", "requests", "seconds", "total_s", "ratio"),
    [(GEVENT, 100, 0.5, 1.0, 2.0), (ASYNCIO, 5_000, 3.0, 9.0, 3.0), (SYNC, 10, 0.25, 2.5, 1.0), (SYNC, 1, 2.0, 5, 2.5)],
)
def test_total_is_over_one_sleep_or_over_all_of_them(
    load: LoadResult, model: Model, requests: int, seconds: float, total_s: float, ratio: float
) -> None:
    cost = Cost(0, 0, 0, 0, 0, 0, 1, 1, 1, 0)
    values = figures(changed(load, requests, total_s), cost, model, seconds, requests)
    assert (values["answered"], values["failed"], values["total_per_ideal"]) == (requests, 0, ratio)
    unanswered = figures(changed(load, requests - 1, total_s, timeout=1), cost, model, seconds, requests)
    assert (unanswered["failed"], unanswered["total_s"], unanswered["total_per_ideal"]) == (1, None, None)


@pytest.mark.parametrize(
    ("peak_bytes", "before_bytes", "requests", "expected"),
    [
        (30_000_000, 10_000_000, 1_000, 20_000),
        (90_000_000, 10_000_000, 5_000, 16_000),
        (30_000_000, 10_000_000, 100, None),
        (9_000_000, 10_000_000, 1_000, 0),
    ],
)
def test_memory_is_shared_among_requests_where_there_are_enough_to_tell(
    peak_bytes: int, before_bytes: int, requests: int, expected: float | None
) -> None:
    assert memory_per_request(peak_bytes, before_bytes, requests) == expected


JUDGED = [
    (SYNC, {"good": 17, "timeout": 83}, None, "SATURATED", "one at a time: 17 of 100 answered within 5 s"),
    (GEVENT, {"good": 17, "timeout": 83}, None,
     "SATURATED", "out of time: 17 of 100 answered within 5 s (83 × timeout)"),
    (GEVENT, {"reset": 60, "timeout": 40}, 20_000,
     "SATURATED", "overrun: 0 of 100 answered within 5 s (60 × reset, 40 × timeout)"),
    (GEVENT, {"good": 40, "timeout": 60}, 64,
     "SATURATED", "the server may open only 64 files, see ulimit -n: 40 of 100 answered within 5 s (60 × timeout)"),
    (SYNC, {"good": 99, "bad_status": 1}, None,
     "ERRORS", "wrong answers: 99 of 100 answered within 5 s (1 × bad_status)"),
    (GEVENT, {"good": 99, "no_socket": 1}, None,
     "GENERATOR-LIMITED", "the generator had no socket: 99 of 100 answered within 5 s (1 × no_socket)"),
    (GEVENT, {"good": 100, "last_answer_s": 6.0}, None, "SATURATED", "12 times the ideal: 6.0 s for 0.5 s"),
    (GEVENT, {"good": 100, "last_answer_s": 4.9}, None, "VALID", ""),
    (SYNC, {"good": 100, "last_answer_s": 50.0}, None, "VALID", ""),
]  # fmt: skip


@pytest.mark.parametrize(("model", "outcome", "files", "state", "reason"), JUDGED)
def test_no_answer_is_a_limit_and_a_wrong_one_an_error(
    load: LoadResult, model: Model, outcome: dict[str, Any], files: int | None, state: str, reason: str
) -> None:
    judgement = judge(changed(load, **outcome), model, 0.5, 100, files)
    assert (judgement.state, judgement.reason) == (state, reason)


def cells(model: str, *levels: tuple[int, str, str, float | None]) -> list[Cell]:
    return [
        Cell("scale", model, {"name": f"{requests}", "requests": requests}, "total_s", (), {},
             observations({"state": state, "reason": reason, scale.MEMORY: memory_bytes}))
        for requests, state, reason, memory_bytes in levels
    ]  # fmt: skip


GOOD = ((10, "VALID", "", None), (5_000, "VALID", "", 31_400.0))
STUCK = (
    (10, "VALID", "", None),
    (100, "SATURATED", "one at a time: 9 of 100", None),
    (5_000, "SATURATED", "not tried", None),
)


@pytest.mark.parametrize(
    ("found", "sentence"),
    [
        (
            cells("a", *GOOD) + cells("b", (5_000, "VALID", "", 9e3)),
            "5,000 requests wait at once with b (9 kB each) and a (31 kB each).",
        ),
        (
            cells("s", *STUCK) + cells("a", *GOOD) + cells("t", *STUCK),
            "5,000 requests wait at once with a (31 kB each); not 100 with s and t (one at a time).",
        ),
        (cells("s", *STUCK), "10 requests wait at once with s; not 100 with s (one at a time)."),
        (cells("x", (10, "ERRORS", "it ended; the log", None)), "Not 10 with x (it ended; the log)."),
    ],
)
def test_the_finding_says_who_reaches_the_highest_level_and_who_stops_where(
    found: Sequence[Cell], sentence: str
) -> None:
    assert finding(scenario_of(*found)) == sentence


@pytest.mark.parametrize("name", ["gevent", "asyncio-bridge"])
def test_fifty_requests_wait_at_once_without_a_thread_more(
    name: str, serve: Callable[[str], Server], test_bed: TestBed
) -> None:
    few, many = measure(context_of(serve(name), test_bed), (5, 0.3), (50, 0.3))
    assert (few.judgement.state, many.judgement.state) == ("VALID", "VALID"), many.judgement.reason
    assert (few.figures["answered"], many.figures["answered"]) == (5, 50)
    assert many.figures["threads"] == few.figures["threads"]
    assert many.figures["sockets"] >= few.figures["sockets"] + 45
    assert many.figures["total_s"] >= many.figures["ideal_s"] == 0.3


def test_a_serial_server_is_stopped_where_it_runs_out_of_time_and_asked_no_further(
    test_bed: TestBed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scale, "DEADLINE_MIN_S", 1.0)
    with serving(SYNC, test_bed.environment(SYNC), test_bed.logs) as server:
        first, second, third = measure(context_of(server, test_bed), (3, 0.1), (60, 0.1), (100, 0.1))
    assert first.judgement.state == "VALID", first.judgement.reason
    assert first.figures["ideal_s"] == pytest.approx(0.3)
    assert second.judgement.state == third.judgement.state == "SATURATED"
    assert second.judgement.reason == f"one at a time: {second.figures['answered']} of 60 answered within 1 s"
    assert 0 < second.figures["answered"] <= 10
    assert third.judgement.reason == "not tried: its limit was found at 60 × 0.1 s"
    assert third.figures == {}


@pytest.mark.skipif(not hasattr(psutil, "RLIMIT_NOFILE"), reason="this system cannot limit another process")
def test_a_server_short_of_file_descriptors_is_named_as_that(
    test_bed: TestBed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scale, "DEADLINE_MIN_S", 2.0)
    with serving(ASYNCIO, test_bed.environment(ASYNCIO), test_bed.logs) as server:
        process = psutil.Process(server.info["pid"])
        process.rlimit(psutil.RLIMIT_NOFILE, (100, process.rlimit(psutil.RLIMIT_NOFILE)[1]))
        (reading,) = measure(context_of(server, test_bed), (150, 0.1))
    assert reading.judgement.state == "SATURATED"
    assert reading.judgement.reason.startswith("the server may open only 100 files, see ulimit -n: ")
    assert reading.raw["load"]["errors"]["timeout"] > 0
    assert reading.figures["sockets"] < 100
