"""Options and exit codes that several commands share."""

import math
import os
from collections.abc import Callable
from typing import Any

import click

from bench.models.model import MYSQL_URL

EXIT_FAILED = 1
EXIT_BAD_INPUT = 2
MOST_GENERATORS = 64


class Real(click.FloatRange):
    """A range of numbers that excludes NaN too, which no comparison does."""

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


def workers_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """`--workers`, for every command that starts servers."""
    return click.option(
        "--workers",
        type=click.IntRange(1, 64),
        help="Processes of each server, on a core each where one is left for the rest; together they have the pool of "
        "one.  [default: the model's own number, 1 for nearly all]",
    )(command)


def generators_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """`--generators`, for every command that measures."""
    return click.option(
        "--generators",
        type=click.IntRange(1, MOST_GENERATORS),
        help="Load generators, each a process with its share of every load.  [default: 1, and more where one is the "
        "limit and cores are free]",
    )(command)


def mysql_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """`--mysql-url`, for every command that may serve a model on MySQL."""
    return click.option(
        "--mysql-url",
        envvar=MYSQL_URL,
        metavar="URL",
        callback=remember_mysql_url,
        help="Your own MariaDB or MySQL instead of the installed MariaDB. The bench works in a database that it "
        f"creates there and drops at the end. Also read from {MYSQL_URL}.",
    )(command)


def remember_mysql_url(ctx: click.Context, param: click.Parameter, url: str | None) -> str | None:
    """Put it where `Model.unavailable` looks for it, however it was given."""
    if url:
        os.environ[MYSQL_URL] = url
    return url
