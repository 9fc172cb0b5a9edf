"""What is there to read about a scenario: its question, its charts, its tables, and what was found?"""

from collections.abc import Sequence
from dataclasses import dataclass

from bench.judging import Judged, JudgedCell, JudgedScenario, JudgedWorkload
from bench.report.columns import columns_of, compared_figures, text, value_of
from bench.report.families import family
from bench.report.page.charts import Chart, Palette
from bench.report.page.matrix import finite
from bench.report.page.scenario_charts import charts
from bench.report.presentation import Column, PageSection, presentation_of
from bench.report.terminal.scenario import how_measured, note
from bench.scenarios import APART, SCENARIOS

ONCE = "Measured once: no intervals, no ranks; about orders of magnitude."


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
    measured: str
    """Once, or in how many generations of servers."""
    finding: str
    charts: tuple[Chart, ...]
    tables: tuple[Table, ...]


def sections(judged: Judged, palette: Palette) -> list[Section]:
    """The scenarios of the run, without those that have a section of their own."""
    return [
        section(judged, scenario, palette)
        for scenario in judged.scenarios
        if not presentation_of(scenario.name).page_section
    ]


def own_sections(judged: Judged) -> list[PageSection]:
    """The sections that scenarios of the run have for themselves."""
    drawn = [(presentation_of(scenario.name).page_section, scenario.workloads) for scenario in judged.scenarios]
    return [draw(workloads) for draw, workloads in drawn if draw]


def section(judged: Judged, scenario: JudgedScenario, palette: Palette) -> Section:
    """One scenario."""
    known = (SCENARIOS | APART).get(scenario.name)
    once = [workload for workload in scenario.workloads if not workload.compared]
    tables = [compared_table(workload) for workload in scenario.workloads if workload.compared]
    drawn = charts(judged.run, scenario.name, scenario.workloads, judged.baseline, palette)
    return Section(
        scenario.name,
        scenario.question,
        how_measured(scenario),
        known.finding(scenario) if known else "",
        tuple(drawn),
        (*tables, *([plain_table(scenario.name, once)] if once else [])),
    )


def compared_table(workload: JudgedWorkload) -> Table:
    """A workload: a row for each model, best first, what may not be ranked at the end."""
    columns, compared = columns_of(workload), compared_figures(workload)
    headings = ["rank"]
    for column in columns:
        headings += [column.heading, *([f"ratio to {workload.baseline}"] if column.value in compared else [])]
    lines = []
    for name in workload.best_first():
        cell = workload.cells[name]
        entries = [rank(workload, cell)]
        for column in columns:
            entries += [entry(cell, column), *([ratio(workload, name, column)] if column.value in compared else [])]
        entries += [Entry(str(len(cell.observations))), state(cell)]
        lines.append(Line(name, family(cell.facts), cell.valid, tuple(entries)))
    return Table(workload.name, (*headings, "generations", "state"), tuple(lines), note(workload))


def plain_table(name: str, workloads: Sequence[JudgedWorkload]) -> Table:
    """Workloads on which models are not compared: a row for each cell."""
    columns = columns_of(workloads[0])
    headings = ("workload", *(column.heading for column in columns), "state")
    lines = [
        Line(cell.model, family(cell.facts), cell.valid,
             (Entry(workload.name), *(entry(cell, column) for column in columns), state(cell)))
        for workload in workloads for cell in workload.cells.values()
    ]  # fmt: skip
    return Table(
        f"{name}: every model and workload",
        headings,
        tuple(lines),
        "Measured once: no intervals, no ranks; about orders of magnitude.",
    )


def rank(workload: JudgedWorkload, cell: JudgedCell) -> Entry:
    """The rank, or why there is none."""
    found = workload.ranks.get(cell.model)
    return Entry(workload.place(cell), str(found or ""))


def entry(cell: JudgedCell, column: Column) -> Entry:
    """What the cell has of a figure."""
    return Entry(text(cell, column), finite(value_of(cell, column.value)))


def ratio(workload: JudgedWorkload, model: str, column: Column) -> Entry:
    """The ratio to the baseline, beneath it the interval, and of the figure that ranks what it says in words."""
    base = workload.baseline
    interval = workload.interval(model, base, column.value)
    if interval is None:
        return Entry("1" if model == base else "–", "1" if model == base else "")
    said = f", {workload.outcome(model, base).kind}" if column.value == workload.figure else ""
    return Entry(f"{interval.ratio:.2f}", finite(interval.ratio), f"{interval.low:.2f}–{interval.high:.2f}{said}")


def state(cell: JudgedCell) -> Entry:
    """The state, and the reason's first line."""
    return Entry(cell.judgement.state.lower(), note=cell.reason)
