"""A winner is called when the rounds show one, and not otherwise."""

import math
import random
from math import nan
from statistics import fmean

import numpy as np
import pytest
from scipy import stats as scipy_stats

from bench.judging import statistics as stats
from bench.judging.outcomes import outcome_of


def rounds(seed: int, mean: float = 1_000, noise: float = 0.05, count: int = 6) -> list[float]:
    uniform = random.Random(seed)
    return [mean * math.exp(uniform.gauss(0, noise)) for _ in range(count)]


@pytest.mark.parametrize("freedom", [2, 3, 5, 9, 29])
def test_student_t_is_scipy_s_within_one_percent(freedom: int) -> None:
    assert stats._student_t(0.975, freedom) == pytest.approx(scipy_stats.t.ppf(0.975, freedom), rel=0.01)


@pytest.mark.parametrize("seed", range(3))
def test_the_interval_is_scipy_s_bootstrap_at_the_expanded_level(seed: int) -> None:
    a, b = rounds(seed, count=12), rounds(seed + 100, count=12)
    logs = np.log(a) - np.log(b)
    level = 1 - 2 * stats._expanded_tail(12)
    reference = scipy_stats.bootstrap(
        (logs,), np.mean, confidence_level=level, method="percentile", n_resamples=20_000, rng=np.random.default_rng(1)
    ).confidence_interval
    mine = stats.ratio_interval(a, b)
    width = reference.high - reference.low
    assert mine.ratio == pytest.approx(math.exp(logs.mean()))
    assert math.log(mine.low) == pytest.approx(reference.low, abs=0.1 * width)
    assert math.log(mine.high) == pytest.approx(reference.high, abs=0.1 * width)


def test_at_six_rounds_the_interval_is_as_wide_as_student_s() -> None:
    """On average over many sets; the plain percentile bootstrap reaches only two thirds of it."""
    shares = []
    for seed in range(60):
        a, b = rounds(seed), rounds(seed + 1_000)
        logs = np.log(a) - np.log(b)
        student = 2 * scipy_stats.t.ppf(0.975, 5) * logs.std(ddof=1) / math.sqrt(6)
        mine = stats.ratio_interval(a, b)
        shares.append(math.log(mine.high / mine.low) / student)
    assert 0.85 < fmean(shares) < 1.1


def test_the_same_seed_gives_the_same_interval_and_swapping_inverts_it() -> None:
    a, b = rounds(1), rounds(2, mean=1_300)
    mine, again, swapped = stats.ratio_interval(a, b), stats.ratio_interval(a, b), stats.ratio_interval(b, a)
    assert mine == again
    assert (mine.ratio, mine.low) == (pytest.approx(1 / swapped.ratio), pytest.approx(1 / swapped.high, rel=0.01))


def test_what_slows_both_of_a_pair_leaves_their_ratio_alone() -> None:
    drift = [1.0, 0.5, 0.8, 2.0, 1.1, 0.6]
    interval = stats.ratio_interval([1.2 * d for d in drift], drift)
    assert (interval.low, interval.high) == (pytest.approx(1.2), pytest.approx(1.2))


def test_one_spoilt_round_of_six_is_left_out_and_counted_out() -> None:
    good, ones = [1.20, 1.22, 1.18, 1.21, 1.19], [1.0] * 6
    interval = stats.ratio_interval([*good, 0.05], ones)
    assert interval == stats.ratio_interval(good, ones[:5])
    assert interval.rounds == 5


@pytest.mark.parametrize(
    "ratios",
    [
        [1.0, 1.1, 0.9, 1.05, 0.95, 1.2],  # nobody stands out
        [1.20, 1.22, 1.18, 1.21, 0.05],  # five are too few to leave one out
        [1.0, 1.0, 1.0, 1.0, 1.0, 1.04],  # too near to matter
    ],
)
def test_otherwise_every_round_counts(ratios: list[float]) -> None:
    interval = stats.ratio_interval(ratios, [1.0] * len(ratios))
    assert interval.rounds == len(ratios)


def test_a_round_that_one_side_does_not_have_is_no_pair() -> None:
    mine, its = [2.0, nan, 2.2, 2.1, 1.9, 2.0], [1.0, 1.0, 1.1, 1.0, nan, 1.0]
    assert stats.ratio_interval(mine, its) == stats.ratio_interval([2.0, 2.2, 2.1, 2.0], [1.0, 1.1, 1.0, 1.0])


@pytest.mark.parametrize("noise", [0.02, 0.10, 0.25])
def test_of_twenty_a_a_pairs_at_most_one_is_called_different(noise: float) -> None:
    pairs = [(rounds(seed, noise=noise), rounds(seed + 500, noise=noise)) for seed in range(20)]
    outcomes = [outcome_of(stats.ratio_interval(a, b), stats.PRACTICAL_MARGIN, higher_is_better=True) for a, b in pairs]
    assert sum(outcome.differs for outcome in outcomes) <= 1


@pytest.mark.parametrize(
    ("a", "b"), [([1.0, 2.0], [1.0]), ([1.0], [1.0]), ([1.0, 0.0], [1.0, 1.0]), ([1.0, 1.0], [1.0, -1.0])]
)
def test_rounds_that_make_no_ratio_are_refused(a: list[float], b: list[float]) -> None:
    with pytest.raises(ValueError, match=r"equally many|above 0|at least 2"):
        stats.ratio_interval(a, b)


def test_a_group_ends_at_the_first_that_is_apart_from_its_leader() -> None:
    found = stats.grouped("abcd", lambda leader, name: ord(name) - ord(leader) >= 2)
    assert found == {"a": 1, "b": 1, "c": 3, "d": 3}
