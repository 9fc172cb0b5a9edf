"""Who is how much better than whom, at everything? Models × workloads, as ratios to a baseline that the reader picks.

The page has the outcome of every pair that was compared, so that another baseline needs no rule in the browser.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from bench.judging import Judged, JudgedWorkload
from bench.judging.outcomes import KINDS, Kind
from bench.report.columns import own_column, text
from bench.report.families import family

# Ratios at which a colour gets stronger.
STRONGER = (1.2, 2.0)
# How an outcome looks: the cell's class, and what stands before the ratio.
LOOKS: Mapping[Kind, tuple[str, str]] = {
    "better": ("better", ""),
    "worse": ("worse", ""),
    "equal": ("equal", "= "),
    "not told apart": ("apart", "≈ "),
    "not comparable": ("unsure", ""),
}
COLOURS = {"better": "b", "worse": "w"}
OPPOSITE: Mapping[Kind, Kind] = {"better": "worse", "worse": "better"}


@dataclass(frozen=True)
class Shown:
    """A cell as the page shows it for one baseline; matrix.js does the same for another."""

    text: str
    value: str
    """The median with its unit."""
    look: str
    """Its classes: base, better, worse, equal, apart, unsure, invalid, missing or alone, and the colour's strength."""
    says: str
    """What the look says, in words."""
    sort: float | None
    """The median, None for a cell that is not valid."""

    @property
    def kind(self) -> str:
        """The first of its classes."""
        return self.look.split()[0]


@dataclass(frozen=True)
class Row:
    """A model, and its cells in the order of the columns."""

    model: str
    family: str
    cells: tuple[Shown, ...]


def rows(judged: Judged, base: str) -> list[Row]:
    """The matrix for a baseline."""
    return [
        Row(name, family(facts), tuple(shown(workload, name, base) for workload in judged.workloads))
        for name, facts in judged.models.items()
    ]


def shown(workload: JudgedWorkload, model: str, base: str) -> Shown:
    """One cell for a baseline."""
    cell, median = workload.cells.get(model), workload.medians.get(model)
    if cell is None:
        return Shown("", "", "missing", "not measured", None)
    column = own_column(workload.figure)
    value = f"{text(cell, column)} {column.heading.split()[-1]}"  # of `p90 ms` the unit: the rest stands above
    if not cell.valid:
        return Shown("" if median is None else value, "", "invalid", cell.judgement.state.lower(), None)
    if median is None:
        return Shown("–", "", "missing", "nothing measured", None)
    if model == base:
        return Shown("1", value, "base", "baseline", median)
    ratio = ratio_of(workload, model, base)
    if ratio is None:
        return Shown("–", value, "alone", "the baseline has no valid figure", median)
    outcome = workload.outcome(model, base)
    _, before = LOOKS[outcome.kind]
    return Shown(f"{before}{ratio:.2f} ×", value, look(outcome.kind, ratio), outcome.kind, median)


def ratio_of(workload: JudgedWorkload, model: str, base: str) -> float | None:
    """A model's figure ÷ the baseline's: the paired one, or else of the medians of valid cells."""
    if interval := workload.interval(model, base):
        return interval.ratio
    mine, its, other = workload.medians.get(model), workload.medians.get(base), workload.cells.get(base)
    return mine / its if mine and its and other and other.valid else None


def heading(workload: JudgedWorkload) -> str:
    """What stands above a column of the matrix, beneath the workload's name."""
    return own_column(workload.figure).heading


def look(kind: Kind, ratio: float) -> str:
    """The classes of an outcome: a difference has a colour that is stronger the larger it is."""
    name, _ = LOOKS[kind]
    return f"{name} {COLOURS[kind]}{strength(ratio)}" if kind in COLOURS else name


def strength(ratio: float) -> int:
    """1 to 3."""
    return 1 + sum(max(ratio, 1 / ratio) >= limit for limit in STRONGER)


def data(judged: Judged) -> dict[str, Any]:
    """What matrix.js needs for another baseline: how outcomes look, medians, and each pair's ratio and outcome."""
    places = {model: place for place, model in enumerate(judged.models)}
    return {
        "models": list(judged.models),
        "kinds": [{"says": kind, "class": LOOKS[kind][0], "before": LOOKS[kind][1],
                   "colour": COLOURS.get(kind, ""), "opposite": KINDS.index(OPPOSITE.get(kind, kind))}
                  for kind in KINDS],
        "notComparable": KINDS.index("not comparable"),
        "fields": [workload_data(workload, places) for workload in judged.workloads],
    }  # fmt: skip


def workload_data(workload: JudgedWorkload, places: Mapping[str, int]) -> dict[str, Any]:
    """One workload; a pair is there once, in the order of the models: ratio, outcome, and strength of its colour."""
    valid = [name for name in places if name in workload.cells and workload.cells[name].valid
             and name in workload.medians]  # fmt: skip
    found = [(one, other, interval.ratio) for one, other in combinations(valid, 2)
             if (interval := workload.interval(one, other))]  # fmt: skip
    return {
        "medians": {places[name]: digits(workload.medians[name]) for name in valid},
        "pairs": [
            [places[one], places[other], digits(ratio), KINDS.index(workload.outcome(one, other).kind), strength(ratio)]
            for one, other, ratio in found
        ],
    }


def digits(value: float) -> float:
    """Six digits: more than is shown, and a third of the bytes."""
    return float(f"{value:.6g}")


def scenario_counts(workloads: Sequence[JudgedWorkload]) -> dict[str, int]:
    """The scenarios in order, with how many workloads each has."""
    names = [workload.scenario for workload in workloads]
    return {name: names.count(name) for name in dict.fromkeys(names)}


def finite(value: float | None) -> str:
    """A value to sort by; empty for none."""
    return "" if value is None or not math.isfinite(value) else f"{value:.8g}"
