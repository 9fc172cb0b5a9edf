"""The command that inflicts faults."""

from typing import Any

import click
from rich.console import Console

from bench.commands.results import sound_run
from bench.commands.run import carry_out, decorated, place_of, run_options
from bench.errors import BenchError
from bench.faults.fault import Fault
from bench.faults.known import FAULTS, find_faults
from bench.judging import judge
from bench.measuring.session import Inquiry, Session
from bench.models import Model, available_models, left_out
from bench.report.terminal import faults as report
from bench.results import Run
from bench.scenarios.base import Options
from bench.words import join

QUICK_HELP = "A first look: every fault, and not what cures it."
# What teams deploy: the original example's server, threads, gevent and asyncio, those two with several processes, and
# the two frameworks that Flask is most often left for.
MODELS = "sync,gthread,gevent,gevent-4-workers,asyncio-bridge,asyncio-bridge-4-workers,quart,fastapi"


@click.command("faults", epilog="Example: python -m bench faults --faults deploy,crash --models gevent,asyncio-bridge")
@click.option("--faults", "names", metavar="A,B", help=f"Only these: {', '.join(fault.name for fault in FAULTS)}.")
@click.option("--models", "models", metavar="A,B", help=f"Only these, in this order.  [default: {MODELS}]")
@decorated(run_options(QUICK_HELP))
def faults_command(names: str | None, models: str | None, quick: bool, **given: Any) -> None:
    """What does a bad day do to each model, and what cures it?

    Deploys, crashes, a database that goes away or hangs, slow clients: each is done to real servers while requests come
    at a constant rate, to all models at once, and once more with every setting that is to cure it.
    """
    faults = chosen_faults(names, given["database_url"])
    wanted = models if models is not None else MODELS
    servers = fitting(faults, available_models(wanted))
    session = Session(place_of(given), sound_run)
    options = Options(quick=quick, seed=session.seed)
    further = {"faults": [fault.name for fault in faults]}
    inquiry = Inquiry("faults", models=servers, options=options, further=further)
    carry_out(session, inquiry, conclude, faults=faults, hit=servers, cures=not quick, notice=left_out(wanted))


def chosen_faults(names: str | None, database_url: str | None) -> tuple[Fault, ...]:
    """The faults of these names, or all. Raises BenchError for one that would hurt a database which is a user's own."""
    wanted = [name.strip() for name in names.split(",") if name.strip()] if names is not None else []
    if names is not None and not wanted:
        raise BenchError(f"no fault is named; there are {', '.join(fault.name for fault in FAULTS)}")
    found = find_faults(wanted)
    hurting = [fault.name for fault in found if fault.hurts_database]
    if database_url and wanted and hurting:
        raise BenchError(f"{join(hurting)} would hurt your own database, and everybody who uses it; leave out "
                         "--database-url (and BENCH_DATABASE_URL), or leave these faults out")  # fmt: skip
    return found


def fitting(faults: tuple[Fault, ...], models: tuple[Model, ...]) -> tuple[Model, ...]:
    """The models. Raises BenchError if none of the faults can happen to any."""
    if not any(fault.fits(model) for fault in faults for model in models):
        raise BenchError(f"{join([fault.name for fault in faults])} cannot happen to "
                         f"{join([model.name for model in models])}; name other models")  # fmt: skip
    return models


def conclude(console: Console, run: Run) -> None:
    """The table, every fault with its cures, and how many faults hurt each model."""
    report.summary(console, judge(run).faults, whole=True)
