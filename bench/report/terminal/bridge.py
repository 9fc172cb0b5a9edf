"""The bridge's figures beside those of the others, each as a ratio with its interval and what it may be at most."""

from collections.abc import Sequence
from itertools import groupby

from rich.table import Table
from rich.text import Text

from bench.judging import JudgedCell
from bench.judging.phrases import spread
from bench.judging.statistics import RatioInterval
from bench.report.terminal.scenario import empty
from bench.scenarios.bridge import CPU, WAITING, Comparison, Target, comparisons, threads

CAPTION = (
    "CPU time per request on one core, memory and threads with so many in flight; the ratio is the mean of the rounds, "
    "with its 95 % interval, and a target is met if it is at most that."
)


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
                f"  {one.target.other}", amount(one.target, one.other), ratio(one.interval),
                f"  {one.target.at_most:.2f}", verdict(one.met if one.interval else None),
            )  # fmt: skip
    counted = threads(cells)
    few, many = map(str, counted or ("–", "–"))
    grown = verdict(counted[1] <= counted[0] if counted else None)
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


def ratio(interval: RatioInterval | None) -> str:
    """`0.61 (0.59–0.64)`."""
    return f"  {spread(interval)}" if interval else "–"


def verdict(met: bool | None) -> Text:
    """Whether a target is met; None is for one that was not measured."""
    if met is None:
        return Text("  not measured", "yellow")
    return Text("  met", "green") if met else Text("  not met", "yellow")
