"""The search for a promise ends where it should, and a real server's loads say what was asked of it and what came."""

import json
import random
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest
from generators import OneOff

from bench.judging.validity import VALID, Judgement
from bench.load.job import NS_PER_S
from bench.load.pacing import schedule
from bench.results import Cell
from bench.scenarios import latency
from bench.scenarios.base import Contestant, MeasurementContext, Options, Workload
from bench.scenarios.latency import COMMON, common_rps, keeps, promises
from bench.scenarios.open_loop import arrived_s, late_requests
from bench.scenarios.rate_search import PROBES, RETRIES, Probe, search, worth_a_retry
from bench.testbed.servers.life import Server
from bench.testbed.testbed import TestBed
from tests.judged_runs import scenario_of
from tests.observations import observations

OPTIONS = Options(duration_s=0.3, seed=7)
STATES = ("VALID", "SATURATED", "UNSTABLE", "GENERATOR-LIMITED")

# A made-up server: rates and the p99 at each, in ms, which grows as queues do.
TABLE = ((100, 5), (200, 6), (300, 8), (400, 12), (500, 20), (600, 45), (700, 90), (800, 400), (900, 2_000))


def p99_ms(rate_rps: float) -> float:
    """The made-up server's p99: that of the table's next rate upwards."""
    return next((milliseconds for rate, milliseconds in TABLE if rate_rps <= rate), 10_000)


@pytest.mark.parametrize(
    ("slo_ms", "limit_rps"), [(5.5, 100), (7, 200), (10, 300), (13, 400), (25, 500), (50, 600), (100, 700)]
)
@pytest.mark.parametrize("probes", [1, 5, 10, 20])
def test_the_search_ends_below_the_limit_by_no_more_than_its_resolution(
    slo_ms: float, limit_rps: float, probes: int
) -> None:
    found = search(lambda rate_rps: p99_ms(rate_rps) < slo_ms, 960, probes)
    resolution_rps = 960 / 2**probes
    assert limit_rps - resolution_rps <= (found or 0) <= limit_rps
    assert found is not None or limit_rps < resolution_rps


def test_a_server_that_never_keeps_the_promise_has_no_rate_after_as_many_probes_as_any() -> None:
    tried: list[float] = []
    assert search(lambda rate_rps: bool(tried.append(rate_rps)), 1_200) is None  # type: ignore[func-returns-value]
    assert tried == [600, 300, 150, 75, 37.5]
    assert len(tried) == PROBES


def test_a_server_that_always_keeps_it_is_found_within_the_resolution_of_the_upper_end() -> None:
    assert search(lambda rate_rps: True, 1_200) == 1_200 - 1_200 / 2**PROBES


@pytest.mark.parametrize(
    ("late", "requests", "state", "kept"),
    [
        (0, 100, "VALID", True),
        (1, 100, "VALID", True),  # the 99th of 100 is the p99: nearest rank
        (2, 100, "VALID", False),
        (1, 99, "VALID", False),
        (10, 1_000, "VALID", True),
        (11, 1_000, "VALID", False),
        (0, 0, "VALID", False),
        (0, 1_000, "SATURATED", False),
        (0, 1_000, "UNSTABLE", False),
        (0, 1_000, "ERRORS", False),
        (0, 1_000, "GENERATOR-LIMITED", True),
    ],
)
def test_a_promise_is_kept_by_at_most_one_late_request_in_a_hundred(
    late: int, requests: int, state: Any, kept: bool
) -> None:
    assert keeps(late, requests, Judgement(state)) is kept


def test_late_are_those_at_the_limit_above_it_and_failed() -> None:
    answers = [(0.049, "good"), (0.050, "good"), (0.051, "good"), (0.001, "reset")]
    raw = [{"intended_s": 0.0, "sent_s": 0.04, "done_s": done_s, "kind": kind} for done_s, kind in answers]
    assert late_requests(raw, 0.050) == 3


def test_misses_are_tried_again_twice_in_a_search_and_never_where_the_server_fell_behind() -> None:
    def probed(rate_rps: float, state: str, kept: bool = False) -> Probe:
        return Probe(rate_rps, kept, 9, 100, None, state, "", 0.7)

    assert worth_a_retry([probed(600, "VALID")])
    assert worth_a_retry([probed(600, "VALID"), probed(600, "VALID", kept=True), probed(900, "VALID")])
    assert not worth_a_retry([probed(600, "VALID", kept=True)])
    assert not worth_a_retry([probed(600, "SATURATED")])
    assert not worth_a_retry([probed(rate, "VALID") for rate in (600, 600, 300, 300, 150)])
    assert RETRIES == 2


@pytest.mark.parametrize("rate_rps", [37.5, 100, 1_000])
@pytest.mark.parametrize("warmup_s", [0.0, 0.1])
def test_a_window_is_as_long_as_its_samples_need(rate_rps: float, warmup_s: float) -> None:
    window_s = arrived_s(rate_rps, seed=3, warmup_s=warmup_s, samples=101)
    arrivals = schedule("poisson", rate_rps, warmup_s + window_s, seed=3)
    assert sum(arrival >= warmup_s * NS_PER_S for arrival in arrivals) == 101


def test_the_common_rate_is_half_of_the_slowest_and_there_is_none_without_a_capacity() -> None:
    found: Mapping[str, Mapping[str, Any]] = {
        "gevent": {"capacity_rps": 900.0}, "sync": {"capacity_rps": 400.0}, "asyncio": {"failure": "it did not start"},
    }  # fmt: skip
    assert common_rps(found) == 200
    assert common_rps({"asyncio": found["asyncio"]}) is None


def promised(model: str, rate_rps: float | None, *rounds: tuple[int, str]) -> Cell:
    """A model's promise cell; each round has its late requests of 500, and its state."""
    measured = tuple(
        {"round": number, "state": state, "reason": "", "promise_rps": rate_rps, "kept": int(late <= 5)}
        | ({"late": late, "requests": 500} if rate_rps else {})
        for number, (late, state) in enumerate(rounds)
    )
    return Cell(
        "latency", model, {"name": "promise", "slo_s": 0.05}, "promise_rps", (), {}, None, observations(*measured)
    )


def test_the_finding_adds_up_the_rounds_and_says_which_rates_were_not_confirmed() -> None:
    cells = [
        promised("sync", 300, (0, "VALID"), (100, "VALID")),
        promised("asyncio", 900, (6, "VALID"), (0, "VALID")),
        promised("asyncio (again)", 900, (0, "VALID"), (0, "VALID")),
        promised("gevent", 1_100, (5, "VALID"), (499, "GENERATOR-LIMITED")),
        promised("asyncio-adapter", None, (9, "SATURATED")),
    ]
    assert promises(scenario_of(*cells).cells) == (
        "p99 stays below 50 ms: with gevent at 1,100/s (1.0% late), asyncio at 900/s (0.6% late); the rate found was "
        "not confirmed with sync at 300/s (10.0% late); it stays there at no rate with asyncio-adapter."
    )
    assert promises([]) == ""


def test_the_finding_names_the_models_that_it_leaves_out() -> None:
    def common(model: str, state: str) -> Cell:
        rounds = tuple({"round": number, "state": state, "reason": "", "p90_s": 0.002} for number in range(6))
        return Cell("latency", model, {"name": COMMON}, "p90_s", (), {}, None, observations(*rounds))

    found = latency.finding(
        scenario_of(common("gevent", "VALID"), common("asyncio", "SATURATED"), common("gevent-psycopg3", "VALID"))
    )
    assert found == (
        "one rate for all: gevent and gevent-psycopg3 lead, equal within 5 %, in short waits (p90). "
        "Not ranked there, as not valid: asyncio."
    )


def context_of(
    server: Server, testbed: TestBed, prepared: Mapping[str, Mapping[str, Any]], name: str = ""
) -> MeasurementContext:
    """A context on a running server; `name` is that of a twin."""
    contestant = Contestant(name or server.model.name, server.model)
    return MeasurementContext(
        contestant, server, testbed, OPTIONS, random.Random(7), prepared, OneOff(), lambda answer: None
    )


def test_a_real_server_is_searched_and_then_measured_at_every_rate(
    test_bed: TestBed, serve: Callable[[str], Server]
) -> None:
    server = serve("asyncio")
    found = latency.prepare(context_of(server, test_bed, {}))
    assert found == json.loads(json.dumps(found))
    assert PROBES <= len(found["probes"]) <= PROBES + RETRIES
    assert all(0 < probe["rate_rps"] < 1.2 * found["capacity_rps"] for probe in found["probes"])
    kept = [probe["rate_rps"] for probe in found["probes"] if probe["kept"]]
    assert found["highest_rps"] == max(kept, default=None)

    prepared = {"asyncio": {"capacity_rps": 400.0, "promise_rps": 100.0, "probes": []}}
    context = context_of(server, test_bed, prepared, name="asyncio (again)")
    readings = {workload.name: latency.measure(context, workload) for workload in latency.workloads(OPTIONS)}
    assert list(readings) == [
        "20 % of its capacity", "50 % of its capacity", "80 % of its capacity", COMMON, "promise: p99 below 50 ms",
    ]  # fmt: skip
    capacity = context.memo["capacity"]
    asked = [capacity.rps * share for share in (0.2, 0.5, 0.8)] + [200.0, 100.0]
    for reading, offered_rps in zip(readings.values(), asked, strict=True):
        values = reading.figures
        assert reading.judgement.state in STATES, reading.judgement.reason
        assert values["offered_rps"] == offered_rps
        assert values["capacity_rps"] == capacity.rps
        assert 0 < values["service_p50_s"] <= values["p50_s"]
        assert values["throughput_rps"] > 0
        assert values["cpu_per_request_s"] > 0
        assert values["unsent"] == 0
        assert 0 <= values["late"] <= values["requests"]
        assert reading.raw["job"]["arrival"] == "poisson"
        assert "raw" not in reading.raw["load"]
    for name, reading in list(readings.items())[:4]:
        assert reading.figures["requests"] >= 20, name  # 101 where the capacity lets them arrive within 0.75 s
    *_, promise = readings.values()
    assert promise.figures["promise_rps"] == 100.0
    assert promise.figures["kept"] in (0, 1)


def test_what_could_not_be_prepared_is_said_and_no_load_is_made_up(
    test_bed: TestBed, serve: Callable[[str], Server]
) -> None:
    unprepared = context_of(serve("asyncio"), test_bed, {"asyncio": {"failure": "the server ended"}})
    unprepared.memo["capacity"] = latency.Capacity(500.0, VALID, 0.3)
    *_, common, promise = latency.workloads(OPTIONS)
    for workload in (common, promise):
        assert latency.measure(unprepared, workload).judgement.state == "ERRORS"
    assert "the server ended" in latency.measure(unprepared, promise).judgement.reason

    probes = [{"rate_rps": 300.0}, {"rate_rps": 18.75}]
    none = {"asyncio": {"capacity_rps": 500.0, "promise_rps": None, "probes": probes}}
    reading = latency.measure(replace(unprepared, prepared=none), promise)
    assert (reading.judgement.state, reading.figures["kept"], reading.figures["promise_rps"]) == ("SATURATED", 0, None)
    assert "at no rate tried, the lowest 19/s; its capacity is 500/s" in reading.judgement.reason


def test_a_server_without_a_capacity_is_not_asked_for_a_share_of_it(
    test_bed: TestBed, serve: Callable[[str], Server]
) -> None:
    context = context_of(serve("asyncio"), test_bed, {})
    context.memo["capacity"] = latency.Capacity(0.0, Judgement("ERRORS", "no request was answered"), 0.3)
    reading = latency.measure(context, Workload("20 % of its capacity", {"capacity_share": 0.2}))
    assert reading.judgement == Judgement("ERRORS", "no capacity to take a share of: no request was answered")
