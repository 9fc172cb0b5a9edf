"""When does each event of many open streams arrive? Server-sent events, N connections at once, each event timed.

An event has arrived with the blank line that ends it; events that come in one read have arrived at the same time. Lines
without `data` (the comments that keep a connection alive) make no event.
"""

import asyncio
import resource
import socket
from collections import Counter
from collections.abc import Callable
from typing import Any

from bench.load.client import Exchange, clock_ns
from bench.load.event_stream import EventStream
from bench.load.job import ErrorKind
from bench.load.recorder import SAMPLE_LIMIT, Reservoir
from bench.load.start import CommonStart
from bench.load.stream_job import StreamJob, StreamPart, StreamResult, stream_result

__all__ = ["StreamJob", "StreamPart", "StreamResult", "open_streams", "record_streams"]

# So many connects between two looks at what has arrived: at some 30 us each, events are noticed at most 1 ms late.
CONNECTS_PER_TURN = 25


async def open_streams(job: StreamJob, mid: Callable[[int], None]) -> StreamResult:
    """Opens the streams and waits until all have ended, for at most `timeout_s`; OSError for an unknown host.

    `mid` gets the number of streams that have had an event and go on, once: when none is left that could still have
    its first one, or after `mid_after_s`.
    """
    return stream_result(job, [await record_streams(job, mid)])


async def record_streams(job: StreamJob, mid: Callable[[int], None], start: CommonStart | None = None) -> StreamPart:
    """The same, with what was recorded; with a common start, these streams are opened with those of others."""
    loop = asyncio.get_running_loop()
    try:
        infos = await loop.getaddrinfo(job.host, job.port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise OSError(f"the host {job.host!r} is unknown ({error}); give its address") from None
    infos.sort(key=lambda info: info[0] != socket.AF_INET)  # "localhost" may be both; most servers listen on IPv4 only
    streams = Streams(job, Exchange(job.request(), str(infos[0][4][0])), mid)
    return await streams.run(loop, await start.wait() if start else clock_ns())


class Streams:
    """All streams of a job, and what is known of them together."""

    def __init__(self, job: StreamJob, exchange: Exchange, mid: Callable[[int], None]) -> None:
        self.job = job
        self._streams = [EventStream(self, exchange) for _ in range(job.streams)]
        self._delays = Reservoir(1, SAMPLE_LIMIT, seed=1)
        self._lives = Reservoir(2, SAMPLE_LIMIT, seed=1)
        self._spacings = Reservoir(1, SAMPLE_LIMIT, seed=1)
        self._opened = self._events = 0
        self._silent = self._left = job.streams  # without an event yet; not ended yet
        self._errors: Counter[ErrorKind] = Counter()
        self._example: str | None = None
        self._example_ns = self._start_ns = 0
        self._mid = mid
        self._mid_ns: int | None = None
        self._all_ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def run(self, loop: asyncio.AbstractEventLoop, start_ns: int) -> StreamPart:
        loop.set_exception_handler(lambda _, context: self.crash(context))
        begun_ns, cpu_from_s = clock_ns(), _cpu_s()
        self._start_ns = start_ns
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
        return self._part(begun_ns, end_ns, cpu_s)

    def opened(self) -> None:
        self._opened += 1

    def event(self, stream: EventStream, now_ns: int) -> None:
        self._events += 1
        if stream.events > 1:
            self._spacings.add(now_ns - stream.last_ns)
            return
        self._delays.add(now_ns - stream.begun_ns)
        self._begun()

    def ended(self, stream: EventStream, error: ErrorKind | None, detail: str) -> None:
        now_ns = clock_ns()
        self._lives.add(stream.first_ns - self._start_ns if stream.events else -1, now_ns - self._start_ns)
        self._left -= 1
        expected = self.job.expect_events
        if error is None and (stream.events != expected if expected else not stream.events):
            error, detail = "wrong_body", f"{stream.events} events, expected {expected or 'some'}"
        if error is not None:
            self._errors[error] += 1
            if self._example is None:
                self._example, self._example_ns = f"{error}: {detail}", now_ns
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
            self._mid_ns = clock_ns()
            self._mid(self._left - self._silent)

    def _part(self, begun_ns: int, end_ns: int, cpu_s: float) -> StreamPart:
        return StreamPart(
            opened=self._opened,
            events=self._events,
            errors={str(kind): count for kind, count in self._errors.items()},
            error_example=self._example,
            error_example_ns=self._example_ns - self._start_ns,
            delays=self._delays,
            spacings=self._spacings,
            lives=self._lives,
            mid_ns=(self._mid_ns or end_ns) - self._start_ns,
            wall_ns=end_ns - self._start_ns,
            cpu_s=cpu_s,
            begun_ns=begun_ns,
        )


def _cpu_s() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime
