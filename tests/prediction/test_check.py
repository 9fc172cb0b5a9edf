"""What `decide --check` predicts, measures and calls good enough."""

from dataclasses import replace

import pytest
from generators import OneOff

from bench.prediction.check import Checked, on_a_server, passed, predicted, slowed
from bench.prediction.costs import measured
from bench.prediction.unseen import UNSEEN, several
from bench.testbed.testbed import TestBed
from tests.prediction.examples import model, run_of, throughput


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
