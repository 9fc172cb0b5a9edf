"""What happens around the requests of a load: connecting, the measured window, time-outs, the end and the result?

A run has four phases: prepare, warm-up, window, drain. Requests are issued up to the end of the window; in the drain
the queue is still served for `timeout_s`, and each request under way ends with its answer or at its own limit.
"""

import asyncio
import resource
from collections.abc import Iterable
from pathlib import Path

from bench.load.client import Connection, Exchange, clock_ns
from bench.load.connections import Connections
from bench.load.job import NS_PER_S, ErrorKind, LoadJob, LoadResult
from bench.load.recorder import Recorder
from bench.load.timer import NEVER_NS

__all__ = ["Generator"]

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
        self._ended: asyncio.Future[None] = loop.create_future()
        self._usage: list[tuple[int, float, float]] = []

    async def run(self) -> LoadResult:
        await self.prepare()
        job, now_ns = self.job, clock_ns()
        start_ns = now_ns + int(job.warmup_s * NS_PER_S)
        self.deadline_ns = start_ns + int(job.duration_s * NS_PER_S)
        timeout_ns = int(job.timeout_s * NS_PER_S)
        self.recorder = Recorder(start_ns, self.deadline_ns, timeout_ns, raw_limit=job.raw_limit)
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

    def _finish(self, now_ns: int) -> LoadResult:
        self.recorder.cut(now_ns)
        if len(self._usage) < 2:
            self._note_usage()
        for intended_ns in [*(c.intended_ns for c in self.sockets if c.busy), *self.waiting()]:
            self.recorder.not_finished(intended_ns)
        for connection in list(self.sockets):
            connection.abort()
        return self._result()

    def _result(self) -> LoadResult:
        job, recorder = self.job, self.recorder
        response, histogram = recorder.response()
        (from_ns, user_from_s, system_from_s), (to_ns, user_to_s, system_to_s) = self._usage[0], self._usage[-1]
        window_s = recorder.window_s
        last_ns = recorder.last_answer_ns
        return LoadResult(
            mode="closed" if job.rate_rps is None else "open",
            window_s=window_s,
            interrupted=self.interrupted,
            warmup_requests=recorder.warmup_requests,
            warmup_errors=recorder.warmup_errors,
            requests=recorder.requests,
            good=recorder.good,
            unsent=recorder.unsent,
            unfinished=recorder.unfinished,
            errors=recorder.error_counts(),
            unexpected_statuses=tuple(sorted(recorder.statuses.items())),
            error_example=recorder.error_example,
            throughput_rps=sum(recorder.good_per_second) / window_s if window_s else 0.0,
            response=response,
            service=recorder.service(),
            start_lag=None if job.rate_rps is None else recorder.start_lag(),
            arrival_rps=recorder.requests / window_s if window_s else 0.0,
            time_in_system_mean_s=recorder.time_in_system_mean_s,
            in_flight_mean=recorder.in_flight_mean,
            first_third=recorder.third(0),
            last_third=recorder.third(2),
            good_per_second=recorder.good_per_second,
            histogram=histogram,
            raw=tuple(recorder.raw),
            last_answer_s=None if last_ns is None else (last_ns - recorder.start_ns) / NS_PER_S,
            connects=self.connects,
            idle_closes=self.idle_closes,
            received_bytes=self.exchange.received_bytes,
            cpu_user_s=user_to_s - user_from_s,
            cpu_system_s=system_to_s - system_from_s,
            cpu_window_s=(to_ns - from_ns) / NS_PER_S,
            max_rss_bytes=_peak_rss_bytes(),  # read last, so that it includes the memory that sorting the samples takes
        )


def _peak_rss_bytes() -> int:
    """VmHWM where the system has it, because ru_maxrss keeps the peak of the parent across fork and exec."""
    status = Path("/proc/self/status")
    if status.exists():
        for line in status.read_text(encoding="utf-8").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
