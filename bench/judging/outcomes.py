"""What does an interval say of two? One of four outcomes, each with its reason; every report shows these and no others.

A is **better** (or **worse**) than B if the whole interval of their ratio is beyond 5 %. They are **equal** if the
whole interval is within 5 %. They are **not told apart** if it is neither: the interval is too wide to say. They are
**not comparable** if there is no interval to look at: too few generations of servers, or a cell that is not valid. Too
little to compare is never a tie.
"""

from dataclasses import dataclass
from typing import Literal

from bench.judging.statistics import FEWEST_GENERATIONS, PRACTICAL_MARGIN, RatioInterval

Kind = Literal["better", "worse", "equal", "not told apart", "not comparable"]
KINDS: tuple[Kind, ...] = ("better", "worse", "equal", "not told apart", "not comparable")


@dataclass(frozen=True)
class Outcome:
    """How one compares to another, and the reason for saying so."""

    kind: Kind
    reason: str
    interval: RatioInterval | None = None
    """Of the ratio of their figures; None for most that are not comparable."""

    @property
    def differs(self) -> bool:
        """Whether one of the two is better."""
        return self.kind in ("better", "worse")


def outcome_of(interval: RatioInterval, *, higher_is_better: bool) -> Outcome:
    """What the interval of a ratio says of its numerator."""
    if interval.generations < FEWEST_GENERATIONS:
        return Outcome("not comparable", too_few(interval.generations), interval)
    margin = percent(PRACTICAL_MARGIN)
    if interval.low > PRACTICAL_MARGIN or interval.high < 1 / PRACTICAL_MARGIN:
        kind: Kind = "better" if (interval.low > 1) == higher_is_better else "worse"
        return Outcome(kind, f"the whole interval is beyond {margin}", interval)
    if interval.low >= 1 / PRACTICAL_MARGIN and interval.high <= PRACTICAL_MARGIN:
        return Outcome("equal", f"the whole interval is within {margin}", interval)
    return Outcome("not told apart", f"the interval, {interval.low:.2f} to {interval.high:.2f}, is too wide", interval)


def not_comparable(reason: str) -> Outcome:
    """The outcome where there is no interval."""
    return Outcome("not comparable", reason)


def too_few(generations: int) -> str:
    """Why so many generations decide nothing."""
    return f"{plural(generations, 'generation')} of both, and {FEWEST_GENERATIONS} are needed"


def plural(count: int, noun: str) -> str:
    """`1 generation`, `2 generations`."""
    return f"{count} {noun}{'s' * (count != 1)}"


def percent(ratio: float) -> str:
    """By how much a ratio is above 1: `5 %`."""
    return f"{ratio - 1:.0%}".replace("%", " %")
