"""The shop under a server: started by a command as docs/moving.md prints it, with database and upstream around it."""

import os
import re
import shlex
import sys
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import httpx
from shop.models import USERS, password_of
from sqlalchemy import Connection, text

from bench.testbed.databases import Database
from bench.testbed.processes.local_http import local_client, local_get
from bench.testbed.processes.ports import HOST, free_port
from bench.testbed.processes.process import GuardedProcess, NotYet

APPS = Path(__file__).parent
START_TIMEOUT_S = 30.0
PATIENCE_S = 30.0
# What an answer is given that must not wait for anything; a server that is stopped would need for ever.
AT_ONCE_S = 2.0
NAMES = [f"user{number}" for number in range(USERS)]
Result = TypeVar("Result")


@dataclass(frozen=True)
class Around:
    """What every server of the shop has around it."""

    database: Database
    upstream_url: str
    logs: Path

    @property
    def environment(self) -> dict[str, str]:
        """Python finds the bridge beside the folder in which the command is run."""
        return self.database.environment() | {"UPSTREAM_URL": self.upstream_url, "PYTHONPATH": str(APPS.parents[1])}

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        """A connection to the shop's database, where every statement is a transaction."""
        with self.database.connect() as connection:
            yield connection

    def waiting(self, connection: Connection, event: str) -> int:
        """How many of the shop's connections wait in the database, for a lock or in pg_sleep."""
        query = text("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event = :event")
        return int(connection.execute(query, {"event": event}).scalar_one())

    def notes(self, note: str) -> int:
        """How many notes of that text have been written."""
        with self.connection() as connection:
            query = text("SELECT count(*) FROM notes WHERE text = :note")
            return int(connection.execute(query, {"note": note}).scalar_one())


@dataclass(frozen=True)
class Shop:
    """A server of the shop that answers."""

    url: str
    around: Around
    process: GuardedProcess
    keyboard: int
    """The file descriptor of its standard input."""

    def client(self, *, timeout_s: float = PATIENCE_S) -> httpx.Client:
        return local_client(self.url, timeout=timeout_s)

    @contextmanager
    def signed_in(self, name: str) -> Iterator[httpx.Client]:
        """A client with that user's cookie."""
        with self.client() as client:
            answer = client.post("/sign-in", data={"name": name, "password": password_of(name)})
            assert answer.status_code == 302, answer.text
            yield client

    def answers_at_once(self) -> bool:
        """Whether a request that needs nothing is answered."""
        with self.client(timeout_s=AT_ONCE_S) as client:
            try:
                return client.get("/health").status_code == 200
            except httpx.TimeoutException:
                return False


def at_once(work: Callable[[str], Result]) -> list[Result]:
    """The work for every user, all at once."""
    with ThreadPoolExecutor(USERS) as pool:
        return list(pool.map(work, NAMES))


@contextmanager
def serving(command: str, around: Around, environment: Mapping[str, str] | None = None) -> Iterator[Shop]:
    """The server of a command, which may begin with variables: `DATABASE_URL=postgresql+asyncpg://… uvicorn …`."""
    variables, words = split(command)
    port = free_port()
    found = around.environment | {"PYTHONUNBUFFERED": "1"} | dict(environment or {})
    if driver := re.match(r"postgresql\+(\w+)", variables.get("DATABASE_URL", "")):
        found |= around.database.environment(driver[1])
    name = re.sub(r"\W+", "-", " ".join([*words, *(environment or {})]))
    fifo = around.logs / f"{name}-{port}.stdin"
    os.mkfifo(fifo)
    keyboard = os.open(fifo, os.O_RDWR)
    try:
        with GuardedProcess(
            ["sh", "-c", 'exec "$0" "$@" < "$STDIN"', sys.executable, "-m", *words, *address(words[0], port)],
            log=around.logs / f"{name}-{port}.log",
            environment=found | {"STDIN": str(fifo)},
            cwd=APPS,
        ) as process:
            shop = Shop(f"http://{HOST}:{port}", around, process, keyboard)

            def ask() -> None:
                try:
                    with shop.client() as client:
                        client.get("/health").raise_for_status()
                except httpx.HTTPError as error:
                    raise NotYet(f"/health: {error}") from None

            process.until(ask, START_TIMEOUT_S)
            yield shop
    finally:
        os.close(keyboard)


def split(command: str) -> tuple[dict[str, str], list[str]]:
    """The variables at the beginning of a command, and its words."""
    words = shlex.split(command)
    variables = {}
    while "=" in words[0]:
        name, _, variables[name] = words.pop(0).partition("=")
    return variables, words


def address(program: str, port: int) -> list[str]:
    """How the program is told where to listen; gunicorn beside it that it needs no control socket."""
    if program == "gunicorn":
        return ["--bind", f"{HOST}:{port}", "--no-control-socket"]
    return ["--host", HOST, "--port", str(port)]


@contextmanager
def around_the_shop(database: Database, logs: Path) -> Iterator[Around]:
    """A database of the shop's own in the bench's PostgreSQL, with its tables, and an upstream that counts."""
    with database.connect() as connection:
        connection.execute(text("CREATE DATABASE shop"))
    own = replace(database, url=database.url_for("").set(database="shop").render_as_string(hide_password=False))
    port = free_port()
    url = f"http://{HOST}:{port}/"
    command = [sys.executable, "-m", "uvicorn", "--host", HOST, "--port", str(port), "--log-level", "warning",
               "counting_upstream:app"]  # fmt: skip
    around = Around(own, url, logs)

    def ask() -> None:
        try:
            local_get(url)
        except httpx.ConnectError:
            raise NotYet("nothing listened on its port") from None

    environment = around.environment
    with GuardedProcess(command, log=logs / "counting_upstream.log", environment=environment, cwd=APPS) as process:
        process.until(ask, START_TIMEOUT_S)
        create = "import shop, shop.models\nwith shop.create_app().app_context(): shop.models.create_tables()"
        python = [sys.executable, "-c", create]
        with GuardedProcess(python, log=logs / "create.log", environment=environment, cwd=APPS) as creating:
            creating.finish(START_TIMEOUT_S)
        yield around
    with database.connect() as connection:
        connection.execute(text("DROP DATABASE shop WITH (FORCE)"))


def peak_at_upstream(around: Around) -> Any:
    """The most requests that the upstream has had at once since it was last asked."""
    return local_get(f"{around.upstream_url}peak").json()
