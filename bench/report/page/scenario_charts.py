"""Which picture answers a scenario's question? The charts of each, from its cells."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import accumulate
from statistics import median

from bench.judging import JudgedCell, JudgedWorkload
from bench.load.summary import SAMPLES_BEYOND
from bench.report.page.charts import (
    Chart,
    Palette,
    Trace,
    axis,
    figures_chart,
    height,
    in_words,
    label,
    line,
    lines_layout,
    log_axis,
    meta,
    plain,
    rounded,
    rounds_chart,
    rows_layout,
)
from bench.results import Run
from bench.scenarios import latency
from bench.scenarios.base import Column

PERCENTS = (0, 50, 90, 99, 99.9, 99.99)
CPU = Column("CPU µs a request", "cpu_per_request_s", 1e6)
MEGABYTE = 1e6


def charts(run: Run, name: str, fields: Sequence[JudgedWorkload], base: str, palette: Palette) -> list[Chart]:
    """The charts of a scenario; those for which the run has nothing to show are left out."""
    cells = [cell for field in fields for cell in field.cells.values()]
    compared = [rounds_chart(f"{name}-{place}", field, base, palette) for place, field in enumerate(fields)]
    drawn: Mapping[str, Callable[[], Sequence[Chart | None]]] = {
        "throughput": lambda: [*compared, figures_chart("cpu", "CPU time a request", cells, CPU, palette)],
        "latency": lambda: [*latency_charts(run, fields, palette), *compared],
        "scale": lambda: scale_charts(cells, palette),
        "pool": lambda: [waves_chart(f"pool-{place}", field, palette) for place, field in enumerate(fields)],
        "fanout": lambda: [fanout_chart(cells, palette)],
        "neighbour": lambda: [neighbour_chart(f"neighbour-{place}", field) for place, field in enumerate(fields)],
        "stream": lambda: [stream_chart(field) for field in fields],
        "classic": lambda: [],  # noqa: PIE807  (the type of what the others return)
    }
    found = drawn[name]() if name in drawn else compared
    return [chart for chart in found if chart is not None]


def latency_charts(run: Run, fields: Sequence[JudgedWorkload], palette: Palette) -> list[Chart | None]:
    """The whole distribution at one rate for all, then rate against p99."""
    common = [field for field in fields if field.name == latency.COMMON] or list(fields[:1])
    return [
        *(percentiles_chart(f"percentiles-{place}", field, palette) for place, field in enumerate(common)),
        rates_chart(run, [cell for field in fields for cell in field.cells.values()], palette),
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


def rates_chart(run: Run, cells: Iterable[JudgedCell], palette: Palette) -> Chart | None:
    """p90 and p99 at each rate that was asked of a model; a p99 also from the search for a promise."""
    points: dict[tuple[str, str], list[tuple[float, float]]] = {}
    for cell in cells:
        for percent in ("p90", "p99"):
            if cell.values(f"{percent}_s") and cell.values("offered_rps"):
                point = median(cell.values("offered_rps")), median(cell.values(f"{percent}_s")) * 1e3
                points.setdefault((cell.model, percent), []).append(point)
    for name, found in run.prepared.get("latency", {}).items():
        tried = [(one["rate_rps"], one["p99_s"] * 1e3) for one in found.get("probes", ()) if one.get("p99_s")]
        if tried and any(cell.model == name for cell in run.of("latency")):
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


def scale_charts(cells: Sequence[JudgedCell], palette: Palette) -> list[Chart | None]:
    """Time and memory against requests in flight."""
    return [
        curves_chart("scale-time", "Requests in flight against time", "Where all were answered; 1 is the ideal: "
                     "one sleep, or the sum of all sleeps where requests are served one after the other.",
                     cells, "requests", "requests in flight", per_ideal, "time ÷ ideal", palette),
        curves_chart("scale-memory", "Requests in flight against memory", "The most that the server held meanwhile.",
                     cells, "requests", "requests in flight", memory, "MB", palette),
    ]  # fmt: skip


def per_ideal(cell: JudgedCell) -> float | None:
    """Time ÷ ideal."""
    values = cell.values("total_per_ideal")
    return median(values) if values else None


def memory(cell: JudgedCell) -> float | None:
    """Megabytes that the server's processes held at their peak."""
    peaks = [one.raw["cost"]["peak_rss_bytes"] for one in cell.observations if "cost" in one.raw]
    return median(peaks) / MEGABYTE if peaks else None


def curves_chart(
    id_: str, title: str, note: str, cells: Iterable[JudgedCell], parameter: str, x_title: str,
    y: Callable[[JudgedCell], float | None], y_title: str, palette: Palette,
) -> Chart | None:  # fmt: skip
    """A line a model, from one value of each of its cells, against a parameter of their workloads."""
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


def fanout_chart(cells: Sequence[JudgedCell], palette: Palette) -> Chart | None:
    """How long a request takes with more and more calls in it."""
    return curves_chart("fanout", "Calls in one request against its time", "The ideal is a level line.",
                        cells, "count", "calls in one request", wall_ms, "ms", palette)  # fmt: skip


def wall_ms(cell: JudgedCell) -> float | None:
    """Milliseconds from request to answer."""
    values = cell.values("wall_s")
    return median(values) * 1e3 if values else None


def waves_chart(id_: str, field: JudgedWorkload, palette: Palette) -> Chart | None:
    """A stroke for each answer of the last round when it came, a cross for each failed request."""
    rows = {
        name: cell for name, cell in field.cells.items() if cell.observations and "load" in cell.observations[-1].raw
    }
    traces: list[Trace] = []
    said = {}
    for name, cell in rows.items():
        raw = cell.observations[-1].raw["load"].get("raw", ())
        for good, symbol, colour in ((True, "line-ns-open", palette.colour(name)), (False, "x-thin-open", "@bad")):
            ends = [rounded(one["done_s"]) for one in raw if (one["kind"] == "good") is good]
            if ends:
                traces.append({"type": "scatter", "mode": "markers", "x": ends, "y": [label(cell)] * len(ends),
                               "marker": {"symbol": symbol, "size": 14 if good else 9, "color": colour,
                                          "line": {"width": 1.5}},
                               "name": plain(name), "meta": meta(name), "hovertemplate": "%{x:.3f} s<extra></extra>",
                               })  # fmt: skip
        failed = cell.values("failed")
        waves = ", ".join(str(count) for count in cell.observations[-1].raw.get("answers_by_wave", ())[:12])
        said[name] = f"answers by wave {waves or 'none'}" + (f", {failed[-1]} failed" if failed and failed[-1] else "")
    layout = rows_layout([label(cell) for cell in rows.values()], "seconds since all were sent")
    setup = field.cells[next(iter(field.cells))].workload.get("setup", field.name)
    return Chart(id_, f"When the answers came: {setup}", "Strokes: answers. Crosses: failed requests.",
                 in_words(said), traces, layout, height(len(rows))) if traces else None  # fmt: skip


def neighbour_chart(id_: str, field: JudgedWorkload) -> Chart | None:
    """The same percentile alone and beside a client that burns CPU, on one row."""
    pairs = {name: (cell.values("alone_s")[-1], cell.values("beside_s")[-1], cell.values("percentile")[-1])
             for name, cell in field.cells.items() if cell.values("alone_s") and cell.values("beside_s")}  # fmt: skip
    ordered = sorted(pairs, key=lambda name: pairs[name][1])
    return from_to(
        id_, f"{field.name}: alone, and beside a client that burns CPU",
        "Hollow: alone. Filled: beside it. The highest percentile that both have the requests for.", field,
        {name: (pairs[name][0] * 1e3, pairs[name][1] * 1e3) for name in ordered}, "ms",
        {name: f"p{pairs[name][2]:.0f}" for name in ordered},
    )  # fmt: skip


def stream_chart(field: JudgedWorkload) -> Chart | None:
    """The first event's delay in the middle and in the last stream to begin."""
    pairs = {name: (first[-1] * 1e3, last[-1] * 1e3) for name, cell in field.cells.items()
             if (first := cell.values("first_event_p50_s")) and (last := cell.values("first_event_max_s"))}  # fmt: skip
    ordered = sorted(pairs, key=lambda name: pairs[name][1])
    return from_to("stream", f"{field.name}: delay of the first event",
                   "Hollow: the stream in the middle. Filled: the last one to begin.", field,
                   {name: pairs[name] for name in ordered}, "ms", {})  # fmt: skip


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
