"""What happens around the requests of a load: connecting, the measured window, time-outs, the end and the result?

A run has four phases: prepare, warm-up, window, drain. Requests are issued up to the end of the window; in the drain
the queue is still served for `timeout_s`, and each request under way ends with its answer or at its own limit.
"""

import asyncio
import resource
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from bench.load.client import Connection, Exchange, clock_ns
from bench.load.connections import Connections
from bench.load.job import NS_PER_S, ErrorKind, LoadJob, LoadResult
from bench.load.part import Part, Use
from bench.load.recorder import SAMPLE_LIMIT, Recorder
from bench.load.result import result_of
from bench.load.start import CommonStart
from bench.load.timer import NEVER_NS

__all__ = ["Generator", "peak_rss_bytes"]

SWEEPS_PER_LIMIT, SWEEP_MIN_S, SWEEP_MAX_S = 20, 0.01, 0.25  # a time-out is noticed at most 5 % or 10 ms late

TIMER_COARSENESS_S = 0.001  # epoll counts in milliseconds, and so do the loop's timers


class Generator(Connections):
    """What both loops share; a subclass starts requests in `begin` and goes on in `proceed`."""

    def __init__(self, job: LoadJob, exchange: Exchange, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(exchange, loop)
        self.job = job
        self.recorder = Recorder(0, 0, 1)  # replaced when time starts
        self.under_way = 0
        self.deadline_ns = NEVER_NS
        self.begun_ns = 0
        self._ended: asyncio.Future[None] = loop.create_future()
        self._usage: list[tuple[int, float, float]] = []

    async def run(self) -> LoadResult:
        """The whole load, by this generator alone."""
        measured = result_of(self.job, [await self.measure()])
        return replace(measured, max_rss_bytes=peak_rss_bytes())  # with the memory that sorting the samples takes

    async def measure(self, start: CommonStart | None = None) -> Part:
        """What was recorded; with a common start, it begins with the other generators of the load."""
        await self.prepare()
        job, now_ns = self.job, await start.wait() if start else clock_ns()
        self.begun_ns = clock_ns()
        start_ns = now_ns + int(job.warmup_s * NS_PER_S)
        self.deadline_ns = start_ns + int(job.duration_s * NS_PER_S)
        timeout_ns = int(job.timeout_s * NS_PER_S)
        self.recorder = Recorder(
            start_ns, self.deadline_ns, timeout_ns, raw_limit=job.raw_limit, sample_limit=SAMPLE_LIMIT // job.lot.of
        )
        timers = [
            self.loop.call_later(job.warmup_s, self._note_usage),
            self.loop.call_later(job.warmup_s + job.duration_s, self._deadline),
            self.loop.call_later(job.warmup_s + job.duration_s + job.timeout_s, self.give_up_waiting),
        ]
        self._sweep(timeout_ns)
        if not self._ended.done():
            self.begin(now_ns)
        await self._ended
        for timer in timers:
            timer.cancel()
        return self._finish(clock_ns())

    async def prepare(self) -> None:
        """Sets up what must be there before the warm-up starts."""

    def begin(self, now_ns: int) -> None:
        raise NotImplementedError

    def proceed(self, connection: Connection, now_ns: int, error: ErrorKind | None) -> None:
        """A request has ended; its connection is free, or closed."""
        raise NotImplementedError

    def waiting(self) -> Iterable[int]:
        """Empties the queue of requests that were not sent yet, and gives their intended times."""
        return ()

    def give_up_waiting(self) -> None:
        """Counts the requests that are still queued as unsent, once the time to drain the queue is over."""

    def stop(self) -> None:
        """Ends the run at once, with what was measured."""
        self.interrupted = True
        self._end()

    def crash(self, context: dict[str, object]) -> None:
        """Ends the run with the error a callback raised, which the event loop would only log."""
        if not self._ended.done():
            error = context.get("exception")
            self._ended.set_exception(error if isinstance(error, Exception) else RuntimeError(context.get("message")))

    def finished(self, connection: Connection, now_ns: int, error: ErrorKind | None, detail: str) -> None:
        recorder = self.recorder
        if error is None:
            recorder.answer(connection.intended_ns, connection.sent_ns, now_ns)
        else:
            status = connection.status if error == "bad_status" else 0
            recorder.error(error, connection.intended_ns, connection.sent_ns, now_ns, detail, status)
        self.proceed(connection, now_ns, error)

    def settle(self, now_ns: int) -> None:
        """Ends the run when nothing is left to wait for."""
        if not self.under_way and now_ns >= self.deadline_ns:
            self._end()

    def _sweep(self, timeout_ns: int) -> None:
        now_ns = clock_ns()
        for connection in [c for c in self.sockets if c.busy and now_ns - c.sent_ns >= timeout_ns]:
            connection.fail(now_ns, "timeout", f"no complete answer within {self.job.timeout_s} s")
        if not self._ended.done():
            pause_s = min(max(self.job.timeout_s / SWEEPS_PER_LIMIT, SWEEP_MIN_S), SWEEP_MAX_S)
            self.loop.call_later(pause_s, self._sweep, timeout_ns)

    def _deadline(self) -> None:
        early_ns = self.deadline_ns - clock_ns()
        if (
            early_ns > 0
        ):  # the loop's timers are a millisecond coarse, and an answer before the deadline settles nothing
            self.loop.call_later(early_ns / NS_PER_S + TIMER_COARSENESS_S, self._deadline)
            return
        self._note_usage()
        self.settle(clock_ns())

    def _end(self) -> None:
        if not self._ended.done():
            self._ended.set_result(None)

    def _note_usage(self) -> None:
        usage = resource.getrusage(resource.RUSAGE_SELF)
        self._usage.append((clock_ns(), usage.ru_utime, usage.ru_stime))

    def _finish(self, now_ns: int) -> Part:
        self.recorder.cut(now_ns)
        if len(self._usage) < 2:
            self._note_usage()
        for intended_ns in [*(c.intended_ns for c in self.sockets if c.busy), *self.waiting()]:
            self.recorder.not_finished(intended_ns)
        for connection in list(self.sockets):
            connection.abort()
        return Part(recorder=self.recorder, use=self._use())

    def _use(self) -> Use:
        (from_ns, user_from_s, system_from_s), (to_ns, user_to_s, system_to_s) = self._usage[0], self._usage[-1]
        return Use(
            interrupted=self.interrupted,
            connects=self.connects,
            idle_closes=self.idle_closes,
            received_bytes=self.exchange.received_bytes,
            cpu_user_s=user_to_s - user_from_s,
            cpu_system_s=system_to_s - system_from_s,
            cpu_window_s=(to_ns - from_ns) / NS_PER_S,
            begun_ns=self.begun_ns,
            max_rss_bytes=peak_rss_bytes(),
        )


def peak_rss_bytes() -> int:
    """VmHWM where the system has it, because ru_maxrss keeps the peak of the parent across fork and exec."""
    status = Path("/proc/self/status")
    if status.exists():
        for line in status.read_text(encoding="utf-8").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
