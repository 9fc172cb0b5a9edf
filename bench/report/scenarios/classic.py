"""The classic: the original client's lines while it is measured, then one table; on the page a section of its own."""

from collections.abc import Iterator, Sequence

from rich.console import RenderableType

from bench.judging import JudgedScenario, JudgedWorkload
from bench.report.page.request_bars import waterfalls
from bench.report.presentation import Column, PageSection, Presentation
from bench.report.terminal.classic_table import notes, table
from bench.report.terminal.request_lines import RequestLines


def in_terminal(scenario: JudgedScenario, seed: int, width: int) -> Iterator[RenderableType]:
    """One table, and what its columns are."""
    yield table(scenario.cells)
    yield notes(scenario.cells)


def page_section(fields: Sequence[JudgedWorkload]) -> PageSection:
    """Every request as a bar."""
    cells = [cell for field in fields for cell in field.cells.values()]
    values = {"waterfalls": waterfalls(cells), "workloads": [field.name for field in fields]}
    return PageSection("classic", "The classic", "classic.html.j2", values)


PRESENTATION = Presentation(
    columns=(
        Column("python s", "python_s", decimals=2),
        Column("database s", "database_s", decimals=2),
        Column("sum s", "total_s", decimals=2),
        Column("ideal s", "ideal_s", decimals=2),
    ),
    lines=RequestLines,
    in_terminal=in_terminal,
    page_section=page_section,
)
