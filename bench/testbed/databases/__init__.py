"""The databases that the models wait for: each in a server that the bench starts, or in the user's own server."""

import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

from bench.errors import BenchError
from bench.files import ROOT
from bench.testbed.databases.database import Database
from bench.testbed.databases.embedded_mariadb import embedded_mariadb
from bench.testbed.databases.embedded_postgres import embedded_postgres
from bench.testbed.databases.own import own_database
from bench.testbed.processes.process import GuardedProcess

__all__ = ["Database", "Databases", "databases", "seeded_database"]

EMBEDDED = {"postgres": embedded_postgres, "mysql": embedded_mariadb}


class Databases(dict[str, Database]):
    """Databases under the name that models have for them, each started and filled when it is first asked for.

    `urls` has the user's own servers by that name, `logs` is a folder, and `ends` ends what was started.
    """

    def __init__(self, urls: Mapping[str, str | None], logs: Path, ends: ExitStack) -> None:
        self._urls, self._logs, self._ends = urls, logs, ends
        self._starting = threading.Lock()  # servers that start at the same time ask for it at the same time

    def __missing__(self, kind: str) -> Database:
        with self._starting:
            if kind not in self:
                self[kind] = self._ends.enter_context(seeded_database(self._urls.get(kind), self._logs, kind))
            return self[kind]


@contextmanager
def databases(urls: Mapping[str, str | None], logs: Path) -> Iterator[Databases]:
    """No database at first: each is started when it is asked for, and gone when the context ends."""
    with ExitStack() as ends:
        yield Databases(urls, logs, ends)


@contextmanager
def seeded_database(url: str | None, logs: Path, kind: str = "postgres") -> Iterator[Database]:
    """A database that only this bench uses, with the 50 todos in it; gone when the context ends.

    `url` is the user's own server (None: start the embedded one), `logs` a folder, `kind` is `postgres` or `mysql`.

    Raises BenchError, one line, if no database can be had.
    """
    with own_database(kind, url) if url else EMBEDDED[kind](logs) as database:
        seed(database, logs)
        yield database


def seed(database: Database, logs: Path) -> None:
    """Create and fill the table with the app's own command, as a user would."""
    command = [sys.executable, "-m", "gevent_app", "--create"]
    log = logs / f"seed-{database.product}.log"
    with GuardedProcess(command, log=log, environment=database.environment(), cwd=ROOT) as process:
        if process.wait():
            reason = (process.log_tail().splitlines() or ["it gave no reason"])[-1]
            raise BenchError(f"cannot fill the database: {reason}")
