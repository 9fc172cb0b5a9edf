"""The pool: answers as they came, wave by wave, in the terminal and on the page."""

from collections.abc import Iterator, Sequence

from rich.console import RenderableType

from bench.judging import JudgedScenario, JudgedWorkload
from bench.report.page.charts import (
    Chart,
    Palette,
    Trace,
    height,
    in_words,
    label,
    meta,
    plain,
    rounded,
    rows_layout,
)
from bench.report.presentation import Column, Presentation
from bench.report.terminal import waves
from bench.report.terminal.scenario import tables
from bench.results import Run

# Wider pictures are no clearer.
PICTURE_WIDTH = 80


def in_terminal(scenario: JudgedScenario, seed: int, width: int) -> Iterator[RenderableType]:
    """The table, then a picture of each burst."""
    yield from tables(scenario, width)
    yield waves.pictures(scenario.cells, min(width, PICTURE_WIDTH))


def charts(run: Run, fields: Sequence[JudgedWorkload], base: str, palette: Palette) -> list[Chart | None]:
    """A chart for each set-up."""
    return [waves_chart(f"pool-{place}", field, palette) for place, field in enumerate(fields)]


def waves_chart(id_: str, field: JudgedWorkload, palette: Palette) -> Chart | None:
    """A stroke for each answer at the time when it came, a cross for each failed request."""
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


PRESENTATION = Presentation(
    columns=(
        Column("s", "total_s", decimals=2),
        Column("÷ ideal", "total_per_ideal", decimals=2),
        Column("waves", "waves"),
        Column("failed", "failed"),
        Column("most", "database_connections"),
        Column("new", "database_connections_opened"),
    ),
    in_terminal=in_terminal,
    charts=charts,
)
