"""How does one process load several servers in turn, so that no slice leaves work to the next one?

Every slice begins and ends with an idle server. In a closed loop all connections send at once, and each sends again
when it has its answer until the slice's time is over; in an open loop requests are due at times drawn beforehand. The
slice ends with the last answer. So the CPU time of a slice is that of its answers exactly, however long an answer
takes, and however short a slice is. But an open loop meets no queue that was there before: its slices must be long
beside the time in which the server works off a burst.

An open loop's lead-in is a closed loop too, and not the beginning of its schedule, whose answers would cost CPU time
within the slice. The beginning of its first slice is rehearsed before the first cycle: that opens connections.
"""

import asyncio
import random
import time
from collections.abc import Iterator
from dataclasses import replace

from bench.load.clocks import clocks_for, idle_between_s, used
from bench.load.job import NS_PER_S
from bench.load.pacing import schedule
from bench.load.server_load import ServerLoad
from bench.load.slices import Slice, SlicesJob, SlicesResult

__all__ = ["Turns", "order_of", "rehearsal_s", "send", "slice_of"]

REHEARSAL_S = 0.1  # a tenth of a second of an open loop opens nearly all connections that it will need


def order_of(job: SlicesJob) -> Iterator[tuple[int, int]]:
    """The cycle and the target of each slice; every cycle has an order of its own."""
    rng = random.Random(job.seed)
    for cycle in range(job.cycles):
        for index in rng.sample(range(len(job.targets)), len(job.targets)):
            yield cycle, index


def rehearsal_s(job: SlicesJob) -> float:
    """How long the beginning of an open loop is rehearsed."""
    return min(job.slice_s, REHEARSAL_S)


async def send(load: ServerLoad, job: SlicesJob, cycle: int, duration_s: float, at_ns: int | None = None) -> None:
    """The load of a slice in that cycle, or of its beginning; `at_ns` is when an open loop's time begins, or now."""
    one = load.job
    if one.rate_rps is None:
        await load.send_again(duration_s, one.connections)
    else:
        seed = job.arrivals_seed(cycle)
        offsets_ns = schedule(one.arrival, one.rate_rps, duration_s, seed, lot=one.lot)
        await load.send_when_due(duration_s, offsets_ns, at_ns)


class Turns:
    """The slices of a job, one after the other; `stop` ends them after the slice under way."""

    def __init__(self, job: SlicesJob, loop: asyncio.AbstractEventLoop) -> None:
        self.job = job
        self.loads = [ServerLoad(target.job, loop) for target in job.targets]
        self.clocks = clocks_for(job)
        self.interrupted = False

    def stop(self) -> None:
        """Ends the job with what was measured so far."""
        self.interrupted = True

    async def run(self) -> SlicesResult:
        slices: list[Slice] = []
        try:
            await self.rehearse()
            for cycle, index in order_of(self.job):
                if self.interrupted:
                    break
                if not self.loads[index].error_example:  # a server that fails would hold up all others, and
                    slices.append(await self.slice(cycle, index))  # nothing is concluded from its slices
        finally:
            self.clocks.close()
            for load in self.loads:
                load.close()
        examples = tuple(load.error_example for load in self.loads)
        return SlicesResult(slices=tuple(slices), interrupted=self.interrupted, error_examples=examples)

    async def rehearse(self) -> None:
        """The beginning of every open loop, not counted."""
        for load in self.loads:
            if load.job.rate_rps is not None and not self.interrupted:
                await send(load, self.job, 0, rehearsal_s(self.job))

    async def slice(self, cycle: int, index: int) -> Slice:
        """One slice, after its lead-in, on connections that are open."""
        load = self.loads[index]
        connects = await load.prepare(self.job.lead_in_s)
        before, own_before_s = self.clocks.look(), time.process_time()
        await send(load, self.job, cycle, self.job.slice_s)
        own_s, after = time.process_time(), self.clocks.look()
        used_s, others_s, database_s = used(self.job, index, before, after)
        return replace(
            slice_of(load, cycle, index, connects, own_s - own_before_s),
            cpu_s=used_s,
            others_cpu_s=others_s,
            database_cpu_s=database_s,
            idle_s=idle_between_s(before, after),
        )


def slice_of(load: ServerLoad, cycle: int, index: int, connects: int, own_cpu_s: float) -> Slice:
    """What a generator knows of a slice that has come to its end, without the CPU time of other processes."""
    return Slice(
        cycle=cycle,
        target=index,
        good=load.good,
        errors=load.errors,
        wall_s=load.wall_ns / NS_PER_S,
        cpu_s=0.0,
        others_cpu_s=0.0,
        database_cpu_s=0.0,
        generator_cpu_s=own_cpu_s,
        response_mean_s=load.response_ns / load.good / NS_PER_S if load.good else None,
        response_max_s=load.response_max_ns / NS_PER_S if load.good else None,
        first_half_good=load.first_half_good,
        connects=connects,
        offered=load.offered,
        late_sends=load.late_sends,
        lag_max_s=load.lag_max_ns / NS_PER_S if load.offered else None,
        responses_us=tuple(load.responses_us),
        services_us=tuple(load.services_us),
        idle_s=None,
    )
