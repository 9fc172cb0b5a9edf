"""What happens when more requests want the database than the pool has connections? Each answer at the time it came:
waves, as many at a time as there are connections."""

from dataclasses import dataclass

from bench.judging import Judged, JudgedCell
from bench.report.pictures.memory import side
from bench.report.pictures.picture import WIDTH, Picture
from bench.report.pictures.scale import from_zero
from bench.scenarios.pool_setups import KEPT

NAME, SCENARIO = "waves", "pool"
MODELS = ("gevent", "asyncio-bridge")
EDGE, GAP, TOP, HEAD, DEPTH, FOOT = 24, 40, 68, 30, 160, 50
PANEL = (WIDTH - 2 * EDGE - GAP) / 2


@dataclass(frozen=True)
class Panel:
    """A model: its answers as (y, width) of a line from the moment when all were sent, and how many each wave has."""

    x: float
    model: str
    side: str
    total: str
    lines: tuple[tuple[float, float], ...]
    waves: str
    ticks: tuple[tuple[float, str], ...]


def picture(judged: Judged) -> Picture | None:
    """Both models on a pool of 15, if both could be judged."""
    scenario = judged.scenario(SCENARIO)
    found = {cell.model: cell for cell in (scenario.cells if scenario else ())
             if cell.model in MODELS and cell.workload.get("setup") == KEPT.name and cell.valid
             and cell.observations[-1].raw.get("answers_by_wave")}  # fmt: skip
    cells = [found[name] for name in MODELS if name in found]
    if len(cells) < len(MODELS):
        return None
    longest_s = max(answers_s(cell)[-1] for cell in cells)
    panels = [panel(cell, EDGE + place * (PANEL + GAP), longest_s) for place, cell in enumerate(cells)]
    asked = cells[0].workload
    said = "; ".join(f"{one.model} {one.total}, answers by wave {one.waves}" for one in panels)
    return Picture(
        NAME,
        f"{asked['requests']} requests at once wait {KEPT.wait_s:g} s in the database, with {KEPT.size} connections",
        f"Each request is a line from the moment when all were sent to its answer; they come in waves. {said}.",
        TOP + HEAD + DEPTH + FOOT,
        {"panels": panels, "top": TOP, "lines_top": TOP + HEAD, "bottom": TOP + HEAD + DEPTH, "wide": PANEL},
    )


def answers_s(cell: JudgedCell) -> list[float]:
    """When each request was answered, the first one first."""
    return sorted(one["done_s"] for one in cell.observations[-1].raw["load"]["raw"] if one["kind"] == "good")


def panel(cell: JudgedCell, x: float, longest_s: float) -> Panel:
    """A model's answers on the axis that both share."""
    ends_s, scale = answers_s(cell), from_zero(x, x + PANEL, longest_s)
    pitch = DEPTH / len(ends_s)
    lines = tuple((TOP + HEAD + pitch * (place + 0.5), scale.at(end_s) - x) for place, end_s in enumerate(ends_s))
    waves = ", ".join(map(str, cell.observations[-1].raw["answers_by_wave"]))
    return Panel(x, cell.model, side(cell), f"{ends_s[-1]:.2f} s", lines, waves, scale.ticks)
