"""How do two cells compare? The only place that pairs their observations and asks for an interval."""

import math
from collections.abc import Mapping, Sequence
from statistics import fmean

from bench.judging.cells import JudgedCell
from bench.judging.outcomes import Outcome, not_comparable, outcome_of, plural, too_few
from bench.judging.statistics import FEWEST_GENERATIONS, RatioInterval, ratio_interval, ratio_unpaired

FEWEST = 2  # generations that an interval can be made of

Cycles = Mapping[int, Sequence[float]]
"""By generation, a figure in each of its cycles."""


def paired(one: JudgedCell, other: JudgedCell, base: JudgedCell | None, figure: str, seed: int) -> RatioInterval | None:
    """The interval of one cell's figure ÷ another's of the same run, cycle by cycle; None for too few generations.

    Two models whose servers were hardly ever up together are compared by way of the baseline, which was up with both.
    """
    mine, its = one.cycles(figure), other.cycles(figure)
    logs = log_ratios(mine, its)
    if len(logs) >= FEWEST:
        return ratio_interval(logs, seed=seed)
    if base is None:
        return None
    sides = [log_ratios(side, base.cycles(figure)) for side in (mine, its)]
    return ratio_unpaired(*sides, seed=seed) if min(map(len, sides)) >= FEWEST else None


def log_ratios(mine: Cycles, its: Cycles) -> list[list[float]]:
    """The logarithms of the ratios in each generation that both have; cycles that only one of them has are left out."""
    common = sorted(mine.keys() & its.keys())
    return [[math.log(one / other) for one, other in zip(mine[each], its[each], strict=False)] for each in common]


def unpaired(
    one: JudgedCell, ones_others: Sequence[JudgedCell], other: JudgedCell, others_others: Sequence[JudgedCell],
    figure: str, seed: int,
) -> RatioInterval | None:  # fmt: skip
    """The interval for cells of two runs, each relative to what the other models did in the same cycles.

    A machine's speed moves from run to run by more than anybody changes a program, and moves all models alike. Without
    other models the machine's speed is in the ratio. None for too few generations.
    """
    mine, its = relative(one, ones_others, figure), relative(other, others_others, figure)
    return ratio_unpaired(mine, its, seed=seed) if min(len(mine), len(its)) >= FEWEST else None


def relative(cell: JudgedCell, others: Sequence[JudgedCell], figure: str) -> list[list[float]]:
    """The logarithms of a cell's figure ÷ the geometric mean of the others', in generations that all of them have."""
    every = [each.cycles(figure) for each in (cell, *others)]
    common = sorted(set.intersection(*map(set, every)))
    return [
        [math.log(own) - (fmean(map(math.log, rest)) if rest else 0.0)
         for own, *rest in zip(*(side[each] for side in every), strict=False)]
        for each in common
    ]  # fmt: skip


def outcome(
    found: RatioInterval | None, cells: Sequence[JudgedCell], figure: str, *, higher_is_better: bool
) -> Outcome:
    """What the interval of two cells says of the first of them; without one, why there is none."""
    if found is not None:
        return outcome_of(found, higher_is_better=higher_is_better)
    for cell in cells:
        if not cell.valid:
            return not_comparable(f"{cell.model} is not valid: {cell.judgement.state.lower()}")
    fewest = min(len(cell.cycles(figure)) for cell in cells)
    few = fewest < FEWEST_GENERATIONS
    return not_comparable(too_few(fewest) if few else f"fewer than {plural(FEWEST, 'generation')} in common")
