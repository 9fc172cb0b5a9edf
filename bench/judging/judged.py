"""What does a results file say, cell by cell: medians, intervals, ranks, and each model's family?

Every report begins here, so that the page, the terminal and the exports cannot disagree.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as data_field
from functools import cached_property
from statistics import median

from bench import models
from bench.judging.standings import Standings, baseline, comparable, is_twin, standings
from bench.judging.statistics import RatioInterval, ratio_interval
from bench.results import Cell, Run
from bench.scenarios import SCENARIOS
from bench.scenarios.base import Column

FAMILIES = {
    "gevent_app": "gevent app",
    "asyncio_app": "asyncio app",
    "references": "other frameworks",
    "mysql": "MySQL",
    "traps": "traps",
    "other": "other",
}
# What may be recommended to a team that has a Flask app.
NOT_FLASK = ("references", "traps")
PROMISE = Column("req/s", "promise_rps")


@dataclass(frozen=True)
class Field:
    """The cells of one workload, and how they stand to each other."""

    scenario: str
    workload: str
    cells: Mapping[str, Cell]
    """By model, without the A/A twin."""
    column: Column
    """The figure that the models are compared by."""
    higher_is_better: bool
    standings: Standings | None
    """None for a workload that is measured once."""
    seed: int
    _intervals: dict[tuple[str, str], RatioInterval] = data_field(default_factory=dict)
    """A bootstrap takes milliseconds, and every chart and table asks for the same ones."""

    @property
    def rounds(self) -> int:
        """The most rounds that any of its cells has."""
        return max((len(cell.observations) for cell in self.cells.values()), default=0)

    @property
    def floor(self) -> float | None:
        """What the A/A pair might seem to differ by."""
        return self.standings.floor if self.standings else None

    @cached_property
    def values(self) -> dict[str, list[float]]:
        """By model, the figure in every round of a cell that may be compared."""
        found = {name: comparable(cell, self.workload, self.column.value) for name, cell in self.cells.items()}
        return {name: values for name, values in found.items() if values}

    @cached_property
    def medians(self) -> dict[str, float]:
        """By model, the median over the rounds, whatever the cell's state."""
        found = {name: cell.values(self.column.value) for name, cell in self.cells.items()}
        return {name: median(values) for name, values in found.items() if values}

    def interval(self, model: str, base: str) -> RatioInterval | None:
        """The ratio of a model's figure to another's; None for cells that may not be compared or have one round."""
        mine, its = self.values.get(model, []), self.values.get(base, [])
        if model == base or len(mine) != len(its) or len(mine) < 2:
            return None
        if (model, base) not in self._intervals:
            self._intervals[model, base] = ratio_interval(mine, its, seed=self.seed)
        return self._intervals[model, base]

    def best_first(self, names: Iterable[str]) -> list[str]:
        """The models in order of their medians, those without one at the end."""
        sign = -1 if self.higher_is_better else 1
        return sorted(names, key=lambda name: sign * self.medians.get(name, -sign * float("inf")))

    def shown(self, model: str) -> str:
        """The median in the column's unit; a dash without one."""
        value = self.medians.get(model)
        return "–" if value is None else number(value, self.column)


def number(value: float, column: Column) -> str:
    """A value in the unit and with the decimals of a column."""
    return f"{value * column.factor:,.{column.decimals}f}"


def family(model: str) -> str:
    """The group of the registry that a model belongs to; `other` for one that the registry does not have."""
    known = next((one for one in models.MODELS if one.name == model), None)
    if known is None:
        return "other"
    groups = {*getattr(known, "families", ()), getattr(known, "database", ""), known.app}
    if "classic" in groups:
        return known.app
    return next((name for name in ("traps", "references", "mysql", *FAMILIES) if name in groups), "other")


def fields(run: Run) -> list[Field]:
    """Every workload of the run, scenario by scenario in the bench's order; unknown scenarios come last."""
    names = dict.fromkeys([*SCENARIOS, *(cell.scenario for cell in run.cells.values())])
    return [
        field(run, [cell for cell in run.of(name) if cell.workload["name"] == workload])
        for name in names
        for workload in workloads(run.of(name))
    ]


def workloads(cells: Iterable[Cell]) -> list[str]:
    """The names of their workloads, in the order in which the scenario has them where rounds did not shuffle them."""
    found = list(dict.fromkeys(cell.workload["name"] for cell in cells))
    return sorted(found, key=lambda name: ORDER.index(name) if name in ORDER else -1)


ORDER = (
    "GET /", "GET /queries/?count=1", "GET /queries/?count=20", "GET /todos/", "POST /todos/",
    "20 % of its capacity", "50 % of its capacity", "80 % of its capacity", "one rate for all",
)  # fmt: skip


def field(run: Run, cells: Sequence[Cell], only: Iterable[str] | None = None) -> Field:
    """The cells of one workload; `only` leaves the other models out of the ranking."""
    first = cells[0]
    workload = first.workload["name"]
    scenario = SCENARIOS.get(first.scenario)
    promise = "slo_s" in first.workload
    known = scenario.ranked_by if scenario and scenario.figure == first.figure else plain(first.figure)
    figure = PROMISE if promise else known
    higher = promise or bool(scenario and scenario.higher_is_better)
    chosen = cells if only is None else [cell for cell in cells if is_twin(cell.model) or cell.model in set(only)]
    compared = not promise and (scenario.compared if scenario else any(len(cell.observations) > 1 for cell in cells))
    found = standings(chosen, workload, figure.value, higher_is_better=higher, seed=run.seed) if compared else None
    own = {cell.model: cell for cell in chosen if not is_twin(cell.model)}
    return Field(first.scenario, workload, own, figure, higher, found, run.seed)


def plain(figure: str) -> Column:
    """The column of a figure that this bench does not know."""
    return Column(figure, figure, decimals=3)


def models_of(run: Run) -> list[str]:
    """The models of the run in the order of its arguments, without the A/A twin."""
    names = dict.fromkeys([*run.arguments.get("models", ()), *(cell.model for cell in run.cells.values())])
    measured = {cell.model for cell in run.cells.values()}
    return [name for name in names if name in measured and not is_twin(name)]


def first_baseline(run: Run) -> str:
    """The model that ratios are to until the reader picks another."""
    return baseline(models_of(run))
