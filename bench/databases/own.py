"""The user's own PostgreSQL: a database of the bench's own in it, or a schema where it may not create a database.

`bench/databases/keeper.py` creates and drops it, in a process of its own.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from bench.databases.database import Database
from bench.errors import BenchError
from bench.server.life import ROOT


@contextmanager
def own_postgres(text: str) -> Iterator[Database]:
    """A new database or schema in the PostgreSQL at that URL, dropped at the end. Raises BenchError."""
    url = checked(text)
    keeper = subprocess.Popen(
        [sys.executable, "-m", "bench.databases.keeper"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "BENCH_DATABASE_URL": dsn(url)},
        cwd=ROOT,
        start_new_session=True,
    )
    assert keeper.stdin is not None
    assert keeper.stdout is not None
    try:
        made = json.loads(keeper.stdout.readline() or '{"error": "the database keeper ended at once"}')
        if "error" in made:
            raise BenchError(made["error"])
        if made["database"]:
            url = url.set(database=made["database"])
        yield Database(dsn(url), made["schema"], made["version"], "own")
    finally:
        keeper.stdin.close()
        keeper.wait()
        keeper.stdout.close()


def checked(text: str) -> URL:
    """The URL, if it is one of PostgreSQL; the driver in it does not matter. Raises BenchError."""
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        raise BenchError("the database URL cannot be read; write it as postgresql://user:password@host/db") from None
    if url.get_backend_name() not in ("postgresql", "postgres"):
        raise BenchError(f"the database URL is of {url.get_backend_name()}; give one of PostgreSQL: postgresql://…")
    return url.set(drivername="postgresql")


def dsn(url: URL) -> str:
    """The URL with its password, as libpq takes it."""
    return url.render_as_string(hide_password=False)
