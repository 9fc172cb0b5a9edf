"""Two runs beside each other in the terminal, within 80 columns."""

from collections import Counter
from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from bench.judging.differences import Difference, Differences, changed
from bench.judging.outcomes import KINDS
from bench.judging.phrases import spread
from bench.report.terminal.scenario import empty

SHOWN_FACTS = 40
SHOWN_CELLS = 8  # of those that only one of the runs has
LONGEST = 30  # characters of a fact


def report(found: Differences) -> RenderableType:
    """What has changed, what differs around it, and what could not be compared."""
    blocks: list[RenderableType] = [Text(summary(found), "bold"), ""]
    if cells := changed(found.cells):
        blocks += [table(cells), ""]
    if found.faults:
        blocks += [*map(Text, faults(found)), ""]
    if found.facts:
        blocks += [Text("What differs around the cells", "bold"), facts(found), ""]
    for name, cells_of_one in (("A", found.only_before), ("B", found.only_after)):
        if cells_of_one:
            blocks.append(Text(f"only in {name}: {shortened(cells_of_one)}", "dim"))
    return Group(*blocks)


def faults(found: Differences) -> list[str]:
    """How many faults did the same in both runs, and those that did not."""
    other = [one for one in found.faults if one.changed]
    lines = [f"Faults in both: {len(found.faults)}, of which {len(other)} did something else; words, not times."]
    return [*lines, *(f"{one.fault}, {one.model}{f' with {one.cure}' if one.cure else ''}: "
                      f"{one.before} → {one.after}" for one in other)]  # fmt: skip


def summary(found: Differences) -> str:
    """How many cells did what."""
    counts = Counter("in another state" if one.other_state else one.outcome.kind for one in found.cells)
    said = ", ".join(f"{counts[kind]} {kind}" for kind in (*KINDS, "in another state"))
    text = f"{len(found.cells)} cells in both: {said}."
    if found.middle is None:
        return text
    return (
        f"{text} Ratios are relative to the other models of the same run. In the median cell B is {found.middle:.2f} "
        "times as fast as A: that much may be the machine and not the code."
    )


def table(cells: Sequence[Difference]) -> Table:
    """A row for each cell that has changed."""
    rows = empty("model", "workload")
    rows.add_column("B ÷ A (95 %)", justify="right", no_wrap=True)
    rows.add_column("", no_wrap=True)
    rows.padding = (0, 1, 0, 0)
    rows.columns[0].no_wrap = rows.columns[1].no_wrap = False
    for one in cells:
        state = f"{one.before} → {one.after}" if one.other_state else one.outcome.kind
        style = "red" if one.outcome.kind == "worse" or one.failed else ""
        rows.add_row(one.model, f"{one.scenario}: {one.workload}", ratio(one), Text(state, style))
    return rows


def ratio(one: Difference) -> str:
    """`0.87 (0.84–0.91)`; a dash where one of them has no figures."""
    return spread(one.outcome.interval) if one.outcome.interval else "–"


def facts(found: Differences) -> Table:
    """A row for each fact that differs."""
    rows = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False)
    for heading in ("", "A", "B"):
        rows.add_column(heading, overflow="fold")
    for name, before, after in found.facts[:SHOWN_FACTS]:
        rows.add_row(name, cut(before), cut(after))
    if len(found.facts) > SHOWN_FACTS:
        rows.add_row(f"and {len(found.facts) - SHOWN_FACTS} more")
    return rows


def cut(value: object) -> str:
    """A value in a few words; a dash for none."""
    text = "–" if value is None else str(value)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def shortened(names: Sequence[str]) -> str:
    """The first few, and how many there are besides."""
    more = f"; and {len(names) - SHOWN_CELLS} more" if len(names) > SHOWN_CELLS else ""
    return "; ".join(names[:SHOWN_CELLS]) + more
