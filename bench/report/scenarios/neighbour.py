"""The neighbour: how long requests wait alone and beside it, each model on a row."""

from collections.abc import Sequence

from bench.judging import JudgedWorkload
from bench.report.page.charts import Chart, Palette
from bench.report.page.scenario_charts import from_to
from bench.report.presentation import Column, Presentation
from bench.results import Run
from bench.scenarios.neighbour import RATIO


def charts(run: Run, fields: Sequence[JudgedWorkload], base: str, palette: Palette) -> list[Chart | None]:
    """A chart for each workload."""
    return [neighbour_chart(f"neighbour-{place}", field) for place, field in enumerate(fields)]


def neighbour_chart(id_: str, field: JudgedWorkload) -> Chart | None:
    """The same percentile alone and beside a client that burns CPU, on one row."""
    pairs = {name: (cell.values("alone_s")[-1], cell.values("beside_s")[-1], cell.values("percentile")[-1])
             for name, cell in field.cells.items() if cell.values("alone_s") and cell.values("beside_s")}  # fmt: skip
    ordered = sorted(pairs, key=lambda name: pairs[name][1])
    return from_to(
        id_, f"{field.name}: alone, and beside a client that burns CPU",
        "Hollow: alone. Filled: beside it. The highest percentile for which both have enough requests.", field,
        {name: (pairs[name][0] * 1e3, pairs[name][1] * 1e3) for name in ordered}, "ms",
        {name: f"p{pairs[name][2]:.0f}" for name in ordered},
    )  # fmt: skip


PRESENTATION = Presentation(
    columns=(
        Column("pct", "percentile"),
        Column("alone ms", "alone_s", 1e3, 1),
        Column("beside ms", "beside_s", 1e3, 1),
        Column("times", RATIO, decimals=1),
        Column("cpu/s", "neighbour_rps", decimals=1),
    ),
    charts=charts,
)
