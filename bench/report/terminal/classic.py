"""The classic in the terminal: a line a request in the manner of the original client, then one table of all models."""

from collections.abc import Sequence
from statistics import median

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from bench.judging import JudgedCell
from bench.load.burst import Answer
from bench.models import MODELS, Model
from bench.report.terminal.waterfall import waterfall
from bench.results import Cell, Observation
from bench.scenarios.classic import REQUESTS_2013, SECONDS_2013

PUBLISHED = {model.name: model.published_2013_s for model in MODELS}
# How far from its ideal a model may be before the table marks it.
NEAR_IDEAL = 1.10


class ClassicLines:
    """Prints a cell of the classic as it is measured."""

    def __init__(self, console: Console, seconds: float, requests: int) -> None:
        self.console = console
        self.requests = requests
        self.full_s = 2 * requests * seconds
        """Seconds that the waterfalls' common axis spans: the slowest model's ideal."""
        self.endpoint = ""
        self.burst_end_s = 0.0

    def started(self, model: Model) -> None:
        """Announce the model."""
        self.console.print(Rule(Text(f"{model.name}: {model.situation}", "bold"), align="left", style="dim"))
        self.endpoint = ""

    def answered(self, answer: Answer) -> None:
        """A line for the answer, between the burst's first and last ones."""
        if answer.endpoint != self.endpoint:
            self.end_burst()
            path = answer.endpoint.partition("?")[0]
            self.say(f"Sending {self.requests} requests for {path}...")
            self.endpoint = answer.endpoint
        self.burst_end_s = max(self.burst_end_s, answer.end_s)
        self.say(answer_line(answer), "red" if answer.error else "")

    def end_burst(self) -> None:
        """The original client's total of a burst."""
        if self.endpoint:
            self.say(f"    = {self.burst_end_s:5.2f}s TOTAL")
        self.endpoint, self.burst_end_s = "", 0.0

    def ended(self, cell: Cell) -> None:
        """The sum and the waterfall, and what went wrong."""
        self.end_burst()
        for one in measured(cell):
            self.say("-" * 42)
            self.say(f"SUM TOTAL = {one.figures['sum_s']:.2f}s", "bold")
            full_s = max(self.full_s, one.figures["sum_s"])
            python_s, width = one.figures["python_s"], min(self.console.width, 100)
            self.console.print(waterfall(one.raw["answers"], python_s, full_s, width))
        for one in cell.observations:
            if one.state != "VALID":
                self.say(f"FAILED: {one.reason}", "red")
        self.say("")

    def say(self, line: str, style: str = "") -> None:
        """A line as it is, whatever characters and however wide."""
        self.console.print(Text(line, style), soft_wrap=True)


def answer_line(answer: Answer) -> str:
    """`@  5.03s got response [200]`, or what went wrong instead."""
    got = f"got response [{answer.status}]" if answer.status is not None else f"got no response: {answer.error}"
    return f"    @ {answer.end_s:5.2f}s {got}"


def table(cells: Sequence[JudgedCell]) -> Table:
    """All models of the classic, one a row, beside their ideal and the figures of 2013; at most 80 columns wide."""
    result = Table(box=SIMPLE_HEAD, padding=0, pad_edge=False, show_edge=False)
    result.add_column("model", overflow="fold")
    for heading in ("python", "database", "sum", "ideal", "÷ ideal", "2013"):
        result.add_column(heading, justify="right", no_wrap=True)
    result.add_column("situation", no_wrap=True)
    for cell in cells:
        result.add_row(*row(cell))
    return result


def measured(cell: Cell | JudgedCell) -> list[Observation]:
    """The rounds in which a server answered at all."""
    return [one for one in cell.observations if "sum_s" in one.figures]


def row(cell: JudgedCell) -> tuple[Text | str, ...]:
    """A cell as a row; a failed one has no figures, so that a fast error cannot look like a fast server."""
    published = PUBLISHED.get(cell.model)
    figure_2013 = f"{published[2]:.2f}" if published else "–"
    situation = cell.facts.situation
    if not cell.valid:
        return (cell.model, *[Text("FAILED", "red")] * 3, "–", "–", figure_2013, situation)
    figures = {name: median(cell.values(name)) for name in ("python_s", "database_s", "sum_s", "ideal_s")}
    ratio = figures["sum_s"] / figures["ideal_s"]
    return (
        cell.model,
        *(f"{seconds:.2f}" for seconds in figures.values()),
        Text(f"{ratio:.3f}", "" if ratio <= NEAR_IDEAL else "yellow"),
        figure_2013,
        situation,
    )


def notes(seconds: float, requests: int) -> str:
    """What the columns of the table are."""
    return (
        f"Seconds for {requests} requests at once that sleep {seconds:g} s in Python, then as many in the database. "
        "ideal: the sum for the same model without any overhead. "
        f"2013: the sum that the original example published for {REQUESTS_2013} requests of {SECONDS_2013:g} s."
    )
