"""The bridge: its targets, and whether they are met."""

from collections.abc import Iterator

from rich.console import RenderableType
from rich.text import Text

from bench.judging import JudgedScenario
from bench.report.presentation import Column, Presentation
from bench.report.terminal.bridge import CAPTION, table
from bench.report.terminal.scenario import reasons
from bench.scenarios.bridge import CPU
from bench.scenarios.scale import MEMORY


def in_terminal(scenario: JudgedScenario, seed: int, width: int) -> Iterator[RenderableType]:
    """The table of targets, and what was not valid."""
    yield Text(CAPTION, "dim")
    yield table(scenario.cells, seed)
    if found := reasons(scenario.cells):
        yield found


PRESENTATION = Presentation(
    columns=(Column("CPU µs", CPU, 1e6), Column("kB each", MEMORY, 1e-3), Column("threads", "threads")),
    in_terminal=in_terminal,
)
