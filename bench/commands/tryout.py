"""The command that tries the reader's own application under every model."""

import os
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from bench.commands.run import FOLDER, decorated
from bench.errors import BenchError
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
from bench.tryout.app import App, app_of, environment_from
from bench.tryout.database import empty_postgres
from bench.tryout.held import database_ports
from bench.tryout.one_model import Asking
from bench.tryout.script import Script
from bench.tryout.sources import script_from
from bench.tryout.trial import Trial
from bench.tryout.ways import Way, ways_for

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
EXAMPLES = """\b
Examples:
  python -m bench try shop:app --path /orders
  python -m bench try "shop:create_app()" --python .venv/bin/python --chdir ~/shop --requests requests.toml
  python -m bench try shop:app --path / --env-file .env --models sync,gevent,bridge-threads --quick
"""
CANNOT_UNDO = (
    "The bench starts the application many times and asks it the same again and again. What the application itself "
    "then does, such as migrations or mail, cannot be undone."
)
# What is measured of an application: a first look is over in a minute and a half, and all of it within five.
LOAD = Options(generations=8, cycles=10, budget_s=90.0)
QUICK_LOAD = replace(LOAD, generations=3, cycles=5, budget_s=12.0, quick=True)
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
)  # fmt: skip
REQUEST_OPTIONS: Sequence[Callable[[Command], Command]] = (
    click.option("--path", "paths", multiple=True, metavar="P", help="A path to GET; repeatable.  [default: /]"),
    click.option("--requests", "file", type=FILE, metavar="FILE",
                 help="Requests that one path cannot say: login, methods, forms; docs/try.md has the format."),
    click.option("--har", type=FILE, metavar="FILE", help="The GETs of a recorded browser session."),
    click.option("--header", "headers", multiple=True, metavar="K:V", help="A header for every request; repeatable."),
    click.option("--allow-writes", is_flag=True, help="Send POST, PUT, PATCH and DELETE too, many times over."),
)  # fmt: skip
TRIAL_OPTIONS: Sequence[Callable[[Command], Command]] = (
    click.option("--models", metavar="A,B", help="Only these ways to serve it.  [default: all that fit it]"),
    click.option("--at-once", type=click.IntRange(2, 64), default=Asking.at_once, show_default=True,
                 help="How many requests are sent together."),
    click.option("--repeat", type=click.IntRange(1, 100), default=Asking.repeat, show_default=True,
                 help="How often that is done."),
    click.option("--quick", is_flag=True, help="A first look: less often, and under load for a short time."),
    click.option("--out", type=FOLDER, metavar="DIR", help="Where results.json goes.  [default: results/<UTC time>/]"),
)  # fmt: skip


@dataclass(frozen=True)
class Wanted:
    """Which application, with what around it, and how often it is asked."""

    target: str
    also: str | None
    python: Path | None
    folder: Path | None
    environment: Mapping[str, str]
    models: Sequence[str] | None


@click.command("try", epilog=EXAMPLES)
@click.argument("target", metavar="APP")
@decorated([*APP_OPTIONS, *REQUEST_OPTIONS, *TRIAL_OPTIONS])
def try_command(target: str, pairs: tuple[str, ...], env_file: Path | None, postgres: str | None, **given: Any) -> None:
    """Your own application, unchanged, under every model.

    APP is module:app or module:create_app(), as gunicorn has it: Flask, any WSGI application, or ASGI. Says under which
    models it starts, answers the same and overlaps its waits, which lines block, what each request costs, and which
    model to take with which command. Nothing is installed into its environment or written to its folder.
    """
    check_loopback()
    own = environment_from(pairs, env_file)
    with temporary_folder("try-") as place, given_database(postgres, place.path) as variables:
        names = given["models"].split(",") if given["models"] else None
        wanted = Wanted(
            target, given["also"], given["python"], given["folder"], {**os.environ, **own, **variables}, names
        )
        script = script_from(given["paths"], given["file"], given["har"], headers_of(given["headers"]),
                             wanted.environment, allow_writes=given["allow_writes"])  # fmt: skip
        carry_out(wanted, script, given, place.path)


@contextmanager
def given_database(variable: str | None, logs: Path) -> Iterator[dict[str, str]]:
    """The variable with the URL of an empty database, if one is asked for."""
    if variable is None:
        yield {}
        return
    with empty_postgres(variable, logs) as (_, variables):
        yield variables


def carry_out(wanted: Wanted, script: Script, given: Mapping[str, Any], place: Path) -> None:
    """Try it, and print what was found, or as much of it as there is when the trial is stopped."""
    console = Console(highlight=False)
    progress = StepProgress(console, f"importing {wanted.target}")
    progress.start()
    try:
        ways = served_by(wanted, place, progress)
        options = replace(QUICK_LOAD if given["quick"] else LOAD, seed=secrets.randbits(32))
        run = new_run(given["out"], environment(), arguments(wanted, ways, options, given), options.seed)
        repeat = min(given["repeat"], QUICK_REPEAT) if given["quick"] else given["repeat"]
        asking = Asking(at_once=given["at_once"], repeat=repeat)
        ports = tuple(database_ports(wanted.environment))
        console.print(CANNOT_UNDO, style="dim")
        try:
            with Generator() as generator:
                Trial(run, ways, script, asking, options, progress, ports).carry_out(generator)
        finally:
            progress.stop()
            conclude(console, run)
    finally:
        progress.stop()


def served_by(wanted: Wanted, place: Path, progress: StepProgress) -> list[tuple[App, Way]]:
    """The application, and that of `--also`, with the ways to serve it. Raises BenchError."""
    apps = [
        app_of(target, python=wanted.python, folder=wanted.folder, environment=wanted.environment,
               bytecode=place / "bytecode", said=progress.now)
        for target in (wanted.target, wanted.also) if target
    ]  # fmt: skip
    if len({app.facts.interface for app in apps}) < len(apps):
        raise BenchError(f"{wanted.target} and {wanted.also} are both {apps[0].facts.interface.upper()} applications; "
                         "try them one after the other, and compare the two runs")  # fmt: skip
    every = [(app, way) for app in apps for way in ways_for(app)]
    known = [way.name for _, way in every]
    for name in wanted.models or ():
        if name not in known:
            raise BenchError(f"{wanted.target} cannot be served as {name!r}; there are {', '.join(known)}")
    return [(app, way) for app, way in every if wanted.models is None or way.name in (known[0], *wanted.models)]


def headers_of(texts: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """`--header K:V`, taken apart. Raises BenchError."""
    found = []
    for text in texts:
        name, colon, value = text.partition(":")
        if not colon or not name.strip() or " " in name.strip():
            raise BenchError("--header needs a name, a colon and a value, as in --header 'Accept: application/json'")
        found.append((name.strip(), value.strip()))
    return tuple(found)


def arguments(
    wanted: Wanted, ways: Sequence[tuple[App, Way]], options: Options, given: Mapping[str, Any]
) -> dict[str, Any]:
    """What was asked of the bench, as the results file has it, without any value that may be a secret."""
    asked = {"at_once": given["at_once"], "repeat": given["repeat"]}
    return {
        "command": "try",
        "scenarios": [SCENARIO],
        "models": [way.name for _, way in ways],
        "options": {**options.content(), **asked},
        GIVEN: ["try", wanted.target],
    }


def conclude(console: Console, run: Run) -> None:
    """What was found, and where it is written."""
    if run.tried and run.tried.models:
        summary(console, run)
        click.echo(str(write_page(run)))
        click.echo(str(run.path))
