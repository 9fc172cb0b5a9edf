"""The pacer is an equation: index and rate in, intended offset out."""

from itertools import islice

import pytest

from bench.load.job import NS_PER_S, Arrival
from bench.load.pacing import constant, poisson, schedule

MS = 1_000_000


@pytest.mark.parametrize(
    ("rate_rps", "offsets_ns"),
    [
        (1, [0, 1_000 * MS, 2_000 * MS]),
        (2, [0, 500 * MS, 1_000 * MS]),
        (0.5, [0, 2_000 * MS, 4_000 * MS]),
        (3, [0, 333_333_333, 666_666_666, 1_000_000_000]),
        (10_000, [0, 100_000, 200_000]),
        (1e9, [0, 1, 2]),
    ],
)
def test_constant_offset_is_index_over_rate(rate_rps: float, offsets_ns: list[int]) -> None:
    assert list(islice(constant(rate_rps), len(offsets_ns))) == offsets_ns


@pytest.mark.parametrize(
    ("arrival", "rate_rps", "duration_s", "count"),
    [
        ("constant", 10, 1, 10),
        ("constant", 10, 0.95, 10),
        ("constant", 10, 0.9, 9),
        ("constant", 0.1, 5, 1),
        ("constant", 1_000, 3, 3_000),
        ("poisson", 10, 0, 0),
    ],
)
def test_schedule_ends_before_the_duration(arrival: Arrival, rate_rps: float, duration_s: float, count: int) -> None:
    assert len(list(schedule(arrival, rate_rps, duration_s, seed=1))) == count


def test_constant_gains_no_error_over_an_hour_at_a_rate_that_divides_nothing() -> None:
    last = list(islice(constant(7), 7 * 3_600 + 1))[-1]
    assert last == 3_600 * NS_PER_S


def test_poisson_is_the_seed_s_and_no_other() -> None:
    first, again, other = (list(islice(poisson(100, seed), 50)) for seed in (1, 1, 2))
    assert first == again
    assert first != other


def test_poisson_gaps_have_the_mean_and_the_spread_of_an_exponential() -> None:
    offsets = list(islice(poisson(1_000, seed=7), 20_000))
    gaps = [later - sooner for sooner, later in zip([0, *offsets], offsets, strict=False)]
    mean = sum(gaps) / len(gaps)
    deviation = (sum((gap - mean) ** 2 for gap in gaps) / len(gaps)) ** 0.5
    assert min(gaps) >= 0
    assert mean == pytest.approx(1 * MS, rel=0.03)  # four standard errors of 20,000 gaps
    assert deviation == pytest.approx(mean, rel=0.05)


@pytest.mark.parametrize("rate_rps", [0, -1, float("nan"), float("inf")])
def test_a_rate_must_be_above_zero_and_finite(rate_rps: float) -> None:
    with pytest.raises(ValueError, match="rate_rps"):
        constant(rate_rps)
    with pytest.raises(ValueError, match="rate_rps"):
        poisson(rate_rps, seed=1)


def test_an_unknown_arrival_is_named() -> None:
    with pytest.raises(ValueError, match="'burst'"):
        schedule("burst", 1, 1, seed=1)  # type: ignore[arg-type]
