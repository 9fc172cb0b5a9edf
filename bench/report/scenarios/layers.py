"""The layers of a request: their table and bars, and the same bars as a chart."""

from collections.abc import Sequence

from bench.judging import JudgedScenario, JudgedWorkload
from bench.judging.layers import CPU, Costs, micro
from bench.report.page.charts import COLOURS, Chart, Palette, Trace, axis, in_words, rounded
from bench.report.presentation import Column, Presentation
from bench.report.terminal.layers import in_terminal, layer_names
from bench.results import Run
from bench.scenarios.layers import LADDERS, SCENARIO

# Two layers of one colour are told apart by their pattern.
PATTERNS = ("", "/")


def charts(run: Run, fields: Sequence[JudgedWorkload], base: str, palette: Palette) -> list[Chart | None]:
    """A stacked bar for each side."""
    return [stacked(Costs(JudgedScenario(SCENARIO.name, SCENARIO.question, compared=True, workloads=tuple(fields))))]


def stacked(costs: Costs) -> Chart | None:
    """The layers of each side on top of each other, the whole as a diamond; None unless something was measured."""
    traces = [trace for place, name in enumerate(layer_names(LADDERS)) for trace in layer(costs, place, name)]
    if not traces:
        return None
    wholes = {ladder.side: found.value for ladder in LADDERS if (found := costs.of(ladder.whole))}
    traces.append({
        "type": "scatter", "mode": "markers", "name": "measured as a whole", "x": list(wholes),
        "y": [rounded(value * 1e6) for value in wholes.values()], "meta": {"model": ""},
        "marker": {"color": "@ink", "size": 11, "symbol": "diamond-open", "line": {"width": 2}},
        "hovertemplate": "%{x}, measured as a whole: %{y:,.0f} µs<extra></extra>",
    })  # fmt: skip
    said = {ladder.side: ", ".join(f"{one.name} {micro(found.value)} µs" for one in ladder.layers
                                   if (found := costs.of(one))) for ladder in LADDERS}  # fmt: skip
    layout = {"barmode": "relative", "xaxis": axis(""), "yaxis": axis("CPU µs a request"), "showlegend": True}
    return Chart("layers", "One small read, layer by layer: CPU time, less is better",
                 "Each layer is a server with it less one without it. Beneath zero: less than nothing. Diamonds: the "
                 "two apps, measured as a whole.", in_words(said), traces, layout, height_px=460)  # fmt: skip


def layer(costs: Costs, place: int, name: str) -> list[Trace]:
    """A layer of both sides; empty unless it was measured on one of them."""
    found = {ladder.side: cost for ladder in LADDERS for one in ladder.layers
             if one.name == name and (cost := costs.of(one))}  # fmt: skip
    if not found:
        return []
    return [{
        "type": "bar", "name": name, "x": list(found), "meta": {"model": ""},
        "y": [rounded(cost.value * 1e6) for cost in found.values()],
        "marker": {"color": f"@c{place % COLOURS}", "pattern": {"shape": PATTERNS[place // COLOURS % len(PATTERNS)]}},
        "text": [f"{micro(cost.low)} to {micro(cost.high)}" for cost in found.values()], "textposition": "none",
        "hovertemplate": f"%{{x}}, {name}: %{{y:,.0f}} µs (%{{text}})<extra></extra>",
    }]  # fmt: skip


PRESENTATION = Presentation(columns=(Column("CPU µs", CPU, 1e6),), in_terminal=in_terminal, charts=charts)
