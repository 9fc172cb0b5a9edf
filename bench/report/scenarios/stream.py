"""The stream: how long the first event takes, each model on a row."""

from collections.abc import Sequence

from bench.judging import JudgedWorkload
from bench.report.page.charts import Chart, Palette
from bench.report.page.scenario_charts import from_to
from bench.report.presentation import Column, Presentation
from bench.results import Run
from bench.scenarios.stream import MEMORY


def charts(run: Run, fields: Sequence[JudgedWorkload], base: str, palette: Palette) -> list[Chart | None]:
    """A chart for each workload."""
    return [stream_chart(field) for field in fields]


def stream_chart(field: JudgedWorkload) -> Chart | None:
    """The first event's delay in the middle and in the last stream to begin."""
    pairs = {name: (first[-1] * 1e3, last[-1] * 1e3) for name, cell in field.cells.items()
             if (first := cell.values("first_event_p50_s")) and (last := cell.values("first_event_max_s"))}  # fmt: skip
    ordered = sorted(pairs, key=lambda name: pairs[name][1])
    return from_to("stream", f"{field.name}: delay of the first event",
                   "Hollow: the stream in the middle. Filled: the last one to begin.", field,
                   {name: pairs[name] for name in ordered}, "ms", {})  # fmt: skip


PRESENTATION = Presentation(
    columns=(
        Column("1st ms", "first_event_p50_s", 1e3),
        Column("last ms", "first_event_max_s", 1e3),
        Column("beat ms", "spacing_p90_s", 1e3),
        Column("kB each", MEMORY, 1e-3),
        Column("threads", "threads"),
    ),
    charts=charts,
)
