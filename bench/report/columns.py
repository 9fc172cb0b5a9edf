"""Which figures does a scenario's table have, under which headings, and in which unit?"""

from collections.abc import Sequence

from bench.judging import JudgedCell, JudgedWorkload
from bench.judging.units import heading, unit_of
from bench.report.presentation import Column, presentation_of


def columns_of(workload: JudgedWorkload) -> Sequence[Column]:
    """The columns of the scenario's tables; of a scenario without a presentation, the figure that it is judged by."""
    return presentation_of(workload.scenario).columns or (own_column(workload.figure),)


def own_column(figure: str) -> Column:
    """The column of a figure, by its name alone."""
    unit = unit_of(figure)
    return Column(heading(figure), figure, unit.factor, unit.decimals)


def text(cell: JudgedCell, column: Column) -> str:
    """The median over the rounds in the column's unit; a dash for what was not measured."""
    value = cell.median(column.value)
    return "–" if value is None else f"{value * column.factor:,.{column.decimals}f}"
