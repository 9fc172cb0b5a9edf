"""What several commands share: options, exit codes."""

import math
from collections.abc import Callable
from typing import Any

import click

EXIT_FAILED = 1
EXIT_BAD_INPUT = 2
EXIT_INTERRUPTED = 130


class Real(click.FloatRange):
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
