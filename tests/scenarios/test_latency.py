"""One rate for all, the same in every generation; and the highest rate that keeps a promise, searched for all at once.

The servers are made up, but for the last test.
"""

import os
import random
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from bench.judging import judge
from bench.judging.slices import Columns
from bench.judging.validity import Judgement
from bench.load import Generator, LoadJob
from bench.measuring.session import Inquiry, Place, Session
from bench.models import find_models
from bench.results import Cell, Observation, load_run
from bench.scenarios import SCENARIOS, latency
from bench.scenarios.base import Contestant, MeasurementContext, Options, Reading
from bench.scenarios.generation import Generation
from bench.scenarios.latency import COMMON, CONFIRM_S, PROBES, PROMISED_SHARE, late_requests
from bench.scenarios.rate_search import Search
from bench.testbed.servers.life import Server
from bench.testbed.testbed import TestBed
from tests.judged_runs import promises, run_of, scenario_of, waits
from tests.listeners import Heard
from tests.observations import closed_slices, open_slices

OPTIONS = Options(seed=7)
ONE_RATE, PROMISE = latency.workloads(OPTIONS)
DEAD = Reading({"throughput_rps": 0.0}, Judgement("ERRORS", "1 of 1 requests failed"))

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
    search = Search(960)
    for _ in range(probes):
        search.note(kept=p99_ms(search.next_rps) < slo_ms)
    resolution_rps = 960 / 2**probes
    assert limit_rps - resolution_rps <= search.kept_rps <= limit_rps
    assert search.kept_rps or limit_rps < resolution_rps
    assert search.lowest_rps <= 480


@pytest.mark.parametrize(("kept", "tried"), [(False, [600, 300, 150]), (True, [600, 900, 1_050])])
def test_a_search_always_halves_what_lies_between(kept: bool, tried: list[float]) -> None:
    search, rates = Search(1_200), []
    for _ in tried:
        rates.append(search.next_rps)
        search.note(kept=kept)
    assert rates == tried
    assert (search.kept_rps, search.lowest_rps) == (max(tried) if kept else 0, min(tried))


@dataclass(frozen=True)
class MadeUp(Generation):
    """Servers that answer so many requests a second at most, and keep users waiting above another rate."""

    capacities: Mapping[str, float] = field(default_factory=dict)
    limits: Mapping[str, float] = field(default_factory=dict)
    loads: list[Mapping[str, LoadJob]] = field(default_factory=list)

    def closed(self, job_of: Callable[[MeasurementContext], LoadJob], cycles: int) -> dict[str, Reading]:
        jobs = {name: job_of(context) for name, context in self.contexts.items()}
        able = {name: job for name, job in jobs.items() if self.capacities[name]}
        columns = {name: closed_slices(self.capacities[name], cycles=cycles) for name in able}
        return self.readings(able, columns) | dict.fromkeys(jobs.keys() - able.keys(), DEAD)

    def slices(self, jobs: Mapping[str, LoadJob], cycles: int, slice_s: float) -> dict[str, Columns]:
        self.loads.append(jobs)
        return {name: self.slice(name, job.rate_rps or 0.0, cycles, slice_s) for name, job in jobs.items()}

    def slice(self, name: str, rate_rps: float, cycles: int, slice_s: float) -> Columns:
        """Response times of half a second where the rate is too high."""
        p90_s = 0.002 if rate_rps <= self.limits.get(name, rate_rps) else 0.5
        return open_slices(p90_s, rate_rps, cycles=cycles, slice_s=slice_s)


def made_up(
    capacities: Mapping[str, float], limits: Mapping[str, float] | None = None, found: dict[str, Any] | None = None
) -> MadeUp:
    """A generation of such servers."""
    process = SimpleNamespace(pid=os.getpid())
    contexts = {}
    for name in capacities:
        (model,) = find_models(name.removesuffix(" (again)"))
        server = Server(model, "http://127.0.0.1:9", {}, process)  # type: ignore[arg-type]
        contestant = Contestant(name, model)
        contexts[name] = MeasurementContext(
            contestant, server, None, OPTIONS, random.Random(7), Generator(), lambda _: None  # type: ignore[arg-type]
        )  # fmt: skip
    return MadeUp(
        contexts, None, OPTIONS, random.Random(7), Generator(), {} if found is None else found, capacities,  # type: ignore[arg-type]
        limits or {},
    )  # fmt: skip


def test_one_rate_for_all_is_a_share_of_what_the_slowest_does_and_stays_so_in_later_generations() -> None:
    found: dict[str, Any] = {}
    first = made_up({"gevent": 900.0, "asyncio-bridge": 1_200.0, "sync": 300.0}, found=found)
    readings = latency.measure(first, ONE_RATE)
    assert found == {"rate_rps": pytest.approx(270.0)}, "one that blocks does not decide"
    (jobs,) = first.loads
    assert {job.rate_rps for job in jobs.values()} == {found["rate_rps"]}
    assert len({job.seed for job in jobs.values()}) == 1, "the very same arrivals for all"
    assert {job.arrival for job in jobs.values()} == {"poisson"}
    assert readings["gevent"].figures["capacity_rps"] == pytest.approx(900.0)
    assert {"p50_s", "p90_s", "service_p90_s", "offered_rps"} <= readings["gevent"].figures.keys()

    later = made_up({"gevent": 500.0, "asyncio-bridge": 700.0}, found=found)
    latency.measure(later, ONE_RATE)
    assert {job.rate_rps for job in later.loads[0].values()} == {found["rate_rps"]}


def test_where_all_block_the_slowest_of_them_decides() -> None:
    generation = made_up({"sync": 300.0, "asyncio-adapter": 200.0})
    latency.measure(generation, ONE_RATE)
    assert generation.found["rate_rps"] == pytest.approx(60.0)


@pytest.mark.parametrize("workload", [ONE_RATE, PROMISE], ids=lambda workload: workload.name)
def test_a_server_that_answers_nothing_keeps_its_own_reason_and_the_others_go_on(workload: latency.Workload) -> None:
    readings = latency.measure(made_up({"gevent": 0.0, "asyncio-bridge": 800.0}), workload)
    assert readings["gevent"].judgement == DEAD.judgement
    assert readings["asyncio-bridge"].judgement.valid
    alone = latency.measure(made_up({"gevent": 0.0}), workload)
    assert alone["gevent"].judgement == DEAD.judgement


def test_the_highest_rates_are_searched_for_all_at_once_and_nine_tenths_are_promised_and_confirmed() -> None:
    generation = made_up({"gevent": 800.0, "asyncio-bridge": 1_600.0}, {"gevent": 300.0, "asyncio-bridge": 2_000.0})
    readings = latency.measure(generation, PROMISE)
    assert len(generation.loads) == PROBES + 1
    assert all(list(jobs) == ["gevent", "asyncio-bridge"] for jobs in generation.loads)
    tried = {name: [jobs[name].rate_rps or 0.0 for jobs in generation.loads] for name in readings}
    assert tried["gevent"][:PROBES] == pytest.approx([400, 200, 300, 350, 325])
    assert max(tried["asyncio-bridge"]) < 1_600, "no rate above what the closed loop found is tried"
    assert tried["gevent"][-1] == pytest.approx(PROMISED_SHARE * 300)
    for name, reading in readings.items():
        assert reading.judgement.valid
        assert reading.figures["promise_rps"] == tried[name][-1]
        assert (reading.figures["late"], reading.figures["late_share"]) == (0, 0)
        assert reading.figures["requests"] == pytest.approx(tried[name][-1] * CONFIRM_S, abs=1)
    assert len({jobs["gevent"].seed for jobs in generation.loads}) == PROBES + 1, "other arrivals each time"


def test_a_model_that_keeps_no_rate_is_saturated_and_promises_none() -> None:
    readings = latency.measure(made_up({"gevent": 800.0, "asyncio-bridge": 1_600.0}, {"gevent": 1.0}), PROMISE)
    found = readings["gevent"]
    assert (found.judgement.state, found.figures["promise_rps"]) == ("SATURATED", None)
    assert found.judgement.reason == "p99 was below 50 ms at no rate tried, the lowest 25/s; its capacity is 800/s"
    assert readings["asyncio-bridge"].judgement.valid
    none = latency.measure(made_up({"gevent": 800.0}, {"gevent": 1.0}), PROMISE)
    assert none["gevent"].judgement.state == "SATURATED"


class Tired(MadeUp):
    """Servers that keep nobody waiting while the rate is searched, and everybody when it is confirmed."""

    def slice(self, name: str, rate_rps: float, cycles: int, slice_s: float) -> Columns:
        return open_slices(0.002 if slice_s < CONFIRM_S else 0.5, rate_rps, cycles=cycles, slice_s=slice_s)


@pytest.mark.parametrize(("kind", "state"), [(MadeUp, "VALID"), (Tired, "SATURATED")])
def test_a_promise_that_is_not_confirmed_is_shown_as_such(kind: type[MadeUp], state: str) -> None:
    generation = kind(**vars(made_up({"gevent": 800.0})))
    reading = latency.measure(generation, PROMISE)["gevent"]
    observations = tuple(
        Observation(number, reading.judgement.state, reading.judgement.reason, reading.figures, reading.raw)
        for number in range(3)
    )
    workload = {"name": PROMISE.name, **PROMISE.parameters}
    (cell,) = judge(run_of(Cell("latency", "gevent", workload, PROMISE.figure, (), {}, observations))).cells
    assert cell.judgement.state == state
    assert cell.judgement.reason.startswith("not confirmed: " if state == "SATURATED" else "")


def test_late_are_those_at_the_limit_above_it_and_failed() -> None:
    columns = {"responses_us": [[49_999, 50_000], [50_001]], "errors": [0, 1], "offered": [2, 2]}
    assert late_requests(columns, 0.050) == (3, 4)


def test_the_finding_says_who_waits_least_who_can_promise_most_and_whom_it_leaves_out() -> None:
    found = latency.finding(
        scenario_of(
            *(waits(model, (0.002,) * 5) for model in ("gevent", "gevent-psycopg3")),
            waits("asyncio-bridge", (0.002,) * 5, took=1.5),
            *(promises(model, (700.0,) * 5, late=late) for model, late in (("gevent", 3), ("asyncio-bridge", 30))),
        )
    )
    assert "Not ranked there, as not valid: asyncio-bridge." in found
    assert latency.finding(scenario_of()) == ""


def test_a_quick_run_does_not_search() -> None:
    assert [workload.name for workload in latency.workloads(Options(quick=True))] == [COMMON]


def test_real_servers_have_one_rate_and_promises_in_every_generation(
    test_bed: TestBed, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("bench.measuring.session.open_testbed", lambda *_, **__: nullcontext(test_bed))
    heard = Heard()
    options = Options(generations=2, cycles=5, slice_s=0.02, budget_s=0, seed=7)
    Session(Place(out=tmp_path / "o")).carry_out(
        Inquiry("latency", [SCENARIOS["latency"]], find_models("asyncio-bridge"), options), heard
    )
    run = load_run(tmp_path / "o")
    assert sorted(set(heard.loads)) == [f"{COMMON} on 2", f"{PROMISE.name} on 2"]
    assert run.found.keys() == {"latency"}
    for cell in run.cells.values():
        assert [one.round for one in cell.observations] == [0, 1]
        for one in cell.observations:
            assert one.state != "ERRORS", one.reason
            assert one.figures["capacity_rps"] > 0
            if cell.workload["name"] == COMMON:
                assert one.raw["job"]["rate_rps"] == run.found["latency"]["rate_rps"]
                assert 0 < one.figures["service_p50_s"] <= one.figures["p50_s"] <= one.figures["p90_s"]
                offered = one.raw["slices"]["offered"]
                assert sum(offered) == sum(one.raw["slices"]["good"])
            elif one.figures["promise_rps"]:
                assert one.figures["promise_rps"] < one.figures["capacity_rps"]
                assert 0 <= one.figures["late"] <= one.figures["requests"]
    # One rate and one seed: both servers of a generation had as many requests in every cycle.
    pairs = [cell.observations[0].raw["slices"]["offered"] for cell in run.of("latency")
             if cell.workload["name"] == COMMON]  # fmt: skip
    assert pairs[0] == pairs[1]
