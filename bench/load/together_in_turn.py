"""How do several generators load servers in turn, slice by slice, and what is each slice when they are put together?

Two waits stand between a slice and the next: for the last answer of all, and until all are ready for the next. So the
caller says which slice it is, and as nothing happens on any server meanwhile, it reads the processes' CPU time itself.
A generator alone (bench/load/turns.py) needs nobody for that, and loses no time between two slices.
"""

import time
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace

from bench.load.client import clock_ns
from bench.load.clocks import clocks_for, idle_between_s, used
from bench.load.job import NS_PER_S
from bench.load.shares import cut_slices, shares_of
from bench.load.slices import Slice, SlicesJob, SlicesResult
from bench.load.start import END
from bench.load.together import Together
from bench.load.turns import order_of
from bench.load.turns_share import REHEARSAL

__all__ = ["TogetherInTurn", "merged"]


@dataclass(frozen=True)
class Metered:
    """What the caller knows of a slice."""

    cycle: int
    target: int
    wall_s: float
    cpu_s: float
    others_cpu_s: float
    database_cpu_s: float
    idle_s: float | None
    start_spread_s: float


class TogetherInTurn:
    """The slices of a job, by several generators."""

    def __init__(self, job: SlicesJob, together: Together) -> None:
        self.job, self.together = job, together
        self.clocks = clocks_for(job)
        self.failed: set[int] = set()

    def run(self) -> SlicesResult:
        """All slices; a target that has had an error with any generator gets no further one."""
        self.together.order("slices", cut_slices(self.job, len(self.together.generators)))
        with closing(self.clocks):
            for index, target in enumerate(self.job.targets):
                if target.job.rate_rps is not None:
                    self.slice(REHEARSAL, index)
            metered = [self.slice(*one) for one in order_of(self.job) if one[1] not in self.failed]
        self.together.tell(END)
        return put_together(metered, [SlicesResult.from_json(text) for text in self.together.results()])

    def slice(self, cycle: int, index: int) -> Metered:
        """One slice of one target, or its rehearsal, by all generators that have a share of it."""
        together = self.together
        numbers = range(shares_of(self.job.targets[index].job, len(together.generators)))
        together.tell(f"slice {cycle} {index}", numbers)
        together.each("ready", numbers)
        before = self.clocks.look()
        at_ns = together.go(numbers)
        time.sleep(max(0, at_ns - clock_ns()) / NS_PER_S)
        begins = self.clocks.look()  # for the idle time, of which some has passed since all were ready
        done = [tuple(map(int, text.split())) for text in together.each("done", numbers)]
        after = self.clocks.look()
        if any(failed for failed, _, _ in done):
            self.failed.add(index)
        begun = min(together.here_ns(number, begun_ns) for number, (_, begun_ns, _) in enumerate(done))
        ended = max(together.here_ns(number, ended_ns) for number, (_, _, ended_ns) in enumerate(done))
        return Metered(
            cycle, index, max(0, ended - begun) / NS_PER_S, *used(self.job, index, before, after),
            idle_between_s(begins, after),
            together.spread_s([begun_ns for _, begun_ns, _ in done]) if len(done) > 1 else 0.0,
        )  # fmt: skip


def put_together(metered: Iterable[Metered], results: Sequence[SlicesResult]) -> SlicesResult:
    """The slices of all generators as one result."""
    parts: dict[tuple[int, int], list[Slice]] = {}
    for result in results:
        for one in result.slices:
            parts.setdefault((one.cycle, one.target), []).append(one)
    examples = zip(*(result.error_examples for result in results), strict=True)
    return SlicesResult(
        slices=tuple(merged(one, parts[one.cycle, one.target]) for one in metered),
        interrupted=False,
        error_examples=tuple(next(filter(None, each), "") for each in examples),
    )


def merged(metered: Metered, parts: Sequence[Slice]) -> Slice:
    """What several generators, each with its part, have done in a slice together."""
    good = sum(one.good for one in parts)
    answered = [(one.good, one.response_mean_s) for one in parts if one.response_mean_s is not None]
    shares = parts if len(parts) > 1 else ()
    return replace(
        parts[0],
        good=good,
        errors=sum(one.errors for one in parts),
        wall_s=metered.wall_s,
        cpu_s=metered.cpu_s,
        others_cpu_s=metered.others_cpu_s,
        database_cpu_s=metered.database_cpu_s,
        generator_cpu_s=max(one.generator_cpu_s for one in parts),
        idle_s=metered.idle_s,
        response_mean_s=sum(count * mean_s for count, mean_s in answered) / good if good else None,
        response_max_s=max((one.response_max_s for one in parts if one.response_max_s is not None), default=None),
        first_half_good=sum(one.first_half_good for one in parts),
        connects=sum(one.connects for one in parts),
        offered=sum(one.offered for one in parts),
        late_sends=sum(one.late_sends for one in parts),
        lag_max_s=max((one.lag_max_s for one in parts if one.lag_max_s is not None), default=None),
        responses_us=tuple(us for one in parts for us in one.responses_us),
        services_us=tuple(us for one in parts for us in one.services_us),
        start_spread_s=metered.start_spread_s,
        shares_offered=tuple(one.offered for one in shares),
        shares_late_sends=tuple(one.late_sends for one in shares),
    )
