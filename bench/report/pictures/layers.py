"""Where does the CPU time of one small read go? A bar for gevent and one for asyncio, and their parts in a table."""

from dataclasses import dataclass

from bench.judging import Judged
from bench.judging.layers import Costs, Ladder, cost, micro, of_part, parts_of
from bench.report.pictures.picture import WIDTH, Picture
from bench.report.pictures.scale import Scale, from_zero
from bench.scenarios.layers import LADDERS, SCENARIO

NAME = "layers"
LEFT, RIGHT = 110, WIDTH - 40
TOP, BAR, AXIS, ROW, FOOT = 76, 46, 36, 24, 20
# Where the columns of the table end.
COLUMNS = (470, 590, 740)


@dataclass(frozen=True)
class Piece:
    """A part in a bar: its colour's number, where it begins and how long it is."""

    colour: int
    x: float
    width: float


@dataclass(frozen=True)
class Bar:
    """One side: its pieces, and where the measured whole ends."""

    y: float
    side: str
    pieces: tuple[Piece, ...]
    whole: float


def picture(judged: Judged) -> Picture | None:
    """The parts of both sides in the order in which a request meets them; None unless all of them were measured."""
    scenario = judged.scenario(SCENARIO.name)
    if scenario is None:
        return None
    costs = Costs(scenario)
    if any(costs.of(*ladder.layers) is None or costs.of(ladder.whole) is None for ladder in LADDERS):
        return None
    parts = parts_of(LADDERS)
    highest_s = max(max(cost(costs, *ladder.layers), cost(costs, ladder.whole)) for ladder in LADDERS)
    scale = from_zero(LEFT, RIGHT, highest_s * 1e6)
    bars = [bar(costs, ladder, parts, scale, TOP + BAR * place) for place, ladder in enumerate(LADDERS)]
    rows = [(part, *amounts(*(cost(costs, *of_part(ladder, part)) for ladder in LADDERS))) for part in parts]
    sums = ("sum of the layers", *amounts(*(cost(costs, *ladder.layers) for ladder in LADDERS)))
    whole = ("measured as a whole", *amounts(*(cost(costs, ladder.whole) for ladder in LADDERS)))
    table = TOP + BAR * len(bars) + AXIS + ROW
    said = "; ".join(f"{name} {first} and {second} µs" for name, first, second, _ in (*rows, sums, whole))
    sides = [ladder.side for ladder in LADDERS]
    return Picture(
        NAME,
        "Where the CPU time of one small read goes",
        f"Microseconds a request of {sides[0]} and of {sides[1]}: {said}.",
        table + ROW * (len(rows) + 2) + FOOT,
        {
            "bars": bars,
            "bottom": TOP + BAR * len(bars),
            "ticks": scale.ticks,
            "heads": tuple(zip(COLUMNS, (*sides, "difference"), strict=True)),
            "rows": [(table + ROW * place, place, row) for place, row in enumerate(rows)],
            "totals": [(table + ROW * (len(rows) + place), row) for place, row in enumerate((sums, whole))],
            "columns": COLUMNS,
            "table": table,
        },
    )


def bar(costs: Costs, ladder: Ladder, parts: list[str], scale: Scale, y: float) -> Bar:
    """One side's parts, one after the other; what costs less than nothing, by noise, has no length."""
    pieces, end = [], 0.0
    for colour, part in enumerate(parts):
        begin, end = end, end + max(0.0, cost(costs, *of_part(ladder, part))) * 1e6
        pieces.append(Piece(colour, scale.at(begin), scale.at(end) - scale.at(begin)))
    return Bar(y, ladder.side, tuple(pieces), scale.at(cost(costs, ladder.whole) * 1e6))


def amounts(first_s: float, second_s: float) -> tuple[str, str, str]:
    """Both, and by how much the second differs, in whole microseconds."""
    difference = round(second_s * 1e6) - round(first_s * 1e6)
    return micro(first_s), micro(second_s), f"{difference:+,}".replace("-", "−")
