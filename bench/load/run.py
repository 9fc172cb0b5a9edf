"""How does a caller get a load done? A Generator keeps its process for many jobs; `run(job)` is one for one job.

Each line on the worker's stdin is a job ("load", "streams", "slices" or "watch", and then JSON), or "stop", which ends
it early. The worker answers with "mid" lines and a "result" line. Starting Python takes 0.2 s and a run has hundreds of
jobs, so one process does them all. Where one cannot send enough, several have a share of each job each: see
bench/load/together.py.
"""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from bench.load.job import LoadJob, LoadResult
from bench.load.process import Worker
from bench.load.shares import cut, cut_slices, cut_streams
from bench.load.slices import SlicesJob, SlicesResult
from bench.load.stream_job import StreamJob, StreamResult
from bench.load.together import GeneratorError, Together
from bench.load.together_in_turn import TogetherInTurn
from bench.load.watch import WatchJob, WatchResult

__all__ = ["Generator", "GeneratorError", "Interrupted", "Watch", "run"]

# Starting Python takes 0.2 s and summing up 2 million samples some 5 s; a busy machine is given five times that.
ALLOWANCE_S = 30.0
PARTIAL_RESULT_S = 30.0  # to sum up after Ctrl-C; a second Ctrl-C does not wait


@dataclass
class Watch:
    """A watch; `result` is there once its context has ended."""

    result: WatchResult = field(init=False)


class Interrupted(KeyboardInterrupt):
    """Ctrl-C during a load; `result` is what was measured until then, None if nothing was."""

    def __init__(self, result: LoadResult | None) -> None:
        super().__init__("interrupted during a load")
        self.result = result


class Generator:
    """Loads, one after the other, from one process that is started for the first of them; a context manager.

    A worker that failed, hung or was interrupted is ended, and the next job gets a fresh one. The worker ends itself
    when this process is gone, however that happened. One job at a time: not to be shared between threads.

    A result's CPU time is that of its job's window. Its `max_rss_bytes` is the worker's peak during the job where the
    kernel can forget earlier peaks (Linux; elsewhere the peak so far), interpreter and what it kept of earlier jobs
    included: some 35 MB before the first sample.

    With more than one process, each has a share of every job, if it can be cut into so many; a watch has one always.
    `processes` may change between two jobs.
    """

    def __init__(self, processes: int = 1) -> None:
        self.processes = processes
        self._worker: Worker | None = None
        self._others: list[Worker] = []

    def run(self, job: LoadJob) -> LoadResult:
        """What the load measured; blocks for the job's time and a little more.

        Raises GeneratorError when the worker fails or outlives its time, and Interrupted on Ctrl-C.
        """
        if len(shares := cut(job, self.processes)) > 1:
            return self._run_shares(job, shares)
        with self._working(f"load {job.to_json()}", budget_s(job)) as worker:
            try:
                return LoadResult.from_json(worker.result())
            except KeyboardInterrupt:
                raise Interrupted(_partial(worker)) from None

    def stream(self, job: StreamJob, mid: Callable[[int], None] | None = None) -> StreamResult:
        """What the event streams did; errors as for `run`, and plain KeyboardInterrupt on Ctrl-C.

        `mid` is called once, here, while the streams go on: when each has had its first event or has ended, or
        `mid_after_s` after the start, whichever is first. It gets the number of streams that then have had an event and
        are open. If it outlasts the result's `first_end_s`, some streams have closed before it returns.
        """
        if len(shares := cut_streams(job, self.processes)) > 1:
            with self._sharing(len(shares), job.timeout_s + ALLOWANCE_S) as together:
                return together.stream(job, shares, mid)
        with self._working(f"streams {job.to_json()}", job.timeout_s + ALLOWANCE_S) as worker:
            return StreamResult.from_json(worker.result(mid))

    def slices(self, job: SlicesJob) -> SlicesResult:
        """What several servers did in turn; errors as for `run`, and plain KeyboardInterrupt on Ctrl-C."""
        # A slice may wait that long for connections, for its lead-in, for those lost in it, and for its last answer.
        longest_s = sum(job.slice_s + job.lead_in_s + 4 * target.job.timeout_s for target in job.targets)
        limit_s = (job.cycles + 1) * longest_s + ALLOWANCE_S
        if len(shares := cut_slices(job, self.processes)) > 1:
            with self._sharing(len(shares), limit_s) as together:
                return TogetherInTurn(job, together).run()
        with self._working(f"slices {job.to_json()}", limit_s) as worker:
            return SlicesResult.from_json(worker.result())

    @contextlib.contextmanager
    def watching(self, job: WatchJob) -> "Iterator[Watch]":
        """A watch, from its first request on, that ends with the context; errors as for `slices`.

        A job that ends by itself is waited for.
        """
        with self._working(f"watch {job.to_json()}", job.limit_s + ALLOWANCE_S) as worker:
            worker.mid()
            yield (watch := Watch())
            if not job.ends_itself:
                worker.send("stop")
            watch.result = WatchResult.from_json(worker.result())

    def started(self, number: int) -> Worker:
        """A fresh worker, the one of that number, from 0."""
        return Worker()

    def close(self) -> None:
        """Ends the workers; a job after that starts fresh ones."""
        for worker in self._workers():
            worker.end()
        self._worker, self._others = None, []

    def _run_shares(self, job: LoadJob, shares: Sequence[LoadJob]) -> LoadResult:
        with self._sharing(len(shares), budget_s(job)) as together:
            try:
                return together.load(job, shares)
            except KeyboardInterrupt:
                raise Interrupted(self._stopped(job, together)) from None

    def _stopped(self, job: LoadJob, together: Together) -> LoadResult | None:
        """What all workers have measured until now."""
        together.tell("stop")
        try:
            with self._limited(PARTIAL_RESULT_S):
                return together.loaded(job)
        except (GeneratorError, ValueError, KeyboardInterrupt):
            return None

    @contextlib.contextmanager
    def _sharing(self, count: int, limit_s: float) -> Iterator[Together]:
        """So many workers, which do a job together for at most `limit_s`; all are ended after any error."""
        if any(worker.ended for worker in self._workers()):
            self.close()
        self._worker = self._worker or self.started(0)
        self._others += [self.started(number) for number in range(len(self._others) + 1, count)]
        try:
            with self._limited(limit_s), contextlib.closing(Together(self._workers()[:count])) as together:
                yield together
        except BaseException:
            self.close()
            raise
        if any(worker.killed_after_s is not None for worker in self._workers()):
            self.close()

    @contextlib.contextmanager
    def _limited(self, limit_s: float) -> Iterator[None]:
        with contextlib.ExitStack() as limits:
            for worker in self._workers():
                limits.enter_context(worker.limited(limit_s))
            yield

    def _workers(self) -> "list[Worker]":
        return [*([self._worker] if self._worker else []), *self._others]

    @contextlib.contextmanager
    def _working(self, order: str, limit_s: float) -> "Iterator[Worker]":
        """The worker, which works on an order for at most `limit_s`; it is ended after any error."""
        if self._worker is not None and self._worker.ended:
            self.close()
        worker = self._worker = self._worker or self.started(0)
        try:
            with worker.limited(limit_s):
                worker.send(order)
                yield worker
        except BaseException:
            self.close()
            raise
        if worker.killed_after_s is not None:  # killed just when its result came
            self.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


def run(job: LoadJob, processes: int = 1) -> LoadResult:
    """One load from processes of its own, which are gone afterwards; errors as for `Generator.run`."""
    with Generator(processes) as generator:
        return generator.run(job)


def budget_s(job: LoadJob) -> float:
    """The longest a job can take: connecting, warm-up, window, the queue's drain, and the last request's limit."""
    return job.warmup_s + job.duration_s + 3 * job.timeout_s + ALLOWANCE_S


def _partial(worker: Worker) -> LoadResult | None:
    worker.send("stop")
    try:
        with worker.limited(PARTIAL_RESULT_S):
            return LoadResult.from_json(worker.result())
    except (GeneratorError, ValueError, KeyboardInterrupt):
        return None
