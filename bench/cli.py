"""The commands, nothing else: what they do stands in the modules they call."""

import functools
import json
import math
import secrets
import shlex
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import click
from rich.console import Console
from rich.text import Text

from bench.bed import bed
from bench.burst import send_at_once
from bench.environment import environment
from bench.errors import BenchError
from bench.models import MODELS, Model, find_models
from bench.report import classic as classic_report
from bench.report import code as code_report
from bench.report.progress import CellProgress
from bench.results import Run, new_run
from bench.run import run_classic
from bench.scenarios import SCENARIOS, classic
from bench.server.life import server_failed, serving
from bench.server.ports import HOST

EXIT_FAILED = 1
EXIT_BAD_INPUT = 2
EXIT_INTERRUPTED = 130


class Commands(click.Group):
    """Shows examples above the options, and commands in the order of this file."""

    def format_help(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        self.format_usage(ctx, formatter)
        with formatter.section("Examples"):
            formatter.write_dl(
                [
                    ("python -m bench all", "every scenario, in about a minute"),
                    ("python -m bench classic", "the original example at its original 5 seconds, in about 3 minutes"),
                    ("python -m bench classic --models gevent,asyncio --requests 100", "watch the pool of 15"),
                    ("python -m bench code /sleep/postgres/", "the two views beside each other"),
                    ("python -m bench serve asyncio", "a server to try your own load on"),
                ]
            )
        self.format_help_text(ctx, formatter)
        self.format_options(ctx, formatter)

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name=None, version="0.1.0", prog_name="flask-concurrency-bench")
def cli() -> None:
    """gevent or asyncio for a Flask app? Runs both for real and shows which waits for what."""


class Seconds(click.FloatRange):
    """A range that NaN, which no comparison excludes, is outside of."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if math.isnan(number := super().convert(value, param, ctx)):
            self.fail(f"{value} is not a number", param, ctx)
        return number


def database_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """`--database-url`, for every command that needs a database."""
    return click.option(
        "--database-url",
        envvar="BENCH_DATABASE_URL",
        metavar="URL",
        help="Your own PostgreSQL instead of the embedded one. The bench works in a database (or schema) that it "
        "creates there and drops at the end. Also read from BENCH_DATABASE_URL.",
    )(command)


def run_options(seconds: float) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """The options of the commands that measure."""
    options = (
        click.option("--seconds", type=Seconds(0, 60, min_open=True), default=seconds, show_default=True,
                     help="How long each request of the classic sleeps."),
        click.option("--requests", type=click.IntRange(1, 500), default=classic.REQUESTS_2013, show_default=True,
                     help="How many requests are sent at once."),
        click.option("--models", "names", metavar="A,B", help="Only these models, in this order."),
        click.option("--out", type=click.Path(file_okay=False, path_type=Path), metavar="DIR",
                     help="Where results.json goes.  [default: results/<UTC time>/]"),
        database_option,
    )  # fmt: skip
    return lambda command: functools.reduce(lambda wrapped, option: option(wrapped), reversed(options), command)


@cli.command("all")
@run_options(seconds=1.0)
def all_scenarios(**options: Any) -> None:
    """Run every scenario there is."""
    measure("all", **options)


@cli.command("classic")
@run_options(seconds=classic.SECONDS_2013)
def classic_scenario(**options: Any) -> None:
    """Five requests at once to each sleep endpoint, for each model."""
    measure("classic", **options)


def measure(
    command: str, seconds: float, requests: int, names: str | None, out: Path | None, database_url: str | None
) -> None:
    """Run the classic, print it, and exit with 1 if a cell failed."""
    console = Console(highlight=False)
    models = find_models(names) if names is not None else MODELS
    workload = classic.Workload(seconds, requests)
    arguments = {"command": command, "seconds": seconds, "requests": requests, "models": [m.name for m in models]}
    run = new_run(out, environment(), arguments, seed=secrets.randbits(32))
    try:
        with CellProgress(console) as progress, bed(database_url, run.folder / "logs") as ready:
            run.environment = {**run.environment, "postgres": ready.database.version}
            report = classic_report.ClassicReport(console, progress, workload, full_s=2 * requests * seconds)
            run_classic(ready, models, workload, run, report)
    finally:
        summarise(console, run, workload)
    if any(cell.failure for cell in run.cells):
        raise SystemExit(EXIT_FAILED)


def summarise(console: Console, run: Run, workload: classic.Workload) -> None:
    """The table, and as the last line the results file."""
    if run.cells:
        console.print(classic_report.table(run.cells))
        console.print(classic_report.notes(workload), style="dim")
        click.echo(str(run.path))


@cli.command()
@click.argument("url")
@click.argument("count", metavar="[N]", type=click.IntRange(1, 500), default=classic.REQUESTS_2013)
def client(url: str, count: int) -> None:
    """The original client: N requests (5) to each sleep endpoint.

    They go, at once, to the server at URL, whatever server that is.
    """
    if not url.startswith(("http://", "https://")):
        raise BenchError(f"{url!r} is no address of a server; write it as http://127.0.0.1:8000")
    total_s, failed = 0.0, False
    for endpoint in (classic.PYTHON, classic.POSTGRES):
        click.echo(f"Sending {count} requests for {url.rstrip('/')}{endpoint}...")
        timeout_s = classic.SECONDS_2013 * count * 1.5 + classic.PATIENCE_S
        answers = send_at_once(
            url, endpoint, count, timeout_s, lambda answer: click.echo(classic_report.answer_line(answer))
        )
        burst_s = max(answer.end_s for answer in answers)
        click.echo(f"    = {burst_s:5.2f}s TOTAL")
        total_s += burst_s
        failed = failed or not all(answer.ok for answer in answers)
    click.echo("-" * 42)
    click.echo(f"SUM TOTAL = {total_s:.2f}s")
    if failed:
        raise SystemExit(EXIT_FAILED)


@cli.command()
@click.argument("model")
@click.option("--port", type=click.IntRange(1, 65535), default=8000, show_default=True, help="Port on loopback.")
@database_option
def serve(model: str, port: int, database_url: str | None) -> None:
    """Serve MODEL until Ctrl-C, with all it needs.

    Starts a database and an upstream too, for curl or a load tool of your own.
    """
    chosen, *more = find_models(model)
    if more:
        raise BenchError("name one model: a port has one server")
    with (
        tempfile.TemporaryDirectory(prefix="bench-serve-") as logs,
        bed(database_url, Path(logs)) as ready,
        serving(chosen, ready.environment(chosen), ready.logs, port) as server,
    ):
        click.echo(json.dumps(server.info, indent=1))
        click.echo(f"{chosen.name} serves at {server.url}; try: curl '{server.url}/sleep/postgres/?seconds=1'")
        click.echo("Ctrl-C ends it")
        while server.process.running:
            time.sleep(0.2)
        raise server_failed(server.process, f"the server ended with exit code {server.process.exit_code}")


@cli.command("list")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def list_models(as_json: bool) -> None:
    """The models, their command lines, and the scenarios."""
    if as_json:
        click.echo(json.dumps({"models": [describe(model) for model in MODELS],
                               "scenarios": {name: module.QUESTION for name, module in SCENARIOS.items()}},
                              indent=1))  # fmt: skip
        return
    console = Console(highlight=False)
    for model in MODELS:
        line = Text.assemble((f"{model.name:20}", "bold"), f"{model.situation:16}", (shown_command(model), "dim"))
        console.print(line, soft_wrap=True)
    console.print()
    for name, module in SCENARIOS.items():
        console.print(Text.assemble((f"{name:20}", "bold"), module.QUESTION), soft_wrap=True)


def describe(model: Model) -> dict[str, Any]:
    """A model for programs."""
    return {"name": model.name, "app": model.app, "situation": model.situation, "command": shown_command(model)}


def shown_command(model: Model) -> str:
    """The command line with `python` for this interpreter and 8000 for the port."""
    return shlex.join(("python", *model.command(HOST, 8000)[1:]))


@cli.command("code")
@click.argument("endpoint", required=False)
def code(endpoint: str | None) -> None:
    """The two views of ENDPOINT beside each other.

    Without ENDPOINT: the list of pairs, and how many of their lines differ.
    """
    console = Console(highlight=False)
    if endpoint is None:
        console.print(code_report.listing())
        return
    for pair in code_report.find(endpoint):
        console.print(code_report.side_by_side(pair, console.width))


def main() -> NoReturn:
    """Run a command; what the user can put right ends it with one line and exit code 2."""
    try:
        cli.main(standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(EXIT_BAD_INPUT)
    except BenchError as error:
        click.echo(f"bench: {error}", err=True)
        sys.exit(EXIT_BAD_INPUT)
    except (KeyboardInterrupt, click.Abort):
        click.echo("bench: interrupted; nothing is left running", err=True)
        sys.exit(EXIT_INTERRUPTED)
    sys.exit(0)
