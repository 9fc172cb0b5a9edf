"""What is said of one cell of the table of faults: a word, a figure, how bad that is, and a sentence."""

from dataclasses import dataclass
from typing import Literal

Severity = Literal["fine", "noticed", "hurts", "dead", "unknown"]
# From the best to the worst; what was not tried has no place.
SEVERITIES: tuple[Severity, ...] = ("fine", "noticed", "hurts", "dead")
# From here on a fault is called a weak point of a model.
HURTS: tuple[Severity, ...] = ("hurts", "dead")
# What is over sooner is called that.
AT_ONCE_S = 0.3
# Of two that hurt, the first is worse: nobody is served, or only those who need nothing of what is away.
WORST_FIRST = ("starves", "blocks")

# What a figure begins with that says more than the word, and stands behind a comma.
CLAUSES = ("away", "back", "exits", "holds", "loses", "retry")


@dataclass(frozen=True)
class Found:
    """What a fault did to a model."""

    word: str
    """`loses`, `retry`, `starves`, `never`, …: the same in every run in which the server behaves alike."""
    figure: str
    """`4, back in 0.9 s`; it may differ from run to run, and may be empty."""
    severity: Severity
    sentence: str

    @property
    def text(self) -> str:
        """Both, as a table has them."""
        comma = "," if self.figure.startswith(CLAUSES) else ""
        return f"{self.word}{comma} {self.figure}".strip()

    @property
    def weak(self) -> bool:
        """Whether a team would want it cured."""
        return self.severity in HURTS


def better(one: Found, other: Found) -> bool:
    """Whether one is less bad than the other, as far as both are known."""
    if "unknown" in (one.severity, other.severity):
        return False
    if {one.word, other.word} == set(WORST_FIRST):
        return one.word == WORST_FIRST[1]
    return SEVERITIES.index(one.severity) < SEVERITIES.index(other.severity)


def seconds(value: float) -> str:
    """`0.9 s`, and `12 s` where tenths say nothing."""
    return f"{value:.1f} s" if value < 10 else f"{value:.0f} s"


def megabytes(value: float) -> str:
    """`530 MB`."""
    return f"{value / 1e6:,.0f} MB"


def back(value: float) -> str:
    """`back in 0.9 s`, or `back at once`."""
    return "back at once" if value < AT_ONCE_S else f"back in {seconds(value)}"
