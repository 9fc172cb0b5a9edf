"""How are the answers to a scenario's question shown? As the file of the same name in bench/report/scenarios/ says.

A scenario without such a file is shown as every other: a table of the figure that its cells are ranked by, and charts
of its generations.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Protocol

from rich.console import Console, RenderableType

from bench.judging import JudgedScenario, JudgedWorkload
from bench.load.burst import Answer
from bench.models import Model
from bench.results import Cell, Run
from bench.results.tried import SCENARIO as TRIAL
from bench.scenarios.base import Options

if TYPE_CHECKING:
    from bench.report.page.charts import Chart, Palette

FILES = "bench.report.scenarios"
# Python reserves the name of this scenario, so no module can have it.
OTHER_NAMES = {TRIAL: "tried"}


class Lines(Protocol):
    """What is printed of a scenario while it is measured."""

    def started(self, model: Model) -> None:
        """A server of this model is about to start."""

    def answered(self, answer: Answer) -> None:
        """A request was answered, or failed; only of scenarios with a client of their own."""

    def ended(self, cell: Cell) -> None:
        """A workload was measured."""


@dataclass(frozen=True)
class Column:
    """A column of a scenario's table: a figure, multiplied to have the heading's unit, with so many decimals."""

    heading: str
    value: str
    factor: float = 1.0
    decimals: int = 0


@dataclass(frozen=True)
class PageSection:
    """A section of the page that one scenario has for itself."""

    id: str
    title: str
    """In the table of contents."""
    template: str
    values: Mapping[str, Any]
    """What the template finds as `own.values`."""


@dataclass(frozen=True)
class Presentation:
    """What is shown of a scenario, and how. Whatever is None or empty is shown as for every other scenario."""

    columns: Sequence[Column] = ()
    """Of its tables. Empty: the figure that its cells are ranked by."""
    columns_by_figure: Mapping[str, Sequence[Column]] = field(default_factory=dict)
    """Of the tables of workloads that are ranked by one of these figures, instead of the others."""
    lines: Callable[[Console, Options], Lines] | None = None
    """What is printed while it is measured."""
    in_terminal: Callable[[JudgedScenario, int, int], Iterable[RenderableType]] | None = None
    """The parts of its summary, from what was judged, the run's seed, and the columns that the terminal has."""
    charts: "Callable[[Run, Sequence[JudgedWorkload], str, Palette], Sequence[Chart | None]] | None" = None
    """Its charts, from its workloads and the name of the baseline."""
    page_section: Callable[[Sequence[JudgedWorkload]], PageSection] | None = None
    """Its section of the page, if it is not to stand among the others."""


@cache
def presentation_of(name: str) -> Presentation:
    """The presentation of the scenario of that name."""
    module = OTHER_NAMES.get(name, name)
    if not module.isidentifier() or find_spec(f"{FILES}.{module}") is None:
        return Presentation()
    found: Presentation = import_module(f"{FILES}.{module}").PRESENTATION
    return found
