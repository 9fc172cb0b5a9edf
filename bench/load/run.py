"""How does a caller get a load done? A Generator keeps its process for many jobs; `run(job)` is one for one job.

Each line on the worker's stdin is a job ("load", "streams", "slices" or "watch", and then JSON), or "stop", which ends
it early. The worker answers with "mid" lines and a "result" line. Starting Python takes 0.2 s and a run has hundreds of
jobs, so one process does them all.
"""

import contextlib
import os
import tempfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from bench.errors import BenchError
from bench.files import ROOT
from bench.load.job import LoadJob, LoadResult
from bench.load.slices import SlicesJob, SlicesResult
from bench.load.streams import StreamJob, StreamResult
from bench.load.watch import WatchJob, WatchResult
from bench.testbed.processes.piped import end_piped, start_piped
from bench.testbed.processes.process import clean_environment

__all__ = ["Generator", "GeneratorError", "Interrupted", "Watch", "run"]

# Starting Python takes 0.2 s and summing up 2 million samples some 5 s; a busy machine is given five times that.
ALLOWANCE_S = 30.0
PARTIAL_RESULT_S = 30.0  # to sum up after Ctrl-C; a second Ctrl-C does not wait
MESSAGE_BYTES = 2_000  # so much of what a failed worker wrote to stderr is read


@dataclass
class Watch:
    """A watch; `result` is there once its context has ended."""

    result: WatchResult = field(init=False)


class GeneratorError(BenchError):
    """The generator's process failed or hung; the message holds the end of what it wrote to stderr."""


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
    """

    def __init__(self) -> None:
        self._worker: Worker | None = None

    def run(self, job: LoadJob) -> LoadResult:
        """What the load measured; blocks for the job's time and a little more.

        Raises GeneratorError when the worker fails or outlives its time, and Interrupted on Ctrl-C.
        """
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
        with self._working(f"streams {job.to_json()}", job.timeout_s + ALLOWANCE_S) as worker:
            return StreamResult.from_json(worker.result(mid))

    def slices(self, job: SlicesJob) -> SlicesResult:
        """What several servers did in turn; errors as for `run`, and plain KeyboardInterrupt on Ctrl-C."""
        # A slice may wait that long for connections, for its lead-in, for those lost in it, and for its last answer.
        longest_s = sum(job.slice_s + job.lead_in_s + 4 * target.job.timeout_s for target in job.targets)
        with self._working(f"slices {job.to_json()}", (job.cycles + 1) * longest_s + ALLOWANCE_S) as worker:
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

    def close(self) -> None:
        """Ends the worker; a job after that starts a fresh one."""
        if self._worker is not None:
            self._worker.end()
            self._worker = None

    @contextlib.contextmanager
    def _working(self, order: str, limit_s: float) -> "Iterator[Worker]":
        """The worker, which works on an order for at most `limit_s`; it is ended after any error."""
        if self._worker is not None and self._worker.process.poll() is not None:
            self.close()
        worker = self._worker = self._worker or Worker()
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


class Worker:
    """The worker's process and its pipes. Its stderr is a file, so that it never waits for somebody to read it."""

    def __init__(self) -> None:
        path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
        self.killed_after_s: float | None = None
        self._received = b""
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115  # `end` closes it
        environment = {**clean_environment(), "PYTHONPATH": path}
        self.process = start_piped(["-m", "bench.load.worker"], environment=environment, stderr=self._errors)

    def send(self, line: str) -> None:
        assert self.process.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # `result` finds that it has ended, and says why
            self.process.stdin.write(line.encode() + b"\n")
            self.process.stdin.flush()

    def result(self, mid: Callable[[int], None] | None = None) -> str:
        """The JSON of its next result. Raises GeneratorError if it ends instead."""
        while True:
            kind, _, text = self._line().partition(" ")
            if kind == "result":
                return text
            if mid is not None:
                mid(int(text))

    def mid(self) -> int:
        """The number in its next line, which is no result. Raises GeneratorError if it ends instead."""
        return int(self._line().partition(" ")[2])

    @contextlib.contextmanager
    def limited(self, limit_s: float) -> Iterator[None]:
        """Kills the worker when the context takes longer, which ends every wait for the worker."""
        timer = threading.Timer(limit_s, self._expire, [limit_s])
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
            timer.join()

    def end(self) -> None:
        """Kills the worker: it keeps nothing that has to be saved first."""
        self.process.kill()
        end_piped(self.process)
        self._errors.close()

    def _line(self) -> str:
        assert self.process.stdout is not None
        # Not its readline(), which loses the beginning of a line when Ctrl-C comes between two of its reads.
        while b"\n" not in self._received:
            data = os.read(self.process.stdout.fileno(), 65_536)
            if not data:
                raise GeneratorError(self._obituary())
            self._received += data
        line, _, self._received = self._received.partition(b"\n")
        return line.decode()

    def _expire(self, limit_s: float) -> None:
        self.killed_after_s = limit_s
        self.process.kill()

    def _obituary(self) -> str:
        status = self.process.wait()
        if self.killed_after_s is not None:
            return f"the load generator hung and was killed after {self.killed_after_s:.0f} s"
        self._errors.seek(max(self._errors.seek(0, os.SEEK_END) - MESSAGE_BYTES, 0))
        return f"the load generator failed with status {status}: {self._errors.read().decode(errors='replace').strip()}"


def run(job: LoadJob) -> LoadResult:
    """One load from a process of its own, which is gone afterwards; errors as for `Generator.run`."""
    with Generator() as generator:
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
