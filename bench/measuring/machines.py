"""Which machines take part in a run: this one alone, or with `--cluster` others, of which nothing is known here."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Protocol
from urllib.parse import urlsplit

from bench.errors import BenchError
from bench.load import Generator
from bench.testbed.processes.ports import HOST, is_loopback
from bench.testbed.servers.machine import HERE, Machine

__all__ = ["Machines", "OneMachine", "check_databases", "one_machine"]

URLS = {"postgres": "--database-url", "mysql": "--mysql-url"}


class Machines(Protocol):
    """The machines of a run."""

    @property
    def server(self) -> Machine:
        """Where servers are started."""

    @property
    def host(self) -> str:
        """The address of this machine at which servers find what runs on it."""

    @property
    def generators(self) -> int:
        """How many generators there are where nobody has said it."""

    def generator(self, processes: int) -> Generator:
        """What sends the loads, in so many processes."""

    def facts(self, database_url: str | None) -> Mapping[str, Any]:
        """What a run's environment has of them, beside what it has of this one. Raises BenchError if they differ."""

    def words(self) -> str:
        """Who does what, for a reader; empty where this machine does everything."""


class OneMachine:
    """This machine does everything."""

    server, host, generators = HERE, HOST, 1

    def generator(self, processes: int) -> Generator:
        """Generators on this machine."""
        return Generator(processes)

    def facts(self, database_url: str | None) -> Mapping[str, Any]:
        """Nothing beside what is known of this machine."""
        return {}

    def words(self) -> str:
        """Nothing that a reader must be told."""
        return ""


@contextmanager
def one_machine() -> Iterator[Machines]:
    """This machine."""
    yield OneMachine()


def check_databases(machines: Machines, urls: Mapping[str, str | None], kinds: set[str]) -> None:
    """Raises BenchError if servers cannot reach a database that they wait for, because it is this machine's own."""
    for kind in sorted(kinds) if not is_loopback(machines.server.host) else ():
        if (url := urls.get(kind)) is None:
            raise BenchError(f"servers on {machines.server.name} cannot reach a database of the bench's own, which "
                             f"listens on this machine alone; pass {URLS[kind]}")  # fmt: skip
        if is_loopback(urlsplit(url).hostname or "localhost"):
            raise BenchError(f"{URLS[kind]} names this machine by an address that {machines.server.name} cannot reach; "
                             "give one that it can")  # fmt: skip
