"""What is the generator asked of event streams, what has it recorded, and what became of them?"""

import json
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from bench.load.job import NS_PER_S, ErrorCounts, LoadJob
from bench.load.part import columns_from, columns_text, pool_reservoirs
from bench.load.recorder import SAMPLE_LIMIT, Reservoir
from bench.load.summary import percentile

__all__ = ["StreamJob", "StreamPart", "StreamResult", "stream_result"]

ACCEPT = ("Accept", "text/event-stream")


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamJob:
    """Streams of one path, opened at once. Raises ValueError, naming the field, when the job makes no sense."""

    host: str
    port: int
    path: str = "/stream/"
    headers: tuple[tuple[str, str], ...] = ()
    streams: int = 500
    expect_events: int | None = None  # per stream; None: any number but 0
    mid_after_s: float = 10.0  # the `mid` hook waits no longer than this for first events
    timeout_s: float = 60.0  # for everything, from the first connect; what has not ended by then is a time-out
    cores: tuple[int, ...] = ()  # where the generator may run; empty: anywhere

    def __post_init__(self) -> None:
        self.request()
        limits = {
            "streams": self.streams > 0,
            "expect_events": self.expect_events is None or self.expect_events > 0,
            "mid_after_s": 0 <= self.mid_after_s < math.inf,
            "timeout_s": 0 < self.timeout_s < math.inf,
        }
        for name, holds in limits.items():
            if not holds:
                raise ValueError(f"{name} is {getattr(self, name)!r}, which no load can be made of")

    def request(self) -> LoadJob:
        """What each stream asks for."""
        return LoadJob(host=self.host, port=self.port, path=self.path, headers=(ACCEPT, *self.headers))

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "StreamJob":
        values = json.loads(text)
        values["headers"] = tuple((name, value) for name, value in values["headers"])
        return cls(**{**values, "cores": tuple(values["cores"])})


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamResult:
    """What became of the streams: `streams` = `finished` + `errors.total`.

    Percentiles are nearest-rank, None with fewer than ten samples beyond. Times count from the first connect.
    """

    streams: int
    opened: int  # answered with 200
    finished: int  # ended by the server with all their events
    errors: ErrorCounts  # wrong_body: ended with another number of events than expected, or none
    error_example: str | None
    events: int
    events_expected: int | None
    first_event_p50_s: float | None  # of each stream's first event, from the start of its own connection attempt
    first_event_p90_s: float | None
    first_event_max_s: float | None
    spacing_p50_s: float | None  # between an event and the next of the same stream
    spacing_p90_s: float | None
    spacing_max_s: float | None
    mid_s: float | None  # when the `mid` hook was called
    mid_open: int | None  # streams with an event and not ended at that time
    first_end_s: float | None  # when a stream ended first, in whatever way: until then all were open
    wall_s: float
    cpu_s: float  # of the generator, of several the busiest
    generators: int = 1
    start_spread_s: float = 0.0  # from the first of several that began to the last

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "StreamResult":
        values: dict[str, Any] = json.loads(text)
        return cls(**{**values, "errors": ErrorCounts(**values["errors"])})


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamPart:
    """What one generator has recorded of streams, which may be all of them; times count from their start."""

    opened: int
    events: int
    errors: dict[str, int]
    error_example: str | None
    error_example_ns: int
    delays: Reservoir  # of first events, each from its own connection attempt
    spacings: Reservoir
    lives: Reservoir  # of each stream, when its first event came (-1: never) and when it ended
    mid_ns: int
    wall_ns: int
    cpu_s: float
    begun_ns: int  # of the generator's own clock

    def to_json(self) -> str:
        """The part on one line."""
        values = {name: getattr(self, name) for name in self.__slots__}
        return json.dumps({
            name: columns_text(value) if isinstance(value, Reservoir) else value for name, value in values.items()
        })  # fmt: skip

    @classmethod
    def from_json(cls, text: str) -> "StreamPart":
        """The part as it was sent."""
        values = json.loads(text)
        for name, columns in (("delays", 1), ("spacings", 1), ("lives", 2)):
            columns_from(values[name], reservoir := Reservoir(columns, SAMPLE_LIMIT, seed=1))
            values[name] = reservoir
        return cls(**values)


def stream_result(job: StreamJob, parts: Sequence[StreamPart], start_spread_s: float = 0.0) -> StreamResult:
    """What became of the streams of a job that these parts are all of."""
    errors: Counter[str] = sum((Counter(part.errors) for part in parts), Counter())
    counts = ErrorCounts(**errors)
    examples = [part for part in parts if part.error_example is not None]
    delays, spacings = (
        sorted(together([getattr(part, name) for part in parts]).columns[0]) for name in ("delays", "spacings")
    )
    firsts, ends = together([part.lives for part in parts], 2).columns
    mid_ns = max(part.mid_ns for part in parts)
    return StreamResult(
        streams=job.streams,
        opened=sum(part.opened for part in parts),
        finished=job.streams - counts.total,
        errors=counts,
        error_example=min(examples, key=lambda part: part.error_example_ns).error_example if examples else None,
        events=sum(part.events for part in parts),
        events_expected=None if job.expect_events is None else job.streams * job.expect_events,
        first_event_p50_s=seconds(percentile(delays, 50)),
        first_event_p90_s=seconds(percentile(delays, 90)),
        first_event_max_s=seconds(delays[-1] if delays else None),
        spacing_p50_s=seconds(percentile(spacings, 50)),
        spacing_p90_s=seconds(percentile(spacings, 90)),
        spacing_max_s=seconds(spacings[-1] if spacings else None),
        mid_s=seconds(mid_ns),
        mid_open=sum(0 <= first <= mid_ns < end for first, end in zip(firsts, ends, strict=True)),
        first_end_s=seconds(min(ends, default=None)),
        wall_s=max(part.wall_ns for part in parts) / NS_PER_S,
        cpu_s=max(part.cpu_s for part in parts),
        generators=len(parts),
        start_spread_s=start_spread_s,
    )


def together(reservoirs: Sequence[Reservoir], columns: int = 1) -> Reservoir:
    """The rows of several generators."""
    if len(reservoirs) == 1:
        return reservoirs[0]
    pool_reservoirs(reservoirs, whole := Reservoir(columns, SAMPLE_LIMIT, seed=1))
    return whole


def seconds(after_ns: int | None) -> float | None:
    """Nanoseconds in seconds."""
    return None if after_ns is None else after_ns / NS_PER_S
