"""An interval holds the true ratio as often as it says, and is made of generations of servers."""

import math
from collections.abc import Sequence

import numpy as np
import pytest
from scipy import stats as scipy_stats

from bench.judging import statistics as stats
from bench.judging.outcomes import outcome_of
from tests.judging import interval_simulation

Generations = list[list[float]]


def drawn(seed: int, ratio: float = 1.0, cycle: float = 0.03, generation: float = 0.01, count: int = 6) -> Generations:
    """So many generations of ten cycles, with normal noise in each cycle and in each start."""
    rng = np.random.default_rng(seed)
    starts = rng.normal(math.log(ratio), generation, count)
    return [list(start + rng.normal(0, cycle, 10)) for start in starts]


@pytest.mark.parametrize("freedom", [2, 3, 5, 9, 29])
def test_student_t_is_scipy_s_within_one_percent(freedom: int) -> None:
    assert stats._student_t(0.975, freedom) == pytest.approx(scipy_stats.t.ppf(0.975, freedom), rel=0.01)


@pytest.mark.parametrize("blocks", [5, 12, 30])
def test_the_trimmed_mean_is_scipy_s(blocks: int) -> None:
    values = np.random.default_rng(1).normal(size=(3, blocks))
    assert stats.trimmed_mean(values) == pytest.approx(scipy_stats.trim_mean(values, 0.2, axis=1))


@pytest.mark.parametrize("seed", range(3))
def test_of_one_cycle_in_each_generation_the_error_is_that_of_their_mean(seed: int) -> None:
    logs = np.random.default_rng(seed).normal(0, 0.05, 12)
    found = stats.ratio_interval([[log] for log in logs])
    half = scipy_stats.t.ppf(0.975, 11) * logs.std(ddof=1) / math.sqrt(12)
    assert math.log(found.high / found.low) / 2 == pytest.approx(half, rel=0.25)  # a trimmed mean's is a little larger
    assert found.generations == 12


@pytest.mark.parametrize("count", [3, 6, 10])
def test_the_interval_holds_the_true_ratio_about_as_often_as_it_says(count: int) -> None:
    held = sum(found.low <= 1.2 <= found.high
               for seed in range(300) if (found := stats.ratio_interval(drawn(seed, 1.2, count=count))))  # fmt: skip
    assert 0.88 <= held / 300 <= 0.99


def test_cycles_of_one_start_are_not_taken_for_independent() -> None:
    """Servers that start well or badly: many cycles of few generations say less than their number."""
    uneven = drawn(1, cycle=0.001, generation=0.1)
    longer = [cycles * 10 for cycles in uneven]
    narrow, wide = (stats.ratio_interval(one) for one in (longer, uneven))
    assert narrow.half_width == pytest.approx(wide.half_width, rel=0.2)


def test_a_few_spoilt_cycles_move_it_little() -> None:
    good = drawn(2)
    spoilt = [[*cycles[:9], 2.0] if place == 1 else cycles for place, cycles in enumerate(good)]
    assert stats.ratio_interval(spoilt).ratio == pytest.approx(stats.ratio_interval(good).ratio, rel=0.02)


def test_the_same_seed_gives_the_same_interval_and_swapping_inverts_it() -> None:
    logs = drawn(1, 1.3)
    mine, again = stats.ratio_interval(logs, seed=5), stats.ratio_interval(logs, seed=5)
    swapped = stats.ratio_interval([[-log for log in cycles] for cycles in logs], seed=5)
    assert mine == again
    assert (mine.ratio, mine.low) == (pytest.approx(1 / swapped.ratio), pytest.approx(1 / swapped.high))


def test_two_runs_are_told_apart_by_both_errors() -> None:
    mine, its = drawn(1, 1.2), drawn(2, 1.0)
    apart = stats.ratio_unpaired(mine, its)
    alone = stats.ratio_interval(mine)
    assert apart.low < 1.2 < apart.high
    assert apart.half_width > alone.half_width
    swapped = stats.ratio_unpaired(its, mine)
    assert (apart.ratio, apart.low) == (pytest.approx(1 / swapped.ratio), pytest.approx(1 / swapped.high, rel=0.02))


@pytest.mark.parametrize("noise", [0.02, 0.10, 0.25])
def test_of_twenty_a_a_pairs_at_most_one_is_called_different(noise: float) -> None:
    outcomes = [outcome_of(stats.ratio_interval(drawn(seed, cycle=noise)), higher_is_better=True) for seed in range(20)]
    assert sum(outcome.differs for outcome in outcomes) <= 1


def test_the_closed_form_is_student_s() -> None:
    mine, its = [2.0, 2.2, 2.1, 1.9], [1.0, 1.0, 1.1, 1.0]
    logs = np.log(mine) - np.log(its)
    low, high = scipy_stats.t.interval(0.95, 3, loc=logs.mean(), scale=logs.std(ddof=1) / 2)
    found = stats.t_interval(mine, its)
    assert (found.low, found.high) == (pytest.approx(math.exp(low), rel=0.01), pytest.approx(math.exp(high), rel=0.01))


@pytest.mark.parametrize("logs", [[], [[0.1, 0.2]]])
def test_one_generation_makes_no_interval(logs: Generations) -> None:
    with pytest.raises(ValueError, match="at least 2 generations"):
        stats.ratio_interval(logs)
    with pytest.raises(ValueError, match="at least 2 generations"):
        stats.ratio_unpaired(logs, [[0.1], [0.2]])


@pytest.mark.parametrize(
    ("a", "b"), [([1.0, 2.0], [1.0]), ([1.0], [1.0]), ([1.0, 0.0], [1.0, 1.0]), ([1.0, 1.0], [1.0, -1.0])]
)
def test_values_that_make_no_ratio_are_refused(a: Sequence[float], b: Sequence[float]) -> None:
    with pytest.raises(ValueError, match=r"equally many|above 0"):
        stats.t_interval(a, b)


def test_a_group_ends_at_the_first_that_is_apart_from_its_leader() -> None:
    found = stats.grouped("abcd", lambda leader, name: ord(name) - ord(leader) >= 2)
    assert found == {"a": 1, "b": 1, "c": 3, "d": 3}


def test_with_the_noise_of_real_slices_the_method_finds_what_is_there_and_nothing_else() -> None:
    """From slices that were measured; how far the claims hold in full is in the docstring of statistics.py."""
    pools = interval_simulation.recorded()
    found = interval_simulation.simulated(pools["cpu"], generations=5, cycles=15, sets=100)
    assert found.covered >= 0.85
    assert found.better_by_15_percent >= 0.85
    assert found.falsely_better <= 0.05
