"""The command that tries the traps."""

from typing import Any

import click
from rich.console import Console

from bench.commands.machines import cluster_options
from bench.commands.options import EXIT_FAILED
from bench.commands.results import sound_run
from bench.commands.run import carry_out, decorated, place_of, run_options
from bench.errors import BenchError
from bench.measuring.session import Inquiry, Session
from bench.report.terminal import traps as report
from bench.results import Run
from bench.scenarios.base import Options
from bench.traps import find_traps

QUICK_HELP = "A first look: every trap, and not what cures it."


@click.command("traps", epilog="Example: python -m bench traps blocking-driver")
@click.argument("names", metavar="[TRAP]...", nargs=-1)
@click.option("--models", "models", metavar="A,B", help="Only the traps that these models fall into.")
@decorated([*run_options(QUICK_HELP), *cluster_options()])
def traps_command(
    names: tuple[str, ...], models: str | None, quick: bool, generators: int | None, **given: Any
) -> None:
    """Try each TRAP and its cure; without a name every known one.

    Exit code 1 if one no longer behaves as stated: then something has been fixed, or broken, where it comes from.
    """
    traps = find_traps(models, names)
    if not traps:
        falling = ", ".join(trap.model for trap in find_traps(None, names))
        raise BenchError(f"no trap is known of {models}; name some of {falling}")
    session = Session(place_of(given), sound_run)
    options = Options(quick=quick, seed=session.seed, generators=generators)
    inquiry = Inquiry("traps", options=options, further={"traps": [trap.name for trap in traps]})
    run = carry_out(session, inquiry, conclude, traps=traps, cures=not quick)
    if report.changed(run.traps):
        raise SystemExit(EXIT_FAILED)


def conclude(console: Console, run: Run) -> None:
    """Everything that is known of each trap, and how many behave as stated."""
    console.print(*map(report.details, run.traps), sep="\n")
    console.print(report.conclusion(run.traps), soft_wrap=True)
