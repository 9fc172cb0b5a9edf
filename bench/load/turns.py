"""How does one process load several servers in turn, so that no slice leaves work to the next one?

Every slice begins and ends with an idle server: all connections send at once, each sends again when it has its answer
until the slice's time is over, and the slice ends with the last answer. So the CPU time of a
slice is that of its answers exactly, however long an answer takes, and however short a slice is.
"""

import asyncio
import random
import time

from bench.load.client import Connection, Exchange, clock_ns
from bench.load.job import NS_PER_S, ErrorKind
from bench.load.slices import Slice, SlicesJob, SlicesResult, Target
from bench.testbed.processes.cpu_clock import cpu_s

__all__ = ["Turns"]


class Turns:
    """The slices of a job, one after the other; `stop` ends them after the slice under way."""

    def __init__(self, job: SlicesJob, loop: asyncio.AbstractEventLoop) -> None:
        self.job = job
        self.loads = [ServerLoad(target, loop) for target in job.targets]
        self.interrupted = False

    def stop(self) -> None:
        """Ends the job with what was measured so far."""
        self.interrupted = True

    async def run(self) -> SlicesResult:
        rng = random.Random(self.job.seed)
        slices: list[Slice] = []
        try:
            for cycle in range(self.job.cycles):
                for index in rng.sample(range(len(self.loads)), len(self.loads)):
                    if self.interrupted:
                        break
                    slices.append(await self.slice(cycle, index))
        finally:
            for load in self.loads:
                load.close()
        examples = tuple(load.error_example for load in self.loads)
        return SlicesResult(slices=tuple(slices), interrupted=self.interrupted, error_examples=examples)

    async def slice(self, cycle: int, index: int) -> Slice:
        """One slice, after its lead-in, on connections that are all open."""
        load = self.loads[index]
        connects = await load.connect()
        if self.job.lead_in_s:
            await load.run(self.job.lead_in_s)
        before = self.clocks()
        await load.run(self.job.slice_s)
        *servers, database_s, generator_s = (now - then for now, then in zip(self.clocks(), before, strict=True))
        return Slice(
            cycle=cycle,
            target=index,
            good=load.good,
            errors=load.errors,
            wall_s=load.wall_ns / NS_PER_S,
            cpu_s=servers[index],
            others_cpu_s=sum(servers) - servers[index],
            database_cpu_s=database_s,
            generator_cpu_s=generator_s,
            response_mean_s=load.response_ns / load.good / NS_PER_S if load.good else None,
            response_max_s=load.response_max_ns / NS_PER_S if load.good else None,
            first_half_good=load.first_half_good,
            connects=connects,
        )

    def clocks(self) -> list[float]:
        """CPU time of every target, of the database, and of this process."""
        servers = [cpu_s(load.target.pids) for load in self.loads]
        return [*servers, cpu_s(self.job.database_pids), time.process_time()]


class ServerLoad:
    """The open connections to one server, and the figures of the slice under way."""

    def __init__(self, target: Target, loop: asyncio.AbstractEventLoop) -> None:
        self.target, self.loop = target, loop
        self.exchange = Exchange(target.job, target.job.host)
        self.connections: list[Connection] = []
        self.error_example = ""
        self.reset(0.0)

    def reset(self, duration_s: float) -> None:
        """Sets all figures back: a new slice begins now."""
        self.good = self.errors = self.under_way = self.first_half_good = 0
        self.response_ns = self.response_max_ns = self.wall_ns = 0
        self.began_ns = clock_ns()
        self.half_ns = self.began_ns + int(duration_s * NS_PER_S / 2)
        self.until_ns = self.began_ns + int(duration_s * NS_PER_S)
        self.ended: asyncio.Future[None] = self.loop.create_future()

    async def connect(self) -> int:
        """Make the connections that are missing, within the job's time-out; give how many were missing."""
        await asyncio.sleep(0)  # lets the loop find out which connections the server has closed meanwhile
        self.connections = [connection for connection in self.connections if connection.open]
        missing = self.target.job.connections - len(self.connections)
        made = [Connection(self, self.exchange) for _ in range(missing)]
        if made:
            await asyncio.wait([one.connect(self.loop) for one in made], timeout=self.target.job.timeout_s)
        self.connections += [one for one in made if one.open]
        return missing

    async def run(self, duration_s: float) -> None:
        """Send on every connection until that time is over, then wait for the answers, at most for the time-out."""
        self.reset(duration_s)
        if not self.connections:
            self.errors, self.error_example = 1, self.error_example or "refused: no connection could be made"
            return
        self.under_way = len(self.connections)
        limit = self.loop.call_later(duration_s + self.target.job.timeout_s, self.give_up)
        for connection in self.connections:
            connection.send(self.began_ns, self.began_ns)
        await self.ended
        limit.cancel()

    def give_up(self) -> None:
        """Fail the requests that have no answer by now as time-outs."""
        for connection in [one for one in self.connections if one.busy]:
            connection.fail(clock_ns(), "timeout", f"no complete answer within {self.target.job.timeout_s} s")

    def finished(self, connection: Connection, now_ns: int, error: ErrorKind | None, detail: str) -> None:
        if error is None:
            took_ns = now_ns - connection.sent_ns
            self.good += 1
            self.response_ns += took_ns
            self.response_max_ns = max(self.response_max_ns, took_ns)
            self.first_half_good += now_ns < self.half_ns
        else:
            self.errors += 1
            self.error_example = self.error_example or f"{error}: {detail}"
        if now_ns < self.until_ns and connection.open:
            connection.send(now_ns, now_ns)
            return
        self.under_way -= 1
        if not self.under_way:
            self.wall_ns = now_ns - self.began_ns
            self.ended.set_result(None)

    def closed(self, connection: Connection, *, idle: bool) -> None:
        """Nothing to do here: `connect` replaces closed connections before the next slice."""

    def close(self) -> None:
        for connection in self.connections:
            connection.abort()
