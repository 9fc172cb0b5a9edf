"""What is asked of a watch, and what came of it? The records that cross the generator's border.

A watch sends requests to several servers at once, to each at a constant low rate, and keeps every one of them. It is
there for what happens to servers meanwhile, so it ends when it is told to.
"""

import json
import math
from dataclasses import asdict, dataclass
from typing import Any, Literal

from bench.load.job import LoadJob

__all__ = ["UNANSWERED", "WatchJob", "WatchResult", "Watched"]

Lost = Literal["refused", "reset", "empty", "stale", "timeout", "wrong"]
UNANSWERED = "unanswered"


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchJob:
    """Open loops at a constant rate, one for each target; several targets may be one server.

    A target's job says what is requested, at which rate, over how many connections at most, what the answer must be,
    the time-out, and `max_requests`; its durations, arrival and other limits are ignored. A request for which no
    connection is free waits, and its time-out counts from when it was due. A failed request is not sent again.

    Raises ValueError, naming the field, when the job makes no sense.
    """

    targets: tuple[LoadJob, ...]
    limit_s: float
    """It ends then if nobody has told it to."""
    drain_s: float = 0.5
    """So long it waits at its end for requests under way."""
    idle_s: float = 1.0
    """The client closes a connection that was idle for so long. Otherwise those that a stall has opened would stay
    open without a request, and some servers wait for them before they end."""
    cores: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        limits = {
            "targets": bool(self.targets) and all(target.rate_rps for target in self.targets),
            "limit_s": 0 < self.limit_s < math.inf,
            "drain_s": 0 <= self.drain_s < math.inf,
            "idle_s": 0 < self.idle_s < math.inf,
        }
        for name, holds in limits.items():
            if not holds:
                raise ValueError(f"{name} is {getattr(self, name)!r}, which no watch can be made of")

    @property
    def ends_itself(self) -> bool:
        """Whether it ends when every request has ended, because there are so many and no more."""
        return all(target.max_requests for target in self.targets)

    def to_json(self) -> str:
        """The job on one line."""
        own = {name: getattr(self, name) for name in self.__slots__}
        return json.dumps({**own, "targets": [target.to_json() for target in self.targets]})

    @classmethod
    def from_json(cls, text: str) -> "WatchJob":
        values = json.loads(text)
        values["targets"] = tuple(LoadJob.from_json(target) for target in values["targets"])
        return cls(**{**values, "cores": tuple(values["cores"])})


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """All requests to one target, as columns in the order of sending; times are those of `time.monotonic_ns`."""

    sent_ns: tuple[int, ...]
    """When it was sent, connecting included, or began to wait for a free connection."""
    done_ns: tuple[int | None, ...]
    """When its answer was complete or it failed; None for one that has neither."""
    outcome: tuple[str, ...]
    """`ok`; another status than expected, as its number; `refused`, `reset`, `empty`: closed before any byte of an
    answer, though the connection was new; `stale`: closed or reset before any byte of an answer, on a connection that
    had had one; `timeout`; `wrong`: not the expected body, or no HTTP; `unanswered` when the watch ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchResult:
    """What a watch saw, target by target in the job's order."""

    targets: tuple[Watched, ...]
    late_sends: int
    """Requests that the generator acted on more than 5 ms late (LATE_SEND_NS): its own fault, never a server's."""

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "WatchResult":
        values: dict[str, Any] = json.loads(text)
        targets = tuple(
            Watched(**{name: tuple(column) for name, column in target.items()}) for target in values["targets"]
        )
        return cls(targets=targets, late_sends=values["late_sends"])
