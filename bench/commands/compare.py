"""The command `compare`: two runs beside each other, and an exit code for continuous integration."""

import json
from dataclasses import asdict
from pathlib import Path

import click
from rich.console import Console

from bench.commands.options import EXIT_FAILED, Real
from bench.errors import BenchError
from bench.judging.differences import differences
from bench.report.terminal.compare import report
from bench.results import Run, load_run


# fmt: off
@click.command(epilog="Example: python -m bench compare results/monday results/friday --fail-on-regression 10")
@click.argument("before", metavar="A", type=click.Path(path_type=Path))
@click.argument("after", metavar="B", type=click.Path(path_type=Path))
@click.option("--fail-on-regression", "percent", type=Real(0, 100), metavar="PERCENT",
              help="Exit code 1 if a cell got worse by more than that, or fails now.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def compare(before: Path, after: Path, percent: float | None, as_json: bool) -> None:
    """What has changed from run A to run B?

    Cells that differ by more than 5 % and by more than the noise in either run, and what differs around them. A and B
    are folders of runs, or results files.
    """
    old, new = load_sound(before), load_sound(after)
    found = differences(old, new)
    console = Console(highlight=False)
    if as_json:
        click.echo(json.dumps({"a": str(old.path), "b": str(new.path), **asdict(found)}, indent=1))
    else:
        for name, run in (("A", old), ("B", new)):
            console.print(f"{name}: {run.path}, {run.started_utc}", style="dim", soft_wrap=True)
        console.print()
        console.print(report(found))
    regressions = found.regressions(percent) if percent is not None else []
    for one in regressions:
        lost = f"worse by {one.loss:.0%}" if one.loss else f"{one.before} before, {one.after} now"
        click.echo(f"regression: {one.scenario}, {one.model}, {one.workload}: {lost}", err=True)
    if regressions:
        raise SystemExit(EXIT_FAILED)
# fmt: on


def load_sound(path: Path) -> Run:
    """A run whose cells can be read as well. Raises BenchError."""
    run = load_run(path)
    try:
        for cell in run.cells.values():
            _ = cell.key, cell.judgement, cell.values(cell.figure)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise BenchError(f"{run.path} is damaged: {type(error).__name__} {error}") from None
    return run
