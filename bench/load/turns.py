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

from bench.load.clocks import clocks_for
from bench.load.job import NS_PER_S
from bench.load.pacing import schedule
from bench.load.server_load import ServerLoad
from bench.load.slices import Slice, SlicesJob, SlicesResult

__all__ = ["Turns"]

REHEARSAL_S = 0.1  # a tenth of a second of an open loop opens nearly all connections that it will need


class Turns:
    """The slices of a job, one after the other; `stop` ends them after the slice under way."""

    def __init__(self, job: SlicesJob, loop: asyncio.AbstractEventLoop) -> None:
        self.job = job
        self.loads = [ServerLoad(target.job, loop) for target in job.targets]
        self.interrupted = False
        self.clocks = clocks_for(job)

    def stop(self) -> None:
        """Ends the job with what was measured so far."""
        self.interrupted = True

    async def run(self) -> SlicesResult:
        rng = random.Random(self.job.seed)
        slices: list[Slice] = []
        try:
            await self.rehearse()
            for cycle in range(self.job.cycles):
                for index in rng.sample(range(len(self.loads)), len(self.loads)):
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
                await self.load(load, 0, min(self.job.slice_s, REHEARSAL_S))

    async def slice(self, cycle: int, index: int) -> Slice:
        """One slice, after its lead-in, on connections that are open."""
        load = self.loads[index]
        connects = await load.prepare(self.job.lead_in_s)
        before, began_s = self.clocks.look(), time.process_time()
        await self.load(load, cycle, self.job.slice_s)
        generator_s, after = time.process_time() - began_s, self.clocks.look()
        *servers, database_s = (now - then for now, then in zip(after.cpu_s, before.cpu_s, strict=True))
        own = self.job.targets[index].pids  # several loads may be on one server
        pids = [target.pids for target in self.job.targets]
        others = {each: used for each, used in zip(pids, servers, strict=True) if each != own}
        return Slice(
            cycle=cycle,
            target=index,
            good=load.good,
            errors=load.errors,
            wall_s=load.wall_ns / NS_PER_S,
            cpu_s=servers[index],
            others_cpu_s=sum(others.values()),
            database_cpu_s=database_s,
            generator_cpu_s=generator_s,
            response_mean_s=load.response_ns / load.good / NS_PER_S if load.good else None,
            response_max_s=load.response_max_ns / NS_PER_S if load.good else None,
            first_half_good=load.first_half_good,
            connects=connects,
            offered=load.offered,
            late_sends=load.late_sends,
            lag_max_s=load.lag_max_ns / NS_PER_S if load.offered else None,
            responses_us=tuple(load.responses_us),
            services_us=tuple(load.services_us),
            idle_s=None if before.idle_s is None or after.idle_s is None else after.idle_s - before.idle_s,
        )

    async def load(self, load: ServerLoad, cycle: int, duration_s: float) -> None:
        """The load of a slice in that cycle, or of its beginning."""
        job = load.job
        if job.rate_rps is None:
            await load.send_again(duration_s, job.connections)
        else:
            seed = self.job.arrivals_seed(cycle)
            await load.send_when_due(duration_s, schedule(job.arrival, job.rate_rps, duration_s, seed))
