"""The verdict in the terminal: its sentences and tables, and what is not said, in 80 columns."""

from collections.abc import Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from bench.judging import Verdict


def in_terminal(found: Verdict) -> RenderableType:
    """Whether the machine was too noisy, the sentences, the tables, and what is not said."""
    title = Rule(Text("verdict", "bold"), align="left", style="dim")
    noise = [Text(found.noise, "bold yellow")] if found.noise else []
    sentences = [Text(sentence, "bold") for sentence in found.sentences]
    rows = [(one.work, one.winner, "\n".join(filter(None, (one.ahead, one.value)))) for one in found.rows]
    tables = [*table(found.matched), *table([("kind of work", "best", "by how much"), *rows] if rows else [])]
    return Group("", title, *noise, *sentences, *tables, *(Text(f"– {text}", "dim") for text in found.not_said))


def table(lines: Sequence[Sequence[str]]) -> list[RenderableType]:
    """The first line as headings, the others as rows, and an empty line before it; nothing without lines."""
    if not lines:
        return []
    headings, *rows = lines
    found = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False)
    for place, heading in enumerate(headings):
        found.add_column(heading, no_wrap=not place)
    for row in rows:
        found.add_row(*row)
    return ["", found]
