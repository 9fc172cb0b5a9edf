"""Of two, one is better, or they are equal, not told apart or not comparable; there is nothing else to be said."""

import pytest

from bench.judging.outcomes import outcome_of
from bench.judging.pairs import noise_floor
from bench.judging.statistics import RatioInterval

CASES = [
    # low, high, rounds, margin, higher is better: what is said
    (1.10, 1.30, 6, 1.05, True, "better"),
    (1.10, 1.30, 6, 1.05, False, "worse"),
    (0.70, 0.90, 6, 1.05, True, "worse"),
    (0.70, 0.90, 6, 1.05, False, "better"),
    (0.97, 1.04, 6, 1.05, True, "equal"),
    (1.01, 1.04, 6, 1.05, True, "equal"),  # sure, and too small to matter
    (0.97, 1.04, 6, 1.40, True, "equal"),
    (0.90, 1.04, 6, 1.05, True, "not told apart"),
    (0.97, 1.06, 6, 1.05, True, "not told apart"),
    (1.04, 1.30, 6, 1.05, True, "not told apart"),
    (0.80, 1.40, 6, 1.50, True, "not told apart"),  # within the noise of the machine is not equal
    (1.10, 1.30, 6, 1.20, True, "not told apart"),
    (1.10, 1.30, 4, 1.05, True, "not comparable"),
    (0.99, 1.01, 4, 1.05, True, "not comparable"),
]


@pytest.mark.parametrize(("low", "high", "rounds", "margin", "higher", "kind"), CASES)
def test_an_outcome_follows_from_interval_rounds_and_margin(
    low: float, high: float, rounds: int, margin: float, higher: bool, kind: str
) -> None:
    interval = RatioInterval(ratio=(low * high) ** 0.5, low=low, high=high, rounds=rounds)
    found = outcome_of(interval, margin, higher_is_better=higher)
    assert found.kind == kind
    assert found.reason
    assert found.interval == interval
    mirrored = RatioInterval(ratio=1 / interval.ratio, low=1 / high, high=1 / low, rounds=rounds)
    other = outcome_of(mirrored, margin, higher_is_better=higher)
    assert {found.kind, other.kind} in ({"better", "worse"}, {found.kind})


def test_the_noise_floor_is_the_farther_end_of_the_interval_and_needs_rounds() -> None:
    assert noise_floor(RatioInterval(ratio=1.0, low=0.8, high=1.1, rounds=6)) == pytest.approx(1.25)
    assert noise_floor(RatioInterval(ratio=1.0, low=0.95, high=1.3, rounds=6)) == pytest.approx(1.3)
    assert noise_floor(RatioInterval(ratio=1.0, low=0.8, high=1.1, rounds=4)) is None
    assert noise_floor(None) is None
