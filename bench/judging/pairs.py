"""How do two cells compare? The only place that pairs their observations and asks for an interval."""

from collections.abc import Mapping, Sequence

from bench.judging.cells import JudgedCell
from bench.judging.outcomes import Outcome, not_comparable, outcome_of, plural, too_few
from bench.judging.statistics import MIN_ROUNDS, RatioInterval, ratio_interval, ratio_unpaired

FEWEST = 2  # rounds that an interval can be made of


def paired(one: JudgedCell, other: JudgedCell, seed: int) -> RatioInterval | None:
    """The interval of one cell's figure ÷ another's of the same run, round by round; None for fewer than two."""
    return interval(one.rounds, other.rounds, seed)


def interval(mine: Mapping[int, float], its: Mapping[int, float], seed: int) -> RatioInterval | None:
    """The interval of the rounds that both have."""
    common = sorted(mine.keys() & its.keys())
    if len(common) < FEWEST:
        return None
    return ratio_interval([mine[number] for number in common], [its[number] for number in common], seed=seed)


def paired_figure(one: JudgedCell, other: JudgedCell, figure: str, seed: int) -> RatioInterval | None:
    """The interval of any figure; the cells need not be valid, so the caller decides whether to trust them."""
    mine, its = ({each.round: value for each in cell.observations if (value := each.figures.get(figure) or 0) > 0}
                 for cell in (one, other))  # fmt: skip
    return interval(mine, its, seed)


def unpaired(one: JudgedCell, other: JudgedCell, seed: int) -> RatioInterval | None:
    """The interval for cells of two runs, whose rounds nothing pairs."""
    if one.figure != other.figure or min(len(one.rounds), len(other.rounds)) < FEWEST:
        return None
    return ratio_unpaired(list(one.rounds.values()), list(other.rounds.values()), seed=seed)


def outcome(
    found: RatioInterval | None, cells: Sequence[JudgedCell], margin: float, *, higher_is_better: bool
) -> Outcome:
    """What the interval of two cells says of the first of them; without one, why there is none."""
    if found is not None:
        return outcome_of(found, margin, higher_is_better=higher_is_better)
    for cell in cells:
        if not cell.valid:
            return not_comparable(f"{cell.model} is not valid: {cell.judgement.state.lower()}")
    fewest = min(len(cell.rounds) for cell in cells)
    return not_comparable(too_few(fewest) if fewest < MIN_ROUNDS else f"fewer than {plural(FEWEST, 'round')} in common")


def noise_floor(found: RatioInterval | None) -> float | None:
    """The ratio (1 or more) by which two names of the same model might seem to differ, from their interval.

    It is the end of the interval that lies farther from 1; None for too few rounds.
    """
    if found is None or found.rounds < MIN_ROUNDS:
        return None
    return max(found.high, 1 / found.low)
