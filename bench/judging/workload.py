"""How do the models stand to each other in one workload, and which workloads does a scenario have?"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from bench.judging import pairs
from bench.judging.cells import JudgedCell
from bench.judging.outcomes import Outcome, not_comparable
from bench.judging.standings import ranks, unranked
from bench.judging.statistics import PRACTICAL_MARGIN, RatioInterval
from bench.judging.units import number


@dataclass(frozen=True)
class JudgedWorkload:
    """The cells of one workload, and how they stand to each other."""

    scenario: str
    name: str
    kind: str
    """The kind of work in words, if a verdict is about it."""
    cells: Mapping[str, JudgedCell]
    """By model, in the run's order, without the A/A twin."""
    twin: JudgedCell | None
    """The A/A twin of the baseline."""
    baseline: str
    """The model that ratios are to."""
    figure: str
    """What the models are compared by."""
    higher_is_better: bool
    compared: bool
    """Whether models are compared at all; else each cell stands alone."""
    seed: int
    _intervals: dict[tuple[str, str], RatioInterval | None] = field(default_factory=dict)
    """A bootstrap takes milliseconds, and every chart and table asks for the same ones."""

    @property
    def rounds(self) -> int:
        """The most rounds that any of its cells has."""
        return max((len(cell.observations) for cell in self.cells.values()), default=0)

    @cached_property
    def aa_interval(self) -> RatioInterval | None:
        """The ratio of the A/A twin to its model, which would be 1 on a machine without noise."""
        base = self.cells.get(self.baseline)
        return pairs.paired(self.twin, base, self.seed) if self.twin and base and self.compared else None

    @cached_property
    def floor(self) -> float | None:
        """The ratio by which the A/A pair might seem to differ; None without a valid pair."""
        return pairs.noise_floor(self.aa_interval)

    @property
    def margin(self) -> float:
        """The ratio that a difference must exceed: 5 %, or what this machine's noise alone can make."""
        return max(PRACTICAL_MARGIN, self.floor or 1.0)

    def interval(self, model: str, base: str) -> RatioInterval | None:
        """The ratio of a model's figure to another's; None where there is nothing to compare."""
        if not self.compared or model == base or model not in self.cells or base not in self.cells:
            return None
        if (model, base) not in self._intervals:
            self._intervals[model, base] = pairs.paired(self.cells[model], self.cells[base], self.seed)
        return self._intervals[model, base]

    def outcome(self, model: str, base: str) -> Outcome:
        """How a model compares to another."""
        if not self.compared:
            return not_comparable("measured once")
        for name in (model, base):
            if name not in self.cells:
                return not_comparable(f"{name} was not measured")
        cells = self.cells[model], self.cells[base]
        return pairs.outcome(self.interval(model, base), cells, self.margin, higher_is_better=self.higher_is_better)

    @cached_property
    def ranks(self) -> Mapping[str, int]:
        """By model, its place: 1 is best, a tie shares a place; without those that cannot be ranked."""
        if not self.compared:
            return {}
        rounds = {name: cell.rounds for name, cell in self.cells.items() if cell.rounds and not unranked(cell)}
        return ranks(rounds, self.outcome, higher_is_better=self.higher_is_better)

    def place(self, cell: JudgedCell) -> str:
        """The rank of a cell, or in a word why it has none; a dash for one that could not be compared."""
        rank = self.ranks.get(cell.model)
        return str(rank) if rank else (unranked(cell) if cell.valid else "") or "–"

    @property
    def first(self) -> tuple[str, ...]:
        """The models at place 1, in the run's order."""
        return tuple(name for name in self.cells if self.ranks.get(name) == 1)

    @cached_property
    def medians(self) -> Mapping[str, float]:
        """By model, the median over the rounds, whatever the cell's state."""
        found = {name: cell.median(self.figure) for name, cell in self.cells.items()}
        return {name: value for name, value in found.items() if value is not None}

    def best_first(self, names: Iterable[str] | None = None) -> list[str]:
        """The models, valid ones first, in order of their medians; those without one at the end."""
        sign = -1 if self.higher_is_better else 1

        def place(name: str) -> tuple[bool, bool, float]:
            return not self.cells[name].valid, name not in self.medians, sign * self.medians.get(name, 0.0)

        return sorted(self.cells if names is None else names, key=place)

    def shown(self, model: str) -> str:
        """The median in the figure's unit; a dash without one."""
        value = self.medians.get(model)
        return "–" if value is None else number(value, self.figure)


@dataclass(frozen=True)
class JudgedScenario:
    """A scenario of a run."""

    name: str
    question: str
    compared: bool
    """Whether every model was measured in every round."""
    workloads: tuple[JudgedWorkload, ...]
    """In the run's order."""

    @property
    def cells(self) -> list[JudgedCell]:
        """Those of its models, workload by workload, without A/A twins."""
        return [cell for workload in self.workloads for cell in workload.cells.values()]

    def workload(self, name: str) -> JudgedWorkload | None:
        """The workload of that name; None if it was not measured."""
        return next((workload for workload in self.workloads if workload.name == name), None)
