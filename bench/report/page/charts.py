"""How does a figure look? Charts as Plotly's plain data, a text for each, and colours that the page's theme fills in.

A colour is written `@name`: the page replaces it by the custom property `--name` of the theme in use.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bench.judging import JudgedCell, JudgedWorkload
from bench.judging.phrases import spread
from bench.judging.statistics import RatioInterval
from bench.judging.units import heading, unit_of
from bench.report.presentation import Column

Trace = dict[str, Any]

COLOURS = 8
DASHES = ("solid", "dash", "dot", "dashdot")
NAMED_IN_TEXT = 8
ROW_PX, FRAME_PX = 26, 96
# Above this, ticks between the decades would run into each other in a narrow chart.
MANY_DECADES = 4
LINES_PX = 380


@dataclass(frozen=True)
class Chart:
    """A chart, and what it shows in words for those who do not see it."""

    id: str
    title: str
    note: str
    """How to read it."""
    text: str
    traces: Sequence[Trace]
    layout: Mapping[str, Any] = field(default_factory=dict)
    height_px: int = LINES_PX


class Palette:
    """A colour and a dash for each model, the same in every chart of a page."""

    def __init__(self, models: Sequence[str]) -> None:
        self.places = {name: place for place, name in enumerate(models)}

    def colour(self, model: str) -> str:
        """The colour's name, which the theme fills in."""
        return f"@c{self.places.get(model, 0) % COLOURS}"

    def dash(self, model: str) -> str:
        """What tells two models of the same colour apart."""
        return DASHES[self.places.get(model, 0) // COLOURS % len(DASHES)]

    def order(self, models: Iterable[str]) -> list[str]:
        """The models in the run's order: the page names the first lines of a chart and draws the others in grey."""
        return sorted(models, key=lambda model: self.places.get(model, len(self.places)))


def axis(title: str, **more: Any) -> dict[str, Any]:
    """An axis with a title."""
    return {"title": {"text": title}, "automargin": True, **more}


def generations_chart(id_: str, rated: JudgedWorkload, base: str, palette: Palette) -> Chart | None:
    """Every generation as a dot, the best model on top; the interval of the ratio to the baseline as a bar."""
    names = rated.best_first(rated.medians)
    if not names:
        return None
    unit, title = unit_of(rated.figure), heading(rated.figure)
    middle = rated.medians.get(base)
    traces: list[Trace] = []
    for name in names:
        cell = rated.cells[name]
        values = [rounded(value * unit.factor) for value in cell.values(rated.figure)]
        traces.append(dots(label(cell), values, name, palette, valid=cell.valid))
        interval = sure_interval(rated, name, base)
        if interval and middle:
            traces.append(bar(label(cell), interval, middle * unit.factor, name, palette))
    better = "more is better" if rated.higher_is_better else "less is better"
    drawn = len(traces) > len(names)
    bars = f"; bars: the 95 % interval of the ratio to {base}, times {base}'s median" if drawn else ""
    seen = "Dots: generations of servers" if rated.compared else "Measured once"
    return Chart(
        id_, f"{rated.name}: {title}, {better}", f"{seen}{bars}. Crosses: not valid.",
        in_words({name: spoken(rated, name, base) for name in names}), traces,
        rows_layout([label(rated.cells[name]) for name in names], title), height(len(names)),
    )  # fmt: skip


def dots(row: str, values: Sequence[float], model: str, palette: Palette, *, valid: bool) -> Trace:
    """The generations of a cell on its row."""
    symbol = "circle" if valid else "x-thin-open"
    colour = palette.colour(model) if valid else "@bad"
    return {
        "type": "scatter", "mode": "markers", "x": list(values), "y": [row] * len(values), "name": plain(model),
        "marker": {"color": colour, "size": 8, "opacity": 0.65, "symbol": symbol}, "meta": meta(model),
        "hovertemplate": "%{y}: %{x:,.4~g}<extra></extra>",
    }  # fmt: skip


def bar(row: str, interval: RatioInterval, base: float, model: str, palette: Palette) -> Trace:
    """An interval of a ratio, in the figure's own unit."""
    centre, low, high = (rounded(base * ratio) for ratio in (interval.ratio, interval.low, interval.high))
    return {
        "type": "scatter", "mode": "markers", "x": [centre], "y": [row], "name": plain(model), "meta": meta(model),
        "marker": {"color": "@ink", "size": 13, "symbol": "line-ns-open", "line": {"width": 2}},
        "error_x": {"type": "data", "symmetric": False, "array": [rounded(high - centre)],
                    "arrayminus": [rounded(centre - low)], "color": "@ink", "thickness": 2, "width": 5},
        "hovertemplate": f"{spread(interval)}<extra></extra>",
    }  # fmt: skip


def sure_interval(rated: JudgedWorkload, model: str, base: str) -> RatioInterval | None:
    """The interval to the baseline, of those that can be compared."""
    outcome = rated.outcome(model, base)
    return outcome.interval if model != base and outcome.kind != "not comparable" else None


def spoken(rated: JudgedWorkload, model: str, base: str) -> str:
    """A model's figure with its interval."""
    interval = sure_interval(rated, model, base)
    ratio = f" ({interval.ratio:.2f} times {base}, {interval.low:.2f} to {interval.high:.2f})" if interval else ""
    return f"{rated.shown(model)}{ratio}"


def figures_chart(id_: str, title: str, cells: Iterable[JudgedCell], column: Column, palette: Palette) -> Chart | None:
    """One figure of several workloads: a dot for each workload's median on the model's row, on a logarithmic axis."""
    values = {(cell.model, cell.workload["name"]): found * column.factor for cell in cells
              if cell.valid and (found := cell.median(column.value)) is not None}  # fmt: skip
    workloads = list(dict.fromkeys(workload for _, workload in values))
    models = sorted(dict.fromkeys(model for model, _ in values),
                    key=lambda model: sum(value for (name, _), value in values.items() if name == model))  # fmt: skip
    traces: list[Trace] = [
        {"type": "scatter", "mode": "markers", "x": [rounded(values[model, workload])], "y": [plain(model)],
         "name": plain(workload), "legendgroup": plain(workload), "meta": meta(model),
         "showlegend": model == next(name for name in models if (name, workload) in values),
         "marker": {"color": f"@c{place % COLOURS}", "size": 10, "symbol": SYMBOLS[place % len(SYMBOLS)]},
         "hovertemplate": f"%{{y}}: %{{x:,.4~g}}<extra>{plain(workload)}</extra>"}
        for place, workload in enumerate(workloads) for model in models if (model, workload) in values
    ]  # fmt: skip
    said = {model: ", ".join(f"{workload} {values[model, workload]:,.{column.decimals}f}" for workload in workloads
                             if (model, workload) in values) for model in models}  # fmt: skip
    layout = rows_layout([plain(name) for name in models], column.heading)
    layout["xaxis"] = log_axis(column.heading, values.values())
    layout["showlegend"] = True
    return Chart(id_, title, "Medians over the generations of servers; less is better.", in_words(said), traces, layout,
                 height(len(models)) + 60) if traces else None  # fmt: skip


SYMBOLS = ("circle", "square", "diamond", "triangle-up", "cross")


def line(model: str, x: Sequence[float], y: Sequence[float], palette: Palette, **more: Any) -> Trace:
    """A model's line."""
    return {
        "type": "scatter", "mode": "lines+markers", "x": [rounded(value) for value in x],
        "y": [rounded(value) for value in y], "name": plain(model), "meta": meta(model),
        "line": {"color": palette.colour(model), "dash": palette.dash(model), "width": 2},
        "marker": {"color": palette.colour(model), "size": 6}, **more,
    }  # fmt: skip


def rows_layout(rows: Sequence[str], title: str) -> dict[str, Any]:
    """Models as rows, the first on top."""
    return {
        "xaxis": axis(title, rangemode="tozero"),
        "yaxis": {"automargin": True, "categoryorder": "array", "categoryarray": list(rows),
                  "tickmode": "linear", "tickfont": {"size": 12}},
        "showlegend": False,
    }  # fmt: skip


def log_axis(title: str, values: Iterable[float]) -> dict[str, Any]:
    """A logarithmic axis with ticks at 1, 2 and 5 times the decades, or the decades only where there are many."""
    found = [value for value in values if value > 0]
    lowest, highest = (math.log10(limit(found, default=1.0)) for limit in (min, max))
    decades = range(math.floor(lowest), math.ceil(highest) + 1)
    steps = (1, 2, 5) if len(decades) <= MANY_DECADES else (1,)
    ticks = [float(f"{step}e{decade}") for decade in decades for step in steps]
    return axis(title, type="log", tickvals=ticks, ticktext=[f"{tick:,.10g}" for tick in ticks])


def lines_layout(x: Mapping[str, Any], y: Mapping[str, Any]) -> dict[str, Any]:
    """Lines with a legend beneath."""
    return {"xaxis": dict(x), "yaxis": dict(y), "showlegend": True}


def label(cell: JudgedCell) -> str:
    """The model, and its state unless it is valid."""
    return plain(cell.model) if cell.valid else f"{plain(cell.model)} ({cell.judgement.state.lower()})"


def plain(text: str) -> str:
    """A name in which Plotly finds no markup."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def meta(model: str) -> dict[str, str]:
    """What the page filters traces by."""
    return {"model": model}


def in_words(figures: Mapping[str, str]) -> str:
    """`asyncio 1,903; gevent 1,520; and 3 more in the table.`"""
    parts = [f"{name} {text}" for name, text in list(figures.items())[:NAMED_IN_TEXT]]
    more = len(figures) - len(parts)
    return "; ".join(parts) + (f"; and {more} more in the table." if more else ".")


def height(rows: int) -> int:
    """The pixels that so many rows need."""
    return FRAME_PX + ROW_PX * rows


def rounded(value: float) -> float:
    """Four digits: more than any of these figures is known to, and a third of the bytes."""
    return float(f"{value:.4g}")
