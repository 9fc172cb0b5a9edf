"""The generator as a process of its own: each line on stdin is a job, and each result is a line on stdout.

"load", "streams", "slices" or "watch" with the job as JSON is answered by "result" with the result as JSON; "stop" ends
a load, slices or a watch with what was measured so far. The kernel closes stdin when the process at its other end ends,
`kill -9` included; the worker then ends too, even in the middle of a job, because nobody is left to read a result. An
error also ends it, with its message on stderr.

"share-load", "share-streams" and "share-slices" are one generator's share of a job that several do together. It says
"ready" when it could begin, is told "go" with a time of its clock, which "ping" asks for, and answers with what it has
recorded; of slices, it is told "slice" with a cycle and a target for each one, says "done", and "end" is the last word.
"""

import asyncio
import contextlib
import gc
import os
import resource
import signal
import sys
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any, Protocol

import uvloop

from bench.load.client import clock_ns
from bench.load.job import LoadJob, LoadResult
from bench.load.loops import generator_for
from bench.load.part import Part
from bench.load.slices import SlicesJob, SlicesResult
from bench.load.start import CommonStart
from bench.load.streams import StreamJob, StreamPart, StreamResult, open_streams, record_streams
from bench.load.turns import Turns
from bench.load.turns_share import TurnsShare
from bench.load.watch import WatchJob, WatchResult
from bench.load.watching import Watching

__all__ = ["main", "pin", "raise_file_limit"]

SPARE_FILES = 64  # what the interpreter, the loop and the pipes hold open, generously
ORPHANED = 3
STOP = b"stop"
FOR_A_SHARE = (b"go", b"slice", b"end")  # what is said to a share that is under way, and concerns no other job
STDOUT = 1
SHARE = "share-"
FORGET_PEAK = Path("/proc/self/clear_refs")


class Answer(Protocol):
    """What becomes of a job."""

    def to_json(self) -> str:
        """On one line."""


class Orders:
    """The lines of stdin: the worker waits for one between jobs, and watches for one during a job."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._unread = b""

    def next(self) -> str | None:
        """The next line; None at the end."""
        os.set_blocking(self._fd, True)  # uvloop leaves what it watched as non-blocking
        while b"\n" not in self._unread:
            data = os.read(self._fd, 65_536)
            if not data:
                return None
            self._unread += data
        line, _, self._unread = self._unread.partition(b"\n")
        return line.decode()

    def watch(self, stop: Callable[[], None], heard: Callable[[str], None] | None = None) -> None:
        """From now on until the loop ends: calls `stop` when told to, and ends the process at the end of stdin.

        `heard` is called with each line for a share.
        """

        def look() -> None:
            data = os.read(self._fd, 65_536)
            if not data:
                os._exit(ORPHANED)
            self._unread += data
            obey()

        def obey() -> None:
            while b"\n" in self._unread:
                line, _, unread = self._unread.partition(b"\n")
                if line == STOP:
                    self._unread = unread
                    stop()
                elif heard is not None and line.partition(b" ")[0] in FOR_A_SHARE:
                    self._unread = unread
                    heard(line.decode())
                else:  # the next job
                    return

        asyncio.get_running_loop().add_reader(self._fd, look)
        obey()


def main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which says "stop"
    orders, cores = Orders(sys.stdin.fileno()), usable_cores()
    try:
        while (order := orders.next()) is not None:
            kind, _, text = order.partition(" ")
            if kind == "ping":
                say("pong", str(clock_ns()))
            elif kind.encode() not in (STOP, *FOR_A_SHARE):  # which come too late here for their job
                say("result", serve(kind, text, orders, cores))
    except OSError as error:
        sys.exit(str(error))


def serve(kind: str, text: str, orders: Orders, cores: tuple[int, ...]) -> str:
    """One job's result, or what was recorded of a share, as JSON; a job that names no cores runs on `cores`."""
    collect()
    share, kind = kind.startswith(SHARE), kind.removeprefix(SHARE)
    if kind == "streams":
        streams = StreamJob.from_json(text)
        prepare(streams.cores or cores, streams.streams)
        return answered(_stream_share(streams, orders) if share else _stream(streams, orders))
    if kind == "slices":
        slices = SlicesJob.from_json(text)
        prepare(slices.cores or cores, sum(target.job.connections for target in slices.targets))
        return answered(_slices_share(slices, orders) if share else _slices(slices, orders))
    if kind == "watch":
        watch = WatchJob.from_json(text)
        prepare(watch.cores or cores, sum(target.connections for target in watch.targets))
        return answered(_watch(watch, orders))
    load = LoadJob.from_json(text)
    prepare(load.cores or cores, load.connections)
    return answered(_load_share(load, orders) if share else _load(load, orders))


def answered(work: Coroutine[Any, Any, Answer]) -> str:
    """The JSON of what comes of a job, on an event loop of its own."""
    return uvloop.run(work).to_json()


def say(kind: str, text: str) -> None:
    """Write a line to stdout, all of it.

    Not by `sys.stdout`, which loses what is left of a line that the kernel took only a part of, where it is unbuffered:
    https://github.com/python/cpython/issues/85393
    """
    line = memoryview(f"{kind} {text}\n".encode())
    while line:
        line = line[os.write(STDOUT, line) :]


def prepare(cores: tuple[int, ...], sockets: int) -> None:
    """Pin to those cores, allow enough files, forget the memory peak of old jobs. Raises OSError with the remedy."""
    pin(cores)
    raise_file_limit(sockets + SPARE_FILES)
    if FORGET_PEAK.exists():
        FORGET_PEAK.write_text("5", encoding="utf-8")  # proc_pid_clear_refs(5): resets VmHWM to what is resident now


def collect() -> None:
    """Collect the last job's garbage; what is left stays, so that collections during a load need not look at it."""
    gc.unfreeze()
    gc.collect()


def usable_cores() -> tuple[int, ...]:
    return tuple(sorted(os.sched_getaffinity(0))) if hasattr(os, "sched_getaffinity") else ()


def pin(cores: tuple[int, ...]) -> None:
    """Run on those cores only, where the system can pin; no cores: change nothing. Raises OSError for missing cores."""
    if not cores or not hasattr(os, "sched_setaffinity"):
        return
    try:
        os.sched_setaffinity(0, cores)
    except OSError as error:
        raise OSError(
            f"cannot run on cores {list(cores)} ({error.strerror}); choose from {list(usable_cores())}"
        ) from None


def raise_file_limit(files: int) -> None:
    """Raises the soft limit as needed; OSError with the remedy when the hard limit is in the way."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < files:
        raise OSError(f"the load needs {files} open files, the hard limit is {hard}; raise it with ulimit -Hn {files}")
    if soft != resource.RLIM_INFINITY and soft < files:
        resource.setrlimit(resource.RLIMIT_NOFILE, (files, hard))


async def _load(job: LoadJob, orders: Orders) -> LoadResult:
    loop, generator = asyncio.get_running_loop(), await generator_for(job)
    loop.set_exception_handler(lambda _, context: generator.crash(context))
    orders.watch(generator.stop)
    gc.freeze()
    return await generator.run()


async def _slices(job: SlicesJob, orders: Orders) -> SlicesResult:
    turns = Turns(job, asyncio.get_running_loop())
    orders.watch(turns.stop)
    gc.freeze()
    return await turns.run()


async def _watch(job: WatchJob, orders: Orders) -> WatchResult:
    loop = asyncio.get_running_loop()
    watching = Watching(job, loop)
    loop.set_exception_handler(lambda _, context: watching.crash(context))
    orders.watch(watching.stop)
    gc.freeze()
    say("mid", str(len(job.targets)))
    return await watching.run()


@contextlib.contextmanager
def common_start(orders: Orders, stop: Callable[[], None]) -> Iterator[CommonStart]:
    """The start that this generator's share has in common with the others'; `stop` ends the share."""
    start = CommonStart(asyncio.get_running_loop(), say)

    def stopped() -> None:
        stop()
        start.release()

    orders.watch(stopped, start.heard)
    gc.freeze()
    try:
        yield start
    finally:
        start.close()


async def _load_share(job: LoadJob, orders: Orders) -> Part:
    loop, generator = asyncio.get_running_loop(), await generator_for(job)
    loop.set_exception_handler(lambda _, context: generator.crash(context))
    with common_start(orders, generator.stop) as start:
        return await generator.measure(start)


async def _slices_share(job: SlicesJob, orders: Orders) -> SlicesResult:
    with common_start(orders, lambda: None) as start:
        return await TurnsShare(job, asyncio.get_running_loop(), start, say).run()


async def _stream_share(job: StreamJob, orders: Orders) -> StreamPart:
    with common_start(orders, lambda: None) as start:
        return await record_streams(job, lambda streams: say("mid", str(streams)), start)


async def _stream(job: StreamJob, orders: Orders) -> StreamResult:
    orders.watch(lambda: None)
    gc.freeze()
    return await open_streams(job, lambda streams: say("mid", str(streams)))


if __name__ == "__main__":
    main()
