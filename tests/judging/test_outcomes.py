"""Of two, one is better, or they are equal, not told apart or not comparable; there is nothing else to be said."""

import pytest

from bench.judging.outcomes import outcome_of
from bench.judging.statistics import RatioInterval

CASES = [
    # low, high, generations, higher is better: what is said
    (1.10, 1.30, 3, True, "better"),
    (1.10, 1.30, 3, False, "worse"),
    (0.70, 0.90, 3, True, "worse"),
    (0.70, 0.90, 3, False, "better"),
    (0.97, 1.04, 3, True, "equal"),
    (1.01, 1.04, 3, True, "equal"),  # sure, and too small to matter
    (0.90, 1.04, 3, True, "not told apart"),
    (0.97, 1.06, 3, True, "not told apart"),
    (1.04, 1.30, 12, True, "not told apart"),
    (1.10, 1.30, 2, True, "not comparable"),
    (0.99, 1.01, 2, True, "not comparable"),
]


@pytest.mark.parametrize(("low", "high", "generations", "higher", "kind"), CASES)
def test_an_outcome_follows_from_the_interval_and_the_generations(
    low: float, high: float, generations: int, higher: bool, kind: str
) -> None:
    interval = RatioInterval(ratio=(low * high) ** 0.5, low=low, high=high, generations=generations)
    found = outcome_of(interval, higher_is_better=higher)
    assert found.kind == kind
    assert found.reason
    assert found.interval == interval
    mirrored = RatioInterval(ratio=1 / interval.ratio, low=1 / high, high=1 / low, generations=generations)
    other = outcome_of(mirrored, higher_is_better=higher)
    assert {found.kind, other.kind} in ({"better", "worse"}, {found.kind})
