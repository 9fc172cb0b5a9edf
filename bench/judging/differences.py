"""What has changed between two runs: another day, another machine, another version?

Cells are compared by the figure they are ranked by. Nothing pairs the rounds of two runs, so the interval of their
ratio is that of two independent samples, and it must clear 5 % and what the A/A pairs of both runs seem to differ by. A
noise floor is about one run: it cannot tell that the machine is faster today, which moves every cell. So the median of
all cells' ratios is shown as well.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from bench.judging import pairs
from bench.judging.cells import JudgedCell
from bench.judging.judged import Judged
from bench.judging.outcomes import Outcome
from bench.judging.statistics import PRACTICAL_MARGIN
from bench.judging.workload import JudgedWorkload
from bench.results import State, flat

# States of a cell that say something about the server; others are about the machine or the generator.
FAILURES = ("ERRORS", "SATURATED")


@dataclass(frozen=True)
class Difference:
    """A cell that is in both runs."""

    scenario: str
    workload: str
    model: str
    outcome: Outcome
    """How B compares to A."""
    margin: float
    """The ratio that a difference must exceed."""
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
class Differences:
    """Two runs beside each other."""

    cells: tuple[Difference, ...]
    only_before: tuple[str, ...]
    only_after: tuple[str, ...]
    facts: tuple[tuple[str, Any, Any], ...]
    """Environment and arguments that are not the same: name, before, after."""
    middle: float | None
    """The median of all cells' ratios of speed, above 1 if B is faster; None without any."""

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
    speeds = [speed for one in cells if (speed := one.speed) is not None]
    return Differences(
        cells,
        tuple(", ".join(key) for key in old if key not in new),
        tuple(", ".join(key) for key in new if key not in old),
        tuple(facts(before, after)),
        median(speeds) if speeds else None,
    )


def difference(
    old_workload: JudgedWorkload, old: JudgedCell, new_workload: JudgedWorkload, new: JudgedCell
) -> Difference:
    """A cell in both runs, with the noise floor of each run's own tables, and the seed of B's."""
    margin = max(PRACTICAL_MARGIN, old_workload.floor or 1.0, new_workload.floor or 1.0)
    interval = pairs.unpaired(new, old, new_workload.seed)
    higher = new_workload.higher_is_better
    found = pairs.outcome(interval, (old, new), margin, higher_is_better=higher)
    states = old.judgement.state, new.judgement.state
    return Difference(old.scenario, old_workload.name, old.model, found, margin, *states, higher)


def facts(before: Judged, after: Judged) -> Iterator[tuple[str, Any, Any]]:
    """Facts of environment and arguments that differ, by a name with dots."""
    both = ((before.run.environment, after.run.environment), (before.run.arguments, after.run.arguments))
    for old_facts, new_facts in ((dict(flat(old)), dict(flat(new))) for old, new in both):
        for name in dict.fromkeys([*old_facts, *new_facts]):
            if old_facts.get(name) != new_facts.get(name):
                yield name, old_facts.get(name), new_facts.get(name)


def changed(cells: Sequence[Difference]) -> list[Difference]:
    """The cells that have changed, the largest loss first."""

    def order(one: Difference) -> tuple[int, float]:
        return (0 if one.other_state else 1 if one.outcome.kind == "worse" else 2), -one.loss

    return sorted((one for one in cells if one.other_state or one.outcome.differs), key=order)
