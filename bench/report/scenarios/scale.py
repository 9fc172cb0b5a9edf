"""Scale: time and memory against requests in flight."""

from collections.abc import Sequence
from statistics import median

from bench.judging import JudgedCell, JudgedWorkload
from bench.report.page.charts import Chart, Palette
from bench.report.page.scenario_charts import cells_of, curves_chart
from bench.report.presentation import Column, Presentation
from bench.results import Run
from bench.scenarios.scale import MEMORY

MEGABYTE = 1e6


def charts(run: Run, fields: Sequence[JudgedWorkload], base: str, palette: Palette) -> list[Chart | None]:
    """Time and memory of each level."""
    cells = cells_of(fields)
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


PRESENTATION = Presentation(
    columns=(
        Column("total s", "total_s", decimals=1),
        Column("÷ ideal", "total_per_ideal", decimals=1),
        Column("threads", "threads"),
        Column("sockets", "sockets"),
        Column("kB each", MEMORY, 1e-3),
    ),
    charts=charts,
)
