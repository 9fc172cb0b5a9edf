"""Each request of the classic on a line of its own, as the original client printed it, then its bars."""

from rich.console import Console
from rich.rule import Rule
from rich.text import Text

from bench.load.burst import Answer
from bench.models import Model
from bench.report.terminal.classic_table import measured
from bench.report.terminal.waterfall import waterfall
from bench.results import Cell
from bench.scenarios.base import Options
from bench.scenarios.classic import REQUESTS, SECONDS


class RequestLines:
    """Prints the classic as it is measured."""

    def __init__(self, console: Console, options: Options) -> None:
        self.console = console
        self.requests = options[REQUESTS]
        self.full_s = 2 * options[REQUESTS] * options[SECONDS]
        """How many seconds the axis spans that all models' bars share: the ideal of the slowest model."""
        self.endpoint = ""
        self.burst_end_s = 0.0

    def started(self, model: Model) -> None:
        """Print the model's name and situation."""
        self.console.print(Rule(Text(f"{model.name}: {model.situation}", "bold"), align="left", style="dim"))
        self.endpoint = ""

    def answered(self, answer: Answer) -> None:
        """Print the answer's line; before a burst's first answer also where the burst is sent to."""
        if answer.endpoint != self.endpoint:
            self.end_burst()
            path = answer.endpoint.partition("?")[0]
            self.say(f"Sending {self.requests} requests for {path}...")
            self.endpoint = answer.endpoint
        self.burst_end_s = max(self.burst_end_s, answer.end_s)
        self.say(answer_line(answer), "red" if answer.error else "")

    def end_burst(self) -> None:
        """Print the total of a burst, as the original client did."""
        if self.endpoint:
            self.say(f"    = {self.burst_end_s:5.2f}s TOTAL")
        self.endpoint, self.burst_end_s = "", 0.0

    def ended(self, cell: Cell) -> None:
        """Print the sum and the bars, and what went wrong."""
        self.end_burst()
        for one in measured(cell):
            self.say("-" * 42)
            self.say(f"SUM TOTAL = {one.figures['total_s']:.2f}s", "bold")
            full_s = max(self.full_s, one.figures["total_s"])
            python_s, width = one.figures["python_s"], min(self.console.width, 100)
            self.console.print(waterfall(one.raw["answers"], python_s, full_s, width))
        for one in cell.observations:
            if one.state != "VALID":
                self.say(f"FAILED: {one.reason}", "red")
        self.say("")

    def say(self, line: str, style: str = "") -> None:
        """Print a line as it is, whatever its characters and its width."""
        self.console.print(Text(line, style), soft_wrap=True)


def answer_line(answer: Answer) -> str:
    """`@  5.03s got response [200]`, or what went wrong instead."""
    got = f"got response [{answer.status}]" if answer.status is not None else f"got no response: {answer.error}"
    return f"    @ {answer.end_s:5.2f}s {got}"
