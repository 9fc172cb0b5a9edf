"""The command `compare`: two runs beside each other, and an exit code for continuous integration."""

import json
from dataclasses import asdict
from pathlib import Path

import click
from rich.console import Console

from bench.commands.options import EXIT_FAILED, Real
from bench.commands.results import sound_run
from bench.errors import BenchError
from bench.judging import judge
from bench.judging.differences import Difference, Differences, differences
from bench.report.terminal.compare import report
from bench.results.layout import incomparable


# fmt: off
@click.command(epilog="Example: python -m bench compare results/monday results/friday --fail-on-regression 10")
@click.argument("before", metavar="A", type=click.Path(path_type=Path))
@click.argument("after", metavar="B", type=click.Path(path_type=Path))
@click.option("--fail-on-regression", "percent", type=Real(0, 100), metavar="PERCENT",
              help="Exit code 1 if a cell got worse by more than that, or fails now; 2 if no cell can be compared.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")
def compare(before: Path, after: Path, percent: float | None, as_json: bool) -> None:
    """What has changed from run A to run B?

    Shows the cells that differ by more than 5 % with their whole interval, and what differs around them.
    A and B are folders of runs, or results files.
    """
    old, new = sound_run(before), sound_run(after)
    if reason := incomparable(old, new):
        raise BenchError(f"{reason}: no figure of one says anything of the other; measure both in one layout")
    found = differences(judge(old), judge(new))
    console = Console(highlight=False)
    if as_json:
        click.echo(json.dumps({"a": str(old.path), "b": str(new.path), **asdict(found)}, indent=1))
    else:
        for name, run in (("A", old), ("B", new)):
            console.print(f"{name}: {run.path}, {run.started_utc}", style="dim", soft_wrap=True)
        console.print()
        console.print(report(found))
    if percent is not None:
        fail_on(regressions_of(found, percent))
# fmt: on


def regressions_of(found: Differences, percent: float) -> list[Difference]:
    """Cells that got worse by more than that. Raises BenchError if no cell can be compared."""
    if not found.cells:
        raise BenchError("the runs have no cell in common, so nothing is known of regressions; measure the same models "
                         "and scenarios in both")  # fmt: skip
    if not found.judged:
        reason = found.cells[0].outcome.reason
        raise BenchError(f"no cell can be compared, so nothing is known of regressions (first: {reason}); measure both "
                         "runs with three --generations or more")  # fmt: skip
    return found.regressions(percent)


def fail_on(regressions: list[Difference]) -> None:
    """Name the regressions and exit with 1 if there are any."""
    for one in regressions:
        lost = f"worse by {one.loss:.0%}" if one.loss else f"{one.before} before, {one.after} now"
        click.echo(f"regression: {one.scenario}, {one.model}, {one.workload}: {lost}", err=True)
    if regressions:
        raise SystemExit(EXIT_FAILED)
