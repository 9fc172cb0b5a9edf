"""What has changed between two runs: another day, another machine, another version?

Cells are compared by the figure they are ranked by. Nothing pairs the rounds of two runs, so the interval of their
ratio is that of two independent samples, and it must clear 5 % and what the A/A pairs of both runs seem to differ by. A
noise floor is about one run: a machine that is faster today moves every cell, which no floor within a run knows. So the
ratio in the middle of all cells is shown as well.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any, Literal

from bench.judging.standings import TWIN_SUFFIX, comparable, is_twin
from bench.judging.statistics import MIN_ROUNDS, PRACTICAL_MARGIN, RatioInterval, noise_floor, ratio_unpaired
from bench.results import Cell, Run
from bench.scenarios import SCENARIOS

Change = Literal["better", "worse", "no difference shown", "too few rounds", "state"]
# States of a cell that say something about the server; others are about the machine or the generator.
FAILURES = ("ERRORS", "SATURATED")


@dataclass(frozen=True)
class Difference:
    """A cell that is in both runs."""

    scenario: str
    workload: str
    model: str
    change: Change
    interval: RatioInterval | None
    """B ÷ A; None if one of them has no figures to compare."""
    margin: float
    """What it must clear."""
    before: str
    """The state in A."""
    after: str
    higher_is_better: bool

    @property
    def failed(self) -> bool:
        """Whether it was valid and its server now fails."""
        return self.before == "VALID" and self.after in FAILURES

    @property
    def speed(self) -> float | None:
        """How many times as fast B is; None without figures of both."""
        if self.interval is None:
            return None
        return self.interval.ratio if self.higher_is_better else 1 / self.interval.ratio

    @property
    def loss(self) -> float:
        """By which share it got worse: 0.2 is a fifth fewer answers, or a quarter more time; 0 if it did not."""
        return 1 - self.speed if self.change == "worse" and self.speed is not None else 0.0


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

    def regressions(self, percent: float) -> list[Difference]:
        """Cells that got worse by more than so many per cent, or that fail now."""
        return [one for one in self.cells if one.failed or one.loss > percent / 100]


def differences(before: Run, after: Run) -> Differences:
    """Compare what both have, and name what only one has."""
    old, new = ({key: cell for key, cell in run.cells.items() if not is_twin(cell.model)} for run in (before, after))
    both = [key for key in old if key in new]
    floors = floors_of(before), floors_of(after)
    cells = tuple(difference(old[key], new[key], floors) for key in both)
    speeds = [speed for one in cells if (speed := one.speed) is not None]
    return Differences(
        cells,
        tuple(", ".join(key) for key in old if key not in new),
        tuple(", ".join(key) for key in new if key not in old),
        tuple(facts(before, after)),
        median(speeds) if speeds else None,
    )


def difference(old: Cell, new: Cell, floors: Sequence[Mapping[tuple[str, str], float]]) -> Difference:
    """A cell in both runs; the floors of either by scenario and workload."""
    workload, figure = old.workload["name"], old.figure
    scenario = SCENARIOS.get(old.scenario)
    higher = scenario is not None and scenario.higher_is_better
    margin = max(PRACTICAL_MARGIN, *(each.get((old.scenario, workload), 1.0) for each in floors))
    mine, its = comparable(new, workload, figure), comparable(old, workload, figure)
    interval = ratio_unpaired(mine, its) if min(len(mine), len(its)) > 1 and figure == new.figure else None
    states = old.judgement.state, new.judgement.state
    return Difference(
        old.scenario, workload, old.model, change_of(interval, margin, higher, states), interval, margin, *states,
        higher,
    )  # fmt: skip


def change_of(interval: RatioInterval | None, margin: float, higher_is_better: bool, states: tuple[str, str]) -> Change:
    """A state that is not the same any more; else by the interval."""
    if states[0] != states[1]:
        return "state"
    if interval is None or interval.rounds < MIN_ROUNDS:
        return "too few rounds"
    if interval.low > margin:
        return "better" if higher_is_better else "worse"
    if interval.high < 1 / margin:
        return "worse" if higher_is_better else "better"
    return "no difference shown"


def floors_of(run: Run) -> dict[tuple[str, str], float]:
    """The noise floor of every workload that the run has an A/A pair of."""
    floors = {}
    for twin in (cell for cell in run.cells.values() if is_twin(cell.model)):
        workload = twin.workload["name"]
        base = run.cells.get((twin.scenario, twin.model.removesuffix(TWIN_SUFFIX), workload))
        pair = [comparable(cell, workload, twin.figure) for cell in (twin, base) if cell is not None]
        if len(pair) == 2 and len(pair[0]) == len(pair[1]) >= MIN_ROUNDS:
            floors[twin.scenario, workload] = noise_floor(*pair)
    return floors


def facts(before: Run, after: Run) -> Iterator[tuple[str, Any, Any]]:
    """Facts of environment and arguments that differ, by a name with dots."""
    for old, new in ((before.environment, after.environment), (before.arguments, after.arguments)):
        old_facts, new_facts = dict(flat(old)), dict(flat(new))
        for name in dict.fromkeys([*old_facts, *new_facts]):
            if old_facts.get(name) != new_facts.get(name):
                yield name, old_facts.get(name), new_facts.get(name)


def flat(values: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    """Nested mappings as one, `packages.flask`."""
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from flat(value, f"{before}{name}.")
        else:
            yield f"{before}{name}", value


def changed(cells: Sequence[Difference]) -> list[Difference]:
    """Those that did, the largest loss first."""
    order = {"state": 0, "worse": 1, "better": 2}
    found = [one for one in cells if one.change in order]
    return sorted(found, key=lambda one: (order[one.change], -one.loss))
