"""How does one process keep asking several servers while something happens to them, and keep what became of each?"""

import asyncio
from collections import deque
from itertools import islice
from typing import cast

from bench.load.arrivals import Arrivals
from bench.load.client import Connection, Exchange, clock_ns
from bench.load.connections import Connections
from bench.load.job import LATE_SEND_NS, NS_PER_S, ErrorKind, LoadJob
from bench.load.pacing import constant
from bench.load.timer import NEVER_NS
from bench.load.watch import UNANSWERED, Lost, Watched, WatchJob, WatchResult

__all__ = ["Watching"]

SWEEP_S = 0.05  # so late is a time-out noticed, or an idle connection closed
OUTCOMES: dict[ErrorKind, Lost] = {
    "refused": "refused",
    "reset": "reset",
    "timeout": "timeout",
    "wrong_body": "wrong",
    "protocol": "wrong",
}


class WatchedConnection(Connection):
    """A connection that knows which request it carries, and how it was lost under it."""

    number = 0
    """Of the request under way."""
    answers = 0
    """Those that it has brought."""
    free_since_ns = 0
    lost: Lost = "reset"

    def connection_lost(self, exc: Exception | None) -> None:
        if self._untouched:
            self.lost = "stale" if self.answers else "reset" if exc else "empty"
        super().connection_lost(exc)

    def outcome(self, error: ErrorKind | None) -> str:
        """What became of its request."""
        if error is None:
            return "ok"
        if error == "bad_status":
            return str(self.status)
        return self.lost if error == "reset" else OUTCOMES[error]


class TargetWatch(Connections):
    """The open loop to one target, and every request of it."""

    def __init__(self, job: LoadJob, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(Exchange(job, job.host), loop)
        self.job = job
        self.sent_ns: list[int] = []
        self.done_ns: list[int | None] = []
        self.outcomes: list[str] = []
        self.late_sends = 0
        self._timeout_ns = int(job.timeout_s * NS_PER_S)
        self._queue: deque[int] = deque()
        self._arrivals = Arrivals(loop, self._act)

    def begin(self, first_ns: int, now_ns: int) -> None:
        """Send from now on, the first request after so many ns."""
        assert self.job.rate_rps is not None
        offsets_ns = islice(constant(self.job.rate_rps), self.job.max_requests)
        self._arrivals.begin((first_ns + offset_ns for offset_ns in offsets_ns), now_ns)

    @property
    def over(self) -> bool:
        """Whether it sends no more, and every request has ended."""
        return self._arrivals.due_ns == NEVER_NS and UNANSWERED not in self.outcomes

    def make(self) -> Connection:
        connection = WatchedConnection(self, self.exchange)
        self.sockets.add(connection)
        self.connects += 1
        return connection

    def finished(self, connection: Connection, now_ns: int, error: ErrorKind | None, detail: str) -> None:
        if error == "no_socket":
            raise OSError(f"the watch could not open a connection ({detail}); close what else has many open")
        watched = cast(WatchedConnection, connection)
        self._note(watched.number, now_ns, watched.outcome(error))
        watched.answers += 1
        if watched.open:
            watched.free_since_ns = now_ns
            self.idle.append(watched)
        if self._queue:
            self._send(self._queue.popleft(), now_ns)

    def end_sending(self) -> None:
        """Let the requests under way be the last ones."""
        self._arrivals.close()
        self._arrivals.due_ns = NEVER_NS

    def sweep(self, now_ns: int, idle_ns: int) -> None:
        """Give up what has waited too long, and close what nobody has used."""
        overdue_ns = now_ns - self._timeout_ns
        while self._queue and self.sent_ns[self._queue[0]] <= overdue_ns:
            self._note(self._queue.popleft(), now_ns, "timeout")
        for connection in [one for one in self.sockets if one.busy and one.intended_ns <= overdue_ns]:
            connection.fail(now_ns, "timeout", "")
        for connection in [one for one in self.idle if cast(WatchedConnection, one).free_since_ns <= now_ns - idle_ns]:
            self.idle.remove(connection)
            self.sockets.discard(connection)
            connection.abort()

    def close(self) -> Watched:
        """Close all connections; give what became of every request."""
        self.end_sending()
        for connection in list(self.sockets):
            connection.abort()
        return Watched(sent_ns=tuple(self.sent_ns), done_ns=tuple(self.done_ns), outcome=tuple(self.outcomes))

    def _act(self, intended_ns: int, now_ns: int) -> None:
        number = len(self.sent_ns)
        self.sent_ns.append(now_ns)
        self.done_ns.append(None)
        self.outcomes.append(UNANSWERED)
        self.late_sends += now_ns - intended_ns > LATE_SEND_NS
        if self._queue or (not self.idle and len(self.sockets) >= self.job.connections):
            self._queue.append(number)
        else:
            self._send(number, now_ns)

    def _send(self, number: int, now_ns: int) -> None:
        connection = self.take_idle()
        if connection is None:
            connection = self.make()
            connection.connect(self.loop)
        cast(WatchedConnection, connection).number = number
        connection.send(self.sent_ns[number], now_ns)

    def _note(self, number: int, now_ns: int, outcome: str) -> None:
        self.done_ns[number], self.outcomes[number] = now_ns, outcome


class Watching:
    """The watch of a job; `stop` ends it."""

    def __init__(self, job: WatchJob, loop: asyncio.AbstractEventLoop) -> None:
        self._job, self._loop = job, loop
        self._targets = [TargetWatch(target, loop) for target in job.targets]
        self._ended: asyncio.Future[None] = loop.create_future()
        self._draining = job.ends_itself

    def stop(self) -> None:
        """Send no more, and end when what is under way has ended, or after a short while."""
        for target in self._targets:
            target.end_sending()
        self._draining = True
        self._loop.call_later(self._job.drain_s, self._end)

    def crash(self, context: dict[str, object]) -> None:
        """End it with the error a callback raised, which the event loop would only log."""
        if not self._ended.done():
            error = context.get("exception")
            self._ended.set_exception(error if isinstance(error, Exception) else RuntimeError(context.get("message")))

    async def run(self) -> WatchResult:
        """Ask the servers, their requests spread over time, until told to stop or the limit is reached."""
        now_ns = clock_ns()
        for place, target in enumerate(self._targets):
            gap_ns = NS_PER_S / cast(float, target.job.rate_rps)
            target.begin(int(gap_ns * place / len(self._targets)), now_ns)
        self._sweep()
        limit = self._loop.call_later(self._job.limit_s, self.stop)
        try:
            await self._ended
        finally:
            limit.cancel()
            watched = tuple(target.close() for target in self._targets)
        return WatchResult(targets=watched, late_sends=sum(target.late_sends for target in self._targets))

    def _sweep(self) -> None:
        if self._ended.done():
            return
        for target in self._targets:
            target.sweep(clock_ns(), int(self._job.idle_s * NS_PER_S))
        if self._draining and all(target.over for target in self._targets):
            self._end()
            return
        self._loop.call_later(SWEEP_S, self._sweep)

    def _end(self) -> None:
        if not self._ended.done():
            self._ended.set_result(None)
