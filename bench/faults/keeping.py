"""Which servers go on from one fault to the next? Those that a fault has left as it found them."""

from collections.abc import Collection, Hashable
from contextlib import ExitStack
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from bench.faults.fault import Fault, Row
from bench.testbed.servers.life import Server


@dataclass(frozen=True)
class KeptServer:
    """A server that is up."""

    port: int
    starting: Any
    """As its scene had it while it started."""
    server: Server
    ends: ExitStack
    """What ends it when it is closed."""


class KeptServers:
    """Servers between two faults; a context manager that ends those that are left."""

    def __init__(self) -> None:
        self._kept: dict[Hashable, KeptServer] = {}

    def give(self, fault: Fault, row: Row, server: KeptServer) -> None:
        """Keep a server."""
        self._kept[configuration(fault, row)] = server

    def take(self, fault: Fault, row: Row) -> KeptServer | None:
        """The server that a row needs, if it is there; whoever takes it ends it."""
        return self._kept.pop(configuration(fault, row), None)

    def end_others(self, fault: Fault, rows: Collection[Row]) -> None:
        """End the servers that these rows do not need, for they hold connections to the database."""
        needed = {configuration(fault, row) for row in rows}
        for key in self._kept.keys() - needed:
            end(self._kept.pop(key))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        with ExitStack() as ends:
            while self._kept:
                ends.callback(end, self._kept.popitem()[1])


def end(kept: KeptServer) -> None:
    """End a server at once: some would take seconds, though nobody is connected."""
    kept.starting.process.kill()
    kept.ends.close()


def configuration(fault: Fault, row: Row) -> Hashable:
    """What a server of this row is started with."""
    variables = {**fault.variables(row.model), **row.model.environment}
    return row.name, row.model.arguments, row.model.workers, tuple(sorted(variables.items()))
