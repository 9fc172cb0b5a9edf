"""The command that tries the traps."""

import secrets
from collections.abc import Callable, Sequence
from pathlib import Path

import click
from rich.console import Console

from bench.commands.options import EXIT_FAILED, database_option
from bench.errors import BenchError
from bench.load import Generator
from bench.measuring.environment import environment
from bench.report.page.page import write_page
from bench.report.terminal import traps as report
from bench.report.terminal.progress import StepProgress
from bench.results import new_run
from bench.testbed.testbed import open_testbed
from bench.traps import Trap, find_traps, try_all

# A server's start and end, and a load that takes no second.
TRAP_S = 2.0


def teller(progress: StepProgress, traps: Sequence[Trap], each_s: float) -> Callable[[int, Trap], None]:
    """What says which trap is being tried."""

    def tell(number: int, trap: Trap) -> None:
        left_s = each_s * (len(traps) - number + 1)
        progress.step(number, len(traps), f"trap {trap.name}: {trap.model}", left_s)

    return tell


@click.command("traps", epilog="Example: python -m bench traps blocking-driver")
@click.argument("names", metavar="[TRAP]...", nargs=-1)
@click.option("--models", "models", metavar="A,B", help="Only the traps that these models fall into.")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), metavar="DIR",
              help="Where results.json goes.  [default: results/<UTC time>/]")  # fmt: skip
@database_option
def traps_command(names: tuple[str, ...], models: str | None, out: Path | None, database_url: str | None) -> None:
    """Try each TRAP and its cure; without a name every known one.

    Exit code 1 if one no longer behaves as stated: then something has been fixed, or broken, where it comes from.
    """
    console = Console(highlight=False)
    traps = find_traps(models, names)
    if not traps:
        falling = ", ".join(trap.model for trap in find_traps(None, names))
        raise BenchError(f"no trap is known of {models}; name some of {falling}")
    arguments = {"command": "traps", "traps": [trap.name for trap in traps]}
    run = new_run(out, environment(), arguments, secrets.randbits(32))
    try:
        with (
            StepProgress(console) as progress,
            open_testbed(database_url, run.folder / "logs") as ready,
            Generator() as generator,
        ):
            run.environment = {**run.environment, **ready.versions()}
            try_all(traps, ready, generator, run, teller(progress, traps, 2 * TRAP_S), cures=True)
    finally:
        if run.traps:
            console.print(*map(report.details, run.traps), sep="\n")
            console.print(report.conclusion(run.traps), soft_wrap=True)
            click.echo(str(write_page(run)))
            click.echo(str(run.path))
    if report.changed(run.traps):
        raise SystemExit(EXIT_FAILED)
