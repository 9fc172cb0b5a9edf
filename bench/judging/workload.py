"""How do the models stand to each other in one workload, and which workloads does a scenario have?"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from bench.judging import pairs
from bench.judging.cells import JudgedCell
from bench.judging.outcomes import Outcome, not_comparable
from bench.judging.standings import ranks, unranked
from bench.judging.statistics import RatioInterval
from bench.judging.units import higher_is_better, number

# How far the A/A pair may seem apart: one server answers like the other, so more than this says that the method failed.
# Times that users wait have longer tails than what a request costs.
AA_LIMIT = 1.05
# A promised rate is found to within a thirty-second of what a server can do.
AA_LIMITS = {"p50_s": 1.10, "p90_s": 1.20, "p99_s": 1.30, "promise_rps": 1.10}


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
    """What the models are ranked by."""
    beside: str
    """A figure that they are compared by as well, and not ranked; empty for none."""
    why: str
    """Why they are ranked by the one figure and not by the other; empty where there is no choice."""
    compared: bool
    """Whether models are compared at all; else each cell stands alone."""
    seed: int
    _intervals: dict[tuple[str, str, str], RatioInterval | None] = field(default_factory=dict)
    """A bootstrap takes milliseconds, and every chart and table asks for the same ones."""

    @property
    def higher_is_better(self) -> bool:
        """Whether more of the figure is better."""
        return higher_is_better(self.figure)

    @property
    def server_class(self) -> str:
        """The class of server that models are ranked within, the baseline's; empty for a server without one."""
        return self.cells[self.baseline].facts.server_class

    def unranked(self, cell: JudgedCell) -> str:
        """Why a cell has no place among the others, in a word or two; empty if it may have one.

        A server with a faster HTTP parser and event loop is no better concurrency model, so models are ranked within
        one class of server.
        """
        its = cell.facts.server_class
        return unranked(cell) or (f"{its} server" if its and self.server_class not in ("", its) else "")

    @property
    def generations(self) -> int:
        """The most generations of servers that any of its cells has."""
        return max((len(cell.observations) for cell in self.cells.values()), default=0)

    def aa_interval(self, figure: str = "") -> RatioInterval | None:
        """The ratio of the A/A twin to its model, which should be 1; None without a valid pair."""
        base = self.cells.get(self.baseline)
        if not (self.twin and base and self.compared):
            return None
        return self._interval(self.twin, base, figure or self.figure)

    @property
    def method_failed(self) -> str:
        """By how much the A/A pair differs where it should not, in words; empty if it does not, or nothing tells."""
        found, limit = self.aa_interval(), AA_LIMITS.get(self.figure, AA_LIMIT)
        if found is None or 1 / limit <= found.ratio <= limit:
            return ""
        return f"{self.baseline} seemed to be {found.ratio:.2f} times itself"

    def interval(self, model: str, base: str, figure: str = "") -> RatioInterval | None:
        """The ratio of a model's figure (unless named, the one it is ranked by) to another's; None without one."""
        if not self.compared or model == base or model not in self.cells or base not in self.cells:
            return None
        return self._interval(self.cells[model], self.cells[base], figure or self.figure)

    def _interval(self, one: JudgedCell, other: JudgedCell, figure: str) -> RatioInterval | None:
        key = one.model, other.model, figure
        if key not in self._intervals:
            base = self.cells.get(self.baseline)
            self._intervals[key] = pairs.paired(one, other, base, figure, self.seed)
        return self._intervals[key]

    def outcome(self, model: str, base: str) -> Outcome:
        """How a model compares to another."""
        if not self.compared:
            return not_comparable("measured once")
        for name in (model, base):
            if name not in self.cells:
                return not_comparable(f"{name} was not measured")
        if self.method_failed:
            return not_comparable(f"the A/A check failed, {self.method_failed}")
        cells = self.cells[model], self.cells[base]
        found = self.interval(model, base)
        return pairs.outcome(found, cells, self.figure, higher_is_better=self.higher_is_better)

    @property
    def where_idle(self) -> bool:
        """Whether models are ranked by another figure than elsewhere in their scenario, as one of them was idle."""
        return any(cell.figure != self.figure for cell in self.cells.values())

    @cached_property
    def ranks(self) -> Mapping[str, int]:
        """By model, its place: 1 is best, a tie shares a place; without those that cannot be ranked."""
        if not self.compared:
            return {}
        able = [name for name, cell in self.cells.items() if not self.unranked(cell) and cell.cycles(self.figure)]
        return ranks([name for name in self.best_first() if name in able], self.outcome)

    def place(self, cell: JudgedCell) -> str:
        """The rank of a cell, or in a word why it has none; a dash for one that could not be compared."""
        rank = self.ranks.get(cell.model)
        return str(rank) if rank else (self.unranked(cell) if cell.valid else "") or "–"

    @property
    def first(self) -> tuple[str, ...]:
        """The models at place 1, in the run's order."""
        return tuple(name for name in self.cells if self.ranks.get(name) == 1)

    @cached_property
    def medians(self) -> Mapping[str, float]:
        """By model, the median over the generations, whatever the cell's state."""
        found = {name: cell.median(self.figure) for name, cell in self.cells.items()}
        return {name: value for name, value in found.items() if value is not None}

    def best_first(self, names: Iterable[str] | None = None) -> list[str]:
        """The models, valid ones first, from the best to the worst; those without a figure at the end."""
        sign = -1 if self.higher_is_better else 1

        def place(name: str) -> tuple[bool, bool, float]:
            return not self.cells[name].valid, name not in self.medians, sign * self.expected(name)

        return sorted(self.cells if names is None else names, key=place)

    def expected(self, model: str) -> float:
        """A model's figure as it would be beside the baseline's median: servers of two groups had other machines.

        Its own median where nothing pairs it with the baseline; 0 without one.
        """
        found = self.interval(model, self.baseline)
        return found.ratio * self.medians[self.baseline] if found else self.medians.get(model, 0.0)

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
    """Whether models were measured in turn."""
    workloads: tuple[JudgedWorkload, ...]
    """In the run's order."""

    @property
    def cells(self) -> list[JudgedCell]:
        """Those of its models, workload by workload, without A/A twins."""
        return [cell for workload in self.workloads for cell in workload.cells.values()]

    def workload(self, name: str) -> JudgedWorkload | None:
        """The workload of that name; None if it was not measured."""
        return next((workload for workload in self.workloads if workload.name == name), None)
