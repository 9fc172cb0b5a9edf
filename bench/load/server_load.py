"""How is one of several servers loaded during its slice, in a closed or an open loop, and what came of it?"""

import asyncio
from array import array
from collections import deque
from collections.abc import Iterable
from itertools import chain

from bench.load.arrivals import Arrivals
from bench.load.client import Connection, Exchange, clock_ns
from bench.load.connections import Connections
from bench.load.job import LATE_SEND_NS, NS_PER_S, ErrorKind, LoadJob

__all__ = ["ServerLoad"]

NS_PER_US = 1_000
# So many requests at once fill a server's caches; with more, a lead-in lasts as long as a slice where answers are slow.
LEAD_IN_CONNECTIONS = 4
TRIES = 3  # to have all connections: those that a server closes when they were idle too long are closed in one go


class ServerLoad(Connections):
    """The connections to one server, which stay open between its slices, and the figures of the slice under way."""

    def __init__(self, job: LoadJob, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(Exchange(job, job.host), loop)
        self.job = job
        self.wanted = job.connections if job.rate_rps is None else 0
        self.error_example = ""
        self.arrivals = Arrivals(loop, self.act)
        self.reset()

    def reset(self, began_ns: int | None = None) -> None:
        """Sets all figures back: a new slice begins then, or now."""
        self.began_ns = clock_ns() if began_ns is None else began_ns
        self.half_ns = self.again_until_ns = self.due_until_ns = self.began_ns
        self.good = self.errors = self.under_way = self.first_half_good = 0
        self.response_ns = self.response_max_ns = self.wall_ns = 0
        self.offered = self.late_sends = self.lag_max_ns = 0
        self.responses_us, self.services_us = array("q"), array("q")
        self.queue: deque[int] = deque()
        self.ended: asyncio.Future[None] = self.loop.create_future()

    async def prepare(self, lead_in_s: float) -> int:
        """Make the connections that are missing, and send the lead-in over a few; give how many were missing.

        The lead-in of an open loop is a closed loop too, so the server is idle after it. Each connection that is new
        carries a request in it, however short it is: until then the server may not have accepted it.
        """
        missing = await self.replace()
        if self.idle and (lead_in_s or (missing and self.job.rate_rps is not None)):
            few = max(1, LEAD_IN_CONNECTIONS // self.job.lot.of)
            await self.send_again(lead_in_s, len(self.idle) if missing else few)
            missing += await self.replace()
        return missing

    async def replace(self) -> int:
        """Make the connections that are missing; give how many were missing.

        A closed loop wants all its connections, an open loop as many as the server has kept open after any slice. While
        some are made the server may close others, so that it takes another try.
        """
        replaced = 0
        for _ in range(TRIES):
            await asyncio.sleep(0)  # lets the loop find out which connections the server has closed meanwhile
            self.forget_closed()
            if (missing := self.wanted - len(self.idle)) <= 0:
                break
            made = await self.connect(missing, self.job.timeout_s)
            self.idle += made
            replaced += missing
            if len(made) < missing:
                break
        self.forget_closed()
        return replaced

    def forget_closed(self) -> None:
        """Of the idle connections, keep those that are open: a request on another one would never be answered."""
        self.idle = [connection for connection in self.idle if connection.open]

    async def send_again(self, duration_s: float, most: int) -> None:
        """A closed loop: so many connections send, and again when they have their answer, until that time is over.

        It ends with the last answer. What has none when the time-out is over after that time has failed.
        """
        self.reset()
        if not self.idle:
            self.fail("refused: no connection could be made")
            return
        self.half_ns += int(duration_s * NS_PER_S / 2)
        self.again_until_ns += int(duration_s * NS_PER_S)
        connections, self.idle = self.idle[:most], self.idle[most:]
        self.under_way = len(connections)
        for connection in connections:
            connection.send(self.began_ns, self.began_ns)
        await self.end(duration_s)

    async def send_when_due(self, duration_s: float, offsets_ns: Iterable[int], began_ns: int | None = None) -> None:
        """An open loop: requests are due at those offsets, all below that time, whatever the server does.

        It ends with the last answer, and not before that time is over. What has no answer, or is still waiting for a
        connection, when the time-out is over after that time has failed.
        """
        self.reset(began_ns)
        self.half_ns += int(duration_s * NS_PER_S / 2)
        self.due_until_ns += int(duration_s * NS_PER_S)
        self.arrivals.begin(chain(offsets_ns, [int(duration_s * NS_PER_S)]), self.began_ns)
        await self.end(duration_s)
        self.wanted = max(self.wanted, sum(connection.open for connection in self.idle))

    async def end(self, duration_s: float) -> None:
        """Wait for the last answer."""
        limit = self.loop.call_later(duration_s + self.job.timeout_s, self.give_up)
        await self.ended
        limit.cancel()

    def act(self, intended_ns: int, now_ns: int) -> None:
        """A request of an open loop is due, or the time is over: that is the last to be due."""
        if intended_ns == self.due_until_ns:
            self.settle(now_ns)
            return
        self.offered += 1
        self.late_sends += now_ns - intended_ns > LATE_SEND_NS
        self.lag_max_ns = max(self.lag_max_ns, now_ns - intended_ns)
        connection = self.take_idle()
        if connection is None and len(self.sockets) >= self.job.connections:
            self.queue.append(intended_ns)
        else:
            self.under_way += 1
            self.start(connection, intended_ns, now_ns)

    def finished(self, connection: Connection, now_ns: int, error: ErrorKind | None, detail: str) -> None:
        if error is None:
            took_ns = now_ns - connection.intended_ns
            self.good += 1
            self.response_ns += took_ns
            self.response_max_ns = max(self.response_max_ns, took_ns)
            self.first_half_good += now_ns < self.half_ns
            if self.offered or self.job.raw_limit:
                self.responses_us.append(took_ns // NS_PER_US)
                self.services_us.append((now_ns - connection.sent_ns) // NS_PER_US)
        else:
            self.fail(f"{error}: {detail}")
        if now_ns < self.again_until_ns and connection.open:
            connection.send(now_ns, now_ns)
            return
        if self.queue:
            self.start(connection if connection.open else None, self.queue.popleft(), now_ns)
        else:
            self.under_way -= 1
            if connection.open:
                self.idle.append(connection)
        self.arrivals.catch_up(now_ns)
        self.settle(now_ns)

    def fail(self, why: str, count: int = 1) -> None:
        """Counts requests without a good answer."""
        self.errors += count
        self.error_example = self.error_example or why

    def settle(self, now_ns: int) -> None:
        """Ends the slice when nothing is left to wait for."""
        if not self.under_way and now_ns >= self.due_until_ns and not self.ended.done():
            self.wall_ns = now_ns - self.began_ns
            self.ended.set_result(None)

    def give_up(self) -> None:
        """Fails the requests that have no answer by now as time-outs."""
        if waiting := len(self.queue):
            self.queue.clear()
            self.fail(f"timeout: no connection was free within {self.job.timeout_s} s", waiting)
        for connection in [one for one in self.sockets if one.busy]:
            connection.fail(clock_ns(), "timeout", f"no complete answer within {self.job.timeout_s} s")

    def close(self) -> None:
        """Closes the connections."""
        self.arrivals.close()
        for connection in list(self.sockets):
            connection.abort()
