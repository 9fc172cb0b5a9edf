"""Which sockets does a load on one server have, and which of them may carry the next request?"""

import asyncio

from bench.load.client import Connection, Exchange
from bench.load.job import ErrorKind

__all__ = ["Connections"]

# Connects under way at once: below the listen backlog of any common server (asyncio's is 100). A server too slow to
# accept a batch before the next one comes drops some; their kernel tries again after a second, as it does for users.
CONNECT_BATCH = 64


class Connections:
    """The sockets of a load; a subclass says in `finished` what comes after an answer.

    Idle connections are used again last-in first-out, as connection pools do. So no more are opened than the load
    needs, and no server waits on a connection that stays silent.
    """

    def __init__(self, exchange: Exchange, loop: asyncio.AbstractEventLoop) -> None:
        self.exchange, self.loop = exchange, loop
        self.sockets: set[Connection] = set()
        self.idle: list[Connection] = []
        self.connects = self.idle_closes = 0
        self.interrupted = False

    async def connect(self, count: int, timeout_s: float) -> list[Connection]:
        """Makes so many connections, for at most that time or until interrupted; gives those that are open."""
        until_s = self.loop.time() + timeout_s
        made: list[Connection] = []
        for first in range(0, count, CONNECT_BATCH):
            batch = [self.make() for _ in range(first, min(first + CONNECT_BATCH, count))]
            made += batch
            connects = [connection.connect(self.loop) for connection in batch]
            _, late = await asyncio.wait(connects, timeout=max(until_s - self.loop.time(), 0.0))
            if late or self.interrupted:
                break
        for connection in [one for one in made if not one.open]:
            connection.abort()
            self.sockets.discard(connection)
        return [connection for connection in made if connection.open]

    def start(self, connection: Connection | None, intended_ns: int, now_ns: int) -> None:
        """Sends over an open connection, or makes one first."""
        if connection is None:
            connection = self.make()
            connection.connect(self.loop)
        connection.send(intended_ns, now_ns)

    def take_idle(self) -> Connection | None:
        """The idle connection that was used last; None if there is none."""
        while self.idle:
            connection = self.idle.pop()
            if connection.open:  # else the server closed it while it was idle
                return connection
        return None

    def make(self) -> Connection:
        """A connection that is not open yet."""
        connection = Connection(self, self.exchange)
        self.sockets.add(connection)
        self.connects += 1
        return connection

    def finished(self, connection: Connection, now_ns: int, error: ErrorKind | None, detail: str) -> None:
        """A request has ended; its connection is free, or closed."""
        raise NotImplementedError

    def closed(self, connection: Connection, *, idle: bool) -> None:
        """Takes note of a connection that has ended."""
        self.sockets.discard(connection)
        self.idle_closes += idle
