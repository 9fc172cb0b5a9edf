"""Fanout: how long a request takes with more and more calls in it."""

from collections.abc import Sequence
from statistics import median

from bench.judging import JudgedCell, JudgedWorkload
from bench.report.page.charts import Chart, Palette
from bench.report.page.scenario_charts import cells_of, curves_chart
from bench.report.presentation import Column, Presentation
from bench.results import Run


def charts(run: Run, fields: Sequence[JudgedWorkload], base: str, palette: Palette) -> list[Chart | None]:
    """The time of a request against the calls in it."""
    return [
        curves_chart("fanout", "Calls in one request against its time", "The ideal is a level line.",
                     cells_of(fields), "count", "calls in one request", milliseconds, "ms", palette),
    ]  # fmt: skip


def milliseconds(cell: JudgedCell) -> float | None:
    """From request to answer."""
    values = cell.values("total_s")
    return median(values) * 1e3 if values else None


PRESENTATION = Presentation(
    columns=(
        Column("total ms", "total_s", 1e3),
        Column("÷ ideal", "total_per_ideal", decimals=2),
        Column("CPU µs/call", "cpu_per_call_s", 1e6),
        Column("threads", "threads"),
    ),
    charts=charts,
)
