"""What is asked of several servers in turn, and what came of it? The records that cross the generator's border.

A machine's speed moves within minutes, and neighbours come and go. So the load changes servers often: a slice
of some 50 ms on one server, the next slice on another, in an order that is drawn anew for every cycle. What disturbs a
cycle disturbs its slices alike, and a ratio of two of them divides it out (Bulej and others, "Duet Benchmarking", ICPE
2020; Abedi & Brecht, "Conducting Repeatable Experiments in Highly Variable Cloud Computing Environments", ICPE 2017).

One job covers many cycles, so that no message to or from the bench comes between two slices.
"""

import json
from dataclasses import asdict, dataclass
from typing import Any

from bench.load.job import LoadJob

__all__ = ["Slice", "SlicesJob", "SlicesResult", "Target"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A server: the closed loop that loads it, and the processes whose CPU time its answers cost."""

    job: LoadJob
    pids: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SlicesJob:
    """A number of cycles, each with one slice of every target.

    A target's job says how many connections there are, what is requested, what the answer must be, and the time-out;
    its rate, durations and limits are ignored. Raises ValueError, naming the field, when the job makes no sense.
    """

    targets: tuple[Target, ...]
    cycles: int
    slice_s: float = 0.05
    lead_in_s: float = 0.005  # load before each slice that is not counted: it fills the caches that others emptied
    database_pids: tuple[int, ...] = ()
    seed: int = 0
    cores: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        limits = {
            "targets": bool(self.targets) and all(target.job.rate_rps is None for target in self.targets),
            "cycles": self.cycles > 0,
            "slice_s": self.slice_s > 0,
            "lead_in_s": self.lead_in_s >= 0,
        }
        for name, holds in limits.items():
            if not holds:
                raise ValueError(f"{name} is {getattr(self, name)!r}, which no slices can be made of")

    def to_json(self) -> str:
        """The job on one line."""
        targets = [{"job": target.job.to_json(), "pids": target.pids} for target in self.targets]
        own = {name: getattr(self, name) for name in self.__slots__ if name != "targets"}
        return json.dumps({**own, "targets": targets})

    @classmethod
    def from_json(cls, text: str) -> "SlicesJob":
        values = json.loads(text)
        values["targets"] = tuple(
            Target(job=LoadJob.from_json(target["job"]), pids=tuple(target["pids"])) for target in values["targets"]
        )
        for name in ("database_pids", "cores"):
            values[name] = tuple(values[name])
        return cls(**values)


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """One slice, from the first request on an idle server to the last answer.

    CPU times are those of the scheduler's clock between the slice's ends; 0 on systems that do not tell them.
    """

    cycle: int
    target: int  # its place in the job
    good: int
    errors: int
    wall_s: float
    cpu_s: float  # of the target's processes
    others_cpu_s: float  # of all the other targets' processes, which have nothing to do
    database_cpu_s: float
    generator_cpu_s: float
    response_mean_s: float | None  # of good answers
    response_max_s: float | None
    first_half_good: int  # answers in the first half of the slice's time: is the server as fast at its end?
    connects: int  # connections that had to be made before it


@dataclass(frozen=True, slots=True, kw_only=True)
class SlicesResult:
    """All slices in the order in which they were measured; fewer cycles than asked for if interrupted."""

    slices: tuple[Slice, ...]
    interrupted: bool
    error_examples: tuple[str, ...]  # the first one of each target, empty for one without errors

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "SlicesResult":
        values: dict[str, Any] = json.loads(text)
        values["slices"] = tuple(Slice(**one) for one in values["slices"])
        values["error_examples"] = tuple(values["error_examples"])
        return cls(**values)
