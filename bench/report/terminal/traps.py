"""The traps of a run in the terminal: what each had to show, what it showed, why, and what to do instead."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

# Wider lines are hard to read, however wide the terminal is.
WIDTH = 80
INDENT = 2


def details(trap: Mapping[str, Any]) -> RenderableType:
    """A trap with everything that is known of it, expected and seen side by side."""
    heading = Text.assemble((trap["name"], "bold"), f", model {trap['model']}: ", verdict(trap["holds"], "as stated"))
    compared = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, width=WIDTH - INDENT)
    compared.add_column("expected", ratio=1)
    compared.add_column("seen", ratio=1)
    compared.add_row(trap["expected"], trap["seen"])
    reasons = Table.grid(padding=(0, 2, 0, 0))
    reasons.width = WIDTH - INDENT
    reasons.add_column()
    reasons.add_column(ratio=1, overflow="fold")
    reasons.add_row("cause", trap["cause"])
    reasons.add_row("cure", trap["cure"])
    if trap["cure_seen"]:
        cured = verdict(trap["cure_holds"], "cured")
        reasons.add_row("", Text.assemble(f"Model {trap['cured_by']}, ", cured, f": {trap['cure_seen']}"))
    for number, source in enumerate(trap["sources"]):
        reasons.add_row("" if number else "source", source)
    return Group(heading, *(Padding(part, (0, 0, 0, INDENT), expand=False) for part in (compared, reasons)), "")


def overview(traps: Iterable[Mapping[str, Any]]) -> Table:
    """Each trap has one row."""
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, width=WIDTH)
    table.add_column("trap", no_wrap=True)
    table.add_column("seen", ratio=1)
    for trap in traps:
        row = Text.assemble(verdict(trap["holds"], "as stated"), f": {trap['model']}, {trap['seen']}")
        table.add_row(trap["name"], row)
    return table


def conclusion(traps: Sequence[Mapping[str, Any]]) -> Text:
    """How many behave as stated, or what does not."""
    if changes := changed(traps):
        return Text("\n".join(changes), "yellow")
    tried = [trap for trap in traps if trap["holds"] is not None]
    left_out = f", {len(traps) - len(tried)} could not be tried" if len(tried) < len(traps) else ""
    return Text(f"Behave as stated: {len(tried)} of {len(traps)} traps{left_out}.", "bold")


def changed(reports: Iterable[Mapping[str, Any]]) -> list[str]:
    """A sentence for each trap that no longer behaves as stated, and for each cure, with what to do about it."""
    sentences = []
    for trap in reports:
        correct = f"correct {trap['name']!r} in bench/traps/known.py"
        if trap["holds"] is False:
            sentences.append(
                f"{trap['name']} no longer behaves as stated. Model {trap['model']} was to show: {trap['expected']}. "
                f"It showed: {trap['seen']}. Look whether {trap['source']} is solved, and {correct}."
            )
        if trap["cure_holds"] is False:
            sentences.append(
                f"The cure of {trap['name']} does not cure. Model {trap['cured_by']} showed: {trap['cure_seen']}. "
                f"Look what has changed there, and {correct}."
            )
    return sentences


def verdict(holds: bool | None, yes: str) -> Text:
    """Whether it is so, marked if not."""
    words = {True: yes, False: f"NOT {yes.upper()}", None: "not tried"}
    return Text(words[holds], "" if holds else "yellow")
