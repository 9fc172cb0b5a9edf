"""The command that measures the bridge against its targets."""

from pathlib import Path
from typing import Any

import click
from rich.console import Console

from bench.commands.measure import measure
from bench.commands.options import EXIT_FAILED, Real, database_option
from bench.judging import judge
from bench.judging.statistics import MIN_ROUNDS
from bench.report.terminal import bridge as report
from bench.report.terminal.run import footer
from bench.report.terminal.scenario import reasons
from bench.results import Run
from bench.scenarios.base import Options
from bench.scenarios.bridge import MODELS, SCENARIO


@click.command("bridge", help=SCENARIO.question + " Its targets, and whether they are met.")
@click.option("--rounds", type=click.IntRange(2, 100), default=MIN_ROUNDS, show_default=True,
              help="How often each model is measured, on a fresh server each time.")  # fmt: skip
@click.option("--duration", "duration_s", type=Real(0.1, 600), default=Options.duration_s, show_default=True,
              help="Seconds that each load is measured.")  # fmt: skip
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), metavar="DIR",
              help="Where results.json goes.  [default: results/<UTC time>/]")  # fmt: skip
@click.option("--resume", type=click.Path(exists=True, file_okay=False, path_type=Path), metavar="DIR",
              help="Go on with the run in DIR, with the same options, where it stopped.")  # fmt: skip
@click.option("--seed", type=click.IntRange(0, 2**32 - 1), help="For the order of rounds and for arrivals.")
@database_option
def bridge(**given: Any) -> None:
    """Measure, print the table, and exit with 1 unless every target is met."""
    run = measure("bridge", [SCENARIO], {**given, "models": ",".join(MODELS), "mysql_url": None}, conclude)
    if not report.all_met(judge(run)):
        raise SystemExit(EXIT_FAILED)


def conclude(console: Console, run: Run, options: Options) -> None:
    """The table, what was not valid, and how the time was spent."""
    judged = judge(run)
    console.print(report.CAPTION, style="dim")
    console.print(report.table(judged))
    if found := reasons(report.cells_of(judged)):
        console.print(found)
    footer(console, run)
