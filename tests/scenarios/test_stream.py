"""What open event streams cost: the judgement as a table, and real servers with few of them."""

import random
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from generators import OneOff

from bench.load import ErrorCounts, StreamResult
from bench.models import Model, find_models
from bench.results import Cell
from bench.scenarios import stream
from bench.scenarios.base import Contestant, MeasurementContext, Options, Reading
from bench.scenarios.stream import finding, judge, limit_s, workload
from bench.testbed.servers.life import Server, serving
from bench.testbed.testbed import TestBed
from tests.judged_runs import scenario_of
from tests.observations import observations

SYNC, GEVENT, ASYNCIO = find_models("sync,gevent,asyncio-bridge")

KEPT = StreamResult(
    streams=20, opened=20, finished=20, errors=ErrorCounts(), error_example=None, events=60, events_expected=60,
    first_event_p50_s=0.1, first_event_p90_s=None, first_event_max_s=0.2, spacing_p50_s=0.1, spacing_p90_s=0.1,
    spacing_max_s=0.1, mid_s=0.2, mid_open=20, first_end_s=0.3, wall_s=1.0, cpu_s=0.1,
)  # fmt: skip


def measure(server: Server, testbed: TestBed, streams: int, events: int, seconds: float) -> Reading:
    contestant = Contestant(server.model.name, server.model)
    context = MeasurementContext(contestant, server, testbed, Options(), random.Random(1), OneOff(), lambda _: None)
    return stream.measure(context, workload(streams, events, seconds))


@pytest.mark.parametrize(
    ("model", "events", "seconds", "expected_s"), [(GEVENT, 9, 0.5, 20), (ASYNCIO, 2, 1.0, 5), (SYNC, 9, 0.5, 6)]
)
def test_streams_have_five_lengths_of_one_or_one_and_a_half_where_they_go_one_after_the_other(
    model: Model, events: int, seconds: float, expected_s: float
) -> None:
    assert limit_s(model, events, seconds) == expected_s


@pytest.mark.parametrize(
    ("model", "changes", "state", "reason"),
    [
        (GEVENT, {}, "VALID", ""),
        (SYNC, {"opened": 2, "errors": ErrorCounts(timeout=19)},
         "SATURATED", "one at a time: 2 of 20 had begun within 4.8 s"),
        (GEVENT, {"opened": 9, "errors": ErrorCounts(timeout=11)},
         "SATURATED", "out of time: 9 of 20 had begun within 4.8 s (11 × timeout)"),
        (GEVENT, {"errors": ErrorCounts(wrong_body=1)},
         "ERRORS", "wrong answers: 20 of 20 had begun within 4.8 s (1 × wrong_body)"),
        (GEVENT, {"mid_open": 12}, "SATURATED", "not all at once: 12 of 20 were open when the last began"),
        (GEVENT, {"cpu_s": 0.9}, "GENERATOR-LIMITED", "the generator used 90% of its core"),
    ],
)  # fmt: skip
def test_streams_count_where_all_were_open_at_once(
    model: Model, changes: dict[str, Any], state: str, reason: str
) -> None:
    judgement = judge(replace(KEPT, **changes), model, 4.8)
    assert (judgement.state, judgement.reason) == (state, reason)


def cell(model: str, state: str, reason: str, memory_bytes: float | None) -> Cell:
    round_ = {"state": state, "reason": reason, stream.MEMORY: memory_bytes}
    return Cell("stream", model, {"name": "500"}, "spacing_p90_s", (), {}, observations(round_))


def test_the_finding_names_the_price_of_a_stream_and_who_cannot() -> None:
    stuck = "one at a time: 2 of 500"
    found = [
        cell("s", "SATURATED", stuck, None), cell("a", "VALID", "", 23_000.0), cell("b", "VALID", "", 17_000.0),
        cell("t", "SATURATED", stuck, None),
    ]  # fmt: skip
    assert finding(scenario_of(*found)) == (
        "500 streams are open at once with b (17 kB each) and a (23 kB each); not with s and t (one at a time)."
    )


@pytest.mark.parametrize("name", ["gevent", "asyncio-bridge"])
def test_twenty_streams_are_open_at_once(name: str, serve: Callable[[str], Server], test_bed: TestBed) -> None:
    reading = measure(serve(name), test_bed, 20, 4, 0.3)
    assert reading.judgement.state == "VALID", reading.judgement.reason
    assert (reading.figures["streams_begun"], reading.figures["failed"]) == (20, 0)
    assert reading.raw["streams"]["events"] == 80
    assert reading.figures["first_event_p50_s"] <= reading.figures["first_event_max_s"]
    assert reading.figures[stream.MEMORY] >= 0
    assert reading.figures["sockets"] >= 20


def test_a_serial_server_begins_a_stream_only_when_the_one_before_has_ended(test_bed: TestBed) -> None:
    with serving(SYNC, test_bed.environment(SYNC), test_bed.logs) as server:
        reading = measure(server, test_bed, 20, 3, 0.5)
    opened = reading.figures["streams_begun"]
    assert 1 <= opened <= 2
    assert (reading.judgement.state, reading.judgement.reason) == (
        "SATURATED", f"one at a time: {opened} of 20 had begun within 1.5 s",
    )  # fmt: skip
    assert reading.figures[stream.MEMORY] is None
