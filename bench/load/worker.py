"""The generator as a process of its own: each line on stdin is a job, and each result is a line on stdout.

"load", "streams", "slices" or "watch" with the job as JSON is answered by "result" with the result as JSON; "stop" ends
a load, slices or a watch with what was measured so far. The kernel closes stdin when the process at its other end ends,
`kill -9` included; the worker then ends too, even in the middle of a job, because nobody is left to read a result. An
error also ends it, with its message on stderr.
"""

import asyncio
import gc
import os
import resource
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import uvloop

from bench.load.job import LoadJob, LoadResult
from bench.load.loops import generator_for
from bench.load.slices import SlicesJob, SlicesResult
from bench.load.streams import StreamJob, StreamResult, open_streams
from bench.load.turns import Turns
from bench.load.watch import WatchJob, WatchResult
from bench.load.watching import Watching

__all__ = ["main", "pin", "raise_file_limit"]

SPARE_FILES = 64  # what the interpreter, the loop and the pipes hold open, generously
ORPHANED = 3
STOP = b"stop\n"
FORGET_PEAK = Path("/proc/self/clear_refs")


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

    def watch(self, stop: Callable[[], None]) -> None:
        """From now on until the loop ends: calls `stop` when told to, and ends the process at the end of stdin."""

        def look() -> None:
            data = os.read(self._fd, 65_536)
            if not data:
                os._exit(ORPHANED)
            self._unread += data
            obey()

        def obey() -> None:
            if self._unread.startswith(STOP):
                self._unread = self._unread.removeprefix(STOP)
                stop()

        asyncio.get_running_loop().add_reader(self._fd, look)
        obey()


def main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which says "stop"
    orders, cores = Orders(sys.stdin.fileno()), usable_cores()
    try:
        while (order := orders.next()) is not None:
            kind, _, text = order.partition(" ")
            if kind != "stop":  # a "stop" here came too late for its job
                say("result", serve(kind, text, orders, cores))
    except OSError as error:
        sys.exit(str(error))


def serve(kind: str, text: str, orders: Orders, cores: tuple[int, ...]) -> str:
    """One job's result as JSON; a job that names no cores runs on `cores`."""
    collect()
    if kind == "streams":
        streams = StreamJob.from_json(text)
        prepare(streams.cores or cores, streams.streams)
        return uvloop.run(_stream(streams, orders)).to_json()
    if kind == "slices":
        slices = SlicesJob.from_json(text)
        prepare(slices.cores or cores, sum(target.job.connections for target in slices.targets))
        return uvloop.run(_slices(slices, orders)).to_json()
    if kind == "watch":
        watch = WatchJob.from_json(text)
        prepare(watch.cores or cores, sum(target.connections for target in watch.targets))
        return uvloop.run(_watch(watch, orders)).to_json()
    load = LoadJob.from_json(text)
    prepare(load.cores or cores, load.connections)
    return uvloop.run(_load(load, orders)).to_json()


def say(kind: str, text: str) -> None:
    sys.stdout.write(f"{kind} {text}\n")
    sys.stdout.flush()


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


async def _stream(job: StreamJob, orders: Orders) -> StreamResult:
    orders.watch(lambda: None)
    gc.freeze()
    return await open_streams(job, lambda streams: say("mid", str(streams)))


if __name__ == "__main__":
    main()
