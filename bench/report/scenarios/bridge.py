"""The bridge: its targets, and whether they are met."""

from collections.abc import Iterator, Sequence

from rich.console import RenderableType
from rich.text import Text

from bench.report.presentation import Presentation
from bench.report.terminal.bridge import CAPTION, table
from bench.report.terminal.scenario import reasons
from bench.results import Cell
from bench.scenarios.base import Column, Scenario
from bench.scenarios.bridge import CPU
from bench.scenarios.scale import MEMORY


def in_terminal(scenario: Scenario, cells: Sequence[Cell], seed: int, width: int) -> Iterator[RenderableType]:
    """The table of targets, and what was not valid."""
    yield Text(CAPTION, "dim")
    yield table(cells, seed)
    if found := reasons(cells):
        yield found


PRESENTATION = Presentation(
    columns=(Column("CPU µs", CPU, 1e6), Column("kB each", MEMORY, 1e-3), Column("threads", "threads")),
    in_terminal=in_terminal,
)
