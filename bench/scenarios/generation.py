"""What does a scenario get that loads several servers in turn, and what can be read from slices of load?"""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from typing import Any

from bench.judging.slices import Columns, figures_of
from bench.judging.validity import Judgement, judge_slices
from bench.load import Generator, LoadJob, SlicesJob, SlicesResult, Target
from bench.load.slices import Slice
from bench.scenarios.base import MeasurementContext, Options, Reading, Workload, describe
from bench.testbed.testbed import TestBed

# Before the first slice every server answers so many of the same requests: pools are opened and caches filled.
WARM_UP_CYCLES = 1
# From the end of a slice's time to the last answer, and to its first request after the lead-in.
TO_THE_LAST_ANSWER_S = 0.025

# What slices have only if several generators sent them.
OF_SEVERAL_GENERATORS = ("start_spread_s", "shares_offered", "shares_late_sends")

JobOf = Callable[[MeasurementContext, Workload], LoadJob]


@dataclass(frozen=True)
class Generation:
    """Fresh servers, one for each contestant, all up; and what a scenario needs to load them in turn."""

    contexts: Mapping[str, MeasurementContext]
    """By contestant, those whose servers passed the checks."""
    testbed: TestBed
    options: Options
    rng: random.Random
    generator: Generator
    found: dict[str, Any] = field(default_factory=dict)
    """What the scenario found out in an earlier generation of the run and wants to know in later ones."""

    def closed(self, job_of: Callable[[MeasurementContext], LoadJob], cycles: int) -> dict[str, Reading]:
        """Load the servers in turn in closed loops, after a warm-up.

        A server for which `job_of` raises OSError, because it does not answer, has an error; the others go on.
        """
        return self.loaded({name: partial(job_of, context) for name, context in self.contexts.items()}, cycles)

    def mixed(self, job_of: JobOf, asked: Sequence[tuple[str, Workload]]) -> dict[tuple[str, str], Reading]:
        """Load the servers in closed loops with all these workloads in the same cycles, each for one contestant.

        Gives the readings by contestant and workload. What is to be subtracted must be measured so: a machine's speed
        moves by more, between one workload and the next, than most of what is found by subtraction.
        """
        keys = {f"{name}, {workload.name}": (name, workload) for name, workload in asked}
        contexts = {key: self.contexts[name] for key, (name, _) in keys.items()}
        jobs = {key: partial(job_of, contexts[key], workload) for key, (_, workload) in keys.items()}
        readings = replace(self, contexts=contexts).loaded(jobs, self.options.cycles)
        return {(name, workload.name): readings[key] for key, (name, workload) in keys.items()}

    def loaded(self, jobs_of: Mapping[str, Callable[[], LoadJob]], cycles: int) -> dict[str, Reading]:
        """Load the servers of these contexts in turn in closed loops."""
        jobs: dict[str, LoadJob] = {}
        readings: dict[str, Reading] = {}
        for name, job_of in jobs_of.items():
            try:
                jobs[name] = job_of()
            except OSError as error:
                readings[name] = Reading({}, Judgement("ERRORS", str(error) or type(error).__name__))
        if jobs:
            self.generator.slices(self.order(jobs, WARM_UP_CYCLES, self.options.slice_s))
            readings |= self.readings(jobs, self.slices(jobs, cycles, self.options.slice_s))
        return readings

    def slices(self, jobs: Mapping[str, LoadJob], cycles: int, slice_s: float) -> dict[str, Columns]:
        """Load the servers in turn; give the slices of each in the order of the cycles, as columns.

        In an open loop `slice_s` is the time in which requests arrive.
        """
        order = self.order(jobs, cycles, slice_s)
        result = self.generator.slices(order)
        servers = len({self.contexts[name].server.url for name in jobs})
        return {name: columns_of(order, result, place, servers) for place, name in enumerate(jobs)}

    def order(self, jobs: Mapping[str, LoadJob], cycles: int, slice_s: float) -> SlicesJob:
        """So many cycles of these loads. The processes are looked up, for a database has one for each connection."""
        contexts = [self.contexts[name] for name in jobs]
        workers = max(context.server.model.workers for context in contexts)
        machine = contexts[0].server.machine
        return SlicesJob(
            targets=tuple(
                Target(job=job, pids=context.server.pids())
                for job, context in zip(jobs.values(), contexts, strict=True)
            ),
            cycles=cycles,
            slice_s=slice_s,
            lead_in_s=self.options.lead_in_s,
            database_pids=self.testbed.database_pids(context.server.model for context in contexts),
            seed=self.rng.getrandbits(32),
            cores=machine.load_cores(workers),
            server_cores=machine.server_cores(workers),
            clocks=machine.clocks,
        )

    def readings(self, jobs: Mapping[str, LoadJob], columns: Mapping[str, Columns]) -> dict[str, Reading]:
        """By contestant, the figures of its slices."""
        return {name: self.reading(name, job, columns[name]) for name, job in jobs.items()}

    def reading(self, name: str, job: LoadJob, columns: Columns) -> Reading:
        """The figures of a server's slices."""
        window_s = sum(columns["wall_s"])
        figures = {**figures_of(columns), **asdict(self.contexts[name].server.held())}
        return Reading(figures, judge_slices([columns]), {"job": describe(job), "slices": dict(columns)}, window_s)


def closed_s(options: Options, cycles: int) -> float:
    """About how long so many slices of a closed loop on one server take, with the warm-up."""
    return (cycles + WARM_UP_CYCLES) * (options.slice_s + options.lead_in_s + TO_THE_LAST_ANSWER_S)


def columns_of(order: SlicesJob, result: SlicesResult, place: int, servers: int) -> Columns:
    """The slices of the target at that place, in the order of the cycles; so many servers were up."""
    return {
        **in_columns([one for one in result.slices if one.target == place]),
        "slice_s": order.slice_s,
        "servers": servers,
        "cores": len(order.server_cores) or 1,
        "connections": order.targets[place].job.connections,
        "error": result.error_examples[place],
    }


def in_columns(slices: list[Slice]) -> dict[str, list[Any]]:
    """Slices of one server in the order of their cycles, as lists by the name of the field."""
    one_generator = not any(one.shares_offered for one in slices)
    left_out = ("cycle", "target", *(OF_SEVERAL_GENERATORS if one_generator else ()))
    names = [name for name in Slice.__slots__ if name not in left_out]
    return {name: [rounded(getattr(one, name)) for one in slices] for name in names}


def rounded(value: Any) -> Any:
    """Seconds to the microsecond; anything else as it is."""
    return round(value, 6) if isinstance(value, float) else value
