"""A client that burns CPU is noticed, counted, and gone when its load is over."""

import random
import threading
from collections.abc import Callable
from typing import Any

import pytest
from generators import OneOff

from bench.judging.validity import VALID, Judgement
from bench.results import Cell
from bench.scenarios import neighbour
from bench.scenarios.base import Contestant, MeasurementContext, Options, Reading
from bench.scenarios.neighbour import BURN, RATIO, SLEEPERS, SMALL, Neighbour, combined, suffering
from bench.testbed.processes.ports import HOST, free_port
from bench.testbed.servers.life import Server
from bench.testbed.testbed import TestBed
from tests.judged_runs import scenario_of
from tests.observations import observations

OPTIONS = Options(duration_s=0.5, seed=7)


def neighbours() -> list[threading.Thread]:
    """Those that are still calling."""
    return [thread for thread in threading.enumerate() if thread.name == "neighbour"]


def measured(server: Server, testbed: TestBed) -> dict[str, Reading]:
    """Both workloads' readings on a running server."""
    contestant = Contestant(server.model.name, server.model)
    context = MeasurementContext(contestant, server, testbed, OPTIONS, random.Random(7), OneOff(), lambda answer: None)
    return {workload.name: neighbour.measure(context, workload) for workload in neighbour.workloads(OPTIONS)}


@pytest.mark.parametrize("name", ["gevent", "asyncio-bridge"])
def test_small_requests_and_sleepers_wait_longer_beside_a_neighbour(
    name: str, test_bed: TestBed, serve: Callable[[str], Server]
) -> None:
    readings = measured(serve(name), test_bed)
    assert list(readings) == [SMALL, SLEEPERS]
    for reading in readings.values():
        assert reading.judgement.state in ("VALID", "SATURATED", "UNSTABLE", "GENERATOR-LIMITED")
        assert reading.figures["alone_p50_s"] > 0
    small, sleepers = readings.values()
    assert sleepers.figures["alone_p50_s"] > 0.05
    if small.judgement.valid:
        assert small.figures["percentile"] == 90
        assert small.figures["neighbour_rps"] > 0
        # Half of the time a call of 50 ms is under way; a request that costs a millisecond waits for its end.
        assert small.figures[RATIO] == small.figures["beside_s"] / small.figures["alone_s"]
        assert small.figures["beside_s"] > 0.010
    assert not neighbours()


def test_sleepers_that_a_serial_server_cannot_carry_are_not_repeated_beside_a_neighbour(
    test_bed: TestBed, serve: Callable[[str], Server]
) -> None:
    reading = measured(serve("sync"), test_bed)[SLEEPERS]
    # A machine that keeps the generator from sending on time is told of first.
    assert reading.judgement.state in ("SATURATED", "GENERATOR-LIMITED")
    assert reading.judgement.reason.startswith("alone: ")
    assert list(reading.raw) == ["alone"]
    assert RATIO not in reading.figures


def test_a_neighbour_has_ended_when_its_context_has_even_by_an_exception(serve: Callable[[str], Server]) -> None:
    def interrupted(calling: Neighbour) -> None:
        with calling:
            assert neighbours()
            raise KeyboardInterrupt

    calling = Neighbour(serve("asyncio-bridge").url + BURN)
    with pytest.raises(KeyboardInterrupt):
        interrupted(calling)
    assert not neighbours()
    assert not calling.failure


@pytest.mark.parametrize("url", [f"http://{HOST}:{{port}}{BURN}", "{server}/cpu/?milliseconds=-1"])
def test_a_neighbour_that_gets_no_answer_says_why_and_keeps_nobody_waiting(
    url: str, serve: Callable[[str], Server]
) -> None:
    with Neighbour(url.format(port=free_port(), server=serve("asyncio-bridge").url)) as calling:
        pass
    assert calling.failure
    assert calling.calls == 0
    assert not neighbours()


@pytest.mark.parametrize(
    ("alone", "beside", "percentile"),
    [
        ({"p50_s": 1, "p90_s": 2, "p99_s": 3}, {"p50_s": 2, "p90_s": 4, "p99_s": 6}, 99),
        ({"p50_s": 1, "p90_s": 2, "p99_s": 3}, {"p50_s": 2, "p90_s": 4, "p99_s": None}, 90),
        ({"p50_s": 1, "p90_s": None, "p99_s": None}, {"p50_s": 2, "p90_s": 4, "p99_s": 6}, 50),
        ({"p50_s": None, "p90_s": None, "p99_s": None}, {"p50_s": 2, "p90_s": 4, "p99_s": 6}, None),
    ],
)
def test_the_ratio_is_of_the_highest_percentile_that_both_loads_have(
    alone: dict[str, float | None], beside: dict[str, float | None], percentile: int | None
) -> None:
    values = {f"alone_{name}": value for name, value in alone.items()}
    found = suffering(values | {f"beside_{name}": value for name, value in beside.items()})
    assert found.get("percentile") == percentile
    assert found.get(RATIO) == (2 if percentile else None)
    assert suffering(values) == {}


def reading(judgement: Judgement = VALID) -> Reading:
    """A load of which only the judgement matters."""
    return Reading({"offered_rps": 100, **dict.fromkeys(neighbour.FIGURES, 1.0)}, judgement, {}, 1.0)


def test_two_loads_are_as_good_as_the_first_that_is_not_valid() -> None:
    saturated = Judgement("SATURATED", "40 answers/s of 100 asked for")
    unstable = Judgement("UNSTABLE", "no steady state")
    both = combined({"alone": reading(saturated), "beside": reading(unstable)})
    assert both.judgement == Judgement("SATURATED", "alone: 40 answers/s of 100 asked for")
    assert both.window_s == 2
    assert combined({"alone": reading(), "beside": reading(unstable)}).judgement.reason == "beside: no steady state"


def test_falling_behind_beside_the_neighbour_is_a_finding_and_no_fault() -> None:
    saturated = Judgement("SATURATED", "40 answers/s of 100 asked for")
    assert combined({"alone": reading(), "beside": reading(saturated)}).judgement == VALID
    assert combined({"alone": reading(), "beside": reading()}).judgement == VALID


def cell(model: str, ratio: float, state: str = "VALID") -> Cell:
    """A model's small requests, with a p90 of 2 ms alone."""
    figures: dict[str, Any] = {RATIO: ratio, "percentile": 90, "alone_s": 0.002, "beside_s": 0.002 * ratio}
    rounds = ({"round": 0, "state": state, "reason": "", **figures},)
    return Cell("neighbour", model, {"name": SMALL}, RATIO, (), {}, observations(*rounds))


def test_the_finding_names_who_suffers_least_and_most_among_the_valid() -> None:
    cells = [cell("gevent", 25), cell("sync", 40), cell("asyncio-bridge", 20), cell("asyncio-adapter", 2, "UNSTABLE")]
    assert neighbour.finding(scenario_of(*cells)) == (
        "Beside one client that calls /cpu/?milliseconds=50, small requests wait 20.0 times as long with "
        "asyncio-bridge "
        "(p90 2.0 → 40.0 ms) and 40.0 times as long with sync (p90 2.0 → 80.0 ms)."
    )
    assert neighbour.finding(scenario_of()) == ""
