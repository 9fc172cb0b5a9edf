"""Which charts has a scenario? Its presentation's, or its generations; and forms that several scenarios use."""

from collections.abc import Callable, Iterable, Mapping, Sequence

from bench.judging import JudgedCell, JudgedWorkload
from bench.report.page.charts import (
    Chart,
    Palette,
    Trace,
    axis,
    generations_chart,
    height,
    in_words,
    label,
    line,
    lines_layout,
    log_axis,
    meta,
    plain,
    rounded,
    rows_layout,
)
from bench.report.presentation import presentation_of
from bench.results import Run


def charts(run: Run, name: str, fields: Sequence[JudgedWorkload], base: str, palette: Palette) -> list[Chart]:
    """The charts of a scenario, without those for which the run has nothing to show."""
    draw = presentation_of(name).charts or charts_of_generations
    return [chart for chart in draw(run, fields, base, palette) if chart is not None]


def charts_of_generations(
    run: Run, fields: Sequence[JudgedWorkload], base: str, palette: Palette
) -> list[Chart | None]:
    """For each workload, every generation of every model as a dot."""
    return [generations_chart(f"{field.scenario}-{place}", field, base, palette) for place, field in enumerate(fields)]


def cells_of(fields: Sequence[JudgedWorkload]) -> list[JudgedCell]:
    """The cells of all workloads."""
    return [cell for field in fields for cell in field.cells.values()]


def curves_chart(
    id_: str, title: str, note: str, cells: Iterable[JudgedCell], parameter: str, x_title: str,
    y: Callable[[JudgedCell], float | None], y_title: str, palette: Palette,
) -> Chart | None:  # fmt: skip
    """One line for each model: one value of each of its cells against a parameter of the workload."""
    points: dict[str, list[tuple[float, float]]] = {}
    for cell in cells:
        if cell.judgement.valid and (value := y(cell)):
            points.setdefault(cell.model, []).append((cell.workload[parameter], value))
    curves = {name: sorted(points[name]) for name in palette.order(points)}
    traces = [line(name, [at for at, _ in curve], [value for _, value in curve], palette,
                   hovertemplate="%{x:,}: %{y:,.3~g}") for name, curve in curves.items()]  # fmt: skip
    steps = sorted({at for curve in curves.values() for at, _ in curve})
    x_axis = axis(x_title, type="log", tickvals=steps, ticktext=[f"{step:,}" for step in steps])
    said = {name: f"{curve[-1][1]:,.3g} at {curve[-1][0]:,}" for name, curve in curves.items()}
    layout = lines_layout(x_axis, axis(y_title, rangemode="tozero"))
    return Chart(id_, title, note, in_words(said), traces, layout) if traces else None


def from_to(
    id_: str, title: str, note: str, field: JudgedWorkload, pairs: Mapping[str, tuple[float, float]], unit: str,
    prefixes: Mapping[str, str],
) -> Chart | None:  # fmt: skip
    """A line from one value to the other on each model's row."""
    traces: list[Trace] = [
        {"type": "scatter", "mode": "lines+markers", "x": [rounded(one), rounded(other)],
         "y": [label(field.cells[name])] * 2, "name": plain(name), "meta": meta(name),
         "line": {"color": "@muted", "width": 2},
         "marker": {"color": "@c0", "size": 10, "symbol": ["circle-open", "circle"], "line": {"width": 2}},
         "hovertemplate": f"{prefixes.get(name, '')} %{{x:,.3~g}} {unit}<extra></extra>"}
        for name, (one, other) in pairs.items()
    ]  # fmt: skip
    said = {name: f"{prefixes.get(name, '')} {one:,.1f} to {other:,.1f} {unit}".strip()
            for name, (one, other) in pairs.items()}  # fmt: skip
    layout = rows_layout([label(field.cells[name]) for name in pairs], unit)
    layout["xaxis"] = log_axis(unit, [value for pair in pairs.values() for value in pair])
    return Chart(id_, title, note, in_words(said), traces, layout, height(len(pairs))) if traces else None
