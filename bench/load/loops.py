"""Who sends when? The closed loop answers "how much can it do", the open loop "how long do users wait at this rate"."""

import asyncio
import socket
import sys
from collections import deque
from collections.abc import Iterable
from itertools import islice

from bench.load.client import Connection, Exchange, clock_ns
from bench.load.generator import NEVER_NS, Generator
from bench.load.job import ErrorKind, LoadJob, LoadResult
from bench.load.pacing import schedule
from bench.load.timer import Timer

__all__ = ["ClosedLoop", "OpenLoop", "generator_for"]

# Connects under way at once: below the listen backlog of any common server (asyncio's is 100). A server too slow to
# accept a batch before the next one comes drops some; their kernel tries again after a second, as it does for users.
CONNECT_BATCH = 64
# A closed loop waits so long before it replaces a lost connection, so that a server that refuses is not flooded.
BACK_OFF_S = 0.1

LOST: tuple[ErrorKind, ...] = ("refused", "reset", "protocol", "no_socket")


async def generator_for(job: LoadJob) -> Generator:
    """The generator for a job, its host resolved; raises OSError for an unknown host."""
    loop = asyncio.get_running_loop()
    try:
        infos = await loop.getaddrinfo(job.host, job.port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise OSError(f"the host {job.host!r} is unknown ({error}); give its address") from None
    infos.sort(key=lambda info: info[0] != socket.AF_INET)  # "localhost" may be both; most servers listen on IPv4 only
    exchange = Exchange(job, str(infos[0][4][0]))
    return ClosedLoop(job, exchange, loop) if job.rate_rps is None else OpenLoop(job, exchange, loop)


class ClosedLoop(Generator):
    """A connection sends when it has its answer, so a slow server gets fewer requests, and its stalls stay hidden."""

    def __init__(self, job: LoadJob, exchange: Exchange, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(job, exchange, loop)
        self._left = job.max_requests or sys.maxsize

    async def prepare(self) -> None:
        """Connects all, for at most `timeout_s`; a connection that failed is tried again by its first request."""
        if not self.job.keep_alive:
            return
        until_s = self.loop.time() + self.job.timeout_s
        for first in range(0, self.job.connections, CONNECT_BATCH):
            batch = range(first, min(first + CONNECT_BATCH, self.job.connections))
            connects = [self._new().connect(self.loop) for _ in batch]
            _, late = await asyncio.wait(connects, timeout=max(until_s - self.loop.time(), 0.0))
            if late or self.interrupted:
                break
        for connection in [c for c in self.sockets if not c.open]:
            connection.abort()
            self.sockets.discard(connection)

    def begin(self, now_ns: int) -> None:
        ready: list[Connection | None] = list(self.sockets)
        for connection in ready + [None] * (self.job.connections - len(ready)):
            self._enter(connection)

    def proceed(self, connection: Connection, now_ns: int, error: ErrorKind | None) -> None:
        lost = error is not None and error in LOST
        if not lost and self._may_send(now_ns):
            if connection.open:
                connection.send(now_ns, now_ns)
            else:
                self.start(None, now_ns, now_ns)
            return
        self.under_way -= 1
        self.recorder.level(now_ns, -1)
        if lost:
            self.loop.call_later(BACK_OFF_S, self._enter, None)
        self.settle(now_ns)

    def _enter(self, connection: Connection | None) -> None:
        now_ns = clock_ns()
        if self._may_send(now_ns):
            self.under_way += 1
            self.recorder.enter(now_ns, now_ns)
            self.start(connection, now_ns, now_ns)

    def _may_send(self, now_ns: int) -> bool:
        if now_ns >= self.deadline_ns:
            return False
        self._left -= 1
        if not self._left:
            self.deadline_ns = now_ns
        return True


class OpenLoop(Generator):
    """Requests are due when the pacer says so, whatever the server does; each waits if no connection is free.

    Connections are opened when none is idle and used again last-in first-out, as connection pools do. So no
    more are opened than the load needs, and no server waits on a connection that stays silent.
    """

    def __init__(self, job: LoadJob, exchange: Exchange, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(job, exchange, loop)
        assert job.rate_rps is not None
        duration_s = job.warmup_s + job.duration_s
        self._offsets = islice(schedule(job.arrival, job.rate_rps, duration_s, job.seed), job.max_requests)
        self._begun_ns = 0
        self._due_ns = NEVER_NS
        self._queue: deque[int] = deque()
        self._idle: list[Connection] = []
        self._timer = Timer(loop, self._wake)

    async def run(self) -> LoadResult:
        try:
            return await super().run()
        finally:
            self._timer.close()

    def begin(self, now_ns: int) -> None:
        self._begun_ns = now_ns
        self._advance()
        self._wake()

    def proceed(self, connection: Connection, now_ns: int, error: ErrorKind | None) -> None:
        self.recorder.level(now_ns, -1)
        if self._queue:
            self.start(connection if connection.open else None, self._queue.popleft(), now_ns)
        else:
            self.under_way -= 1
            if connection.open:
                self._idle.append(connection)
        if self._due_ns <= now_ns:
            self._issue(now_ns)
        else:
            self.settle(now_ns)

    def waiting(self) -> Iterable[int]:
        intended, self._queue = self._queue, deque()
        return intended

    def give_up_waiting(self) -> None:
        now_ns = clock_ns()
        self.recorder.level(now_ns, -len(self._queue))
        for intended_ns in self.waiting():
            self.recorder.not_sent(intended_ns)
        self.settle(now_ns)

    def _wake(self) -> None:
        self._issue(clock_ns())
        if self._due_ns != NEVER_NS:
            self._timer.arm(self._due_ns)

    def _issue(self, now_ns: int) -> None:
        while self._due_ns <= now_ns:
            self._act(self._due_ns, now_ns)
            self._advance()
            now_ns = clock_ns()

    def _act(self, intended_ns: int, now_ns: int) -> None:
        self.recorder.lag(intended_ns, now_ns)
        connection = self._free()
        if connection is not None or len(self.sockets) < self.job.connections:
            self.under_way += 1
            self.recorder.enter(intended_ns, now_ns)
            self.start(connection, intended_ns, now_ns)
        elif len(self._queue) < self.job.queue_limit:
            self.recorder.enter(intended_ns, now_ns)
            self._queue.append(intended_ns)
        else:
            self.recorder.not_sent(intended_ns)

    def _free(self) -> Connection | None:
        while self._idle:
            connection = self._idle.pop()
            if connection.open:  # else the server closed it while it was idle
                return connection
        return None

    def _advance(self) -> None:
        offset_ns = next(self._offsets, None)
        if offset_ns is not None:
            self._due_ns = self._begun_ns + offset_ns
            return
        self._due_ns = NEVER_NS
        if self.job.max_requests is not None:
            self.deadline_ns = min(self.deadline_ns, clock_ns())
