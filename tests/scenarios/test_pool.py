"""The pool scenario: waves of as many answers as there are connections, and what each set-up does to them."""

import json
import random
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pytest
from generators import OneOff
from rich.console import Console, Group

from bench.judging.validity import VALID, Judgement
from bench.load import LoadResult
from bench.models import MODELS, find_models
from bench.report.terminal.waves import HEIGHT, axis, chart, pictures
from bench.results import Cell, Observation
from bench.scenarios.base import Contestant, MeasurementContext, Options, Reading
from bench.scenarios.pool import SCENARIO, error_lines, judge, waves, workloads
from bench.scenarios.pool_setups import (
    ABOVE,
    KEPT,
    NO_POOL,
    OVERFLOW,
    REQUESTS,
    SETUPS,
    TIMEOUT,
    PoolSetup,
    ideal_s,
    requests_for,
    why_not,
)
from bench.testbed.databases.connections import MAX_CONNECTIONS, ConnectionHeadroom, ConnectionMeter, connections
from bench.testbed.servers.life import Server, ServerFailed, serving
from bench.testbed.testbed import TestBed, open_testbed
from tests.judged_runs import scenario_of

(GEVENT,) = find_models("gevent")
# One of each app and driver; servers do not change what a pool does.
ON_POSTGRES = ["gevent", "asyncio-bridge"]
ON_MYSQL = [
    pytest.param(model.name, marks=pytest.mark.skipif(bool(model.unavailable), reason=model.unavailable))
    for model in MODELS
    if model.name in ("gevent-mysql", "asyncio-mysql")
]
SEVEN_WAVES = (15, 15, 15, 15, 15, 15, 10)
WAVE_ENDS_S = [0.2 * wave + 0.001 * answer for wave in range(1, 8) for answer in range(15)]
EMPTY = ConnectionHeadroom(max_connections=100, reserved=3, taken=0, strangers=0)


@pytest.fixture(scope="module")
def own_testbed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestBed]:
    """A database of its own: other tests' servers hold most of the connections of the shared one."""
    with open_testbed(None, tmp_path_factory.mktemp("pool")) as ready:
        yield ready


@contextmanager
def served(test_bed: TestBed, model: str, setup: PoolSetup) -> Iterator[Server]:
    """A server with that pool."""
    (found,) = find_models(model)
    with serving(found, test_bed.environment(found) | dict(setup.environment), test_bed.logs) as server:
        yield server


def measure(test_bed: TestBed, model: str, setup: PoolSetup) -> Reading:
    """A burst on a fresh server, as a run of the bench measures it."""
    options = Options()
    with served(test_bed, model, setup) as server:
        contestant = Contestant(model, server.model)
        context = MeasurementContext(
            contestant, server, test_bed, options, random.Random(1), OneOff(), lambda _: None, setup=setup
        )
        return SCENARIO.measure(context, workloads(options)[0])


def ends_s(reading: Reading) -> list[float]:
    """When the good answers came, in order."""
    return sorted(sample["done_s"] for sample in reading.raw["load"]["raw"] if sample["kind"] == "good")


def cell(model: str, setup: PoolSetup, reading: Reading) -> Cell:
    """The reading as a run stores it."""
    stored = json.loads(json.dumps([reading.figures, reading.raw]))
    stored = Observation(0, reading.judgement.state, reading.judgement.reason, *stored)
    workload = {"name": f"burst, {setup.name}", "setup": setup.name}
    return Cell("pool", model, workload, SCENARIO.figure, (), {}, (stored,))


@pytest.mark.parametrize(
    ("times_s", "expected"),
    [
        ([], ()),
        ([0.2], (1,)),
        ([0.2, 0.21, 0.22], (3,)),
        ([0.2, 0.4, 0.6], (1, 1, 1)),
        ([0.61, 0.2, 0.41, 0.21, 0.4], (2, 2, 1)),
        ([0.2, 0.29, 0.38, 0.47], (4,)),
        ([0.2, 0.3], (2,)),
        (WAVE_ENDS_S[:100], SEVEN_WAVES),
    ],
)
def test_a_gap_above_a_tenth_of_a_second_begins_a_wave(times_s: list[float], expected: tuple[int, ...]) -> None:
    assert waves(times_s, 0.1) == expected


@pytest.mark.parametrize(
    ("setup", "requests", "expected_waves"),
    [(KEPT, 100, 7), (KEPT, 15, 1), (KEPT, 16, 2), (KEPT, 0, 0), (OVERFLOW, 100, 7), (NO_POOL, 90, 1), (NO_POOL, 0, 0),
     (ABOVE, 100, 1), (TIMEOUT, 45, 3)],
)  # fmt: skip
def test_the_ideal_is_as_many_waves_as_the_pool_makes_of_the_requests(
    setup: PoolSetup, requests: int, expected_waves: int
) -> None:
    assert ideal_s(setup, requests) == pytest.approx(expected_waves * setup.wait_s if requests else 0)


@pytest.mark.parametrize(
    ("setup", "headroom", "requests"),
    [
        (KEPT, EMPTY, REQUESTS),
        (NO_POOL, EMPTY, 90),
        (NO_POOL, ConnectionHeadroom(100, 3, 40, 40), 50),
        (NO_POOL, ConnectionHeadroom(500, 3, 40, 40), REQUESTS),
        (ABOVE, EMPTY, 120),
        (ABOVE, ConnectionHeadroom(MAX_CONNECTIONS, 3, 0, 0), 220),
    ],
)
def test_no_more_requests_are_sent_than_a_set_up_needs(
    setup: PoolSetup, headroom: ConnectionHeadroom, requests: int
) -> None:
    assert requests_for(setup, headroom) == requests
    assert why_not(setup, headroom) == ""


@pytest.mark.parametrize(
    ("setup", "headroom", "reason"),
    [
        (ABOVE, ConnectionHeadroom(201, 3, 0, 0), "max_connections is 201"),
        (ABOVE, ConnectionHeadroom(100, 3, 1, 1), "others hold 1 of its connections"),
        (NO_POOL, ConnectionHeadroom(100, 3, 80, 80), "only 17 connections are left"),
    ],
)
def test_a_set_up_is_left_out_where_it_would_harm_others(
    setup: PoolSetup, headroom: ConnectionHeadroom, reason: str
) -> None:
    assert reason in why_not(setup, headroom)


def test_the_largest_pool_is_larger_than_any_server_it_is_tried_on() -> None:
    assert ABOVE.size + ABOVE.overflow >= requests_for(ABOVE, ConnectionHeadroom(MAX_CONNECTIONS, 3, 0, 0))


def test_every_set_up_has_an_environment_of_its_own() -> None:
    assert len({frozenset(setup.environment.items()) for setup in SETUPS}) == len(SETUPS)


@pytest.mark.parametrize(
    ("line", "counts"),
    [
        ("sqlalchemy.exc.TimeoutError: QueuePool limit of size 15 overflow 0 reached", True),
        ("TimeoutError: QueuePool limit of size 15", True),
        ("    raise exc.TimeoutError(", False),
        ('  "QueuePool limit of size %d overflow %d reached, "', False),
        ("asyncpg.exceptions.TooManyConnectionsError: sorry, too many clients already", False),
    ],
)
def test_an_error_is_the_last_line_of_a_traceback(line: str, counts: bool) -> None:
    assert error_lines(line, TIMEOUT.expected) == [line] * counts
    assert error_lines(line, KEPT.expected) == []


@pytest.mark.parametrize("model", [*ON_POSTGRES, *ON_MYSQL])
def test_a_pool_of_15_serves_15_at_a_time(model: str, own_testbed: TestBed) -> None:
    reading = measure(own_testbed, model, KEPT)
    assert reading.judgement == VALID
    assert (
        reading.figures["failed"],
        reading.figures["database_connections"],
        reading.figures["database_connections_opened"],
    ) == (0, 15, 0)
    ends = ends_s(reading)
    assert len(ends) == REQUESTS
    assert all(end_s >= KEPT.wait_s * (index // 15 + 1) for index, end_s in enumerate(ends))


@pytest.mark.parametrize("model", ON_POSTGRES)
def test_answers_come_in_waves_of_15(model: str, own_testbed: TestBed) -> None:
    found = measure(own_testbed, model, KEPT).raw["answers_by_wave"]
    for _ in range(2):  # a neighbour on the machine may hold up one answer, and so make two waves of one
        found = found if found == SEVEN_WAVES else measure(own_testbed, model, KEPT).raw["answers_by_wave"]
    assert found == SEVEN_WAVES


@pytest.mark.parametrize(("model", "closes_them"), [("gevent", True), ("asyncio-bridge", False)])
def test_sqlalchemy_opens_overflow_connections_anew_and_asyncpg_has_kept_them(
    model: str, closes_them: bool, own_testbed: TestBed
) -> None:
    reading = measure(own_testbed, model, OVERFLOW)
    assert reading.judgement == VALID
    assert reading.figures["database_connections"] <= 15
    assert (reading.figures["database_connections_opened"] > 0) is closes_them


@pytest.mark.parametrize("model", [*ON_POSTGRES, *ON_MYSQL])
def test_without_a_pool_every_request_opens_a_connection(model: str, own_testbed: TestBed) -> None:
    reading = measure(own_testbed, model, NO_POOL)
    assert reading.judgement == VALID
    assert reading.figures["requests"] > 15
    # asyncmy now and then hands on a connection that came back while it was closing others.
    fewest = 0.5 if model == "asyncio-mysql" else 1
    assert (
        fewest * reading.figures["requests"]
        <= reading.figures["database_connections_opened"]
        <= reading.figures["requests"]
    )
    assert 15 < reading.figures["database_connections"] <= reading.figures["requests"]


@pytest.mark.parametrize("model", [*ON_POSTGRES, ON_MYSQL[0]])
def test_above_max_connections_requests_fail_and_the_reading_is_valid(model: str, own_testbed: TestBed) -> None:
    reading = measure(own_testbed, model, ABOVE)
    failed = reading.figures["failed"]
    assert reading.judgement == VALID
    assert failed > 0
    assert reading.raw["load"]["unexpected_statuses"] == ((500, failed),)
    assert re.search("too many clients already|Too many connections", reading.raw["expected_error"])
    assert reading.figures["database_connections"] <= own_testbed.headroom(*find_models(model)).max_connections
    result = LoadResult.from_json(json.dumps(reading.raw["load"]))
    errors = Judgement("ERRORS", "some failed")
    assert judge(errors, result, reasons=failed) == VALID
    assert judge(errors, result, reasons=failed - 1) == errors


@pytest.mark.parametrize(("model", "has_a_timeout"), [("gevent", True), ("asyncio-bridge", False)])
def test_a_time_out_fails_requests_under_sqlalchemy_and_databases_has_none(
    model: str, has_a_timeout: bool, own_testbed: TestBed
) -> None:
    reading = measure(own_testbed, model, TIMEOUT)
    failed = reading.figures["failed"]
    assert reading.judgement == VALID
    assert len(ends_s(reading)) + failed == REQUESTS
    assert (0 < failed < REQUESTS) if has_a_timeout else failed == 0
    assert reading.raw["load"]["unexpected_statuses"] == (((500, failed),) if has_a_timeout else ())
    assert ("QueuePool limit" in (reading.raw["expected_error"] or "")) is has_a_timeout


@pytest.mark.parametrize(("model", "starts"), [("gevent", True), ("asyncio-bridge", False)])
def test_a_minimum_above_max_connections_keeps_asyncpg_from_starting(
    model: str, starts: bool, own_testbed: TestBed
) -> None:
    setup = PoolSetup("too many at start-up", MAX_CONNECTIONS + 20)
    if starts:
        with served(own_testbed, model, setup) as server:
            assert server.info["pool"] == setup.size
    else:
        with pytest.raises(ServerFailed, match="too many clients already"), served(own_testbed, model, setup):
            pass


def test_the_meter_counts_what_is_opened_and_not_itself(own_testbed: TestBed) -> None:
    with ConnectionMeter(own_testbed.databases["postgres"]) as meter:
        for _ in range(3):
            connections(own_testbed.database_of(GEVENT))
    assert meter.opened == 3


def test_a_meter_without_a_look_has_seen_nothing(own_testbed: TestBed) -> None:
    with ConnectionMeter(own_testbed.databases["postgres"]) as meter:
        pass
    assert (meter.most, meter.opened) == (0, 0)


def printed(renderable: object, width: int) -> list[str]:
    """What a terminal of that width shows."""
    console = Console(width=width, no_color=True)
    with console.capture() as captured:
        console.print(renderable)
    return captured.get().splitlines()


def waves_picture(ends_s: Sequence[float], width: int, failed_s: Sequence[float] = ()) -> Group:
    """A burst on an axis of its own."""
    span_s = max((*ends_s, *failed_s), default=0.0)
    return Group(*chart(ends_s, failed_s, span_s, width, HEIGHT), axis(span_s, width))


def test_the_picture_at_80_columns_has_a_column_for_each_wave() -> None:
    *lines, last = printed(waves_picture([0.2 * wave for wave in range(1, 6)], 80), 80)
    assert last == "0 s " + "─" * 69 + " 1.00 s"
    assert {len(line) for line in lines} <= {80}
    assert [index for index, char in enumerate(lines[-1]) if char != " "] == [16, 32, 48, 64, 79]
    assert lines[0] == lines[-1]


def test_the_picture_at_40_columns_is_in_proportion_and_marks_failures() -> None:
    good, failed = [0.5] * 8 + [1.0] * 4, [0.75, 0.76]
    assert printed(waves_picture(good, 40, failed), 40) == [
        " " * 20 + "█" + " " * 19,
        " " * 20 + "█" + " " * 18 + "█",
        " " * 30 + "×" + " " * 9,
        "0 s " + "─" * 29 + " 1.00 s",
    ]


@pytest.mark.parametrize("width", [40, 80])
def test_a_picture_is_as_wide_as_asked_for_and_survives_nothing_to_show(width: int) -> None:
    for times_s in ([], [0.0], WAVE_ENDS_S):
        assert {len(line) for line in printed(waves_picture(times_s, width), 200)} == {width}


def reading_of(total_s: float, failed: int = 0, cpu_s: float = 0.001) -> Reading:
    """A reading with the figures that the finding is made of."""
    raw = [{"done_s": total_s, "kind": "good"}] + [{"done_s": 0.5, "kind": "bad_status"}] * failed
    return Reading({"total_s": total_s, "failed": failed, "cpu_per_request_s": cpu_s}, raw={"load": {"raw": raw}})


CELLS = [
    cell("gevent", KEPT, reading_of(1.5)),
    cell("gevent", OVERFLOW, reading_of(1.8)),
    cell("gevent", NO_POOL, reading_of(0.8, cpu_s=0.003)),
    cell("gevent", ABOVE, Reading({}, raw={"skipped": "max_connections is 500"})),
    cell("gevent", TIMEOUT, reading_of(1.2, failed=55)),
    cell("asyncio-bridge", KEPT, reading_of(1.45)),
    cell("asyncio-bridge", TIMEOUT, reading_of(2.8)),
]


def test_the_finding_says_what_was_measured_and_what_was_left_out() -> None:
    assert SCENARIO.finding(scenario_of(*CELLS)) == (
        "A pool of 15 answers 100 requests of 0.2 s in 1.50 s (gevent) and 1.45 s (asyncio-bridge); "
        "5 + 10 overflow takes 1.20 times (gevent) as long; no pool costs 3.0 times (gevent) the CPU time; "
        "55 (gevent) and 0 (asyncio-bridge) wait longer than a time-out of 1 s and fail; "
        "above max_connections was left out (max_connections is 500)."
    )
    assert SCENARIO.finding(scenario_of()) == ""


def test_pictures_share_one_axis_and_leave_out_what_was_not_measured() -> None:
    lines = printed(pictures(scenario_of(*CELLS).cells, 80), 80)
    titles = [line for line in lines if line.startswith(("gevent", "asyncio-bridge"))]
    assert titles == ["gevent, pool of 15", "asyncio-bridge, pool of 15", "gevent, 5 + 10 overflow", "gevent, no pool",
                      "gevent, time-out: 55 failed (×)", "asyncio-bridge, time-out"]  # fmt: skip
    assert lines[-1].endswith("─ 2.80 s")
    assert max(map(len, lines)) == 80
    assert printed(pictures([], 80), 80) == []


def test_only_models_whose_database_waits_overlap_take_part() -> None:
    (workload,) = workloads(Options())
    asked = {model.name for model in MODELS if SCENARIO.asks(model, workload)}
    assert {"gevent", "asyncio-bridge", "gevent-mysql", "asyncio-mysql"} <= asked
    assert not {"sync", "gevent-blocking-db", "asyncio-adapter", "asyncio-blocking-db"} & asked
