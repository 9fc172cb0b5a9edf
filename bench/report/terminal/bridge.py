"""The bridge's figures beside those of the others, each as a ratio with its interval and what it may be at most."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from statistics import median

from rich.table import Table
from rich.text import Text

from bench.judging.statistics import RatioInterval, ratio_interval
from bench.report.terminal.scenario import empty
from bench.results import Cell
from bench.scenarios.bridge import BRIDGE, CPU, FLOOR, TARGETS, WAITING, Target

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


def rows(cells: Sequence[Cell], seed: int) -> list[Row]:
    """A row a target, in their order."""
    by_name = {(cell.workload["name"], cell.model): cell for cell in cells}
    return [row(target, by_name, seed) for target in TARGETS]


def row(target: Target, cells: Mapping[tuple[str, str], Cell], seed: int) -> Row:
    """The two cells of a target, round by round."""
    bridge, other = (figures(target, cells.get((target.workload, model))) for model in (BRIDGE, target.other))
    comparable = len(bridge) == len(other) > 1 and min(*bridge, *other) > 0
    interval = ratio_interval(bridge, other, seed=seed) if comparable else None
    return Row(target, median(bridge) if bridge else None, median(other) if other else None, interval)


def figures(target: Target, cell: Cell | None) -> list[float]:
    """A target's figure in every round; none of a cell that failed. CPU time per request needs no steady state."""
    return cell.values(target.figure) if cell and cell.judgement.state in ("VALID", "UNSTABLE") else []


def threads(cells: Sequence[Cell]) -> tuple[int, int] | None:
    """The bridge's threads under a small load, and with thousands waiting; the most of any round."""
    found = {cell.workload["name"]: cell.values("threads") for cell in cells if cell.model == BRIDGE}
    few, many = found.get(FLOOR), found.get(WAITING.name)
    return (int(max(few)), int(max(many))) if few and many else None


def all_met(cells: Sequence[Cell], seed: int) -> bool:
    """Whether every target is met, and the threads do not grow."""
    counted = threads(cells)
    return all(row.met for row in rows(cells, seed)) and counted is not None and counted[1] <= counted[0]


def table(cells: Sequence[Cell], seed: int) -> Table:
    """A group a workload, the bridge first; a line a target; last the threads, which are compared to its own."""
    result = empty("", "", "bridge ÷ it", "at most", "")
    for column in result.columns[1:4]:
        column.justify = "right"
    for what, group in groupby(rows(cells, seed), key=heading):
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
    return f"  {interval.ratio:.2f} ({interval.low:.2f}–{interval.high:.2f})" if interval else "–"


def verdict(met: bool | None) -> Text:
    """Met, not met, or neither."""
    if met is None:
        return Text("  not measured", "yellow")
    return Text("  met", "green") if met else Text("  not met", "yellow")
