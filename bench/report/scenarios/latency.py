"""Latency: the whole distribution at one rate for all, then what a higher rate does to p90 and p99."""

from collections.abc import Mapping, Sequence
from itertools import accumulate
from statistics import median
from typing import Any

from bench.judging import JudgedCell, JudgedWorkload
from bench.load.summary import SAMPLES_BEYOND
from bench.report.page.charts import Chart, Palette, Trace, axis, in_words, line, lines_layout, log_axis
from bench.report.page.scenario_charts import cells_of, charts_of_rounds
from bench.report.presentation import Column, Presentation
from bench.results import Run
from bench.scenarios import latency

PERCENTS = (0, 50, 90, 99, 99.9, 99.99)


def charts(run: Run, fields: Sequence[JudgedWorkload], base: str, palette: Palette) -> list[Chart | None]:
    """The distribution at one rate for all, the rates against p90 and p99, then the rounds of each workload."""
    common = [field for field in fields if field.name == latency.COMMON] or list(fields[:1])
    return [
        *(percentiles_chart(f"percentiles-{place}", field, palette) for place, field in enumerate(common)),
        rates_chart(run.prepared.get(latency.SCENARIO.name, {}), cells_of(fields), palette),
        *charts_of_rounds(run, fields, base, palette),
    ]


def percentiles_chart(id_: str, field: JudgedWorkload, palette: Palette) -> Chart | None:
    """Response time against the share of requests that are faster, all rounds together."""
    curves = {name: curve for name in palette.order(field.cells) if (curve := distribution(field.cells[name]))}
    if not curves:
        return None
    traces = [line(name, [100 / (100 - percent) for percent, _ in curve], [s * 1e3 for _, s in curve], palette,
                   mode="lines", text=[f"p{percent:.4g}" for percent, _ in curve],
                   hovertemplate="%{text}: %{y:,.3~g} ms")
              for name, curve in curves.items()]  # fmt: skip
    ticks = {"tickvals": [100 / (100 - percent) for percent in PERCENTS], "ticktext": [f"{p:g} %" for p in PERCENTS]}
    return Chart(
        id_, f"{field.name}: response time of the slowest requests",
        f"To the right are the rarer, slower requests; a line ends where fewer than {SAMPLES_BEYOND} were slower.",
        in_words({name: f"{seconds * 1e3:,.1f} ms at p{percent:.4g}"
                  for name, ((*_, (percent, seconds))) in curves.items()}),
        traces,
        lines_layout(axis("requests answered faster", type="log", **ticks),
                     log_axis("ms", [s * 1e3 for curve in curves.values() for _, s in curve])),
    )  # fmt: skip


def distribution(cell: JudgedCell) -> list[tuple[float, float]]:
    """(percent, seconds that so many took at most), from the rounds' histograms; up to where ten are slower."""
    bins: dict[float, int] = {}
    for one in cell.observations:
        for bound_s, count in one.raw.get("load", {}).get("histogram", ()):
            bins[bound_s] = bins.get(bound_s, 0) + count
    total = sum(bins.values())
    ordered = sorted(bins)
    sums = zip(ordered, accumulate(bins[bound_s] for bound_s in ordered), strict=True)
    return [(100 * below / total, bound_s) for bound_s, below in sums if total - below >= SAMPLES_BEYOND]


def rates_chart(
    prepared: Mapping[str, Mapping[str, Any]], cells: Sequence[JudgedCell], palette: Palette
) -> Chart | None:
    """p90 and p99 at each rate that was asked of a model; a p99 also from the search for a promise."""
    points: dict[tuple[str, str], list[tuple[float, float]]] = {}
    for cell in cells:
        for percent in ("p90", "p99"):
            if cell.values(f"{percent}_s") and cell.values("offered_rps"):
                point = median(cell.values("offered_rps")), median(cell.values(f"{percent}_s")) * 1e3
                points.setdefault((cell.model, percent), []).append(point)
    for name, found in prepared.items():
        tried = [(one["rate_rps"], one["p99_s"] * 1e3) for one in found.get("probes", ()) if one.get("p99_s")]
        if tried and any(cell.model == name for cell in cells):
            points.setdefault((name, "p99"), []).extend(tried)
    if not points:
        return None
    names = palette.order(dict.fromkeys(name for name, _ in points))
    curves = {(name, percent): sorted(points[name, percent]) for name in names for percent in ("p99", "p90")
              if (name, percent) in points}  # fmt: skip
    traces = [rate_line(name, percent, curve, palette) for (name, percent), curve in curves.items()]
    times = [ms for curve in curves.values() for _, ms in curve]
    said = {f"{name} {percent}": f"{curve[-1][1]:,.1f} ms at {curve[-1][0]:,.0f}/s"
            for (name, percent), curve in curves.items()}  # fmt: skip
    return Chart("rates", "Rate against p99",
                 "Filled: p99, where there were enough requests for one. Hollow and thin: p90.", in_words(said), traces,
                 lines_layout(axis("requests/s asked for", rangemode="tozero"), log_axis("ms", times)))  # fmt: skip


def rate_line(name: str, percent: str, curve: Sequence[tuple[float, float]], palette: Palette) -> Trace:
    """A model's p90 or p99."""
    main = percent == "p99"
    trace = line(name, [rate for rate, _ in curve], [ms for _, ms in curve], palette,
                 hovertemplate=f"%{{x:,.0f}}/s: {percent} %{{y:,.3~g}} ms")  # fmt: skip
    trace["name"] += f" {percent}"
    trace["line"]["width"] = 2.5 if main else 1
    trace["marker"]["symbol"] = "circle" if main else "circle-open"
    return trace


PRESENTATION = Presentation(
    columns=(
        Column("req/s", "offered_rps"),
        Column("p50 ms", "p50_s", 1e3, 1),
        Column("p90 ms", "p90_s", 1e3, 1),
        Column("p99 ms", "p99_s", 1e3, 1),
        Column("late %", "late_share", 1e2, 1),
    ),
    charts=charts,
)
