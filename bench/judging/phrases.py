"""How do ratios, names and outcomes stand in a sentence?"""

from collections.abc import Sequence

from bench.judging.outcomes import Outcome
from bench.judging.statistics import PRACTICAL_MARGIN, RatioInterval
from bench.judging.units import amount, label, number
from bench.judging.workload import JudgedWorkload
from bench.words import join

NAMES_SHOWN = 3


def named(names: Sequence[str], most: int = NAMES_SHOWN) -> str:
    """`a, b and c`; of many, the first ones and how many more."""
    shown = list(names) if len(names) <= most else [*names[: most - 1], f"{len(names) - most + 1} others"]
    return join(shown)


def spread(interval: RatioInterval) -> str:
    """`1.31 (1.24–1.39)`."""
    return f"{interval.ratio:.2f} ({interval.low:.2f}–{interval.high:.2f})"


def against(workload: JudgedWorkload, one: str, other: str) -> str:
    """`1,903 against 1,520 req/s`, `p90 1.7 against 3.7 ms`."""
    return f"{label(workload.figure)} {figures(workload, one, other)}".strip()


def figures(workload: JudgedWorkload, one: str, other: str) -> str:
    """The same without the figure's name: `1.7 against 3.7 ms`."""
    mine, its = workload.medians[one], workload.medians[other]
    return f"{number(mine, workload.figure)} against {amount(its, workload.figure)}"


def tie(outcomes: Sequence[Outcome]) -> str:
    """What is to be said of several of which none is better: `equal within 5 %` only if all of them are."""
    if all(outcome.kind == "equal" for outcome in outcomes):
        return f"equal within {PRACTICAL_MARGIN - 1:.0%}".replace("%", " %")
    return "not told apart"
