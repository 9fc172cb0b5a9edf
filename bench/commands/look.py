"""The commands that look at things: a server by hand, the registry, the code."""

import json
import shlex
import tempfile
import time
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.text import Text

from bench.bed import bed
from bench.burst import send_at_once
from bench.commands.options import EXIT_FAILED, database_option
from bench.errors import BenchError
from bench.models import MODELS, Model, find_models
from bench.report import classic as classic_report
from bench.report import code as code_report
from bench.scenarios import SCENARIOS, classic
from bench.server.life import server_failed, serving
from bench.server.ports import HOST


@click.command()
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


@click.command()
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


@click.command("list")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def list_models(as_json: bool) -> None:
    """The models, their command lines, and the scenarios."""
    if as_json:
        click.echo(json.dumps({"models": [describe(model) for model in MODELS],
                               "scenarios": {name: scenario.question for name, scenario in SCENARIOS.items()}},
                              indent=1))  # fmt: skip
        return
    console = Console(highlight=False)
    for model in MODELS:
        line = Text.assemble((f"{model.name:20}", "bold"), f"{model.situation:16}", (shown_command(model), "dim"))
        console.print(line, soft_wrap=True)
    console.print()
    for name, scenario in SCENARIOS.items():
        console.print(Text.assemble((f"{name:20}", "bold"), scenario.question), soft_wrap=True)


def describe(model: Model) -> dict[str, Any]:
    """A model for programs."""
    return {"name": model.name, "app": model.app, "situation": model.situation, "command": shown_command(model)}


def shown_command(model: Model) -> str:
    """The command line with `python` for this interpreter and 8000 for the port."""
    return shlex.join(("python", *model.command(HOST, 8000)[1:]))


@click.command("code")
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
