"""The intervals of unpaired rounds and in closed form: how often they hold the truth, and what they refuse."""

import math
import random

import pytest

from bench.judging.statistics import ratio_interval, ratio_unpaired, t_interval

ROUNDS = [0.98, 1.04, 1.01, 0.97, 1.02, 0.99]


def test_the_closed_form_is_close_to_the_bootstrap() -> None:
    rng = random.Random(1)
    for _ in range(5):
        mine, its = ([rng.lognormvariate(0, 0.1) for _ in range(6)] for _ in range(2))
        closed, drawn = t_interval(mine, its), ratio_interval(mine, its)
        assert closed.ratio == pytest.approx(drawn.ratio)
        width = math.log(drawn.high / drawn.low) / math.log(closed.high / closed.low)
        assert 0.7 < width < 1.3


def test_unpaired_intervals_hold_the_true_ratio_about_as_often_as_they_say() -> None:
    rng = random.Random(2)
    held = 0
    for number in range(60):
        mine = [2 * rng.lognormvariate(0, 0.1) for _ in range(6)]
        its = [rng.lognormvariate(0, 0.2) for _ in range(8)]
        interval = ratio_unpaired(mine, its, seed=number)
        held += interval.low <= 2 <= interval.high
    assert held >= 53


def test_what_slows_one_run_as_a_whole_does_not_cancel_out() -> None:
    pairs = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]
    doubled = [2 * value for value in pairs]
    assert ratio_interval(doubled, pairs).low == pytest.approx(2)
    assert ratio_unpaired(doubled, pairs).low < 1.2


def test_swapping_the_runs_turns_the_interval_over() -> None:
    slow = [value * 0.7 for value in ROUNDS]
    one, other = ratio_unpaired(slow, ROUNDS, seed=3), ratio_unpaired(ROUNDS, slow, seed=3)
    assert one.ratio == pytest.approx(1 / other.ratio)
    assert one.high == pytest.approx(1 / other.low, rel=0.02)


def test_rounds_without_any_spread_have_no_width() -> None:
    for found in (ratio_unpaired([2.0, 2.0, 2.0], [1.0, 1.0, 1.0]), t_interval([2.0, 2.0], [1.0, 1.0])):
        assert (found.low, found.ratio, found.high) == (pytest.approx(2), pytest.approx(2), pytest.approx(2))


@pytest.mark.parametrize(("mine", "its"), [([1.0], ROUNDS), (ROUNDS, []), ([0.0, 1.0], ROUNDS)])
def test_too_few_rounds_and_figures_of_nothing_are_refused(mine: list[float], its: list[float]) -> None:
    with pytest.raises(ValueError, match="each side needs at least 2 rounds"):
        ratio_unpaired(mine, its)
