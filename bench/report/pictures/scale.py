"""Where does a value stand on an axis, and which round values are named there?"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

# An axis of times or of sizes has ticks at 1, 2 or 5 times a power of ten, and not more of them than this.
STEPS, MOST_TICKS = (1, 2, 5), 6
# Ratios that a reader knows. An interval that reaches beyond them is cut there: it says nothing but that it is wide.
RATIOS = (0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.1, 1.25, 1.5, 2.0)


@dataclass(frozen=True)
class Scale:
    """An axis from `left` to `right` units, which stand for `low` and `high`."""

    left: float
    right: float
    low: float
    high: float
    logarithmic: bool = False

    def at(self, value: float) -> float:
        """The place of a value; of one beyond the axis, its end."""
        within = min(max(value, self.low), self.high)
        low, high, found = (math.log(each) if self.logarithmic else each for each in (self.low, self.high, within))
        return self.left + (found - low) / (high - low) * (self.right - self.left)

    @property
    def ticks(self) -> tuple[tuple[float, str], ...]:
        """Where round values stand, and how they are written."""
        values = [each for each in RATIOS if self.low <= each <= self.high] if self.logarithmic else rounds(self.high)
        return tuple((self.at(value), f"{value:g}") for value in values)


def from_zero(left: float, right: float, highest: float) -> Scale:
    """An axis that begins at 0 and ends with the highest value."""
    return Scale(left, right, 0.0, highest or 1.0)


def rounds(highest: float) -> list[float]:
    """0, and round values up to the highest."""
    decade = 10.0 ** math.floor(math.log10(highest or 1.0) - 1)
    steps = (step * decade * power for power in (1, 10, 100) for step in STEPS)
    step = next(step for step in steps if highest / step < MOST_TICKS)
    return [step * place for place in range(int(highest / step + 1e-9) + 1)]


def of_ratios(left: float, right: float, values: Sequence[float]) -> Scale:
    """A logarithmic axis around 1 that has these values, and ends with ratios that a reader knows."""
    low = max((each for each in RATIOS if each <= min(values)), default=RATIOS[0])
    high = min((each for each in RATIOS if each >= max(values)), default=RATIOS[-1])
    return Scale(left, right, min(low, 0.8), max(high, 1.25), logarithmic=True)
