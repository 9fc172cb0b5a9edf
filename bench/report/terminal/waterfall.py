"""Requests as bars over time: a staircase if they waited one after the other, equal bars if they waited together."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.table import Table
from rich.text import Text

# A hundred bars would push everything else off the screen, and the first ones show the pattern.
BARS_SHOWN = 20
COLOURS = {"python": "cyan", "database": "magenta"}
EIGHTHS = " ▏▎▍▌▋▊▉"


def waterfall(requests: Sequence[Mapping[str, Any]], python_s: float, full_s: float, width: int) -> Table:
    """Each request has a bar from its start to its end, on an axis of `full_s` seconds.

    The second burst begins at `python_s`. The table takes at most `width` columns.
    """
    grid = Table.grid(padding=(0, 1))
    grid.add_column(width=8)
    axis = max(10, width - 8 - 8 - 2)
    grid.add_column(width=axis)
    grid.add_column(justify="right", width=8)
    for kind, origin_s in (("python", 0.0), ("database", python_s)):
        bursts = [request for request in requests if ("/python/" in request["endpoint"]) == (kind == "python")]
        for index, request in enumerate(bursts[:BARS_SHOWN]):
            label = kind if index == 0 else ""
            line = bar(origin_s + request["start_s"], origin_s + request["end_s"], full_s, axis)
            style = COLOURS[kind] if request["error"] is None else "red"
            mark = f"{request['end_s']:.2f}s" if request["error"] is None else "failed"
            grid.add_row(label, Text(line, style), Text(mark, style))
        if len(bursts) > BARS_SHOWN:
            grid.add_row("", f"… and {len(bursts) - BARS_SHOWN} more", "")
    return grid


def bar(start_s: float, end_s: float, full_s: float, width: int) -> str:
    """A line of at most `width` columns that is filled from start to end, its end exact to an eighth of a column."""
    if full_s <= 0:
        return ""
    start = round(start_s / full_s * width)
    eighths = max(1, round(end_s / full_s * width * 8) - start * 8)
    return (" " * start + "█" * (eighths // 8) + EIGHTHS[eighths % 8])[:width].rstrip()
