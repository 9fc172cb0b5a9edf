"""Who sends when? The closed loop answers "how much can it do", the open loop "how long do users wait at this rate"."""

import asyncio
import socket
import sys
from collections import deque
from collections.abc import Iterable

from bench.load.arrivals import Arrivals
from bench.load.client import Connection, Exchange, clock_ns
from bench.load.generator import Generator
from bench.load.job import ErrorKind, LoadJob
from bench.load.pacing import schedule
from bench.load.part import Part
from bench.load.start import CommonStart
from bench.load.timer import NEVER_NS

__all__ = ["ClosedLoop", "OpenLoop", "generator_for"]

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
        if self.job.keep_alive:
            await self.connect(self.job.connections, self.job.timeout_s)

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
    """Requests are due when the pacer says so, whatever the server does; each waits if no connection is free."""

    def __init__(self, job: LoadJob, exchange: Exchange, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(job, exchange, loop)
        self._queue: deque[int] = deque()
        self._arrivals = Arrivals(loop, self._act)

    async def measure(self, start: CommonStart | None = None) -> Part:
        try:
            return await super().measure(start)
        finally:
            self._arrivals.close()

    def begin(self, now_ns: int) -> None:
        job = self.job
        assert job.rate_rps is not None
        self._arrivals.begin(
            schedule(
                job.arrival, job.rate_rps, job.warmup_s + job.duration_s, job.seed, most=job.max_requests, lot=job.lot
            ),
            now_ns,
        )
        if self._arrivals.due_ns == NEVER_NS and job.max_requests is not None:  # of few requests a lot may be none
            self.deadline_ns = min(self.deadline_ns, clock_ns())
            self.settle(clock_ns())

    def proceed(self, connection: Connection, now_ns: int, error: ErrorKind | None) -> None:
        self.recorder.level(now_ns, -1)
        if self._queue:
            self.start(connection if connection.open else None, self._queue.popleft(), now_ns)
        else:
            self.under_way -= 1
            if connection.open:
                self.idle.append(connection)
        self._arrivals.catch_up(now_ns)
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

    def _act(self, intended_ns: int, now_ns: int) -> None:
        if self._arrivals.due_ns == NEVER_NS and self.job.max_requests is not None:
            self.deadline_ns = min(self.deadline_ns, now_ns)
        self.recorder.lag(intended_ns, now_ns)
        connection = self.take_idle()
        if connection is not None or len(self.sockets) < self.job.connections:
            self.under_way += 1
            self.recorder.enter(intended_ns, now_ns)
            self.start(connection, intended_ns, now_ns)
        elif len(self._queue) < self.job.queue_limit:
            self.recorder.enter(intended_ns, now_ns)
            self._queue.append(intended_ns)
        else:
            self.recorder.not_sent(intended_ns)
