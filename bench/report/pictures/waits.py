"""Do requests wait one after the other, or all at once? Every request of the classic as a bar: a staircase or a wall.

The models of the synchronous app are on the left and those of the async views on the right, the slowest on top.
"""

from dataclasses import dataclass

from bench.judging import Judged
from bench.models import family
from bench.report.page.request_bars import Waterfall, waterfalls
from bench.report.pictures.picture import WIDTH, Picture
from bench.report.pictures.scale import from_zero

NAME, SCENARIO = "waits", "classic"
APPS = ("gevent_app", "asyncio_app")
TOP, EDGE, GAP = 76, 24, 40
BAR, PITCH, HEAD, FOOT = 8, 11, 30, 34
PANEL = (WIDTH - 2 * EDGE - GAP) / 2


@dataclass(frozen=True)
class Panel:
    """A model: where it stands, what is written above it, and its bars as (kind, x, y, width)."""

    x: float
    y: float
    height: float
    model: str
    situation: str
    total: str
    bars: tuple[tuple[str, float, float, float], ...]
    ticks: tuple[tuple[float, str], ...]


def picture(judged: Judged) -> Picture | None:
    """The six situations of the classic, as many as were measured."""
    scenario = judged.scenario(SCENARIO)
    known = {model.name: model.app for model in family("classic")}
    cells = [cell for cell in scenario.cells if cell.model in known and cell.valid] if scenario else []
    columns = [slowest_first([one for one in waterfalls(cells) if one.figures and known[one.model] == app])
               for app in APPS]  # fmt: skip
    if not cells or not all(columns):
        return None
    heights = [HEAD + PITCH * max(len(one.bars) for one in row) + FOOT for row in rows(columns)]
    panels = [panel(one, side, sum(heights[:place]) + TOP, heights[place])
              for side, column in enumerate(columns) for place, one in enumerate(column)]  # fmt: skip
    asked = cells[0].workload
    said = "; ".join(f"{one.model} {one.figures['total_s']:.2f} s" for column in columns for one in column)
    return Picture(
        NAME,
        f"{asked['requests']} requests at once wait {asked['seconds']:g} s in Python, then as many in the database",
        "Each request is a bar over time. Where requests wait one after the other the bars are a staircase, where they "
        f"wait together a wall. Seconds for all of them: {said}.",
        TOP + sum(heights),
        {"panels": panels},
    )


def slowest_first(found: list[Waterfall]) -> list[Waterfall]:
    """The models from the staircase to the wall."""
    return sorted(found, key=lambda one: -one.figures["total_s"])


def rows(columns: list[list[Waterfall]]) -> list[list[Waterfall]]:
    """What stands beside each other."""
    return [[column[place] for column in columns if place < len(column)] for place in range(max(map(len, columns)))]


def panel(one: Waterfall, side: int, y: float, height: float) -> Panel:
    """A model's bars on the axis that all models share."""
    x = EDGE + side * (PANEL + GAP)
    scale = from_zero(x, x + PANEL, one.span_s)
    bars = tuple((bar.kind, x + bar.left / 100 * PANEL, y + HEAD + place * PITCH, bar.width / 100 * PANEL)
                 for place, bar in enumerate(one.bars))  # fmt: skip
    return Panel(x, y, height, one.model, one.situation, f"{one.figures['total_s']:.2f} s", bars, scale.ticks)
