"""Who is how much better than whom, at everything? Models × workloads, as ratios to a baseline that the reader picks.

The page has every pair that was compared, so that another baseline needs no statistics in the browser.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from bench.judging.judged import FAMILIES, Field, family
from bench.judging.statistics import MIN_ROUNDS, PRACTICAL_MARGIN

# Ratios at which a colour gets stronger.
STRONGER = (1.2, 2.0)
HIGHER, LOWER, TIE, FEW = 1, -1, 0, 2


@dataclass(frozen=True)
class Shown:
    """A cell as the page shows it for one baseline; page.js does the same for another."""

    text: str
    value: str
    """The median with its unit."""
    kind: str
    """base, better, worse, tie, unsure, invalid, missing or alone (the baseline has no valid cell)."""
    level: int
    """How strong the colour is: 0 to 3, below 0 for worse."""
    says: str
    """What the colour says, in words."""
    sort: float | None
    """The median, None for a cell that is not valid."""


@dataclass(frozen=True)
class Row:
    """A model, and its cells in the order of the columns."""

    model: str
    family: str
    cells: tuple[Shown, ...]


def rows(fields: Sequence[Field], models: Sequence[str], base: str) -> list[Row]:
    """The matrix for a baseline."""
    return [Row(model, family(model), tuple(shown(field, model, base) for field in fields)) for model in models]


def shown(field: Field, model: str, base: str) -> Shown:
    """One cell for a baseline."""
    cell = field.cells.get(model)
    if cell is None:
        return Shown("", "", "missing", 0, "not measured", None)
    # Of `p90 ms` the unit: what is measured stands above the column.
    value, median = f"{field.shown(model)} {field.column.heading.split()[-1]}", field.medians.get(model)
    if not cell.judgement.valid:
        text = value if median is not None else ""
        return Shown(text, "", "invalid", 0, cell.judgement.state.lower(), None)
    if median is None:
        return Shown("–", "", "missing", 0, "nothing measured", None)
    if model == base:
        return Shown("1", value, "base", 0, "baseline", median)
    ratio, verdict = compared(field, model, base)
    if ratio is None:
        return Shown("–", value, "alone", 0, "the baseline has no valid figure", median)
    better = ratio if field.higher_is_better else 1 / ratio
    text = f"{ratio:.2f} ×"
    if verdict == TIE:
        return Shown(text, value, "tie", 0, "no difference shown", median)
    if verdict == FEW:
        return Shown(text, value, "unsure", level(better) if better_by_margin(better) else 0, "no verdict", median)
    kind = "better" if better > 1 else "worse"
    return Shown(text, value, kind, level(better), kind, median)


def compared(field: Field, model: str, base: str) -> tuple[float | None, int]:
    """The ratio of a model to another, and the verdict; of single rounds the ratio only."""
    if interval := field.interval(model, base):
        return interval.ratio, verdict(field, interval.low, interval.high, interval.rounds)
    mine, its, other = field.medians.get(model), field.medians.get(base), field.cells.get(base)
    if not mine or not its or other is None or not other.judgement.valid:
        return None, FEW
    return mine / its, FEW


def verdict(field: Field, low: float, high: float, rounds: int) -> int:
    """As in bench.judging.statistics, by the margin of the workload."""
    margin = field.standings.margin if field.standings else PRACTICAL_MARGIN
    if rounds < MIN_ROUNDS:
        return FEW
    if low > margin:
        return HIGHER
    return LOWER if high < 1 / margin else TIE


def better_by_margin(better: float) -> bool:
    """Whether a ratio is worth a colour at all."""
    return max(better, 1 / better) > PRACTICAL_MARGIN


def level(better: float) -> int:
    """1 to 3 for better, -1 to -3 for worse."""
    strength = 1 + sum(max(better, 1 / better) >= limit for limit in STRONGER)
    return strength if better > 1 else -strength


def data(fields: Sequence[Field], models: Sequence[str]) -> dict[str, Any]:
    """What page.js needs for another baseline: medians, and each pair's ratio and verdict."""
    places = {model: place for place, model in enumerate(models)}
    return {
        "models": list(models),
        "stronger": STRONGER,
        "margin": PRACTICAL_MARGIN,
        "fields": [field_data(field, places) for field in fields],
    }


def field_data(field: Field, places: Mapping[str, int]) -> dict[str, Any]:
    """One workload; a pair is there once, in the order of the models."""
    valid = [name for name in places if name in field.cells and field.cells[name].judgement.valid
             and name in field.medians]  # fmt: skip
    found = [(places[one], places[other], *compared(field, one, other)) for one, other in combinations(valid, 2)
             if field.interval(one, other)]  # fmt: skip
    return {
        "higher": field.higher_is_better,
        "medians": {places[name]: float(f"{field.medians[name]:.6g}") for name in valid},
        "pairs": [[one, other, float(f"{ratio:.6g}"), verdict] for one, other, ratio, verdict in found if ratio],
    }


def families(models: Sequence[str]) -> dict[str, str]:
    """The families of these models, with their names for readers."""
    present = {family(model) for model in models}
    return {name: title for name, title in FAMILIES.items() if name in present}


def finite(value: float | None) -> str:
    """A value to sort by; empty for none."""
    return "" if value is None or not math.isfinite(value) else f"{value:.8g}"
