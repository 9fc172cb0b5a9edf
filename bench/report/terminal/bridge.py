"""The bridge's figures beside those of the others, each as a ratio with its interval and what it may be at most."""

from collections.abc import Sequence
from itertools import groupby

from rich.console import Console
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from bench.judging import JudgedCell, judge
from bench.judging.phrases import spread
from bench.report.terminal.run import footer
from bench.report.terminal.scenario import empty, reasons
from bench.results import Run
from bench.scenarios.bridge import CPU, SCENARIO, WAITING, Comparison, Target, comparisons, threads

NOT_MEASURED = Text("  not measured", "yellow")
CAPTION = (
    "CPU time a request on one core, memory and threads with so many in flight. CPU time has the 95 % interval of its "
    "ratio, memory was measured once. A target is met if the ratio is at most that, and not met if the whole interval "
    "is above; where there is none, the figure is for comparison."
)


def conclusion(console: Console, run: Run) -> None:
    """The table of targets, what was not valid, and how the time was spent."""
    cells = judge(run).cells
    console.print(Rule(Text(SCENARIO.name, "bold"), align="left", style="dim"))
    for part in (SCENARIO.question, Text(CAPTION, "dim"), table(cells, run.seed), *reasons(cells), ""):
        console.print(part)
    footer(console, run)


def table(cells: Sequence[JudgedCell], seed: int) -> Table:
    """Each workload has a group: the bridge, then a line for each target. The last line has the bridge's threads."""
    result = empty("", "", "bridge ÷ it", "at most", "")
    for column in result.columns[1:4]:
        column.justify = "right"
    for what, group in groupby(comparisons(cells, seed), key=heading):
        members = list(group)
        result.add_row(Text(what, "bold"), amount(members[0].target, members[0].bridge))
        for one in members:
            result.add_row(
                f"  {one.target.other}", amount(one.target, one.other), ratio(one), limit(one.target), told(one),
            )  # fmt: skip
    counted = threads(cells)
    few, many = map(str, counted or ("–", "–"))
    grown = verdict(met=counted[1] <= counted[0]) if counted else NOT_MEASURED
    result.add_row(Text(f"threads, {WAITING.name}", "bold"), many, "", few, grown)
    return result


def heading(one: Comparison) -> str:
    """The heading of the group in which a target stands."""
    return one.target.workload if one.target.figure == CPU else f"memory each, {one.target.workload}"


def amount(target: Target, value: float | None) -> str:
    """`141 µs`, or `18.2 kB`."""
    if value is None:
        return "–"
    return f"{value * 1e6:,.0f} µs" if target.figure == CPU else f"{value / 1e3:.1f} kB"


def ratio(one: Comparison) -> str:
    """`0.61 (0.59–0.64)`, or `0.61` of what was measured once."""
    if one.interval:
        return f"  {spread(one.interval)}"
    return f"  {one.ratio:.2f}" if one.ratio is not None else "–"


def limit(target: Target) -> str:
    """The highest ratio that meets the target; a dash where any does."""
    return "  –" if target.at_most is None else f"  {target.at_most:.2f}"


def told(one: Comparison) -> Text | str:
    """Whether a target is met; empty where there is none."""
    if one.ratio is None:
        return NOT_MEASURED
    if one.open:
        return Text("  within it", "dim")
    return "" if one.met is None else verdict(met=one.met)


def verdict(*, met: bool) -> Text:
    """Met or not."""
    return Text("  met", "green") if met else Text("  not met", "yellow")
