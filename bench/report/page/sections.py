"""What is there to read about a scenario: its question, its charts, its tables, and what was found?"""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from bench.judging.judged import Field, family, number
from bench.report.page.charts import Chart, Palette
from bench.report.page.matrix import finite
from bench.report.page.scenario_charts import charts
from bench.report.presentation import PageSection, presentation_of
from bench.report.terminal.scenario import floor_note
from bench.results import Cell, Run
from bench.scenarios import SCENARIOS
from bench.scenarios.base import Column


@dataclass(frozen=True)
class Entry:
    """A cell of a table: its text, and what it is sorted by."""

    text: str
    sort: str = ""
    note: str = ""
    """A second line, in small print."""


@dataclass(frozen=True)
class Line:
    """A row of a table."""

    model: str
    family: str
    valid: bool
    cells: tuple[Entry, ...]


@dataclass(frozen=True)
class Table:
    """A table with a caption; the first column is the model."""

    caption: str
    headings: tuple[str, ...]
    lines: tuple[Line, ...]
    note: str = ""


@dataclass(frozen=True)
class Section:
    """A scenario."""

    name: str
    question: str
    finding: str
    charts: tuple[Chart, ...]
    tables: tuple[Table, ...]


def sections(run: Run, fields: Sequence[Field], base: str, palette: Palette) -> list[Section]:
    """The scenarios of the run, without those that have a section of their own."""
    return [
        section(run, name, own, base, palette)
        for name, own in by_scenario(fields).items()
        if not presentation_of(name).page_section
    ]


def own_sections(fields: Sequence[Field]) -> list[PageSection]:
    """The sections that scenarios of the run have for themselves."""
    return [draw(own) for name, own in by_scenario(fields).items() if (draw := presentation_of(name).page_section)]


def by_scenario(fields: Sequence[Field]) -> dict[str, list[Field]]:
    """The workloads of each scenario, in their order."""
    names = dict.fromkeys(field.scenario for field in fields)
    return {name: [field for field in fields if field.scenario == name] for name in names}


def section(run: Run, name: str, fields: Sequence[Field], base: str, palette: Palette) -> Section:
    """One scenario."""
    scenario = SCENARIOS.get(name)
    compared = [field for field in fields if field.standings]
    once = [field for field in fields if not field.standings]
    tables = [compared_table(field, base) for field in compared] + ([plain_table(name, once)] if once else [])
    return Section(
        name,
        scenario.question if scenario else "",
        scenario.finding(run.of(name)) if scenario else "",
        tuple(charts(run, name, fields, base, palette)),
        tuple(tables),
    )


def columns(field: Field) -> Sequence[Column]:
    """The columns of the scenario's table."""
    return presentation_of(field.scenario).columns or (field.column,)


def compared_table(field: Field, base: str) -> Table:
    """A workload: a row a model, best first, what may not be ranked at the end."""
    found = field.standings
    assert found is not None
    valid = [name for name in field.best_first(field.cells) if field.cells[name].judgement.valid]
    names = [*valid, *(name for name in field.cells if name not in valid)]
    headings = ("rank", f"ratio to {base}", *(column.heading for column in columns(field)), "rounds", "state")
    lines = [
        Line(
            name, family(name), cell.judgement.valid,
            (Entry(str(found.models[name].rank or "–"), str(found.models[name].rank or "")), ratio(field, name, base),
             *(entry(cell, column) for column in columns(field)), Entry(str(len(cell.observations))), state(cell)),
        )
        for name in names if (cell := field.cells[name])
    ]  # fmt: skip
    return Table(field.workload, headings, tuple(lines), floor_note(found))


def plain_table(name: str, fields: Sequence[Field]) -> Table:
    """Workloads that are measured once: a row a cell."""
    headings = ("workload", *(column.heading for column in columns(fields[0])), "state")
    lines = [
        Line(cell.model, family(cell.model), cell.judgement.valid,
             (Entry(field.workload), *(entry(cell, column) for column in columns(field)), state(cell)))
        for field in fields for cell in field.cells.values()
    ]  # fmt: skip
    return Table(f"{name}: every model and workload", headings, tuple(lines), "Measured once: no intervals, no ranks.")


def entry(cell: Cell, column: Column) -> Entry:
    """The median over the rounds."""
    values = cell.values(column.value)
    return Entry(number(median(values), column), finite(median(values))) if values else Entry("–")


def ratio(field: Field, model: str, base: str) -> Entry:
    """The ratio and its interval."""
    interval = field.interval(model, base)
    if interval is None:
        return Entry("1" if model == base else "–", "1" if model == base else "")
    return Entry(f"{interval.ratio:.2f}", finite(interval.ratio), f"{interval.low:.2f}–{interval.high:.2f}")


def state(cell: Cell) -> Entry:
    """The state, and the reason's first line."""
    judgement = cell.judgement
    return Entry(judgement.state.lower(), note=(judgement.reason.splitlines() or [""])[0])
