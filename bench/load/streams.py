"""When does each event of many open streams arrive? Server-sent events, N connections at once, each event timed.

An event has arrived with the blank line that ends it; events that come in one read have arrived at the same time. Lines
without `data` (the comments that keep a connection alive) make no event.
"""

import asyncio
import json
import math
import resource
import socket
from array import array
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from bench.load.client import Exchange, clock_ns
from bench.load.event_stream import EventStream
from bench.load.job import NS_PER_S, ErrorCounts, ErrorKind, LoadJob
from bench.load.recorder import SAMPLE_LIMIT, Reservoir
from bench.load.summary import percentile

__all__ = ["StreamJob", "StreamResult", "open_streams"]

# So many connects between two looks at what has arrived: at some 30 us each, events are noticed at most 1 ms late.
CONNECTS_PER_TURN = 25
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
    cpu_s: float  # of the generator

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "StreamResult":
        values: dict[str, Any] = json.loads(text)
        return cls(**{**values, "errors": ErrorCounts(**values["errors"])})


async def open_streams(job: StreamJob, mid: Callable[[int], None]) -> StreamResult:
    """Opens the streams and waits until all have ended, for at most `timeout_s`; OSError for an unknown host.

    `mid` gets the number of streams that have had an event and go on, once: when none is left that could still have
    its first one, or after `mid_after_s`.
    """
    loop = asyncio.get_running_loop()
    try:
        infos = await loop.getaddrinfo(job.host, job.port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise OSError(f"the host {job.host!r} is unknown ({error}); give its address") from None
    infos.sort(key=lambda info: info[0] != socket.AF_INET)  # "localhost" may be both; most servers listen on IPv4 only
    return await Streams(job, Exchange(job.request(), str(infos[0][4][0])), mid).run(loop)


class Streams:
    """All streams of a job, and what is known of them together."""

    def __init__(self, job: StreamJob, exchange: Exchange, mid: Callable[[int], None]) -> None:
        self.job = job
        self._streams = [EventStream(self, exchange) for _ in range(job.streams)]
        self._delays = array("q")
        self._spacings = Reservoir(1, SAMPLE_LIMIT, seed=1)
        self._opened = self._events = 0
        self._silent = self._left = job.streams  # without an event yet; not ended yet
        self._errors: Counter[ErrorKind] = Counter()
        self._example: str | None = None
        self._mid = mid
        self._mid_open: int | None = None
        self._mid_ns: int | None = None
        self._first_end_ns: int | None = None
        self._all_ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def run(self, loop: asyncio.AbstractEventLoop) -> StreamResult:
        loop.set_exception_handler(lambda _, context: self.crash(context))
        start_ns, cpu_from_s = clock_ns(), _cpu_s()
        deadline_s = loop.time() + self.job.timeout_s
        mid_timer = loop.call_later(self.job.mid_after_s, self._call_mid)
        connects = []
        for number, stream in enumerate(self._streams, start=1):
            connects.append(loop.create_task(stream.connect(loop)))
            if number % CONNECTS_PER_TURN == 0:
                await asyncio.sleep(0)
        try:
            async with asyncio.timeout_at(deadline_s):
                await self._all_ended
        except TimeoutError:
            for stream in self._streams:
                stream.end("timeout", f"not ended after {self.job.timeout_s:g} s")
        mid_timer.cancel()
        end_ns, cpu_s = clock_ns(), _cpu_s() - cpu_from_s
        for connect in connects:
            connect.cancel()
        return self._result(start_ns, end_ns, cpu_s)

    def opened(self) -> None:
        self._opened += 1

    def event(self, stream: EventStream, now_ns: int) -> None:
        self._events += 1
        if stream.events > 1:
            self._spacings.add(now_ns - stream.last_ns)
            return
        self._delays.append(now_ns - stream.begun_ns)
        self._begun()

    def ended(self, stream: EventStream, error: ErrorKind | None, detail: str) -> None:
        self._first_end_ns = self._first_end_ns or clock_ns()
        self._left -= 1
        expected = self.job.expect_events
        if error is None and (stream.events != expected if expected else not stream.events):
            error, detail = "wrong_body", f"{stream.events} events, expected {expected or 'some'}"
        if error is not None:
            self._errors[error] += 1
            self._example = self._example or f"{error}: {detail}"
        if not stream.events:
            self._begun()
        if not self._left and not self._all_ended.done():
            self._all_ended.set_result(None)

    def crash(self, context: dict[str, Any]) -> None:
        """Ends the run with the error a callback raised, which the event loop would only log."""
        if not self._all_ended.done():
            self._all_ended.set_exception(context.get("exception") or RuntimeError(context.get("message")))

    def _begun(self) -> None:
        self._silent -= 1
        if not self._silent:
            self._call_mid()

    def _call_mid(self) -> None:
        if self._mid_ns is None:
            self._mid_ns, self._mid_open = clock_ns(), self._left - self._silent
            self._mid(self._mid_open)

    def _result(self, start_ns: int, end_ns: int, cpu_s: float) -> StreamResult:
        job, errors = self.job, ErrorCounts(**{str(kind): count for kind, count in self._errors.items()})
        delays, spacings = sorted(self._delays), sorted(self._spacings.columns[0])
        return StreamResult(
            streams=job.streams,
            opened=self._opened,
            finished=job.streams - errors.total,
            errors=errors,
            error_example=self._example,
            events=self._events,
            events_expected=None if job.expect_events is None else job.streams * job.expect_events,
            first_event_p50_s=_seconds(percentile(delays, 50)),
            first_event_p90_s=_seconds(percentile(delays, 90)),
            first_event_max_s=_seconds(delays[-1] if delays else None),
            spacing_p50_s=_seconds(percentile(spacings, 50)),
            spacing_p90_s=_seconds(percentile(spacings, 90)),
            spacing_max_s=_seconds(spacings[-1] if spacings else None),
            mid_s=_seconds(self._mid_ns, start_ns),
            mid_open=self._mid_open,
            first_end_s=_seconds(self._first_end_ns, start_ns),
            wall_s=(end_ns - start_ns) / NS_PER_S,
            cpu_s=cpu_s,
        )


def _seconds(at_ns: int | None, since_ns: int = 0) -> float | None:
    return None if at_ns is None else (at_ns - since_ns) / NS_PER_S


def _cpu_s() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime
