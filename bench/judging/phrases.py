"""How do ratios, names and outcomes stand in a sentence?"""

from collections.abc import Sequence

from bench.judging.outcomes import Outcome
from bench.judging.statistics import MIN_ROUNDS, PRACTICAL_MARGIN, RatioInterval
from bench.judging.units import amount, number
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
    """`1,903 against 1,520 req/s`."""
    mine, its = workload.medians[one], workload.medians[other]
    return f"{number(mine, workload.figure)} against {amount(its, workload.figure)}"


def tie(outcomes: Sequence[Outcome]) -> str:
    """What is to be said of several of which none is better: `equal within 5 %` only if all of them are."""
    if all(outcome.kind == "equal" for outcome in outcomes):
        return f"equal within {PRACTICAL_MARGIN - 1:.0%}".replace("%", " %")
    return "not told apart"


def sentence(workload: JudgedWorkload, what: str) -> str:
    """The best models of a workload in one sentence, and by how much they are ahead of the baseline."""
    first = workload.first
    if not first:
        return f"{workload.name}: no model is named best; at least two need {MIN_ROUNDS} valid rounds each."
    outcomes = [workload.outcome(first[0], name) for name in first[1:]]
    leading = f"{first[0]} leads" if len(first) == 1 else f"{join(first)} lead, {tie(outcomes)},"
    base = workload.baseline
    interval = workload.interval(first[0], base)
    if interval is None or base in first:
        return f"{workload.name}: {leading} in {what}."
    return (f"{workload.name}: {leading} in {what}; {first[0]} has {spread(interval)} times those of {base}, "
            f"{against(workload, first[0], base)}.")  # fmt: skip
