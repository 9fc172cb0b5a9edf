"""The verdict in the terminal: its sentences, a row for each kind of work, and what is not said, in 80 columns."""

from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from bench.judging import Verdict


def in_terminal(found: Verdict) -> RenderableType:
    """The sentences, the table, and what is not said."""
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False)
    table.add_column("kind of work", no_wrap=True)
    table.add_column("best")
    table.add_column("by how much")
    for one in found.rows:
        table.add_row(one.work, one.winner, "\n".join(filter(None, (one.ahead, one.value))))
    sentences = [Text(sentence, "bold") for sentence in found.sentences]
    title = Rule(Text("verdict", "bold"), align="left", style="dim")
    rows: list[RenderableType] = ["", table] if found.rows else []
    return Group("", title, *sentences, *rows, *(Text(f"– {text}", "dim") for text in found.not_said))
