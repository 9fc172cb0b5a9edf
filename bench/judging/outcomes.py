"""What does an interval say of two? One of four outcomes, each with its reason; every report shows these and no others.

A is **better** (or **worse**) than B if the whole interval of their ratio is beyond the margin: 5 %, or what two names
of the same model seemed to differ by if that is more. They are **equal** if the whole interval is within 5 %. They are
**not told apart** if it is neither: the interval is too wide to say. They are **not comparable** if there is no
interval to look at: too few rounds, or a cell that is not valid. Too little to compare is never a tie.
"""

from dataclasses import dataclass
from typing import Literal

from bench.judging.statistics import MIN_ROUNDS, PRACTICAL_MARGIN, RatioInterval

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


def outcome_of(interval: RatioInterval, margin: float, *, higher_is_better: bool) -> Outcome:
    """What the interval of a ratio says of its numerator; `margin` is the ratio that a difference must exceed."""
    if interval.rounds < MIN_ROUNDS:
        return Outcome("not comparable", too_few(interval.rounds), interval)
    if interval.low > margin or interval.high < 1 / margin:
        kind: Kind = "better" if (interval.low > 1) == higher_is_better else "worse"
        return Outcome(kind, f"the whole interval is beyond {percent(margin)}", interval)
    if interval.low >= 1 / PRACTICAL_MARGIN and interval.high <= PRACTICAL_MARGIN:
        return Outcome("equal", f"the whole interval is within {percent(PRACTICAL_MARGIN)}", interval)
    if interval.low > PRACTICAL_MARGIN or interval.high < 1 / PRACTICAL_MARGIN:
        return Outcome("not told apart", f"the A/A pair differs by {percent(margin)} as well", interval)
    return Outcome("not told apart", f"the interval, {interval.low:.2f} to {interval.high:.2f}, is too wide", interval)


def not_comparable(reason: str) -> Outcome:
    """The outcome where there is no interval."""
    return Outcome("not comparable", reason)


def too_few(rounds: int) -> str:
    """Why so many rounds decide nothing."""
    return f"{plural(rounds, 'round')} of both, and {MIN_ROUNDS} are needed"


def plural(count: int, noun: str) -> str:
    """`1 round`, `2 rounds`."""
    return f"{count} {noun}{'s' * (count != 1)}"


def percent(ratio: float) -> str:
    """By how much a ratio is above 1: `5 %`."""
    return f"{ratio - 1:.0%}".replace("%", " %")
