"""What does the page show of faults? What each did to each model in a table, and every request of it on a time line."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from bench.judging.faults import JudgedCell, JudgedFault, JudgedFaults
from bench.judging.watched import Sent, watched
from bench.results.faults import FaultCell

# A time line is so wide and each of its lanes so high, in units that the page stretches.
WIDE, LANE, SPACE = 1000, 26, 6
# The mark of an answer that came at once, and that of a request which failed.
LEAST = 3
# Where every answer came sooner than this, none is drawn high.
SOON_S = 0.5
# How a request is drawn, by what became of it.
KINDS = ("good", "again", "lost")


@dataclass(frozen=True)
class Timeline:
    """The requests of a cell: a lane for each endpoint, a stroke for each request, the higher the longer it took."""

    height: int
    paths: Mapping[str, str]
    """By what became of a request, the strokes."""
    fault_x: float
    fault_width: float


@dataclass(frozen=True)
class Row:
    """A model under a fault, as it is or with a cure."""

    judged: JudgedCell
    timeline: Timeline | None
    """None where no requests were watched."""


@dataclass(frozen=True)
class Shown:
    """A fault with its rows, and what its time lines have in common."""

    fault: JudgedFault
    rows: tuple[Row, ...]
    lanes: tuple[str, ...]
    """The endpoints, from the top."""
    begin_s: float
    end_s: float
    longest_s: tuple[float, ...]
    """What the highest stroke of each lane took."""

    @property
    def axis(self) -> str:
        """What the width and the height of the time lines mean."""
        lanes = "; ".join(f"{name}, highest stroke {longest:.2g} s"
                          for name, longest in zip(self.lanes, self.longest_s, strict=True))  # fmt: skip
        return f"From {-self.begin_s:.1f} s before the fault to {self.end_s:.1f} s after it began. Lanes: {lanes}."


def shown(judged: JudgedFaults) -> list[Shown]:
    """All faults of a run."""
    return [shown_fault(fault) for fault in judged.faults]


def shown_fault(fault: JudgedFault) -> Shown:
    """One fault: each model as it is, and beneath it the same with each cure."""
    cells = [one for model in fault.models for (name, _), one in fault.cells.items() if name == model]
    sent = {one.cell.key: lanes_of(one.cell) for one in cells}
    drawn = [lane for lanes in sent.values() for lane in lanes]
    longest = tuple(max(map(waited, lane), default=SOON_S) for lane in together(sent.values()))
    begin_s = min((one.at_s for lane in drawn for one in lane), default=0.0)
    end_s = max((one.cell.lasted_s + one.cell.watched_s for one in cells), default=0.0)
    rows = [Row(one, timeline(one.cell, sent[one.cell.key], longest, begin_s, end_s)) for one in cells]
    lanes = max((endpoints(one.cell) for one in cells), key=len, default=[])
    return Shown(fault, tuple(rows), tuple(lanes), begin_s, end_s, longest)


def lanes_of(cell: FaultCell) -> list[list[Sent]]:
    """The requests of a cell, by endpoint."""
    every = watched(cell).sent
    return [[one for one in every if one.endpoint == name] for name in endpoints(cell)]


def endpoints(cell: FaultCell) -> list[str]:
    """What was asked for, each once."""
    return list(dict.fromkeys(kind.endpoint for kind in cell.requests))


def together(cells: Iterable[Sequence[list[Sent]]]) -> list[list[Sent]]:
    """The requests of all cells, by lane."""
    found: list[list[Sent]] = []
    for lanes in cells:
        for place, lane in enumerate(lanes):
            found[place:] = found[place:] or [[]]
            found[place].extend(lane)
    return found


def timeline(
    cell: FaultCell, lanes: Sequence[Sequence[Sent]], longest_s: Sequence[float], begin_s: float, end_s: float
) -> Timeline | None:
    """The strokes of a cell, on the axes that all cells of the fault share."""
    if not any(lanes) or end_s <= begin_s:
        return None

    def at(seconds: float) -> int:
        return round(WIDE * (seconds - begin_s) / (end_s - begin_s))

    strokes: dict[str, list[str]] = {kind: [] for kind in KINDS}
    for place, lane in enumerate(lanes):
        bottom = (place + 1) * (LANE + SPACE) - SPACE
        for one in lane:
            high = LANE if not one.good else max(LEAST, round(LANE * (one.took_s or 0.0) / longest_s[place]))
            strokes[kind_of(one)].append(f"M{at(one.at_s)} {bottom}v-{high}")
    paths = {kind: "".join(found) for kind, found in strokes.items() if found}
    width = at(cell.lasted_s) - at(0.0)
    return Timeline(len(lanes) * (LANE + SPACE), paths, at(0.0), max(2, width))


def waited(one: Sent) -> float:
    """How long an answer took, at least as long as nobody minds; a request that failed is drawn in full height."""
    return max(SOON_S, one.took_s or 0.0) if one.good else SOON_S


def kind_of(one: Sent) -> str:
    """What became of a request."""
    return "good" if one.good else "again" if one.retryable else "lost"
