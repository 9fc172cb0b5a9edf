"""How much memory does a request take while it waits? A bar for each model that had the most waiting at once."""

from bench.judging import Judged, JudgedCell
from bench.judging.units import amount
from bench.report.pictures.picture import WIDTH, Picture
from bench.report.pictures.scale import from_zero
from bench.scenarios.scale import MEMORY

NAME, SCENARIO = "memory", "scale"
LEFT, RIGHT = 190, WIDTH - 110
TOP, ROW, FOOT = 76, 30, 44
KILOBYTE = 1e3


def picture(judged: Judged) -> Picture | None:
    """The models that had the most requests waiting at once, the one that takes least on top."""
    kept = at_the_top(judged)
    if not kept:
        return None
    taken = sorted((found, cell.model, side(cell)) for cell in kept if (found := cell.median(MEMORY)) is not None)
    scale = from_zero(LEFT, RIGHT, taken[-1][0] / KILOBYTE)
    rows = [(TOP + ROW * place, model, colour, scale.at(found / KILOBYTE) - LEFT, amount(found, MEMORY))
            for place, (found, model, colour) in enumerate(taken)]  # fmt: skip
    asked = kept[0].workload
    return Picture(
        NAME,
        f"Memory for each of {asked['requests']:,} requests that wait at once",
        "The server's peak, less what it held before, by request. "
        + "; ".join(f"{model} {said}" for _, model, _, _, said in rows)
        + ".",
        TOP + ROW * len(rows) + FOOT,
        {
            "rows": rows,
            "left": LEFT,
            "bottom": TOP + ROW * len(rows),
            "ticks": scale.ticks,
        },
    )


def at_the_top(judged: Judged) -> list[JudgedCell]:
    """The cells of the most requests that several models could hold."""
    scenario = judged.scenario(SCENARIO)
    for workload in reversed(scenario.workloads if scenario else ()):
        kept = [cell for cell in workload.cells.values() if cell.valid and cell.values(MEMORY)]
        if len(kept) > 1:
            return kept
    return []


def side(cell: JudgedCell) -> str:
    """Which concurrency model waits; its name says it."""
    return next((name for name in ("gevent", "asyncio") if cell.model.startswith(name)), "neither")
