"""What is a model? One way to serve an app, and what is claimed of it, which is checked before it is measured."""

import importlib.util
import math
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from bench.models.programs import INSTALL_MARIADB, MARIADB, program

# Where a user's own MariaDB or MySQL may be named, beside `--mysql-url`.
MYSQL_URL = "BENCH_MYSQL_URL"
# Connections of each application, as its config.py has it; a server of several processes shares them out.
POOL = 15
# What has a session that keeps its connection from its first statement to a commit, a rollback or the request's end.
SESSION_APPS = ("gevent_app", "reference_apps.layers.sync_orm")


@dataclass(frozen=True)
class Model:
    """One way to serve an app: its server, worker class, driver and patches."""

    name: str
    app: str
    """The package or file whose views answer, as `/info` says it."""
    arguments: tuple[str, ...]
    """What follows `python` on the command line; `{host}`, `{port}` and `{workers}` are what the bench chooses, and so
    is `{fd}`, the descriptor of a socket that listens already."""
    situation: str = "nothing blocks"
    """What blocks, in a few words."""
    python_waits_overlap: bool = True
    """Whether one server process serves other requests while a view sleeps in Python."""
    database_waits_overlap: bool = True
    """Whether it does so while a view waits for the database."""
    loop: str | None = None
    """The package of the event loop that serves requests, as `/info` says it; None without one."""
    threads: int | None = 1
    """How many threads of a process answer requests; None where their number grows with the requests."""
    workers: int = 1
    """How many processes answer requests."""
    database: Literal["postgres", "mysql"] = "postgres"
    driver: str = ""
    """The driver part of the database URL; empty for the app's own default."""
    server: str = ""
    """The package that serves, as `/info` says it, where it is not the module that the command line names."""
    note: str = ""
    """What else a reader of the list should know, in one sentence."""
    packages: tuple[str, ...] = ()
    """Modules that it needs beside the project's own dependencies."""
    extra: str = ""
    """The extra of pyproject.toml that has them."""
    families: tuple[str, ...] = ()
    """Groups to choose it by, beside its app and its database."""
    framework: str = "Flask"
    """What its application is written for; empty for no framework."""
    published_2013_s: tuple[float, float, float] | None = None
    """Seconds of python, postgres and sum in the original example's README."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """Variables that its server finds in its environment, on purpose."""
    commits_first: bool = False
    """Whether its views end their transaction before they call another service."""
    layer: str = ""
    """What its views talk to the database with, for the models that the scenario `layers` is about.

    Two models on one layer and on servers of one class are a matched pair: they differ in the concurrency model alone.
    """

    @property
    def server_class(self) -> str:
        """`plain` if HTTP parser and event loop are what a server has unless faster ones are installed; `best` if they
        are those; empty for a server that offers no choice of both."""
        named = {"h11", "asyncio"} <= set(self.arguments), {"httptools", "uvloop"} <= set(self.arguments)
        if "--http-parser" in self.arguments:
            parser = self.arguments[self.arguments.index("--http-parser") + 1]
            return "best" if parser == "fast" else "plain"
        return {(True, False): "plain", (False, True): "best"}.get(named, "")

    @property
    def database_sleep(self) -> str:
        """The endpoint that sleeps in this model's database."""
        return f"/sleep/{self.database}/"

    @property
    def pool(self) -> int:
        """How many connections each process keeps: its share, rounded up, of what one process alone would keep.

        0 where its environment says that there can be no pool.
        """
        return int(self.environment.get("POOL_SIZE", math.ceil(POOL / self.workers)))

    @property
    def blocks(self) -> bool:
        """Whether it says of itself that one request waits after the other, in Python or in the database."""
        return not (self.python_waits_overlap and self.database_waits_overlap)

    @property
    def keeps_connection(self) -> bool:
        """Whether a request that has used the database keeps its connection while it calls another service."""
        return self.app in SESSION_APPS and not self.commits_first

    @property
    def distribution(self) -> str:
        """The package that serves, whose version `/info` has beside its name."""
        return self.server or self.arguments[1]

    @property
    def has_workers(self) -> bool:
        """Whether its server can have more than one process."""
        return any("{workers}" in part for part in self.arguments)

    @property
    def unavailable(self) -> str:
        """Why it cannot be started here, and what to install; empty if it can."""
        if missing := [name for name in self.packages if importlib.util.find_spec(name) is None]:
            return f"{' and '.join(missing)} missing; run make bench, or install the extra {self.extra!r}"
        if self.database == "mysql" and not os.environ.get(MYSQL_URL) and not program(MARIADB):
            return f"no MariaDB: {INSTALL_MARIADB}, or pass --mysql-url"
        return ""

    @property
    def takes_socket(self) -> bool:
        """Whether it does not bind its address itself, but is given a socket that listens."""
        return any("{fd}" in part for part in self.arguments)

    def command(self, host: str, port: int, fd: int | None = None) -> tuple[str, ...]:
        """The exact command line that serves this model at that address, or on the socket of that descriptor."""
        chosen = {"host": host, "port": port, "workers": self.workers, "fd": fd}
        return (sys.executable, *(part.format(**chosen) for part in self.arguments))
