"""What do the cells of a workload say about its models: who differs from the baseline, by how much, and who ties?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import nan

from bench.judging.statistics import MIN_ROUNDS, PRACTICAL_MARGIN, Comparison, compare, noise_floor, rank
from bench.results import Cell
from bench.words import join

# The model that ratios are to, where it takes part: what most Flask teams with many waits run today.
BASELINE = "gevent"
# What the A/A twin of a model is called.
TWIN_SUFFIX = " (again)"


@dataclass(frozen=True)
class Standing:
    """A model among the others of a workload."""

    model: str
    comparison: Comparison | None
    """Against the baseline; None for the baseline itself and for a cell that is not valid."""
    rank: int | None
    """1 is best, the same for models that cannot be told apart; None without enough rounds."""


@dataclass(frozen=True)
class Standings:
    """All models of a workload by one figure."""

    baseline: str
    floor: float | None
    """The ratio by which the A/A pair might seem to differ; None without a valid pair."""
    models: Mapping[str, Standing]

    @property
    def margin(self) -> float:
        """The ratio that a difference must clear: 5 %, or what this machine's noise alone can make."""
        return max(PRACTICAL_MARGIN, self.floor or 1.0)


def standings(cells: Sequence[Cell], workload: str, figure: str, *, higher_is_better: bool, seed: int = 0) -> Standings:
    """Compare the valid cells of a workload, round by round; invalid ones are never ranked."""
    values = {cell.model: values for cell in cells if (values := comparable(cell, workload, figure))}
    names = [cell.model for cell in cells if cell.workload["name"] == workload]
    base = baseline(names)
    floor = None
    if base in values and base + TWIN_SUFFIX in values:
        pair = values[base], values[base + TWIN_SUFFIX]
        floor = noise_floor(*pair, seed=seed) if len(pair[0]) == len(pair[1]) >= MIN_ROUNDS else None
    result = Standings(base, floor, {})
    most = max((len(rounds) for rounds in values.values()), default=0)
    whole = {name: rounds for name, rounds in values.items() if len(rounds) == most and not is_twin(name)}
    ranks: dict[str, int] = {}
    if most >= MIN_ROUNDS:
        ranked = rank(whole, higher_is_better=higher_is_better, seed=seed, margin=result.margin)
        ranks = {model.name: model.rank for model in ranked}
    models = {
        name: Standing(
            name,
            compare(values[name], values[base], seed=seed, margin=result.margin)
            if name != base and name in values and base in values and len(values[name]) == len(values[base]) > 1
            else None,
            ranks.get(name),
        )
        for name in names
    }
    return Standings(base, floor, models)


def comparable(cell: Cell, workload: str, figure: str) -> list[float]:
    """The figure in every round of a valid cell of that workload; empty if it may not be compared.

    NaN stands for the one round that a valid cell may have set aside.
    """
    if cell.workload["name"] != workload or not cell.judgement.valid:
        return []
    values: list[float] = [one.figures.get(figure) or 0.0 if one.state == "VALID" else nan for one in cell.observations]
    return [] if any(value <= 0 for value in values) else values


def baseline(models: Sequence[str]) -> str:
    """The model that ratios are to."""
    return BASELINE if BASELINE in models or not models else next(name for name in models if not is_twin(name))


def is_twin(name: str) -> bool:
    """Whether this is the A/A twin of a model."""
    return name.endswith(TWIN_SUFFIX)


def sentence(cells: Sequence[Cell], workload: str, figure: str, *, higher_is_better: bool, what: str) -> str:
    """The best models of a workload in one sentence, and by how much they are ahead of the baseline."""
    found = standings(cells, workload, figure, higher_is_better=higher_is_better)
    best = [name for name, standing in found.models.items() if standing.rank == 1]
    if not best:
        return f"{workload}: too few valid rounds to name a winner (at least {MIN_ROUNDS} are needed)."
    names = join(best)
    verb = "leads" if len(best) == 1 else "lead, not told apart,"
    comparison = found.models[best[0]].comparison
    if comparison is None:
        return f"{workload}: {names} {verb} in {what}."
    interval = comparison.interval
    return (f"{workload}: {names} {verb} in {what}; {best[0]} has {interval.ratio:.2f} times those of {found.baseline} "
            f"({interval.low:.2f} to {interval.high:.2f}).")  # fmt: skip
