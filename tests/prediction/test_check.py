"""What `decide --check` predicts, measures and calls good enough."""

from contextlib import closing
from dataclasses import replace
from io import StringIO

import pytest
from generators import OneOff
from rich.console import Console, RenderableType

from bench.errors import BenchError
from bench.judging.validity import VALID, Judgement
from bench.load import Generator
from bench.prediction.check import (
    Checked,
    Seen,
    arrivals_rps,
    on_a_server,
    passed,
    predicted,
    predicted_p99_ms,
    slowed,
)  # fmt: skip
from bench.prediction.check import checked as compared
from bench.prediction.costs import measured
from bench.prediction.unseen import ANCHORS, UNSEEN, several
from bench.prediction.vectors import ASYNCIO_LOOP
from bench.report.terminal.decide import check_summary, check_table
from bench.scenarios import SCENARIOS
from bench.scenarios.base import Options
from bench.scenarios.fanout import CALL_S, COUNTS
from bench.testbed.testbed import TestBed
from tests.prediction.examples import COSTS_US, SYNC, model, run_of, throughput


def test_the_check_predicts_each_unseen_load_of_a_model() -> None:
    everything = slowed(model(), 2.0)
    rates = {unseen.path: predicted(everything, unseen)[0] for unseen in UNSEEN if unseen.processes == 1}
    assert len(UNSEEN) >= 10
    assert rates["/queries/?count=5"] == pytest.approx(1 / (2 * 1.2e-3), rel=1e-3)
    assert rates["/cpu/?milliseconds=3"] == pytest.approx(1 / (0.003 + 4e-4), rel=1e-3)
    assert rates["/sleep/postgres/?seconds=0.03"] < 10 / 0.03  # the last of them, with a pool of 10


def test_an_unseen_load_is_measured_in_turn_with_anchors_on_a_real_server(test_bed: TestBed) -> None:
    run = run_of(*throughput("gevent"))
    models, _ = measured(run)
    (found,) = on_a_server(run, models[0], [replace(several(5, 32), pool=7)], test_bed, OneOff())
    assert (found.workload, found.limit) == ("/queries/?count=5 × 32, pool 7", "cpu")
    assert 0.2 < found.ratio < 5


def test_a_load_that_fails_is_shown_and_an_anchor_that_fails_ends_the_check() -> None:
    run = run_of(*throughput("gevent"))
    (one,), _ = measured(run)
    failed, fine = Seen(0.0, 0.0, Judgement("ERRORS", "404")), Seen(1_000.0, 1e-3, VALID)
    shown = compared(run, one, several(5, 32), dict.fromkeys(ANCHORS, fine), failed)
    assert (shown.state, shown.reason, shown.ratio) == ("ERRORS", "404", 0.0)
    with pytest.raises(BenchError, match=r"GET / is not answered \(404\)"):
        compared(run, one, several(5, 32), dict.fromkeys(ANCHORS, failed), fine)


def test_a_machine_half_as_fast_as_in_the_run_is_predicted_half_as_fast() -> None:
    run = run_of(*throughput("gevent"))
    (one,), _ = measured(run)
    anchors = {name: Seen(5e5 / cpu_us, 2e-6 * cpu_us, VALID) for name, cpu_us in COSTS_US.items() if name in ANCHORS}
    shown = compared(run, one, several(5, 32), anchors, Seen(384.6, 0.0, VALID))
    assert shown.drift == pytest.approx(2.0)
    assert shown.ratio == pytest.approx(1.0, rel=1e-3)  # 1.3 ms a request, twice as long now


def test_no_load_of_the_check_is_one_that_costs_are_found_from() -> None:
    scenarios = [scenario for name, scenario in SCENARIOS.items() if name in ("throughput", "pairs", "fanout", "scale")]
    paths = {str(one.parameters.get("path")) for scenario in scenarios for one in scenario.workloads(Options())}
    assert {anchor.path for anchor in ANCHORS.values()} < paths
    calls = {f"/fanout/?count={count}&seconds={CALL_S:g}" for count in COUNTS}
    assert not {unseen.path for unseen in UNSEEN} & (paths | calls)


def test_the_check_has_a_held_connection_an_open_loop_two_processes_and_a_full_pool() -> None:
    gevent, asyncio = model(keeps_connection=True), model("asyncio-bridge", loop=ASYNCIO_LOOP)
    held, two, sync, rate = UNSEEN[-4:]
    assert predicted(gevent, held) == (pytest.approx(15 / 0.1, rel=0.05), "connections")
    assert predicted(asyncio, held)[0] > 2 * predicted(gevent, held)[0]
    assert (two.needs(gevent), two.needs(asyncio)) == (True, False)
    assert predicted(gevent, two)[0] == pytest.approx(20 / 0.1, rel=0.05)
    assert predicted(SYNC, sync)[0] == pytest.approx(2 * predicted(SYNC, replace(sync, processes=1))[0], rel=0.1)
    p99_ms = predicted_p99_ms(gevent, rate, arrivals_rps(gevent, rate))
    assert p99_ms is not None
    assert 20 < p99_ms < 40
    assert predicted_p99_ms(slowed(gevent, 9.0), rate, arrivals_rps(gevent, rate)) is None
    assert {one.pool for one in UNSEEN if one.connections > one.pool and one.demand.db_wait_s} == {5, 10, 30}


def test_an_open_loop_on_two_processes_is_measured_on_real_servers(test_bed: TestBed) -> None:
    run = run_of(*throughput("gevent"))
    models, _ = measured(run)
    load = replace(UNSEEN[-1], processes=2, pool=16, load_s=0.5)
    with closing(Generator()) as generator:
        (found,) = on_a_server(run, models[0], [load], test_bed, generator)
    assert found.workload == "/sleep/python/?seconds=0.02 p99 at 30 %, pool 16, 2 processes"
    assert found.figure == "p99 ms"
    assert found.measured > 20 or found.state != "VALID"


def test_the_error_without_scaling_and_the_known_one_of_gevent_stand_beside_the_figures() -> None:
    run = run_of(*throughput("gevent"))
    (one,), _ = measured(run)
    anchors = {name: Seen(5e5 / cpu_us, 2e-6 * cpu_us, VALID) for name, cpu_us in COSTS_US.items() if name in ANCHORS}
    held = next(unseen for unseen in UNSEEN if unseen.path.startswith("/sleep/postgres") and unseen.pool == 5)
    found = [compared(run, one, load, anchors, Seen(300.0, 0.0, VALID)) for load in (several(5, 32), held)]
    assert [shown.convoy for shown in found] == [False, True]
    assert found[0].unscaled_ratio == pytest.approx(2 * found[0].ratio, rel=1e-3)
    assert "connections*" in printed(check_table(found))
    assert "* Not counted: with all connections in use, gevent" in check_summary([replace(found[1], unscaled=900.0)])


def printed(table: RenderableType) -> str:
    console = Console(width=80, file=StringIO())
    console.print(table)
    text: str = console.file.getvalue()  # type: ignore[attr-defined]
    assert max(map(len, text.splitlines())) <= 80
    return text


def checked(ratio: float, state: str = "VALID") -> Checked:
    return Checked("gevent", "w", "cpu", 1.0, "answers/s", ratio * 100, 100.0, 100.0, state, "")


@pytest.mark.parametrize(
    ("ratios", "expected"),
    [
        ([1.0] * 9 + [1.5], True),
        ([1.19] * 9 + [0.5], True),
        ([1.0] * 8 + [1.5, 0.7], True),
        ([1.0] * 7 + [1.5, 0.7, 0.7], False),
        ([1.0] * 9, False),
        ([0.79] * 10, False),
    ],
)
def test_three_of_four_cells_must_be_within_a_fifth_and_ten_there_must_be(ratios: list[float], expected: bool) -> None:
    assert passed([checked(ratio) for ratio in ratios]) is expected
    assert passed([*(checked(ratio) for ratio in ratios), checked(9, "ERRORS")]) is expected
    assert passed([*(checked(ratio) for ratio in ratios), replace(checked(9), convoy=True)]) is expected
