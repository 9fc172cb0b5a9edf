"""Latency: the whole distribution at one rate for all, then the generations of servers as dots."""

from collections.abc import Sequence

from bench.judging import JudgedCell, JudgedWorkload
from bench.load.summary import SAMPLES_BEYOND, percentile
from bench.report.page.charts import Chart, Palette, axis, in_words, line, lines_layout, log_axis
from bench.report.page.scenario_charts import charts_of_generations
from bench.report.presentation import Column, Presentation
from bench.results import Run
from bench.scenarios import latency

PERCENTS = (0, 50, 90, 99, 99.9, 99.99)
# Twenty steps from 0 to 90 %, twenty to 99 %, and so on.
STEPS = (1, *(100 - 100 / 10 ** (step / 20) for step in range(1, 101)))


def charts(run: Run, fields: Sequence[JudgedWorkload], base: str, palette: Palette) -> list[Chart | None]:
    """The distribution at one rate for all, then the generations of each workload."""
    common = [field for field in fields if field.name == latency.COMMON]
    return [
        *(percentiles_chart(f"percentiles-{place}", field, palette) for place, field in enumerate(common)),
        *charts_of_generations(run, fields, base, palette),
    ]


def percentiles_chart(id_: str, field: JudgedWorkload, palette: Palette) -> Chart | None:
    """Response time against the share of requests that are faster, all generations together."""
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
    """(percent, seconds that so many took at most), from all requests; up to where ten are slower."""
    ordered_us = sorted(
        us for columns in cell.slices.values() for slice_us in columns["responses_us"] for us in slice_us
    )
    shown = ((percent, percentile(ordered_us, percent)) for percent in STEPS)
    return [(percent, found_us / 1e6) for percent, found_us in shown if found_us is not None]


PRESENTATION = Presentation(
    columns=(
        Column("req/s", "offered_rps"),
        Column("p50 ms", "p50_s", 1e3, 1),
        Column("p90 ms", "p90_s", 1e3, 1),
        Column("p99 ms", "p99_s", 1e3, 1),
        Column("service p50", "service_p50_s", 1e3, 1),
    ),
    columns_by_figure={
        "promise_rps": (
            Column("promised/s", "promise_rps"),
            Column("capacity/s", "capacity_rps"),
            Column("p50 ms", "p50_s", 1e3, 1),
            Column("p90 ms", "p90_s", 1e3, 1),
            Column("p99 ms", "p99_s", 1e3, 1),
        )
    },
    charts=charts,
)
