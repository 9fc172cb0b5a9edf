"""Every request of the classic as a bar, beside the figures of 2013: what the section on the page shows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bench.judging import JudgedCell
from bench.report.families import family
from bench.report.terminal.classic_table import PUBLISHED, measured
from bench.report.terminal.waterfall import BARS_SHOWN
from bench.scenarios.classic import REQUESTS_2013, SECONDS_2013

KINDS = ("python", "database")


@dataclass(frozen=True)
class Bar:
    """A request: where it begins and how long it is, as percentages of the common axis."""

    kind: str
    left: float
    width: float
    seconds: float
    error: str


@dataclass(frozen=True)
class Waterfall:
    """The bars and the times of one model."""

    model: str
    family: str
    situation: str
    bars: tuple[Bar, ...]
    hidden: int
    """Requests without a bar, where there are many."""
    figures: Mapping[str, float]
    """`python_s`, `database_s`, `total_s`, `ideal_s`; empty for a cell that failed."""
    reason: str
    published_s: tuple[float, float, float] | None
    published_as_here_s: float | None
    """What the sum of 2013 would be if its requests had been as many and as long as here."""
    span_s: float

    @property
    def in_words(self) -> str:
        """What the bars show."""
        if not self.figures:
            return f"{self.model}: failed. {self.reason}"
        took = f"{self.figures['python_s']:.2f} s waiting in Python, {self.figures['database_s']:.2f} s in the database"
        return f"{self.model}: {took}, {self.figures['total_s']:.2f} s in all."


def waterfalls(cells: Sequence[JudgedCell]) -> list[Waterfall]:
    """The bars of all models, on one axis."""
    span_s = max((one.figures["total_s"] for cell in cells for one in measured(cell)), default=0.0)
    return [waterfall(cell, span_s) for cell in cells]


def waterfall(cell: JudgedCell, span_s: float) -> Waterfall:
    """A model's bars, from the last time that it was measured."""
    found = measured(cell)
    requests = found[-1].raw.get("answers", ()) if found else ()
    bars = [bar(request, found[-1].figures["python_s"], span_s) for request in requests]
    kept = [bar for kind in KINDS for bar in [one for one in bars if one.kind == kind][:BARS_SHOWN]]
    published = PUBLISHED.get(cell.model)
    names = ("python_s", "database_s", "total_s", "ideal_s")
    figures = {name: value for name in names if (value := cell.median(name)) is not None}
    return Waterfall(
        cell.model, family(cell.facts), cell.facts.situation, tuple(kept), len(bars) - len(kept),
        figures if cell.valid and len(figures) == len(names) else {}, cell.reason,
        published, published[2] * scaled(cell) if published else None, span_s,
    )  # fmt: skip


def scaled(cell: JudgedCell) -> float:
    """How much longer the waits of this run are, one after the other, than those of 2013."""
    here: float = cell.workload["seconds"] * cell.workload["requests"]
    return here / (SECONDS_2013 * REQUESTS_2013)


def bar(request: Mapping[str, Any], python_s: float, span_s: float) -> Bar:
    """A request's bar. The second burst begins where the first has ended."""
    kind = "python" if "/python/" in request["endpoint"] else "database"
    origin_s = 0.0 if kind == "python" else python_s
    length_s = request["end_s"] - request["start_s"]
    share = 100 / span_s if span_s else 0.0
    left = (origin_s + request["start_s"]) * share
    return Bar(kind, round(left, 2), round(max(0.3, length_s * share), 2), request["end_s"], request["error"] or "")
