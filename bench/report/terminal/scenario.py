"""A scenario in tables that fit the terminal, 80 columns at least; one a workload where models are compared."""

import sys
from collections.abc import Iterator, Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from bench.judging import JudgedCell, JudgedScenario, JudgedWorkload
from bench.judging.outcomes import plural
from bench.judging.phrases import spread
from bench.judging.statistics import RatioInterval
from bench.judging.units import in_words
from bench.report.columns import columns_of, compared_figures, text
from bench.report.presentation import Column

# The columns that every terminal has.
NARROW = 80


def how_measured(scenario: JudgedScenario) -> str:
    """`measured once`, or in how many generations of servers."""
    if not scenario.compared:
        return "measured once"
    most = max((workload.generations for workload in scenario.workloads), default=0)
    return f"in slices, {plural(most, 'generation')} of servers"


def tables(scenario: JudgedScenario, width: int = NARROW) -> list[RenderableType]:
    """Medians over generations; ratios to the baseline with their intervals where models are compared."""
    compared = [workload for workload in scenario.workloads if workload.compared]
    others = [workload for workload in scenario.workloads if not workload.compared]
    parts = [part for workload in compared for part in comparison(workload, width)]
    if others:
        parts += [plain(others), *reasons([cell for workload in others for cell in workload.cells.values()])]
    return parts


def empty(*left: str) -> Table:
    """A table with the columns that every scenario's has; where room is short, names are folded and figures are not."""
    table = Table(box=SIMPLE_HEAD, padding=0, pad_edge=False, show_edge=False)
    for name in left:
        table.add_column(name, no_wrap=name != "model", overflow="fold")
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


def comparison(workload: JudgedWorkload, width: int) -> Iterator[RenderableType]:
    """A workload: its name, its table as full as the width allows, what is not valid, and how models are ranked."""
    yield Text(workload.name, "bold")
    columns, console = columns_of(workload), Console(width=sys.maxsize)
    full = rows(workload, columns, compared_figures(workload))
    fits = console.measure(full).maximum <= width
    yield full if fits else rows(workload, columns, [workload.figure])
    yield from reasons(shown_cells(workload))
    yield Text(note(workload), "dim")


def shown_cells(workload: JudgedWorkload) -> list[JudgedCell]:
    """Best first, what may not be ranked at the end, then the A/A twin."""
    twin = [workload.twin] if workload.twin else []
    return [*(workload.cells[name] for name in workload.best_first()), *twin]


def rows(workload: JudgedWorkload, columns: Sequence[Column], intervals: Sequence[str]) -> Table:
    """A row for each model; each compared figure has its ratio to the baseline at its side, some with an interval."""
    table, compared = empty("model"), compared_figures(workload)
    for column in columns:
        table.add_column(column.heading, justify="right", no_wrap=True)
        if column.value in compared:
            table.add_column(f"× {workload.baseline}", justify="right", no_wrap=True)
    table.add_column("rank", justify="right", no_wrap=True)
    for cell in shown_cells(workload):
        entries: list[Text | str] = []
        for column in columns:
            entries.append(text(cell, column))
            if column.value in compared:
                entries.append(ratio(workload, cell, column.value, short=column.value not in intervals))
        table.add_row(cell.model, *entries, workload.place(cell))
    return table


def ratio(workload: JudgedWorkload, cell: JudgedCell, figure: str, *, short: bool) -> Text | str:
    """`1.31 (1.24–1.39)`: the ratio to the baseline and its interval; the state instead where models are ranked by it.

    In short only the ratio.
    """
    if not cell.valid:
        return state(cell) if figure == workload.figure else ""
    interval = interval_of(workload, cell, figure)
    if interval is None:
        return ""
    return f"{interval.ratio:.2f}" if short else spread(interval)


def interval_of(workload: JudgedWorkload, cell: JudgedCell, figure: str) -> RatioInterval | None:
    """A figure's ratio to the baseline; of the A/A twin to its model."""
    if cell is workload.twin:
        return workload.aa_interval(figure)
    return workload.interval(cell.model, workload.baseline, figure)


def state(cell: JudgedCell) -> Text:
    """The cell's state, marked unless it is valid."""
    return Text(cell.judgement.state, "" if cell.valid else "yellow")


def reasons(cells: Sequence[JudgedCell]) -> list[Text]:
    """A line for each cell that is not valid."""
    return [
        Text(f"{cell.model}, {cell.workload['name']}: {cell.judgement.state}: {cell.reason}", "yellow")
        for cell in cells
        if cell.reason and not cell.reason.startswith("not tried")
    ]


def note(workload: JudgedWorkload) -> str:
    """Which figure models are ranked by, and why; which stands beside it; and whether the method worked."""
    why = f", for {workload.why}" if workload.why else ""
    beside = f"; beside it {in_words(workload.beside)}" if workload.beside else ""
    return f"ranked by {in_words(workload.figure)}{why}{beside}; {check(workload)}"


def check(workload: JudgedWorkload) -> str:
    """`A/A: 0.99 (0.97–1.02), passed`: what the ratio of two servers of one model says of the method."""
    found = workload.aa_interval()
    if found is None:
        return "no A/A pair checked the method"
    return f"A/A: {spread(found)}, {'failed: nothing is compared' if workload.method_failed else 'passed'}"
