"""The bridge's figures beside those of the others, each as a ratio with its interval and what it may be at most."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import groupby

from rich.table import Table
from rich.text import Text

from bench.judging import Judged, JudgedCell
from bench.judging.pairs import paired_figure
from bench.judging.phrases import spread
from bench.judging.statistics import RatioInterval
from bench.report.terminal.scenario import empty
from bench.scenarios.bridge import BRIDGE, CPU, FLOOR, SCENARIO, TARGETS, WAITING, Target

CAPTION = (
    "CPU time per request on one core, memory and threads with so many in flight; the ratio is the mean of the rounds, "
    "with its 95 % interval, and a target is met if it is at most that."
)


@dataclass(frozen=True)
class Row:
    """A target and what was measured for it; without an interval, nothing that can be compared."""

    target: Target
    bridge: float | None
    other: float | None
    interval: RatioInterval | None

    @property
    def met(self) -> bool:
        """Whether the ratio is at most what it may be."""
        return self.interval is not None and self.interval.ratio <= self.target.at_most


def cells_of(judged: Judged) -> list[JudgedCell]:
    """What was measured for the targets."""
    scenario = judged.scenario(SCENARIO.name)
    return scenario.cells if scenario else []


def rows(judged: Judged) -> list[Row]:
    """A row for each target, in their order."""
    by_name = {(cell.workload["name"], cell.model): cell for cell in cells_of(judged) if sound(cell)}
    return [row(target, by_name, judged.run.seed) for target in TARGETS]


def row(target: Target, cells: Mapping[tuple[str, str], JudgedCell], seed: int) -> Row:
    """The two cells of a target, round by round."""
    bridge, other = (cells.get((target.workload, model)) for model in (BRIDGE, target.other))
    interval = paired_figure(bridge, other, target.figure, seed) if bridge and other else None
    mine, its = (cell.median(target.figure) if cell else None for cell in (bridge, other))
    return Row(target, mine, its, interval)


def sound(cell: JudgedCell) -> bool:
    """Whether a cell's CPU time and memory are to be believed: they need no steady state."""
    return cell.judgement.state in ("VALID", "UNSTABLE")


def threads(judged: Judged) -> tuple[int, int] | None:
    """The bridge's threads under a small load, and with thousands waiting; the most of any round."""
    found = {cell.workload["name"]: cell.values("threads") for cell in cells_of(judged) if cell.model == BRIDGE}
    few, many = found.get(FLOOR), found.get(WAITING.name)
    return (int(max(few)), int(max(many))) if few and many else None


def all_met(judged: Judged) -> bool:
    """Whether every target is met, and the threads do not grow."""
    counted = threads(judged)
    return all(row.met for row in rows(judged)) and counted is not None and counted[1] <= counted[0]


def table(judged: Judged) -> Table:
    """A group for each workload, the bridge first, then a line for each target; last the bridge's threads."""
    result = empty("", "", "bridge ÷ it", "at most", "")
    for column in result.columns[1:4]:
        column.justify = "right"
    for what, group in groupby(rows(judged), key=heading):
        members = list(group)
        result.add_row(Text(what, "bold"), amount(members[0].target, members[0].bridge))
        for one in members:
            result.add_row(
                f"  {one.target.other}", amount(one.target, one.other), ratio(one.interval),
                f"  {one.target.at_most:.2f}", verdict(one.met if one.interval else None),
            )  # fmt: skip
    counted = threads(judged)
    few, many = map(str, counted or ("–", "–"))
    grown = verdict(counted[1] <= counted[0] if counted else None)
    result.add_row(Text(f"threads, {WAITING.name}", "bold"), many, "", few, grown)
    return result


def heading(row: Row) -> str:
    """What a group of rows is about."""
    return row.target.workload if row.target.figure == CPU else f"memory each, {row.target.workload}"


def amount(target: Target, value: float | None) -> str:
    """`141 µs`, or `18.2 kB`."""
    if value is None:
        return "–"
    return f"{value * 1e6:,.0f} µs" if target.figure == CPU else f"{value / 1e3:.1f} kB"


def ratio(interval: RatioInterval | None) -> str:
    """`0.61 (0.59–0.64)`."""
    return f"  {spread(interval)}" if interval else "–"


def verdict(met: bool | None) -> Text:
    """Met, not met, or neither."""
    if met is None:
        return Text("  not measured", "yellow")
    return Text("  met", "green") if met else Text("  not met", "yellow")
