"""The classic's models in one table: what each took, beside its ideal and the figures of 2013."""

from collections.abc import Sequence
from statistics import median

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from bench.judging import JudgedCell
from bench.models import MODELS
from bench.results import Cell, Observation
from bench.scenarios.classic import REQUESTS_2013, SECONDS_2013

PUBLISHED = {model.name: model.published_2013_s for model in MODELS}
# A model that takes more than so many times its ideal is marked in the table.
NEAR_IDEAL = 1.10


def table(cells: Sequence[JudgedCell]) -> Table:
    """Each model has one row. The table is at most 80 columns wide."""
    result = Table(box=SIMPLE_HEAD, padding=0, pad_edge=False, show_edge=False)
    result.add_column("model", overflow="fold")
    for heading in ("python", "database", "sum", "ideal", "÷ ideal", "2013"):
        result.add_column(heading, justify="right", no_wrap=True)
    result.add_column("situation", no_wrap=True)
    for cell in cells:
        result.add_row(*row(cell))
    return result


def measured(cell: Cell | JudgedCell) -> list[Observation]:
    """The observations in which the server answered at all."""
    return [one for one in cell.observations if "total_s" in one.figures]


def row(cell: JudgedCell) -> tuple[Text | str, ...]:
    """A model's row. A cell that failed shows no figures, so that a fast error cannot look like a fast server."""
    published = PUBLISHED.get(cell.model)
    figure_2013 = f"{published[2]:.2f}" if published else "–"
    situation = cell.facts.situation
    if not cell.valid:
        return (cell.model, *[Text("FAILED", "red")] * 3, "–", "–", figure_2013, situation)
    times_s = [median(cell.values(name)) for name in ("python_s", "database_s", "total_s", "ideal_s")]
    ratio = median(cell.values("total_per_ideal"))
    return (
        cell.model,
        *(f"{seconds:.2f}" for seconds in times_s),
        Text(f"{ratio:.3f}", "" if ratio <= NEAR_IDEAL else "yellow"),
        figure_2013,
        situation,
    )


def notes(cells: Sequence[JudgedCell]) -> Text:
    """What the columns of the table are."""
    asked = cells[0].workload
    return Text(
        f"Seconds for {asked['requests']} requests at once that sleep {asked['seconds']:g} s in Python, then as many "
        "in the database. ideal: the sum for the same model without any overhead. "
        f"2013: the sum that the original example published for {REQUESTS_2013} requests of {SECONDS_2013:g} s.",
        "dim",
    )
