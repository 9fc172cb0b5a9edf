"""How does one of several generators take its share of slices on servers in turn?

A slice begins for all generators at the same time, and on an idle server; so nobody begins before all are ready, and
nobody goes on before all have their last answer. Whoever is told of both, the caller, says which slice is the next, and
reads the CPU time of the processes in between: see bench/load/together_in_turn.py.
"""

import asyncio
import time
from collections.abc import Callable

from bench.load.client import clock_ns
from bench.load.server_load import ServerLoad
from bench.load.slices import Slice, SlicesJob, SlicesResult
from bench.load.start import END, CommonStart
from bench.load.turns import rehearsal_s, send, slice_of

__all__ = ["REHEARSAL", "TurnsShare"]

REHEARSAL = -1
"""In the place of a cycle: the beginning of an open loop, which is not counted."""


class TurnsShare:
    """The connections of this generator to all targets; of a target with fewer than there are generators, none."""

    def __init__(
        self, job: SlicesJob, loop: asyncio.AbstractEventLoop, start: CommonStart, say: Callable[[str, str], None]
    ) -> None:
        self.job, self.start, self.say = job, start, say
        self.loads = [ServerLoad(target.job, loop) for target in job.targets]

    async def run(self) -> SlicesResult:
        """Take part in every slice that it is told of, until it is told that there are no more."""
        slices: list[Slice] = []
        try:
            while (line := await self.start.told.get()) != END:
                cycle, index = map(int, line.split()[1:])
                slices += await self.slice(cycle, index)
        finally:
            for load in self.loads:
                load.close()
        examples = tuple(load.error_example for load in self.loads)
        return SlicesResult(slices=tuple(slices), interrupted=False, error_examples=examples)

    async def slice(self, cycle: int, index: int) -> list[Slice]:
        """One slice together with the other generators; nothing for a rehearsal."""
        job, load, counted = self.job, self.loads[index], cycle != REHEARSAL
        connects = await load.prepare(job.lead_in_s) if counted else 0
        at_ns = await self.start.wait()
        begun_ns, before_s = clock_ns(), time.process_time()
        await send(load, job, max(cycle, 0), job.slice_s if counted else rehearsal_s(job), at_ns)
        own_s = time.process_time() - before_s
        self.say("done", f"{int(bool(load.error_example))} {begun_ns} {load.began_ns + load.wall_ns}")
        return [slice_of(load, cycle, index, connects, own_s)] if counted else []
