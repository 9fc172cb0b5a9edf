"""The commands `load` and `calibrate`: the load generator as a tool by itself, for servers on this machine only."""

import json
import re
import sys
from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

import click
from rich.console import Console

from bench.commands.machines import CLUSTER, address_of, cluster_options
from bench.commands.options import EXIT_FAILED, MOST_GENERATORS, Real
from bench.commands.run import decorated
from bench.load import Interrupted, LoadJob, LoadResult, run
from bench.load.job import METHODS
from bench.measuring.calibrate import calibrate as measure_ceiling
from bench.report.terminal.load import calibration_report, load_report
from bench.testbed.processes.ports import check_loopback, is_loopback
from bench.testbed.servers.life import other_cores

if TYPE_CHECKING:
    from bench.cluster.connection import Address

__all__ = ["calibrate", "load"]

Target = tuple[str, int, str]  # host, port, path with query

CLOSED_CONNECTIONS = 32
OPEN_CONNECTIONS = 1_000  # an upper bound: they are opened only as they are needed
URL_CHARACTERS = "/%:@!$&'()*+,;=~-._?"  # what stands in a path or query as it is
HEADER_NAME = r"[A-Za-z0-9!#$%&'*+.^_`|~-]+"  # RFC 9110, 5.6.2
HEADER_VALUE = r"[\t -~\xa0-\xff]*"

EXAMPLES = """\b
Examples:
  python -m bench load http://127.0.0.1:8000/
      how much it can do: 32 connections, 10 seconds
  python -m bench load http://127.0.0.1:8000/ --rate 500 --arrival poisson
      how long users wait when 500 requests/s arrive
  python -m bench load http://127.0.0.1:8000/todos/ --expect-status 201 \\
      --body '{"title": "x"}' --header 'Content-Type: application/json'
"""


def parse_url(ctx: click.Context, param: click.Parameter, value: str) -> Target:
    """`http://host[:port]/path` on loopback. Raises click.BadParameter."""
    target = parse_any_url(ctx, param, value)
    if not is_loopback(target[0]):
        raise click.BadParameter(not_here(target[0]))
    return target


def not_here(host: str) -> str:
    """Why a host is not loaded."""
    return (f"{host} is not this machine; a load may only be aimed at 127.0.0.0/8, ::1 or localhost, "
            "for on anybody else's server it would be an attack")  # fmt: skip


def parse_any_url(ctx: click.Context, param: click.Parameter, value: str) -> Target:
    """`http://host[:port]/path`, wherever that is. Raises click.BadParameter."""
    try:
        parts = urlsplit(value)
        port = 80 if parts.port is None else parts.port
    except ValueError as error:
        raise click.BadParameter(f"{value!r} is no URL: {error}") from None
    if parts.scheme != "http" or not parts.hostname or parts.username is not None or not port:
        raise click.BadParameter(f"{value!r} is no address to load; write it as http://127.0.0.1:8000/path")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return parts.hostname, port, quote(path, safe=URL_CHARACTERS)


def parse_headers(ctx: click.Context, param: click.Parameter, values: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """`Name: value` each. Raises click.BadParameter."""
    return tuple(parse_header(value) for value in values)


def parse_header(header: str) -> tuple[str, str]:
    """`Name: value` as a pair."""
    name, colon, value = (part.strip(" \t") for part in header.partition(":"))
    if not (colon and re.fullmatch(HEADER_NAME, name) and re.fullmatch(HEADER_VALUE, value)):
        raise click.BadParameter(f"{header!r} is no header; write it as 'Name: value'")
    return name, value


# fmt: off
@click.command(epilog=EXAMPLES)
@click.argument("target", metavar="URL", callback=parse_any_url)
@click.option("--connections", type=click.IntRange(1, 20_000), metavar="N",
              help="How many a closed loop keeps busy, or the most that --rate may open.  "
                   f"[default: {CLOSED_CONNECTIONS}, or {OPEN_CONNECTIONS} with --rate]")
@click.option("--rate", "rate_rps", type=Real(0, 1e6, min_open=True), metavar="R",
              help="Open loop: R requests/s, whatever the server does. Without it: closed loop.")
@click.option("--duration", "duration_s", type=Real(0, 86_400, min_open=True), default=10.0, show_default=True,
              metavar="S", help="Seconds that are measured.")
@click.option("--warmup", "warmup_s", type=Real(0, 86_400), default=1.0, show_default=True, metavar="S",
              help="Seconds of load before the measurement.")
@click.option("--arrival", type=click.Choice(["constant", "poisson"]), default="constant", show_default=True,
              help="Requests evenly spaced, or as independent users send them.")
@click.option("--method", type=click.Choice(METHODS, case_sensitive=False), metavar="|".join(METHODS),
              help="[default: GET, or POST with --body]")
@click.option("--body", metavar="TEXT", help="The body of each request.")
@click.option("--header", "headers", multiple=True, metavar="K:V", callback=parse_headers,
              help="A header; may be repeated.")
@click.option("--timeout", "timeout_s", type=Real(0, 3_600, min_open=True), default=10.0, show_default=True,
              metavar="S", help="Seconds that each answer may take.")
@click.option("--expect-status", type=click.IntRange(200, 599), default=200, show_default=True, metavar="STATUS",
              help="An answer with any other status counts as an error.")
@click.option("--no-keep-alive", is_flag=True, help="A new connection for each request.")
@click.option("--generators", type=click.IntRange(1, MOST_GENERATORS), default=1, show_default=True, metavar="N",
              help="Processes that share the load, for servers that one cannot load to their limit.")
@click.option("--allow-host", "allowed", multiple=True, metavar="NAME",
              help="A server that is yours and not on this machine, such as one for staging: its name as in URL.")
@decorated(cluster_options())
@click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")
def load(target: Target, as_json: bool, generators: int, allowed: Sequence[str] = (), **options: Any) -> None:
    """Load URL, a server on this machine, and show how fast it answered.

    With --cluster the load comes from the machines of a Dask cluster, and URL may be on any of them. Ctrl-C ends it
    with what was measured. The exit code is 1 if there were errors.
    """
    address = address_of(options)
    for name in CLUSTER:
        options.pop(name, None)
    if address is None:
        check_host(target[0], set(allowed))
    job = make_job(target, **options)
    check_loopback()
    if sys.stderr.isatty():
        click.echo(f"loading for {job.warmup_s + job.duration_s:g} s; Ctrl-C ends it with what was measured", err=True)
    try:
        result = run(job, generators) if address is None else run_on(address, job, generators, set(allowed))
    except Interrupted as interrupted:
        if interrupted.result is not None:
            show(interrupted.result, job, as_json)
        raise KeyboardInterrupt from None
    show(result, job, as_json)
    if result.errors.total or not result.good:
        raise SystemExit(EXIT_FAILED)
# fmt: on


def check_host(host: str, allowed: set[str]) -> None:
    """Raises click.BadParameter for a host that is neither this machine nor one of those."""
    if not is_loopback(host) and host not in allowed:
        raise click.BadParameter(f"{not_here(host)}; if it is yours, add --allow-host {host}", param_hint="URL")


def run_on(address: "Address", job: LoadJob, generators: int, allowed: set[str]) -> LoadResult:
    """The load from the machines of a cluster. Raises BenchError."""
    from bench.cluster.joined import load_generator  # which takes a second, and Dask

    def check(hosts: set[str]) -> None:
        check_host(job.host, hosts | allowed)

    with load_generator(address, generators, check) as generator:
        return generator.run(replace(job, cores=()))


def make_job(
    target: Target,
    *,
    connections: int | None,
    rate_rps: float | None,
    method: str | None,
    body: str | None,
    no_keep_alive: bool,
    **options: Any,
) -> LoadJob:
    """The job that the options make. Raises click.UsageError."""
    host, port, path = target
    try:
        return LoadJob(
            host=host,
            port=port,
            path=path,
            connections=connections or (CLOSED_CONNECTIONS if rate_rps is None else OPEN_CONNECTIONS),
            rate_rps=rate_rps,
            method=method or ("GET" if body is None else "POST"),
            body=None if body is None else body.encode(errors="surrogateescape"),
            keep_alive=not no_keep_alive,
            cores=other_cores(),  # off the core that `serve` keeps its server on
            **options,
        )
    except ValueError as error:
        raise click.UsageError(str(error)) from None


def show(result: LoadResult, job: LoadJob, as_json: bool) -> None:
    """Print the job and its result, as a report or, with `cpu_share`, as JSON."""
    if as_json:
        asked = {name: value for name, value in json.loads(job.to_json()).items() if name != "lot"}
        values = {"job": asked, "result": {**asdict(result), "cpu_share": result.cpu_share}}
        click.echo(json.dumps(values, indent=1))
        return
    console = Console(highlight=False)
    console.print(load_report(result, job, console.width))


# fmt: off
@click.command(epilog="Example: python -m bench calibrate --rounds 3 --duration 0.4")
@click.option("--rounds", type=click.IntRange(1, 100), default=5, show_default=True,
              help="Rounds whose medians are shown.")
@click.option("--duration", "duration_s", type=Real(0.1, 60), default=1.0, show_default=True, metavar="S",
              help="Seconds of each load.")
@click.option("--generators", type=click.IntRange(1, MOST_GENERATORS), default=1, show_default=True,
              help="Processes that share each load.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")
def calibrate(rounds: int, duration_s: float, generators: int, as_json: bool) -> None:
    """Show what the load generator can do at most.

    It loads the cheapest correct server there is, on the cores that the models' servers and loads have. If wrk is
    installed, both take turns.
    """
    calibration = measure_ceiling(rounds=rounds, duration_s=duration_s, generators=generators)
    if as_json:
        click.echo(json.dumps(asdict(calibration), indent=1))
    else:
        Console(highlight=False).print(calibration_report(calibration))
# fmt: on
