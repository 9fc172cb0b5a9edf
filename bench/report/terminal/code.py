"""The two apps' views beside each other: the difference between them is the lesson."""

import difflib

from rich.console import Group, RenderableType
from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text

from bench.judging.app_code import APPS, Pair, pairs

# Two columns of code need about this width each to be read without wrapped lines; below, they stand one over the other.
SIDE_BY_SIDE_WIDTH = 150


def listing() -> Table:
    """Every pair: endpoint, function, lines, how many of them differ."""
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False)
    for heading in ("endpoint", "function"):
        table.add_column(heading, no_wrap=True)
    for heading in ("lines", "differing"):
        table.add_column(heading, justify="right")
    for pair in pairs():
        table.add_row(pair.gevent.endpoint, pair.gevent.name, str(pair.lines), str(pair.differing_lines))
    return table


def side_by_side(pair: Pair, width: int) -> RenderableType:
    """Both views, highlighted, lines of the one that are not in the other marked; stacked in a narrow terminal."""
    sides = [
        Group(Text(f"{app}/views.py", "bold underline"), highlighted(mine.lines, other.lines))
        for app, mine, other in zip(APPS, (pair.gevent, pair.asyncio), (pair.asyncio, pair.gevent), strict=True)
    ]
    if width < SIDE_BY_SIDE_WIDTH:
        return Group(sides[0], "", sides[1], "")
    table = Table.grid(padding=(0, 2), expand=True)
    table.add_column(ratio=1)
    table.add_column(ratio=1)
    table.add_row(*sides)
    return Group(table, "")


def highlighted(lines: tuple[str, ...], others: tuple[str, ...]) -> RenderableType:
    """Python with a bar before every line that the other side has not."""
    matcher = difflib.SequenceMatcher(None, lines, others, autojunk=False)
    same = {block.a + i for block in matcher.get_matching_blocks() for i in range(block.size)}
    code = Syntax("", "python", theme="ansi_dark").highlight("\n".join(lines)).split("\n")
    table = Table.grid()
    table.add_column(width=2)
    table.add_column()
    for number, line in enumerate(code[: len(lines)]):
        table.add_row(Text("" if number in same else "▌", "yellow"), line)
    return table
