"""Which figures does a scenario's table have, under which headings, and in which unit?"""

from collections.abc import Sequence

from bench.judging import JudgedCell, JudgedWorkload
from bench.judging.slices import OPEN_FIGURES
from bench.judging.units import heading, unit_of
from bench.judging.validity import merged
from bench.report.presentation import Column, presentation_of


def columns_of(workload: JudgedWorkload) -> Sequence[Column]:
    """The columns of a workload's table; of a scenario without a presentation, the figure that it is judged by."""
    shown = presentation_of(workload.scenario)
    return shown.columns_by_figure.get(workload.figure) or shown.columns or (own_column(workload.figure),)


def compared_figures(workload: JudgedWorkload) -> tuple[str, ...]:
    """The figure that models are ranked by, and the one beside it if there is one."""
    return (workload.figure, workload.beside) if workload.beside else (workload.figure,)


def own_column(figure: str) -> Column:
    """The column of a figure, by its name alone."""
    unit = unit_of(figure)
    return Column(heading(figure), figure, unit.factor, unit.decimals)


def value_of(cell: JudgedCell, figure: str) -> float | None:
    """The median over the generations; None if it was not measured.

    What is rare is that of all generations together: pauses, and a percentile for which none has requests enough.
    """
    found = cell.median(figure)
    if figure == "pauses":
        return cell.pauses
    if cell.slices and found is None and figure in OPEN_FIGURES:
        return OPEN_FIGURES[figure](merged(list(cell.slices.values())))
    return found


def text(cell: JudgedCell, column: Column) -> str:
    """The cell's value in the column's unit; a dash for what was not measured."""
    value = value_of(cell, column.value)
    return "–" if value is None else f"{value * column.factor:,.{column.decimals}f}"
