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
from bench.testbed.processes.clock_service import ClockAddress

__all__ = ["Slice", "SlicesJob", "SlicesResult", "Target"]

LISTS = ("responses_us", "services_us", "shares_offered", "shares_late_sends")


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A server: the loop that loads it, and the processes whose CPU time its answers cost. Several may be one server.

    The loop is closed if `job.rate_rps` is None, and open at that rate otherwise.
    """

    job: LoadJob
    pids: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SlicesJob:
    """A number of cycles, each with one slice of every target.

    A target's job says how many connections there are (in an open loop: at most), its rate and arrival, what is
    requested, what the answer must be, and the time-out; its seed, durations and limits are ignored, but that the
    slices of a closed loop have the times of all answers too if `raw_limit` is not 0. The beginning of an open loop is
    rehearsed before the first cycle. A target that has had an error gets no further slice.

    Raises ValueError, naming the field, when the job makes no sense.
    """

    targets: tuple[Target, ...]
    cycles: int
    slice_s: float = 0.05
    lead_in_s: float = 0.005  # load before each slice that is not counted: it fills the caches that others emptied
    database_pids: tuple[int, ...] = ()
    server_cores: tuple[int, ...] = ()  # whose idle time is read; the servers run on them
    clocks: ClockAddress | None = None  # who tells CPU times and idle time where the servers run; None: read them here
    seed: int = 0  # of the order of the targets, and of the arrivals of open loops
    cores: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        limits = {
            "targets": bool(self.targets),
            "cycles": self.cycles > 0,
            "slice_s": self.slice_s > 0,
            "lead_in_s": self.lead_in_s >= 0,
        }
        for name, holds in limits.items():
            if not holds:
                raise ValueError(f"{name} is {getattr(self, name)!r}, which no slices can be made of")

    def arrivals_seed(self, cycle: int) -> int:
        """The pacer's seed in that cycle: all targets with one rate and arrival have the very same arrivals in it."""
        return (self.seed << 32) + cycle + 1  # `seed` itself draws the order of the targets

    def to_json(self) -> str:
        """The job on one line."""
        targets = [{"job": target.job.to_json(), "pids": target.pids} for target in self.targets]
        own = {name: getattr(self, name) for name in self.__slots__ if name not in ("targets", "clocks")}
        return json.dumps({**own, "targets": targets, "clocks": asdict(self.clocks) if self.clocks else None})

    @classmethod
    def from_json(cls, text: str) -> "SlicesJob":
        values = json.loads(text)
        values["targets"] = tuple(
            Target(job=LoadJob.from_json(target["job"]), pids=tuple(target["pids"])) for target in values["targets"]
        )
        for name in ("database_pids", "server_cores", "cores"):
            values[name] = tuple(values[name])
        values["clocks"] = ClockAddress(**values["clocks"]) if values["clocks"] else None
        return cls(**values)


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """One slice, from the first request on an idle server to the last answer; an open loop lasts `slice_s` at least.

    CPU times are those of the scheduler's clock between the slice's ends; 0 on systems that do not tell them. Idle time
    comes in ticks of 10 ms (USER_HZ): that of one slice is coarse, only the sum over many slices means something.

    An open slice has `good` + `errors` = `offered`. Its response times count from when a request was due, its service
    times from when it was sent, connecting included; of a closed slice they are the same. A request that waits for a
    free connection is no late send: waiting is the server's doing.

    Of several generators it is what all have done together: their sums, the CPU time of the busiest one, and the times
    of answers those of one generator after those of another.
    """

    cycle: int
    target: int  # its place in the job
    good: int
    errors: int
    wall_s: float
    cpu_s: float  # of the target's processes
    others_cpu_s: float  # of the other servers' processes, which have nothing to do
    database_cpu_s: float
    generator_cpu_s: float
    idle_s: float | None  # of `server_cores` in sum; None where the system does not tell, or no cores are named
    response_mean_s: float | None  # of good answers
    response_max_s: float | None
    first_half_good: int  # answers in the first half of the slice's time: is the server as fast at its end?
    connects: int  # connections that had to be made before it
    offered: int  # requests that were due in an open loop; 0 in a closed slice
    late_sends: int  # of these, how many the generator acted on more than 5 ms late (LATE_SEND_NS)
    lag_max_s: float | None  # how late it acted at most; None if none was due
    responses_us: tuple[int, ...]  # of the good answers in order of arrival; of a closed slice if its job wants samples
    services_us: tuple[int, ...]  # the same answers in the same order
    start_spread_s: float = 0.0  # from the first of several generators that began it to the last
    shares_offered: tuple[int, ...] = ()  # of several generators, what was due from each; empty for one
    shares_late_sends: tuple[int, ...] = ()  # of these, its late sends


@dataclass(frozen=True, slots=True, kw_only=True)
class SlicesResult:
    """All slices in the order in which they were measured; fewer cycles than asked for if interrupted."""

    slices: tuple[Slice, ...]
    interrupted: bool
    error_examples: tuple[str, ...]  # the first one of each target, empty for one without errors

    def to_json(self) -> str:
        """The result on one line."""
        # Not asdict(), which copies every single response time.
        slices = [{name: getattr(one, name) for name in Slice.__slots__} for one in self.slices]
        return json.dumps({"slices": slices, "interrupted": self.interrupted, "error_examples": self.error_examples})

    @classmethod
    def from_json(cls, text: str) -> "SlicesResult":
        values: dict[str, Any] = json.loads(text)
        for one in values["slices"]:
            one |= {name: tuple(one[name]) for name in LISTS}
        values["slices"] = tuple(Slice(**one) for one in values["slices"])
        values["error_examples"] = tuple(values["error_examples"])
        return cls(**values)
