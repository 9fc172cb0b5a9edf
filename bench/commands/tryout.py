"""The command that tries the reader's own application under every model."""

import os
import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from bench.commands.load import parse_headers, parse_url
from bench.commands.options import generators_option
from bench.commands.run import FOLDER, decorated, was_chosen
from bench.commands.weak_points import OF_THE_SERVER, weak_lines, weakness_of
from bench.errors import BenchError
from bench.judging import judge
from bench.load import Generator
from bench.measuring.environment import environment
from bench.report.page.page import write_page
from bench.report.terminal.progress import StepProgress
from bench.report.terminal.tried import summary
from bench.results import Run, new_run
from bench.results.resume import GIVEN
from bench.results.tried import SCENARIO
from bench.scenarios.base import Options
from bench.testbed.processes.ports import check_loopback
from bench.testbed.processes.temporary import temporary_folder
from bench.tryout.app import app_of, environment_from
from bench.tryout.database import empty_postgres
from bench.tryout.held import database_ports
from bench.tryout.one_model import Asking
from bench.tryout.running import ask_running
from bench.tryout.script import Script
from bench.tryout.sources import script_from
from bench.tryout.trial import Trial
from bench.tryout.ways import ways_of


def parse_running(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    """The address of a server on loopback, without a path. Raises click.BadParameter."""
    if value is None:
        return None
    host, port, path = parse_url(ctx, param, value)
    if path != "/":
        raise click.BadParameter(f"{value!r} has a path; say it with --path {path}")
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
EXAMPLES = """\b
Examples:
  python -m bench try shop:app --path /orders
  python -m bench try "shop:create_app()" --chdir ~/shop --requests shop.toml
  python -m bench try shop:app --env-file .env --models sync,gevent --quick
"""
CANNOT_UNDO = (
    "The bench starts the application many times and asks it the same again and again. What the application itself "
    "then does, such as migrations or mail, cannot be undone."
)
# What is measured of an application: a first look is over in a minute and a half, and all of it within five.
LOAD = Options(generations=8, cycles=10, budget_s=90.0)
QUICK_LOAD = replace(LOAD, generations=3, cycles=5, budget_s=10.0, quick=True)
QUICK_REPEAT = 2

Command = Callable[..., Any]
APP_OPTIONS: Sequence[Callable[[Command], Command]] = (
    click.option("--python", type=FILE, metavar="BIN",
                 help="The interpreter of the application's virtual environment.  [default: that of a virtual "
                 "environment in its folder, else the bench's own]"),
    click.option("--chdir", "folder", type=click.Path(exists=True, file_okay=False, path_type=Path), metavar="DIR",
                 help="The application's working directory.  [default: this one]"),
    click.option("--env", "pairs", multiple=True, metavar="K=V", help="A variable for the application; repeatable."),
    click.option("--env-file", type=FILE, metavar="F", help="A file of K=V lines with variables for the application."),
    click.option("--postgres", metavar="NAME",
                 help="Put the URL of a fresh, empty database of the bench's PostgreSQL into the variable NAME."),
    click.option("--also", metavar="APP",
                 help="Your own port of the application to ASGI (Quart, FastAPI, …), compared with the original."),
    click.option("--target", "running", metavar="URL", callback=parse_running,
                 help="In place of APP: a server of this machine that runs already, as http://127.0.0.1:8000. What "
                 "needs its process is left out."),
)  # fmt: skip
REQUEST_OPTIONS: Sequence[Callable[[Command], Command]] = (
    click.option("--path", "paths", multiple=True, metavar="P", help="A path to GET; repeatable.  [default: /]"),
    click.option("--requests", "file", type=FILE, metavar="FILE",
                 help="Requests that one path cannot say: login, methods, forms; docs/try.md has the format."),
    click.option("--har", type=FILE, metavar="FILE", help="The GETs of a recorded browser session."),
    click.option("--header", "headers", multiple=True, metavar="K:V", callback=parse_headers,
                 help="A header for every request; repeatable."),
    click.option("--allow-writes", is_flag=True, help="Send POST, PUT, PATCH and DELETE too, many times over."),
)  # fmt: skip
TRIAL_OPTIONS: Sequence[Callable[[Command], Command]] = (
    click.option("--models", metavar="A,B", help="Only these ways to serve it.  [default: all that fit it]"),
    click.option("--at-once", type=click.IntRange(2, 64), default=Asking.at_once, show_default=True,
                 help="How many requests are sent together."),
    click.option("--repeat", type=click.IntRange(1, 100), default=Asking.repeat, show_default=True,
                 help="How often that is done."),
    click.option("--quick", is_flag=True, help="A first look: less often, and under load for a short time."),
    generators_option,
    click.option("--out", type=FOLDER, metavar="DIR", help="Where results.json goes.  [default: results/<UTC time>/]"),
)  # fmt: skip


@click.command("try", epilog=EXAMPLES)
@click.argument("target", metavar="APP", required=False)
@decorated([*APP_OPTIONS, *REQUEST_OPTIONS, *TRIAL_OPTIONS])
def try_command(target: str | None, running: str | None, postgres: str | None, quick: bool, **given: Any) -> None:
    """Your own application, unchanged, under every model.

    APP is module:app or module:create_app(), as gunicorn has it: Flask, any WSGI application, or ASGI. Says under which
    models it starts, answers the same and overlaps its waits, which lines block, what each request costs, and which
    model to take with which command. Nothing is installed into its environment or written to its folder.
    """
    if (target is None) == (running is None):
        raise BenchError("name your application, as in python -m bench try shop:app, or with --target the address of "
                         "a server that runs already")  # fmt: skip
    check_loopback()
    own = environment_from(given["pairs"], given["env_file"])
    asking = Asking(given["at_once"], QUICK_REPEAT if quick and not was_chosen("repeat") else given["repeat"])
    options = replace(QUICK_LOAD if quick else LOAD, seed=secrets.randbits(32), generators=given["generators"])
    with temporary_folder("try-") as place, given_database(postgres, place.path) as database:
        variables = {**os.environ, **own, **database}
        script = script_from(given["paths"], given["file"], given["har"], given["headers"], variables,
                             allow_writes=given["allow_writes"])  # fmt: skip
        wanted = Wanted(script, asking, options, given["out"])
        if target is None:
            url = running or ""
            wanted.carry_out(url, [], lambda run, progress: ask_running(run, url, script, asking, progress))
            return
        click.echo(CANNOT_UNDO)
        apps = [
            app_of(each, python=given["python"], folder=given["folder"], environment=variables,
                   bytecode=place, said=lambda line: click.echo(f"{line} …"))
            for each in (target, given["also"]) if each
        ]  # fmt: skip
        ways = ways_of(apps, given["models"] and [name.strip() for name in given["models"].split(",")])
        ports = tuple(database_ports(variables))

        def trial(run: Run, progress: StepProgress) -> None:
            with Generator(options.generators or 1) as generator:
                Trial(run, ways, script, asking, options, progress, ports).carry_out(generator)

        wanted.carry_out(target, [way.name for _, way in ways], trial)


@dataclass(frozen=True)
class Wanted:
    """What is asked, how often, and where the results go."""

    script: Script
    asking: Asking
    options: Options
    out: Path | None

    def carry_out(self, target: str, models: Sequence[str], trial: Callable[[Run, StepProgress], None]) -> None:
        """Carry out the trial, and print what was found, or as much of it as there is when it is stopped."""
        console = Console(highlight=False)
        run = new_run(self.out, environment(), self.arguments(target, models), self.options.seed)
        progress = StepProgress(console, "starting")
        progress.start()
        try:
            trial(run, progress)
        finally:
            progress.stop()
            if run.tried and run.tried.models:
                summary(console, run)
                say_weak_points(console, run)
                click.echo(str(write_page(run)))
                click.echo(str(run.path))

    def arguments(self, target: str, models: Sequence[str]) -> dict[str, Any]:
        """What was asked of the bench, as the results file has it, without any value that may be a secret."""
        asked = {"at_once": self.asking.at_once, "repeat": self.asking.repeat}
        return {
            "command": "try",
            "scenarios": [SCENARIO],
            "models": list(models),
            "options": {**self.options.content(), **asked},
            GIVEN: ["try", target],
        }


def say_weak_points(console: Console, run: Run) -> None:
    """Which faults hurt a server like the one that is recommended, if a run has inflicted them on one."""
    trial = judge(run).trial
    model = trial.recommendation.model if trial else ""
    weakness = weakness_of(model, faults=OF_THE_SERVER) if model else None
    if weakness and weakness.points:
        console.print(weak_lines(model, weakness))


@contextmanager
def given_database(variable: str | None, logs: Path) -> Iterator[dict[str, str]]:
    """The variable with the URL of an empty database, if one is asked for."""
    if variable is None:
        yield {}
        return
    with empty_postgres(variable, logs) as (_, variables):
        yield variables
