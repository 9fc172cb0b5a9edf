"""What has changed between two runs: another day, another machine, another version?

Cells are compared by the figure they are ranked by, each relative to what the other models did in the same cycles of
its run: a machine is half as fast today as yesterday, and that moves all models alike. So a change that all models
share cannot be told from the machine's, and the median of all cells' plain ratios is shown as well; and a model that
changed much seems to move each of the others the other way, by a share of its change. Nothing pairs the generations of
two runs, so the interval of their ratio is that of two independent samples.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from bench.judging import pairs
from bench.judging.cells import JudgedCell
from bench.judging.judged import Judged
from bench.judging.outcomes import Outcome, not_comparable
from bench.judging.standings import unranked
from bench.judging.validity import FAILURES
from bench.judging.workload import JudgedWorkload
from bench.results import State, flat
from bench.results.layout import MEASURED


@dataclass(frozen=True)
class Difference:
    """A cell that is in both runs."""

    scenario: str
    workload: str
    model: str
    outcome: Outcome
    """How B compares to A, relative to the other models."""
    plain: float | None
    """The ratio of the medians, above 1 if B is faster; None without both."""
    before: State
    """The state in A."""
    after: State
    higher_is_better: bool

    @property
    def other_state(self) -> bool:
        """Whether the states are not the same."""
        return self.before != self.after

    @property
    def failed(self) -> bool:
        """Whether it was valid and its server now fails."""
        return self.before == "VALID" and self.after in FAILURES

    @property
    def speed(self) -> float | None:
        """How many times as fast B is; None without figures of both."""
        if self.outcome.interval is None:
            return None
        return self.outcome.interval.ratio if self.higher_is_better else 1 / self.outcome.interval.ratio

    @property
    def loss(self) -> float:
        """By which share it got worse: 0.2 is a fifth fewer answers, or a quarter more time; 0 if it did not."""
        return 1 - self.speed if self.outcome.kind == "worse" and self.speed is not None else 0.0


@dataclass(frozen=True)
class FaultDifference:
    """A fault on a model, as it is or with a cure, in both runs."""

    fault: str
    model: str
    cure: str
    before: str
    """The word in A."""
    after: str

    @property
    def changed(self) -> bool:
        """Whether the words are not the same."""
        return self.before != self.after


@dataclass(frozen=True)
class Differences:
    """Two runs beside each other."""

    cells: tuple[Difference, ...]
    only_before: tuple[str, ...]
    only_after: tuple[str, ...]
    facts: tuple[tuple[str, Any, Any], ...]
    """Environment and arguments that are not the same: name, before, after."""
    middle: float | None
    """The median of all cells' ratios of speed, above 1 if B is faster; None without any."""
    faults: tuple[FaultDifference, ...] = ()
    """Every fault on a model that is in both runs. Their words are compared, and no regression follows from them."""

    @property
    def judged(self) -> bool:
        """Whether any cell could be compared, or fails now."""
        return any(one.failed or one.outcome.kind != "not comparable" for one in self.cells)

    def regressions(self, percent: float) -> list[Difference]:
        """Cells that got worse by more than so many per cent, or that fail now."""
        return [one for one in self.cells if one.failed or one.loss > percent / 100]


def differences(before: Judged, after: Judged) -> Differences:
    """Compare what both have, and name what only one has."""
    old, new = ({cell.cell.key: (workload, cell) for workload in run.workloads for cell in workload.cells.values()}
                for run in (before, after))  # fmt: skip
    cells = tuple(difference(*old[key], *new[key]) for key in old if key in new)
    speeds = [one.plain for one in cells if one.plain is not None]
    return Differences(
        cells,
        tuple(", ".join(key) for key in old if key not in new),
        tuple(", ".join(key) for key in new if key not in old),
        tuple(facts(before, after)),
        median(speeds) if speeds else None,
        tuple(fault_differences(before, after)),
    )


def fault_differences(before: Judged, after: Judged) -> Iterator[FaultDifference]:
    """What was said of each fault in either run, of those that were inflicted in both."""
    old, new = ({one.cell.key: one for one in run.faults.cells if one.cell.state == "measured"}
                for run in (before, after))  # fmt: skip
    yield from (FaultDifference(*key, one.found.word, new[key].found.word) for key, one in old.items() if key in new)


def difference(
    old_workload: JudgedWorkload, old: JudgedCell, new_workload: JudgedWorkload, new: JudgedCell
) -> Difference:
    """A cell in both runs, by the figure and with the seed of B."""
    figure, seed = new_workload.figure, new_workload.seed
    others = beside(old, old_workload, new, new_workload)
    interval = pairs.unpaired(new, [new_workload.cells[name] for name in others], old,
                              [old_workload.cells[name] for name in others], figure, seed)  # fmt: skip
    higher = new_workload.higher_is_better
    found = pairs.outcome(interval, (old, new), figure, higher_is_better=higher)
    alone = len(old_workload.cells) == len(new_workload.cells) == 1
    if found.kind != "not comparable" and not others and not alone:
        found = not_comparable("no other model is valid in both runs, and the machine's speed is in every figure")
    before, after = old.median(figure), new.median(figure)
    plain = (after / before if higher else before / after) if before and after and old.valid and new.valid else None
    states = old.judgement.state, new.judgement.state
    return Difference(old.scenario, old_workload.name, old.model, found, plain, *states, higher)


def beside(old: JudgedCell, old_workload: JudgedWorkload, new: JudgedCell, new_workload: JudgedWorkload) -> list[str]:
    """The further models that may be ranked, and whose servers were up together with the cell's, in both runs."""
    sides = {name: (old_workload.cells[name], new_workload.cells[name])
             for name in old_workload.cells if name in new_workload.cells}  # fmt: skip
    up = [set(old.generations), set(new.generations)]
    found: list[str] = []
    for name, cells in sides.items():
        together = [generations & set(cell.generations) for generations, cell in zip(up, cells, strict=True)]
        if name != old.model and not any(map(unranked, cells)) and min(map(len, together)) >= pairs.FEWEST:
            up = together
            found.append(name)
    return found


def facts(before: Judged, after: Judged) -> Iterator[tuple[str, Any, Any]]:
    """Facts of environment and arguments that differ, by a name with dots."""
    both = ((before.run.environment, after.run.environment), (before.run.arguments, after.run.arguments))
    for old_facts, new_facts in ((dict(flat(old)), dict(flat(new))) for old, new in both):
        for name in dict.fromkeys([*old_facts, *new_facts]):
            if old_facts.get(name) != new_facts.get(name) and not name.endswith(MEASURED):
                yield name, old_facts.get(name), new_facts.get(name)


def changed(cells: Sequence[Difference]) -> list[Difference]:
    """The cells that have changed, the largest loss first."""

    def order(one: Difference) -> tuple[int, float]:
        return (0 if one.other_state else 1 if one.outcome.kind == "worse" else 2), -one.loss

    return sorted((one for one in cells if one.other_state or one.outcome.differs), key=order)
