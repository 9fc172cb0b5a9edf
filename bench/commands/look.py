"""The commands that look at things: a server by hand, the registry, the code."""

import json

import click
from rich.console import Console

from bench.commands.options import EXIT_FAILED, database_option, mysql_option, workers_option
from bench.errors import BenchError
from bench.judging import app_code
from bench.load.burst import send_at_once
from bench.models import available_models, with_workers
from bench.report.terminal import code as code_report
from bench.report.terminal import registry as registry_report
from bench.report.terminal.request_lines import answer_line
from bench.scenarios import classic
from bench.testbed.databases import Database
from bench.testbed.processes.temporary import temporary_folder
from bench.testbed.servers.life import server_failed, serving
from bench.testbed.testbed import open_testbed

# The original client asked for PostgreSQL only.
POSTGRES = "/sleep/postgres/"


@click.command()
@click.argument("url")
@click.argument("count", metavar="[N]", type=click.IntRange(1, 500), default=classic.REQUESTS_2013)
def client(url: str, count: int) -> None:
    """The original client: N requests (5) to each sleep endpoint.

    The requests for an endpoint are sent at once, to any server at URL.
    """
    if not url.startswith(("http://", "https://")):
        raise BenchError(f"{url!r} is no address of a server; write it as http://127.0.0.1:8000")
    total_s, failed = 0.0, False
    for endpoint in (classic.PYTHON, POSTGRES):
        click.echo(f"Sending {count} requests for {url.rstrip('/')}{endpoint}...")
        timeout_s = classic.SECONDS_2013 * count * 1.5 + classic.PATIENCE_S
        answers = send_at_once(url, endpoint, count, timeout_s, lambda answer: click.echo(answer_line(answer)))
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
@workers_option
@database_option
@mysql_option
def serve(model: str, port: int, workers: int | None, database_url: str | None, mysql_url: str | None) -> None:
    """Serve MODEL until Ctrl-C, with all it needs.

    Starts a database and an upstream too, for curl or a load tool of your own.
    """
    chosen, *more = available_models(model)
    if more:
        raise BenchError("name one model: a port has one server")
    if workers:
        (chosen,) = with_workers([chosen], workers)
    with (
        temporary_folder("bench-serve-") as logs,
        open_testbed(database_url, logs.path, mysql_url=mysql_url) as ready,
        serving(chosen, ready.environment(chosen), ready.logs, port) as server,
    ):
        click.echo(json.dumps(server.info, indent=1))
        click.echo(f"{chosen.name} serves at {server.url}; try: curl '{server.url}{chosen.database_sleep}?seconds=1'")
        click.echo(f"its database is {shown(ready.database_of(chosen))}")
        click.echo("Ctrl-C ends it")
        code = server.process.wait()
        raise server_failed(server.process, f"the server ended with exit code {code}")


def shown(database: Database) -> str:
    """Where your own tools find the database; the password is left out where it is yours."""
    place = f", schema {database.schema}" if database.schema else ""
    return database.url_for("").render_as_string(hide_password=database.origin == "own") + place


@click.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")
def list_models(as_json: bool) -> None:
    """The models, their command lines, and the scenarios."""
    if as_json:
        click.echo(json.dumps(registry_report.for_programs(), indent=1))
        return
    console = Console(highlight=False)
    console.print(registry_report.listing(console.width))


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
    for pair in app_code.find(endpoint):
        console.print(code_report.side_by_side(pair, console.width))
