"""The fanout scenario: the calls of one request overlap, and every one of them is made."""

import json
import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from generators import OneOff
from processes import wait_until

from bench.judging.validity import VALID
from bench.models import find_models
from bench.results import Cell, Observation
from bench.scenarios.base import Contestant, MeasurementContext, Options, Reading
from bench.scenarios.fanout import CALL_S, COUNTS, REPETITIONS, SCENARIO
from bench.testbed.servers.cost import CostMeter, family, sockets
from bench.testbed.servers.life import Server
from bench.testbed.testbed import TestBed
from tests.judged_runs import scenario_of

OPTIONS = Options()


def cell(model: str, reading: Reading, count: int) -> Cell:
    """The reading as a run stores it."""
    stored = json.loads(json.dumps([reading.figures, reading.raw]))
    stored = Observation(0, reading.judgement.state, reading.judgement.reason, *stored)
    return Cell("fanout", model, {"name": f"{count} calls", "count": count}, SCENARIO.figure, (), {}, (stored,))


def test_the_workloads_are_one_call_ten_and_fifty_of_a_tenth_of_a_second() -> None:
    assert [(workload.name, dict(workload.parameters)) for workload in SCENARIO.workloads(OPTIONS)] == [
        ("1 call", {"count": 1, "seconds": 0.1}),
        ("10 calls", {"count": 10, "seconds": 0.1}),
        ("50 calls", {"count": 50, "seconds": 0.1}),
    ]


@pytest.mark.parametrize("model", [model.name for model in find_models("classic")])
def test_the_calls_of_a_request_overlap(model: str, serve: Callable[[str], Server], test_bed: TestBed) -> None:
    server = serve(model)
    context = MeasurementContext(
        Contestant(model, server.model), server, test_bed, OPTIONS, random.Random(1), OneOff(), lambda _: None
    )
    one, _, many = (SCENARIO.measure(context, workload) for workload in SCENARIO.workloads(OPTIONS))
    for reading in (one, many):
        assert reading.judgement == VALID
        assert reading.raw["load"]["good"] == len(reading.raw["load"]["raw"]) == REPETITIONS
        assert reading.figures["total_s"] >= CALL_S
        assert reading.figures["total_per_ideal"] == reading.figures["total_s"] / CALL_S
        assert reading.figures["cpu_per_call_s"] > 0
    assert many.figures["total_s"] < max(COUNTS) * CALL_S / 2, "half of one after the other"
    with ThreadPoolExecutor(1) as pool:
        request = pool.submit(context.fetch, f"/fanout/?count={max(COUNTS)}&seconds=1")
        meter = CostMeter(server.process.pid)
        wait_until(lambda: sum(map(sockets, family(meter.pid))) >= max(COUNTS), "all calls are under way at once")
        assert len(json.loads(request.result())) == max(COUNTS)
    assert f"({model}); one after the other they would take 5 s." in SCENARIO.finding(
        scenario_of(cell(model, many, max(COUNTS)))
    )


def test_the_finding_names_every_model_that_has_figures() -> None:
    cells = [
        cell("sync", Reading({"total_s": 0.2114}), 50),
        cell("gevent", Reading({"total_s": 0.3}), 50),
        cell("gevent", Reading({"total_s": 0.1}), 1),
        cell("asyncio-bridge", Reading({}), 50),
    ]
    assert SCENARIO.finding(scenario_of(*cells)) == (
        "50 calls of 0.1 s in one request take 0.21 s (sync), 0.30 s (gevent); "
        "one after the other they would take 5 s. "
        "What a call costs is mostly httpx, whose async client takes more than its sync one (encode/httpx#3215); "
        "`--models asyncio-tortoise` has aiohttp."
    )
    assert SCENARIO.finding(scenario_of(*cells[2:])) == ""
