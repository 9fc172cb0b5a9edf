"""The test bed: everything a server needs around it. A database, and an upstream for it to call."""

import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import psycopg2

from bench.databases import Database, seeded_database
from bench.databases.connections import Room, room
from bench.errors import BenchError
from bench.models import Model
from bench.server.life import ROOT, START_TIMEOUT_S, other_cores
from bench.server.ports import HOST, free_port
from bench.server.process import GuardedProcess


@dataclass(frozen=True)
class Bed:
    """A seeded database and a running upstream; servers are started in it."""

    database: Database
    upstream_url: str
    logs: Path

    def database_connections(self) -> int:
        """How many connections to the database there are, beside this question's own."""
        with closing(psycopg2.connect(self.database.url)) as connection, connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            (row,) = cursor.fetchall()
            return int(row[0])

    def room(self) -> Room:
        """How many connections PostgreSQL has left."""
        return room(self.database.url)

    def restore_todos(self) -> None:
        """Take out what a load has added, so that the next one finds the 50 todos."""
        table = f"{self.database.schema}.todos" if self.database.schema else "todos"
        with closing(psycopg2.connect(self.database.url)) as connection, connection, connection.cursor() as cursor:
            cursor.execute(f"DELETE FROM {table} WHERE id > 50")

    def environment(self, model: Model) -> dict[str, str]:
        """What the model's server finds in its environment, whatever the user's shell has."""
        pool = {"POOL_SIZE": str(model.pool), "MAX_OVERFLOW": "0"}
        return {**self.database.environment(model.driver), **pool, "UPSTREAM_URL": self.upstream_url}


@contextmanager
def bed(database_url: str | None, logs: Path) -> Iterator[Bed]:
    """A test bed that is gone when the context ends; `logs` is a folder for what its processes print.

    Raises BenchError if the database or the upstream cannot be had.
    """
    logs.mkdir(parents=True, exist_ok=True)
    with seeded_database(database_url, logs) as database, upstream(logs) as url:
        yield Bed(database, url, logs)


@contextmanager
def upstream(logs: Path) -> Iterator[str]:
    """The upstream, answering; gives its address."""
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", "--host", HOST, "--port", str(port), "--loop", "asyncio",
               "--http", "httptools", "--log-level", "warning", "--no-access-log", "bench.upstream:app"]  # fmt: skip
    with GuardedProcess(command, log=logs / "upstream.log", cores=other_cores(), cwd=ROOT) as process:
        url = f"http://{HOST}:{port}/"
        deadline = time.monotonic() + START_TIMEOUT_S
        while process.running and time.monotonic() < deadline:
            try:
                httpx.get(url, trust_env=False)
            except httpx.ConnectError:
                time.sleep(0.05)
            else:
                break
        else:
            raise BenchError(f"the upstream did not start; its log says:\n{process.log_tail()}")
        yield url
