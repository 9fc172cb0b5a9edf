"""The test bed: everything a server needs around it. Databases, and an upstream for it to call."""

import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
from sqlalchemy import text

from bench.files import ROOT
from bench.models import Model
from bench.testbed.databases import Database, databases
from bench.testbed.databases.connections import ConnectionHeadroom, headroom
from bench.testbed.processes.local_http import local_get
from bench.testbed.processes.ports import HOST, check_loopback, free_port
from bench.testbed.processes.process import GuardedProcess, NotYet
from bench.testbed.servers.cost import family
from bench.testbed.servers.life import START_TIMEOUT_S, other_cores
from bench.testbed.servers.machine import HERE, Machine


@dataclass(frozen=True)
class TestBed:
    """Seeded databases and a running upstream; servers are started in it."""

    databases: Mapping[str, Database]
    """By the name that models have for them; each is started when it is first asked for."""
    upstream_url: str
    logs: Path
    upstream: GuardedProcess | None = None
    """The upstream's process."""
    machine: Machine = HERE
    """Where servers are started."""

    def database_of(self, model: Model) -> Database:
        """The database that the model's views wait for."""
        return self.databases[model.database]

    def headroom(self, model: Model) -> ConnectionHeadroom:
        """How many connections the model's database server has left."""
        return headroom(self.database_of(model))

    def database_pids(self, models: Iterable[Model]) -> tuple[int, ...]:
        """The processes of the databases that these models wait for, as far as the bench has started them."""
        servers = {database.pid for database in map(self.database_of, models) if database.pid}
        return tuple(process.pid for pid in sorted(servers) for process in family(pid))

    def restore_todos(self, model: Model) -> None:
        """Take out what a load has added, so that the next one finds the 50 todos."""
        database = self.database_of(model)
        table = f"{database.schema}.todos" if database.schema else "todos"
        with database.connect() as connection:
            connection.execute(text(f"DELETE FROM {table} WHERE id > 50"))

    def environment(self, model: Model) -> dict[str, str]:
        """What the model's server finds in its environment, whatever the user's shell has."""
        pool = {"POOL_SIZE": str(model.pool), "MAX_OVERFLOW": "0"}
        return {**self.database_of(model).environment(model.driver), **pool, "UPSTREAM_URL": self.upstream_url}

    def versions(self) -> dict[str, str]:
        """The database servers that run, by product."""
        return {database.product: database.version for database in self.databases.values()}


@contextmanager
def open_testbed(
    database_url: str | None,
    logs: Path,
    *,
    mysql_url: str | None = None,
    models: Iterable[Model] = (),
    machine: Machine = HERE,
    host: str = HOST,
) -> Iterator[TestBed]:
    """A test bed that is gone when the context ends, with the databases of these models started.

    The URLs are the user's own servers (None: embedded ones), `logs` is a folder for what its processes print,
    `machine` is where servers are to be started, and `host` the address of this one at which they find the upstream.

    Raises BenchError if a database or the upstream cannot be had, or this machine cannot reach itself.
    """
    check_loopback()
    logs.mkdir(parents=True, exist_ok=True)
    urls = {"postgres": database_url, "mysql": mysql_url}
    with databases(urls, logs) as found, upstream(logs, host) as (url, process):
        ready = TestBed(found, url, logs, process, machine)
        for model in models:
            ready.database_of(model)
        yield ready


@contextmanager
def upstream(logs: Path, host: str = HOST) -> Iterator[tuple[str, GuardedProcess]]:
    """The upstream, answering; gives its address and its process."""
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", "--host", host, "--port", str(port), "--loop", "asyncio",
               "--http", "httptools", "--log-level", "warning", "--no-access-log",
               "bench.testbed.upstream:app"]  # fmt: skip
    url = f"http://{host}:{port}/"

    def ask() -> None:
        try:
            local_get(url)
        except httpx.ConnectError:
            raise NotYet("nothing listened on its port") from None

    with GuardedProcess(
        command, log=logs / "upstream.log", cores=other_cores(), cwd=ROOT, name="the upstream"
    ) as process:
        process.until(ask, START_TIMEOUT_S)
        yield url, process
