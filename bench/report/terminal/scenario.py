"""A scenario's cells as tables of at most 80 columns, one for each workload where models are compared."""

from collections.abc import Sequence
from statistics import median

from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from bench.judging.standings import Standing, Standings, is_twin, standings
from bench.report.presentation import columns_of
from bench.results import Cell
from bench.scenarios.base import Column, Scenario


def tables(scenario: Scenario, cells: Sequence[Cell], seed: int) -> list[RenderableType]:
    """Medians over rounds; ratios to the baseline with their intervals where the scenario compares."""
    workloads = list(dict.fromkeys(cell.workload["name"] for cell in cells))
    if not scenario.compared:
        return [Group(plain(scenario, cells), reasons(cells))]
    return [compared(scenario, [cell for cell in cells if cell.workload["name"] == name], seed) for name in workloads]


def empty(*left: str) -> Table:
    """A table with the columns that every scenario's has; where room is short, names are folded and figures are not."""
    table = Table(box=SIMPLE_HEAD, padding=0, pad_edge=False, show_edge=False)
    for heading in left:
        table.add_column(heading, no_wrap=heading != "model", overflow="fold")
    return table


def plain(scenario: Scenario, cells: Sequence[Cell]) -> Table:
    """A row a cell."""
    table = empty("model", "workload")
    for column in columns_of(scenario):
        table.add_column(column.heading, justify="right")
    table.add_column("state", no_wrap=True)
    for cell in cells:
        table.add_row(cell.model, cell.workload["name"], *figures(cell, columns_of(scenario)), state(cell))
    return table


def compared(scenario: Scenario, cells: Sequence[Cell], seed: int) -> RenderableType:
    """A workload: a row a model, best first, what may not be ranked at the end."""
    workload = cells[0].workload["name"]
    found = standings(cells, workload, scenario.figure, higher_is_better=scenario.higher_is_better, seed=seed)
    table = empty("model")
    for column in columns_of(scenario):
        table.add_column(column.heading, justify="right", no_wrap=True)
    table.add_column(f"× {found.baseline}", justify="right", no_wrap=True)
    table.add_column("rank", justify="right", no_wrap=True)
    for cell in sorted(cells, key=lambda cell: order(scenario, cell)):
        standing = found.models[cell.model]
        table.add_row(cell.model, *figures(cell, columns_of(scenario)), ratio(cell, standing), place(cell, standing))
    return Group(Text(workload, "bold"), table, reasons(cells), Text(floor_note(found), "dim"))


def figures(cell: Cell, columns: Sequence[Column]) -> list[str]:
    """The medians of a cell's rounds, a dash for what was not measured."""
    texts = []
    for column in columns:
        values = cell.values(column.value)
        texts.append(f"{median(values) * column.factor:,.{column.decimals}f}" if values else "–")
    return texts


def order(scenario: Scenario, cell: Cell) -> tuple[bool, float]:
    """Valid ones first, then by the figure, best first."""
    values = cell.values(scenario.figure)
    middle = median(values) if values else 0.0
    return not cell.judgement.valid, -middle if scenario.higher_is_better else middle


def ratio(cell: Cell, standing: Standing) -> Text | str:
    """`1.31 (1.24–1.39)`: the ratio to the baseline and its interval; of a cell that has none, the state."""
    if not cell.judgement.valid:
        return state(cell)
    if standing.comparison is None:
        return ""
    interval = standing.comparison.interval
    return f"{interval.ratio:.2f} ({interval.low:.2f}–{interval.high:.2f})"


def place(cell: Cell, standing: Standing) -> str:
    """The rank; a dash for a cell that has none."""
    return "A/A" if is_twin(cell.model) else str(standing.rank or "–")


def state(cell: Cell) -> Text:
    """The cell's state, marked unless it is valid."""
    judgement = cell.judgement
    return Text(judgement.state, "" if judgement.valid else "yellow")


def reasons(cells: Sequence[Cell]) -> Text:
    """A line for each cell that is not valid, or not in every round."""
    lines = [
        f"{cell.model}, {cell.workload['name']}: {cell.judgement.state}: {cell.judgement.reason.splitlines()[0]}"
        for cell in cells
        if cell.judgement.reason and not cell.judgement.reason.startswith("not tried")
    ]
    return Text("\n".join(lines), "yellow")


def floor_note(found: Standings) -> str:
    """What a difference has to clear."""
    if found.floor is None:
        return "too few valid rounds of the A/A pair to tell the noise floor"
    return f"noise floor {found.floor - 1:.0%} (A/A); models differ if their interval clears {found.margin - 1:.0%}"
