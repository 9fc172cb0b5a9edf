"""What does the concurrency model itself cost? asyncio's CPU time ÷ gevent's, for each data layer that is on both
sides, with its interval, beside the band of 5 % in which two are called equal."""

from dataclasses import dataclass

from bench.judging import Judged, JudgedWorkload
from bench.judging.matched import SCENARIO, MatchedPair, in_words, matched_pairs
from bench.judging.phrases import spread
from bench.judging.statistics import PRACTICAL_MARGIN
from bench.report.pictures.picture import Picture
from bench.report.pictures.scale import Scale, of_ratios

NAME = "pairs"
LEFT, RIGHT = 160, 460
TOP, HEAD, ROW, FOOT = 80, 32, 24, 44
# What an outcome says of asyncio's time, and which side's colour the point has.
WORDS = {"better": "less", "worse": "more"}
COLOURS = {"better": "asyncio", "worse": "gevent"}


@dataclass(frozen=True)
class Row:
    """A pair: its layer, the middle and the ends of its interval, and what is written beside it."""

    y: float
    layer: str
    x: float
    low: float
    high: float
    colour: str
    ratio: str
    said: str


@dataclass(frozen=True)
class Group:
    """The pairs of one workload."""

    y: float
    name: str
    rows: tuple[Row, ...]


def picture(judged: Judged) -> Picture | None:
    """The pairs that have an interval, workload by workload."""
    scenario = judged.scenario(SCENARIO)
    found = [(workload, pairs) for workload in (scenario.workloads if scenario else ())
             if (pairs := [pair for pair in matched_pairs(workload) if pair.interval])]  # fmt: skip
    if not found:
        return None
    ends = [end for _, pairs in found for one in pairs if one.interval for end in (one.interval.low, one.interval.high)]
    scale = of_ratios(LEFT, RIGHT, ends)
    groups, y = [], float(TOP)
    for workload, pairs in found:
        groups.append(group(workload, pairs, scale, y))
        y += HEAD + ROW * len(pairs)
    return Picture(
        NAME,
        "CPU time a request with the same data layer on both sides: asyncio ÷ gevent",
        f"Ratios of asyncio's CPU time to gevent's, with 95 % intervals. {' '.join(map(in_a_sentence, groups))}",
        int(y) + FOOT,
        {
            "groups": groups,
            "bottom": y + 4,
            "ticks": scale.ticks,
            "band": (scale.at(1 / PRACTICAL_MARGIN), scale.at(PRACTICAL_MARGIN)),
            "one": scale.at(1.0),
        },
    )


def group(workload: JudgedWorkload, pairs: list[MatchedPair], scale: Scale, y: float) -> Group:
    """A workload, whose first row is that far down."""
    rows = tuple(row(pair, scale, y + HEAD + ROW * place) for place, pair in enumerate(pairs))
    return Group(y + HEAD / 2 + 4, in_words(workload), rows)


def row(pair: MatchedPair, scale: Scale, y: float) -> Row:
    """A pair on its row."""
    interval, kind = pair.interval, pair.outcome.kind
    assert interval
    return Row(
        y + ROW / 2, pair.layer, scale.at(interval.ratio), scale.at(interval.low), scale.at(interval.high),
        COLOURS.get(kind, "neither"), spread(interval), f"{WORDS.get(kind, kind)}: {pair.figures}",
    )  # fmt: skip


def in_a_sentence(group: Group) -> str:
    """A workload's ratios in words."""
    name = f"{group.name[:1].upper()}{group.name[1:]}"
    return f"{name}: {'; '.join(f'{row.layer} {row.ratio}, {row.said}' for row in group.rows)}."
