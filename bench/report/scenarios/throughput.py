"""Throughput: generations of servers as dots, and what a request costs in every kind of work at once."""

from collections.abc import Sequence

from bench.judging import JudgedWorkload
from bench.report.page.charts import Chart, Palette, figures_chart
from bench.report.page.scenario_charts import cells_of, charts_of_generations
from bench.report.presentation import Column, Presentation
from bench.results import Run

CPU = Column("CPU time a request µs", "cpu_per_request_s", 1e6)


def charts(run: Run, fields: Sequence[JudgedWorkload], base: str, palette: Palette) -> list[Chart | None]:
    """The generations of each workload, then CPU time."""
    cpu = figures_chart("cpu", "CPU time a request", cells_of(fields), CPU, palette)
    return [*charts_of_generations(run, fields, base, palette), cpu]


PRESENTATION = Presentation(
    columns=(
        Column("CPU µs", "cpu_per_request_s", 1e6),
        Column("pauses %", "pauses", 1e2),
        Column("req/s", "throughput_rps"),
    ),
    charts=charts,
)
