"""The prediction's arithmetic against textbook results, what binds, who ties, and what a run's cells say."""

import json
import math
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
from generators import OneOff

from bench.prediction.advice import advice
from bench.prediction.check import Checked, on_a_server, passed, predicted, slowed
from bench.prediction.costs import Costs, Measured, measured
from bench.prediction.figures import Demand
from bench.prediction.predict import Prediction, predict
from bench.prediction.queueing import closed_rps, queue_of
from bench.prediction.rank import Decision, decide
from bench.prediction.station import calls_s
from bench.prediction.unseen import UNSEEN, several
from bench.prediction.vectors import ASYNCIO_LOOP, GEVENT_LOOP, vectors
from bench.results import Cell, Run
from bench.testbed.testbed import TestBed
from tests.observations import observations

VECTORS = Path(__file__).with_name("decide_vectors.json")
DEMAND = Demand()
FLAT = tuple(Costs(2e-4, 4e-4, 1.5e-4, 5e-4) for _ in range(6))


def model(name: str = "gevent", **changes: Any) -> Measured:
    """An event loop whose waits all overlap, unless said otherwise; every round alike."""
    usual: dict[str, Any] = {
        "app": "gevent_app", "python_overlaps": True, "database_overlaps": True, "threads": None, "loop": GEVENT_LOOP,
        "trap": False, "rounds": FLAT, "calls_s": (5e-4, 5e-4), "memory_bytes": 8e7,
        "request_bytes": 3e4, "streams": True,
        "local_waits_s": (2e-4, 1e-4),
    }  # fmt: skip
    return Measured(name=name, **usual | changes)


SYNC = model("sync", python_overlaps=False, database_overlaps=False, threads=1, loop=None, request_bytes=None)
THREADS = model("threads", threads=10, loop=None)
BLOCKING = model("blocking", database_overlaps=False)


def times(factor: float) -> tuple[Costs, ...]:
    """Rounds that cost so many times as much, and differ a little from each other."""
    return tuple(
        Costs(*(value * factor * (1 + number / 500) for value in vars(costs).values()))
        for number, costs in enumerate(FLAT)
    )


def near(actual: Any, expected: Any, tolerance: float = 1e-6) -> None:
    """The same structure with the same figures, texts and states."""
    if isinstance(expected, dict):
        assert actual.keys() == expected.keys()
        for name in expected:
            near(actual[name], expected[name], tolerance)
    elif isinstance(expected, list | tuple):
        assert len(actual) == len(expected)
        for one, other in zip(actual, expected, strict=True):
            near(one, other, tolerance)
    elif isinstance(expected, float) and not isinstance(expected, bool):
        assert actual == pytest.approx(expected, rel=tolerance)
    else:
        assert actual == expected


@pytest.mark.parametrize(
    ("service_s", "wait_s", "requests", "expected_rps"),
    [
        (0.001, 0.0, math.inf, 1000),
        (0.001, 0.05, math.inf, 1000),
        (0.001, 0.05, 1, 1 / 0.051),
        # Palm's machine repairman by hand: a = 1, B(2) = 1 / 5, so 0.8 of the server is used.
        (0.5, 0.5, 2, 1.6),
        # Between one request (1 / 1 s) and two.
        (0.5, 0.5, 1.5, 1.3),
        (0.001, 0.1, 10_000, 1000),
    ],
)
def test_the_closed_loop_is_the_machine_repairmans(
    service_s: float, wait_s: float, requests: float, expected_rps: float
) -> None:
    assert closed_rps(service_s, wait_s, requests) == pytest.approx(expected_rps)


def test_the_closed_loop_agrees_with_exact_mean_value_analysis() -> None:
    service_s, wait_s, queue = 0.002, 0.03, 0.0
    for requests in range(1, 60):
        response_s = service_s * (1 + queue)
        rate_rps = requests / (response_s + wait_s)
        queue = rate_rps * response_s
        assert closed_rps(service_s, wait_s, requests) == pytest.approx(rate_rps)


@pytest.mark.parametrize(
    ("servers", "rate_rps", "service_s", "chance", "mean_s"),
    [
        (1, 0.5, 1.0, 0.5, 1.0),  # M/M/1: ρ, and ρ / (1 - ρ)
        (2, 1.0, 1.0, 1 / 3, 1 / 3),  # M/M/2 at half load, Kleinrock's example
        (10, 8.0, 1.0, 0.409180, 0.204590),  # tables of Erlang's C at 8 erlangs and 10 servers
        (3, 3.0, 1.0, 1.0, None),
    ],
)
def test_the_open_loop_is_erlangs(
    servers: int, rate_rps: float, service_s: float, chance: float, mean_s: float | None
) -> None:
    queue = queue_of(servers, rate_rps, service_s, 1.0)
    assert queue.chance == pytest.approx(chance, abs=1e-6)
    assert queue.mean_s == (None if mean_s is None else pytest.approx(mean_s, abs=1e-6))


def test_constant_services_wait_half_as_long() -> None:
    exponential, constant = queue_of(1, 0.8, 1.0, 1.0), queue_of(1, 0.8, 1.0, 0.0)
    assert exponential.mean_s is not None
    assert constant.mean_s == pytest.approx(exponential.mean_s / 2)


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


def test_models_that_the_same_connections_bind_tie_whatever_they_cost() -> None:
    found = decide([model(), model("asyncio", app="asyncio_app", rounds=times(0.7)), SYNC], DEMAND)
    assert {row.rank for row in found.rows} == {1}
    assert found.verdict.kind == "tie"
    assert found.verdict.sentence.startswith("Your 20 connections bind: ")
    assert "at most 1 % apart, whatever their concurrency model" in found.verdict.sentence


CPU_BOUND = replace(DEMAND, concurrency=5_000, db_connections=5_000, cpu_s=0.0)


def test_a_winner_is_named_with_its_ratio_and_interval() -> None:
    found = decide([model(rounds=times(1.4)), model("asyncio", app="asyncio_app", rounds=times(1))], CPU_BOUND)
    assert (found.verdict.kind, found.verdict.advised) == ("winner", "asyncio")
    assert "1.40 times gevent (1.40 to 1.40)" in found.verdict.sentence
    assert [(row.prediction.model, row.rank) for row in found.rows] == [("asyncio", 1), ("gevent", 2)]


def test_differences_within_the_margin_or_within_the_noise_floor_are_ties() -> None:
    close = decide([model(rounds=times(1.03)), model("asyncio", rounds=times(1))], CPU_BOUND)
    assert (close.verdict.kind, close.margin) == ("tie", 1.05)
    twin = model("gevent (again)", rounds=times(1.25))
    noisy = decide([model(rounds=times(1)), twin, model("asyncio", rounds=times(1.2))], CPU_BOUND)
    assert (noisy.verdict.kind, noisy.margin) == ("tie", pytest.approx(1.25))
    assert "gevent (again)" not in [row.prediction.model for row in noisy.rows]


def test_too_few_rounds_name_no_winner_and_traps_are_never_ranked() -> None:
    few = decide([model(rounds=times(1.4)[:2]), model("asyncio", rounds=times(1)[:2])], CPU_BOUND)
    assert (few.verdict.kind, [row.rank for row in few.rows]) == ("too few rounds", [None, None])
    assert "figures only, no winner" in few.verdict.sentence
    trap = decide([model(rounds=times(1.4)), model("fast but wrong", trap=True, rounds=times(0.1))], CPU_BOUND)
    assert (trap.verdict.advised, trap.rows[-1].prediction.model, trap.rows[-1].rank) == (
        "gevent", "fast but wrong", None
    )  # fmt: skip
    assert decide([], DEMAND).verdict.kind == "nothing measured"


def test_for_a_rate_what_counts_is_who_keeps_it() -> None:
    models = [model(rounds=times(1.4)), model("asyncio", app="asyncio_app", rounds=times(1)), SYNC]
    easy = decide(models, replace(DEMAND, concurrency=None, rate_rps=50.0))
    assert easy.verdict.sentence.startswith("All 3 models keep 50.0/s with p99 below 1,000 ms")
    hard = decide(models, replace(DEMAND, concurrency=None, rate_rps=1_500.0, db_connections=1_000))
    assert set(hard.verdict.models) == {"gevent", "asyncio"}
    assert hard.verdict.sentence.startswith("2 of 3 models keep 1,500/s")
    nobody = decide(models, replace(DEMAND, concurrency=None, rate_rps=90_000.0))
    assert (nobody.verdict.kind, nobody.verdict.models) == ("none", ())


def test_facts_change_who_is_advised_among_equals() -> None:
    models = [model(), model("asyncio", app="asyncio_app", memory_bytes=5e7), replace(THREADS, memory_bytes=4e8)]
    assert decide(models, DEMAND).verdict.advised == "asyncio"
    assert decide(models, replace(DEMAND, existing_sync_code=True)).verdict.advised == "gevent"
    cheap_threads = [model(), replace(THREADS, memory_bytes=1e7)]
    assert decide(cheap_threads, DEMAND).verdict.advised == "threads"
    assert decide(cheap_threads, replace(DEMAND, streaming=True)).verdict.advised == "gevent"


def test_advice_names_the_code_the_facts_and_the_trap_beside_the_advised_model() -> None:
    models = [model(), BLOCKING, SYNC]
    demand = replace(DEMAND, streaming=True, blocking_libraries=True, existing_sync_code=True)
    texts = advice(decide(models, demand), models, demand)
    assert "lines of the views differ" in texts[0]
    assert any("Not for that: sync." in text for text in texts)
    assert any(text.startswith("Trap: blocking (waits block) would do ") for text in texts)
    plain = advice(decide(models, DEMAND), models, DEMAND)
    assert len(plain) == len(texts) - 3


def test_the_vectors_are_what_the_model_says() -> None:
    near(json.loads(json.dumps(vectors())), json.loads(VECTORS.read_text()))


def cell(name: str, workload: str, scenario: str = "throughput", rounds: int = 6, **figures: Any) -> Cell:
    """A valid cell whose rounds are all alike."""
    overlap = {"python": 1.1, "database": 1.2}
    round_ = {"state": "VALID", "reason": "", "overlap": overlap, "pss_bytes": 7e7, "rss_bytes": 9e7, **figures}
    requests = {"requests": figures["requests"]} if "requests" in figures else {}
    return Cell(scenario, name, {"name": workload, **requests}, "throughput_rps", (),
                {"app": "gevent_app", "loop": GEVENT_LOOP}, None,
                observations(*[round_] * rounds))  # fmt: skip


def run_of(*cells: Cell) -> Run:
    """A run of these cells."""
    run = Run(Path("nowhere"), "2026-01-01T00:00:00Z", {}, {"models": ["gevent"]}, 1)
    run.cells = {one.key: one for one in cells}
    return run


COSTS_US = {"GET /": 200, "GET /queries/?count=1": 700, "GET /queries/?count=20": 3_550, "GET /todos/": 800}
BUSY = 0.8  # of the core


def throughput(name: str, **changes: Any) -> list[Cell]:
    """The cells that a prediction needs."""
    return [
        cell(name, workload, cpu_per_request_s=us / 1e6, throughput_rps=BUSY / us * 1e6, **changes)
        for workload, us in COSTS_US.items()
    ]


def test_costs_are_what_the_workloads_differ_by() -> None:
    (found,), unmeasured = measured(run_of(*throughput("gevent")))
    assert not unmeasured
    near(asdict(found.costs), {"base_s": 250e-6, "first_query_s": 500e-6, "query_s": 150e-6, "list_s": 600e-6}, 1e-9)
    assert (found.threads, found.python_overlaps, found.trap, found.memory_bytes) == (None, True, False, 7e7)
    assert (found.calls_s, found.request_bytes, found.streams) == (None, None, None)
    assert found.local_waits_s[0] == pytest.approx(700e-6 / 4 - 200e-6 / 4)


def test_the_other_scenarios_give_the_cost_of_calls_memory_and_streams() -> None:
    run = run_of(
        *throughput("gevent"),
        cell("gevent", "10 calls", "fanout", 1, cpu_per_call_s=1.025e-3),
        cell("gevent", "50 calls", "fanout", 1, cpu_per_call_s=3.005e-3),
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


def test_a_model_without_usable_cells_is_unmeasured_and_says_why() -> None:
    cells = throughput("gevent")
    failed = replace(cells[0], observations=(replace(cells[0].observations[0], state="ERRORS"),))
    reasons = [
        (cells[1:], "no cell for GET /"),
        ([*cells[1:], failed], "GET / is ERRORS"),
        ([*cells[1:], cell("gevent", "GET /", throughput_rps=1.0)], "GET / has a round without CPU time"),
        ([*cells[1:], cell("gevent", "GET /", throughput_rps=1.0, cpu_per_request_s=1.0)],
         "more queries seem to cost less: too noisy"),
    ]  # fmt: skip
    for given, reason in reasons:
        found, (unmeasured,) = measured(run_of(*given))
        assert not found
        assert unmeasured.reason == reason


def test_the_check_predicts_each_unseen_load_of_a_model() -> None:
    everything = slowed(model(), 2.0)
    rates = {unseen.path: predicted(everything, unseen.demand, 1.0)[0] for unseen in UNSEEN}
    assert len(UNSEEN) >= 10
    assert rates["/queries/?count=5"] == pytest.approx(1 / (2 * 1.2e-3), rel=1e-3)
    assert rates["/cpu/?milliseconds=3"] == pytest.approx(1 / (0.003 + 4e-4), rel=1e-3)
    assert rates["/sleep/postgres/?seconds=0.03"] < 10 / 0.03  # the last of them, with a pool of 10


def test_an_unseen_load_is_measured_between_anchors_on_a_real_server(test_bed: TestBed) -> None:
    run = run_of(*throughput("gevent"))
    models, _ = measured(run)
    (found,) = on_a_server(run, models[0], 7, [replace(several(5, 32), pool=7)], test_bed, OneOff())
    assert (found.workload, found.limit) == ("/queries/?count=5 × 32, pool 7", "cpu")
    assert 0.2 < found.ratio < 5


def checked(ratio: float, state: str = "VALID") -> Checked:
    return Checked("gevent", "w", "cpu", 1.0, ratio * 100, 100.0, state, "")


@pytest.mark.parametrize(
    ("ratios", "expected"),
    [
        ([1.0] * 9 + [1.5], True),
        ([1.19] * 9 + [0.5], True),
        ([1.0] * 8 + [1.5, 0.7], False),
        ([1.0] * 9, False),
        ([0.79] * 10, False),
    ],
)
def test_nine_of_ten_cells_must_be_within_a_fifth_and_ten_there_must_be(ratios: list[float], expected: bool) -> None:
    assert passed([checked(ratio) for ratio in ratios]) is expected
    assert passed([*(checked(ratio) for ratio in ratios), checked(9, "ERRORS")]) is expected


def test_a_decision_can_be_written_as_json() -> None:
    found = decide([model(), SYNC], DEMAND)
    assert isinstance(found, Decision)
    assert isinstance(found.rows[0].prediction, Prediction)
    assert json.loads(json.dumps(asdict(found)))["verdict"]["kind"] == "tie"
