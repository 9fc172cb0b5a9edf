"""The answers of a burst as columns over time. Requests that wait for a connection are answered in waves."""

from collections.abc import Sequence

from rich.console import Group
from rich.text import Text

from bench.judging import JudgedCell

EIGHTHS = " ▁▂▃▄▅▆▇█"
# Lines of each picture: as many as a wave of 15 needs to stand out.
HEIGHT = 2
COLOUR, FAILED_COLOUR = "magenta", "red"


def pictures(cells: Sequence[JudgedCell], width: int) -> Group:
    """The answers of each cell's last round, all cells on one axis."""
    bursts = [(title(cell), *ends(cell)) for cell in cells if "load" in cell.observations[-1].raw]
    span_s = max((end_s for _, good, failed in bursts for end_s in (*good, *failed)), default=0.0)
    lines: list[Text] = []
    for name, good, failed in bursts:
        crosses = f": {len(failed)} failed (×)" if failed else ""
        lines += [Text(name + crosses), *chart(good, failed, span_s, width, HEIGHT)]
    return Group(*lines, axis(span_s, width)) if bursts else Group()


def title(cell: JudgedCell) -> str:
    """The model and its set-up."""
    return f"{cell.model}, {cell.workload.get('setup', cell.workload['name'])}"


def ends(cell: JudgedCell) -> tuple[list[float], list[float]]:
    """When the answers arrived, and when requests failed."""
    samples = cell.observations[-1].raw["load"]["raw"]
    good = [sample["done_s"] for sample in samples if sample["kind"] == "good"]
    return good, [sample["done_s"] for sample in samples if sample["kind"] != "good"]


def chart(ends_s: Sequence[float], failed_s: Sequence[float], span_s: float, width: int, height: int) -> list[Text]:
    """The lines of columns from top to bottom, and a line of crosses if any request failed."""
    counts = per_slot(ends_s, span_s, width)
    lines = [Text(line, COLOUR) for line in columns(counts, height)]
    if failed_s:
        crosses = ("×" if count else " " for count in per_slot(failed_s, span_s, width))
        lines.append(Text("".join(crosses), FAILED_COLOUR))
    return lines


def per_slot(times_s: Sequence[float], span_s: float, slots: int) -> list[int]:
    """How many times fall into each of the equal slots between 0 and `span_s`."""
    counts = [0] * slots
    for time_s in times_s:
        counts[min(slots - 1, int(time_s / span_s * slots)) if span_s > 0 else 0] += 1
    return counts


def columns(counts: Sequence[int], height: int) -> list[str]:
    """Lines of block characters. The highest count is as high as the picture, and even one answer can be seen."""
    most = max(counts, default=0) or 1
    eighths = [max(1, round(count / most * height * 8)) if count else 0 for count in counts]
    return ["".join(EIGHTHS[max(0, min(8, high - row * 8))] for high in eighths) for row in reversed(range(height))]


def axis(span_s: float, width: int) -> Text:
    """The axis: `0 s`, a line, and the time at its end."""
    end = f" {span_s:.2f} s"
    return Text("0 s " + "─" * max(0, width - 4 - len(end)) + end, "dim")
