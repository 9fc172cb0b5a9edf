"""The database that the models wait for: PostgreSQL from a wheel, or the user's own."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.databases.database import Database
from bench.databases.embedded import embedded_postgres
from bench.databases.own import own_postgres
from bench.errors import BenchError
from bench.server.life import ROOT
from bench.server.process import clean_environment

__all__ = ["Database", "seeded_database"]


@contextmanager
def seeded_database(url: str | None, work: Path) -> Iterator[Database]:
    """A database that only this bench uses, with the 50 todos in it; gone when the context ends.

    `url` is the user's own PostgreSQL (None: start the embedded one), `work` a folder for logs.

    Raises BenchError, one line, if there is none to be had.
    """
    with own_postgres(url) if url else embedded_postgres(work) as database:
        seed(database)
        yield database


def seed(database: Database) -> None:
    """Create and fill the table with the app's own command, as a user would."""
    command = [sys.executable, "-m", "gevent_app", "--create"]
    done = subprocess.run(
        command, cwd=ROOT, env=clean_environment() | database.environment(), capture_output=True, text=True
    )
    if done.returncode:
        lines = done.stderr.strip().splitlines() or ["it gave no reason"]
        raise BenchError(f"cannot fill the database: {lines[-1]}")
