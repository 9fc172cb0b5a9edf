"""A run in the terminal: where it has got to, and what was found."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.rule import Rule
from rich.text import Text

from bench.load.burst import Answer
from bench.measuring.plan import Step, expected_s
from bench.report.terminal import classic, traps, waves
from bench.report.terminal.progress import StepProgress
from bench.report.terminal.scenario import tables
from bench.results import Cell, Run
from bench.scenarios import SCENARIOS
from bench.scenarios.base import Options


class RunReport:
    """A listener of `bench.measuring.run`: the classic's lines as they come, for all else the step."""

    def __init__(self, console: Console, progress: StepProgress, plan: Sequence[Step], options: Options) -> None:
        self.console = console
        self.progress = progress
        self.left_s = [sum(expected_s(step, options) for step in plan[index:]) for index in range(len(plan))]
        self.lines = classic.ClassicLines(console, options.classic_seconds, options.classic_requests)

    def step_started(self, number: int, total: int, step: Step) -> None:
        """The progress line, and the model's name above the lines of the classic."""
        what = ", ".join(scenario.name for scenario in step.scenarios)
        stage = "prepare" if step.preparing else f"round {step.round + 1}"
        place = " ".join(filter(None, (step.contestant.name, step.setup)))
        self.progress.step(number, total, f"{what}, {stage}: {place}", self.left_s[number - 1])
        if is_classic(step):
            self.lines.started(step.contestant.model)

    def answered(self, answer: Answer) -> None:
        """A line of the classic."""
        self.lines.answered(answer)

    def step_ended(self, step: Step, cells: Sequence[Cell]) -> None:
        """The classic's waterfall; of others, only what is wrong."""
        for cell in cells:
            if cell.scenario == "classic":
                self.lines.ended(cell)
            elif not cell.judgement.valid:
                problem = f"{cell.model}, {cell.workload['name']}: {cell.judgement.state}: {cell.judgement.reason}"
                self.console.print(Text(problem, "yellow"), soft_wrap=True)


def calibration_line(found: Mapping[str, Any]) -> str:
    """What the generator can do on this machine, so that a figure near it is not taken for a server's."""
    lag_s = found["open_start_lag_p99_s"]
    late = f", p99 {lag_s * 1e3:.2f} ms late" if lag_s is not None else ""
    return (
        f"load generator against a server that does nothing: {found['closed_rps']:,.0f} requests/s closed loop; "
        f"{found['open_rps']:,.0f} of {found['open_offered_rps']:,.0f}/s open loop{late}"
    )


def is_classic(step: Step) -> bool:
    """Whether the step is one of the classic, whose requests are shown one by one."""
    return [scenario.name for scenario in step.scenarios] == ["classic"]


def summary(console: Console, run: Run, options: Options) -> None:
    """Every scenario's tables and finding, and how the time was spent."""
    for name, scenario in SCENARIOS.items():
        cells = run.of(name)
        if not cells:
            continue
        console.print(Rule(Text(name, "bold"), align="left", style="dim"))
        console.print(scenario.question)
        if name == "classic":
            console.print(classic.table(cells))
            console.print(classic.notes(options.classic_seconds, options.classic_requests), style="dim")
        else:
            for table in tables(scenario, cells, run.seed):
                console.print(table)
        if name == "pool":
            console.print(waves.pictures(cells, min(console.width, 80)))
        if finding := scenario.finding(cells):
            console.print(Text(finding, "bold"))
        console.print()
    footer(console, run)


def footer(console: Console, run: Run) -> None:
    """What the generator could do, and how the time was spent."""
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
