"""What `decide --check` predicts, measures and calls good enough."""

from dataclasses import replace

import pytest
from generators import OneOff

from bench.errors import BenchError
from bench.judging.validity import VALID, Judgement
from bench.prediction.check import Checked, Seen, on_a_server, passed, predicted, slowed
from bench.prediction.check import checked as compared
from bench.prediction.costs import measured
from bench.prediction.unseen import ANCHORS, UNSEEN, several
from bench.testbed.testbed import TestBed
from tests.prediction.examples import COSTS_US, model, run_of, throughput


def test_the_check_predicts_each_unseen_load_of_a_model() -> None:
    everything = slowed(model(), 2.0)
    rates = {unseen.path: predicted(everything, unseen.demand, 1.0)[0] for unseen in UNSEEN}
    assert len(UNSEEN) >= 10
    assert rates["/queries/?count=5"] == pytest.approx(1 / (2 * 1.2e-3), rel=1e-3)
    assert rates["/cpu/?milliseconds=3"] == pytest.approx(1 / (0.003 + 4e-4), rel=1e-3)
    assert rates["/sleep/postgres/?seconds=0.03"] < 10 / 0.03  # the last of them, with a pool of 10


def test_an_unseen_load_is_measured_in_turn_with_anchors_on_a_real_server(test_bed: TestBed) -> None:
    run = run_of(*throughput("gevent"))
    models, _ = measured(run)
    (found,) = on_a_server(run, models[0], 7, [replace(several(5, 32), pool=7)], test_bed, OneOff())
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
