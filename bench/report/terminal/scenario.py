"""A scenario's cells as tables of at most 80 columns, one for each workload where models are compared."""

from collections.abc import Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from bench.judging import JudgedCell, JudgedScenario, JudgedWorkload
from bench.judging.outcomes import percent
from bench.judging.phrases import spread
from bench.report.columns import columns_of, text


def tables(scenario: JudgedScenario) -> list[RenderableType]:
    """Medians over rounds; ratios to the baseline with their intervals where models are compared."""
    compared = [workload for workload in scenario.workloads if workload.compared]
    others = [workload for workload in scenario.workloads if not workload.compared]
    cells = [cell for workload in others for cell in workload.cells.values()]
    once = [Group(plain(others), reasons(cells))] if others else []
    return [*map(comparison, compared), *once]


def empty(*left: str) -> Table:
    """A table with the columns that every scenario's has; where room is short, names are folded and figures are not."""
    table = Table(box=SIMPLE_HEAD, padding=0, pad_edge=False, show_edge=False)
    for heading in left:
        table.add_column(heading, no_wrap=heading != "model", overflow="fold")
    return table


def plain(workloads: Sequence[JudgedWorkload]) -> Table:
    """A row for each cell, without ratios."""
    table = empty("model", "workload")
    columns = columns_of(workloads[0])
    for column in columns:
        table.add_column(column.heading, justify="right")
    table.add_column("state", no_wrap=True)
    for workload in workloads:
        for cell in workload.cells.values():
            table.add_row(cell.model, workload.name, *(text(cell, column) for column in columns), state(cell))
    return table


def comparison(workload: JudgedWorkload) -> RenderableType:
    """A workload: a row for each model, best first, what may not be ranked at the end, then the A/A twin."""
    table, columns = empty("model"), columns_of(workload)
    for column in columns:
        table.add_column(column.heading, justify="right", no_wrap=True)
    table.add_column(f"× {workload.baseline}", justify="right", no_wrap=True)
    table.add_column("rank", justify="right", no_wrap=True)
    twin = [workload.twin] if workload.twin else []
    cells = [*(workload.cells[name] for name in workload.best_first()), *twin]
    for cell in cells:
        figures = [text(cell, column) for column in columns]
        table.add_row(cell.model, *figures, ratio(workload, cell), workload.place(cell))
    return Group(Text(workload.name, "bold"), table, reasons(cells), Text(floor_note(workload), "dim"))


def ratio(workload: JudgedWorkload, cell: JudgedCell) -> Text | str:
    """`1.31 (1.24–1.39)`: the ratio to the baseline and its interval; of a cell that is not valid, the state."""
    if not cell.valid:
        return state(cell)
    interval = workload.aa_interval if cell is workload.twin else workload.interval(cell.model, workload.baseline)
    return spread(interval) if interval else ""


def state(cell: JudgedCell) -> Text:
    """The cell's state, marked unless it is valid."""
    return Text(cell.judgement.state, "" if cell.valid else "yellow")


def reasons(cells: Sequence[JudgedCell]) -> Text:
    """A line for each cell that is not valid, or not in every round."""
    lines = [
        f"{cell.model}, {cell.workload['name']}: {cell.judgement.state}: {cell.reason}"
        for cell in cells
        if cell.reason and not cell.reason.startswith("not tried")
    ]
    return Text("\n".join(lines), "yellow")


def floor_note(workload: JudgedWorkload) -> str:
    """What a difference has to exceed."""
    if workload.floor is None:
        return "too few valid rounds of the A/A pair to tell the noise floor"
    return f"noise floor {percent(workload.floor)} (A/A); a model is better beyond {percent(workload.margin)}"
