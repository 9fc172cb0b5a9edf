"""A run in the terminal: where it has got to, and what was found."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Protocol

from rich.console import Console
from rich.rule import Rule
from rich.text import Text

from bench.judging import JudgedScenario, judge
from bench.load.burst import Answer
from bench.models import Model
from bench.report.presentation import Lines, presentation_of
from bench.report.terminal import faults, traps
from bench.report.terminal.progress import StepProgress
from bench.report.terminal.scenario import how_measured, tables
from bench.results import Cell, Run
from bench.scenarios.base import Contestant, Options, Scenario, Workload


class Step(Protocol):
    """What a report must know of a step."""

    @property
    def title(self) -> str:
        """What is measured on which server."""

    @property
    def scenarios(self) -> Sequence[Scenario]:
        """What is measured."""

    @property
    def contestants(self) -> Sequence[Contestant]:
        """Who is measured."""


class Problems:
    """The lines of a scenario that prints none of its own: what is wrong with a cell."""

    def __init__(self, console: Console, options: Options) -> None:
        self.console = console

    def started(self, model: Model) -> None:
        """Nothing is printed: the progress line shows it."""

    def answered(self, answer: Answer) -> None:
        """Nothing is printed: there are too many answers."""

    def ended(self, cell: Cell) -> None:
        """Print what is wrong with what was just measured."""
        for one in cell.observations:
            if one.state != "VALID":
                problem = f"{cell.model}, {cell.workload['name']}: {one.state}: {one.reason}"
                self.console.print(Text(problem, "yellow"), soft_wrap=True)


class RunReport:
    """Listens to a session: shows how far it is, and each scenario's own lines as they come."""

    def __init__(self, console: Console, at_end: Callable[[Run, bool], None], notice: str = "") -> None:
        self.console = console
        self.at_end = at_end
        """Called with the run, and whether it is complete."""
        self.notice = notice
        """Printed before anything else, unless it is empty."""
        self.progress = StepProgress(console)
        self.lines: dict[str, Lines] = {}
        self.now: Sequence[Lines] = ()

    def run_started(self, scenarios: Sequence[Scenario], options: Options) -> None:
        """Print the notice, and show the progress line."""
        if self.notice:
            self.console.print(self.notice, soft_wrap=True)
        names = [scenario.name for scenario in scenarios]
        self.lines = {name: (presentation_of(name).lines or Problems)(self.console, options) for name in names}
        self.progress.start()

    def step_started(self, number: int, total: int, step: Step, left_s: float) -> None:
        """Say which server is measured now."""
        self.progress.step(number, total, step.title, left_s)
        self.now = [self.lines[scenario.name] for scenario in step.scenarios]
        for lines in self.now:
            for contestant in step.contestants:
                lines.started(contestant.model)

    def noticed(self, line: str) -> None:
        """Print it."""
        self.console.print(line, soft_wrap=True)

    def workload_started(self, workload: Workload, servers: int) -> None:
        """Say what is asked of the servers now."""
        self.progress.now(f"{workload.name} on {servers} server{'' if servers == 1 else 's'}")

    def answered(self, answer: Answer) -> None:
        """Pass an answer on to the lines of what is measured now."""
        for lines in self.now:
            lines.answered(answer)

    def step_ended(self, step: Step, cells: Sequence[Cell]) -> None:
        """Pass each cell on to the lines of its scenario."""
        for cell in cells:
            self.lines[cell.scenario].ended(cell)

    def run_ended(self, run: Run, *, complete: bool) -> None:
        """Take the progress line away, and conclude."""
        self.progress.stop()
        self.at_end(run, complete)


def calibration_line(found: Mapping[str, Any]) -> str:
    """What the generator can do on this machine, so that a figure near it is not taken for a server's."""
    lag_s = found["open_start_lag_p99_s"]
    late = f", p99 {lag_s * 1e3:.2f} ms late" if lag_s is not None else ""
    generators = found.get("generators", 1)
    who = f"{generators} load generators" if generators > 1 else "load generator"
    return (
        f"{who} against a server that does nothing: {found['closed_rps']:,.0f} requests/s closed loop; "
        f"{found['open_rps']:,.0f} of {found['open_offered_rps']:,.0f}/s open loop{late}"
    )


def summary(console: Console, run: Run, scenarios: Iterable[Scenario]) -> None:
    """The tables and the finding of every scenario, and how the time was spent."""
    judged = judge(run)
    for scenario in scenarios:
        if found := judged.scenario(scenario.name):
            answers(console, scenario, found, run.seed)
    faults.summary(console, judged.faults, whole=False)
    footer(console, run)


def answers(console: Console, scenario: Scenario, judged: JudgedScenario, seed: int) -> None:
    """One scenario's tables and finding."""
    title = Text.assemble((scenario.name, "bold"), f" ({how_measured(judged)})")
    console.print(Rule(title, align="left", style="dim"))
    console.print(scenario.question)
    own = presentation_of(scenario.name).in_terminal
    for part in own(judged, seed, console.width) if own else tables(judged, console.width):
        console.print(part)
    if finding := scenario.finding(judged):
        console.print(Text(finding, "bold"))
    console.print()


def footer(console: Console, run: Run) -> None:
    """The traps, what the generator could do, and how the time was spent."""
    if run.traps:
        console.print(Rule(Text("traps", "bold"), align="left", style="dim"))
        console.print(traps.overview(run.traps))
        console.print(traps.conclusion(run.traps), "python -m bench traps says why, and what to do instead.\n")
    if run.calibration:
        console.print(calibration_line(run.calibration), style="dim")
    if run.elapsed_s:
        share, windows = run.measuring_s / run.elapsed_s, run.window_s / run.elapsed_s
        spent = f"{share:.0%} were measuring, {windows:.0%} inside measured windows"
        console.print(f"{run.elapsed_s:.0f} s, of which {spent}; seed {run.seed}", style="dim")
