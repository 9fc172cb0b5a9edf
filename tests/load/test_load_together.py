"""Several generators begin together, send what one would have sent, and end together if one of them is lost."""

import fcntl
import os
import signal
import struct
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import IO, Any

import psutil
import pytest
from processes import PATIENCE_S, gone, wait_until

from bench.files import ROOT
from bench.load import Generator, GeneratorError, LoadJob, SlicesJob, StreamJob, Target
from bench.load.client import clock_ns
from bench.load.null_server import NullServer, null_server
from bench.load.pacing import schedule
from bench.load.process import Worker
from bench.load.together import Together
from bench.testbed.processes.ports import free_port
from tests.load import limited_generators

NS_PER_S = 1_000_000_000


@pytest.fixture(scope="module")
def server() -> Iterator[NullServer]:
    with null_server() as running:
        yield running


@pytest.fixture(scope="module")
def three() -> Iterator[Generator]:
    """Three generators for the tests of this file that end none of them."""
    with Generator(3) as made:
        yield made


def job(server: NullServer, **options: Any) -> LoadJob:
    defaults = {"connections": 6, "duration_s": 0.3, "warmup_s": 0.1, "timeout_s": 5.0}
    return LoadJob(**{"host": "127.0.0.1", "port": server.port, **defaults, **options})


class Elsewhere:
    """A generator on a machine whose clock is so far ahead, and that answers at once."""

    def __init__(self, ahead_ns: int) -> None:
        self.ahead_ns = ahead_ns
        self.told_ns: list[int] = []
        self.reader, self.writer = os.pipe()
        self.lines: list[str] = []

    def send(self, line: str) -> None:
        kind, _, text = line.partition(" ")
        if kind == "ping":
            self.say(f"pong {clock_ns() + self.ahead_ns}")
        elif kind == "go":
            self.told_ns.append(int(text))
        else:
            self.say("ready")

    def say(self, line: str) -> None:
        self.lines.append(line)
        os.write(self.writer, b".")

    def fileno(self) -> int:
        return self.reader

    def receive(self) -> list[str]:
        os.read(self.reader, 1)
        return [self.lines.pop(0)]


def test_generators_whose_clocks_differ_are_told_the_same_moment() -> None:
    """Each in its own time, and no more apart than a question for the time takes."""
    others = [Elsewhere(ahead_ns) for ahead_ns in (0, 3_600 * NS_PER_S, -86_400 * NS_PER_S)]
    together = Together(others)
    together.tell("share-load {}")
    together.begin()
    moments = [one.told_ns[0] - one.ahead_ns for one in others]
    unsure_ns = 2 * max(clock.unsure_ns for clock in together.clocks)
    assert max(moments) - min(moments) <= unsure_ns
    begun = [one.told_ns[0] + late_ns for one, late_ns in zip(others, (0, 5_000_000, 2_000_000), strict=True)]
    assert together.spread_s(begun) == pytest.approx(0.005, abs=unsure_ns / 1e9)
    together.close()


@pytest.mark.parametrize("arrival", ["constant", "poisson"])
def test_three_generators_send_the_requests_that_one_sends(three: Generator, server: NullServer, arrival: Any) -> None:
    asked = job(server, rate_rps=300.0, arrival=arrival, seed=11, raw_limit=10_000)
    result = three.run(asked)
    due = [offset / 1e9 - asked.warmup_s for offset in schedule(arrival, 300.0, 0.4, seed=11)]
    assert sorted(one.intended_s for one in result.raw) == pytest.approx([at for at in due if at >= 0], abs=1e-8)
    assert result.warmup_requests == sum(at < 0 for at in due)
    assert (result.errors.total, result.unsent, result.good) == (0, 0, result.requests)
    assert [one.requests > 0 for one in result.generators] == [True] * 3
    assert sum(one.requests for one in result.generators) == result.requests
    assert result.start_lag is not None
    assert result.start_lag.count == sum(one.start_lag.count for one in result.generators if one.start_lag)
    assert 0 <= result.start_spread_s < asked.duration_s


def test_a_closed_loop_has_its_connections_and_its_number_of_requests_in_all(
    three: Generator, server: NullServer
) -> None:
    result = three.run(job(server, connections=7, max_requests=50, warmup_s=0.0, duration_s=30.0))
    assert (result.good, result.connects, result.interrupted) == (50, 7, False)
    assert [one.requests for one in result.generators] == [17, 17, 16]
    assert result.window_s < 30
    assert three.run(job(server, connections=1)).generators == (), "one connection is for one generator"


def test_slices_of_three_generators_are_one_slice_each_and_none_begins_before_the_last_has_ended(
    three: Generator, server: NullServer
) -> None:
    load = job(server, connections=6)
    open_loop = replace(load, rate_rps=400.0, arrival="poisson")
    alone = replace(load, connections=1)
    nobody = replace(load, port=free_port())
    targets = tuple(Target(job=one, pids=(server.pid,)) for one in (load, open_loop, alone, nobody))
    asked = SlicesJob(targets=targets, cycles=4, slice_s=0.05, seed=3, database_pids=(os.getpid(),))
    found = three.slices(asked)
    closed, opened, single, failed = ([one for one in found.slices if one.target == number] for number in range(4))
    with Generator() as one:
        expected = one.slices(asked)
    assert [(each.cycle, each.target) for each in found.slices] == [
        (each.cycle, each.target) for each in expected.slices
    ]
    assert [each.offered for each in opened] == [each.offered for each in expected.slices if each.target == 1]
    assert all(each.good == each.offered == len(each.responses_us) for each in opened)
    assert all(len(each.shares_offered) == 3 and sum(each.shares_offered) == each.offered for each in opened)
    assert all(each.good > 0 and each.cpu_s > 0 and each.wall_s >= 0.05 and not each.errors for each in closed)
    assert [each.connects for each in closed] == [6, 0, 0, 0]
    assert [each.shares_offered for each in single] == [()] * 4, "one connection is for one generator"
    assert [each.errors for each in failed] == [3], "each has met the error, and there is no further slice"
    assert found.error_examples[3].startswith("refused")


def test_event_streams_of_three_generators_are_counted_together(three: Generator, server: NullServer) -> None:
    """The null server's answer is no event stream: all of them fail, at once and by name."""
    mids: list[int] = []
    result = three.stream(StreamJob(host="127.0.0.1", port=server.port, streams=10, timeout_s=10.0), mids.append)
    assert (result.streams, result.opened, result.errors.wrong_body, result.finished) == (10, 10, 10, 0)
    assert (mids, result.generators) == ([0], 3)


def test_a_generator_that_is_killed_ends_the_load_at_once_and_the_next_one_has_fresh_ones(server: NullServer) -> None:
    with Generator(2) as two:
        two.run(job(server, duration_s=0.05))
        workers = [worker.process.pid for worker in two._workers()]
        threading.Timer(0.3, os.kill, (workers[1], signal.SIGKILL)).start()
        began = time.monotonic()
        with pytest.raises(GeneratorError, match="failed with status -9"):
            two.run(job(server, duration_s=600.0))
        assert time.monotonic() - began < PATIENCE_S
        assert all(map(gone, workers))
        assert len(two.run(job(server, duration_s=0.05)).generators) == 2


def can_limit() -> bool:
    """Whether this process may limit the CPU time of others."""
    return os.geteuid() == 0 and Path("/sys/fs/cgroup").is_dir() and os.access(limited_generators.group_root(), os.W_OK)


@pytest.mark.skipif(not can_limit(), reason="no control groups, or not root")
def test_two_generators_with_a_share_of_a_core_each_send_more_than_one() -> None:
    """1.9 times as much on a machine with nothing else to do; python -m tests.load.limited_generators shows it."""
    try:
        ratio = limited_generators.ratio(2, duration_s=0.5, turns=3)
    except OSError as error:
        pytest.skip(str(error))
    assert ratio > 1.4


CALLER = """
import sys
from bench.load import Generator, Interrupted, LoadJob
with Generator(2) as two:
    load = LoadJob(host="127.0.0.1", port=int(sys.argv[1]), connections=2, duration_s=0.05, warmup_s=0.0)
    two.run(load)
    print(*(worker.process.pid for worker in two._workers()), flush=True)
    try:
        two.run(LoadJob(host="127.0.0.1", port=load.port, connections=2, duration_s=600.0, warmup_s=0.0))
    except Interrupted as interrupted:
        found = interrupted.result
        print(found.interrupted, found.good > 0, len(found.generators), found.window_s < 500)
"""


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGKILL])
def test_generators_end_with_their_caller_and_ctrl_c_has_what_all_have_measured(
    sign: signal.Signals, server: NullServer
) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", CALLER, str(server.port)],
        stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    try:
        assert process.stdout is not None
        workers = [int(pid) for pid in process.stdout.readline().split()]
        wait_until(lambda: all(len(psutil.Process(pid).net_connections("tcp")) for pid in workers), "the load")
        time.sleep(0.2)
        process.send_signal(sign)
        output, _ = process.communicate(timeout=PATIENCE_S)
    finally:
        process.kill()
        process.wait()
    assert output.split() == (["True", "True", "2", "True"] if sign == signal.SIGINT else [])
    wait_until(lambda: all(map(gone, workers)), "the end of the generators")


def test_the_word_to_begin_before_all_are_ready_is_not_lost() -> None:
    """What is said to a share is no job of its own, also where it comes too late."""
    worker = Worker()
    try:
        worker.send("go 1\nslice 0 0\nend\nping")
        assert worker.receive()[0].startswith("pong ")
    finally:
        worker.end()


WRITER = """
import signal
from bench.load.worker import say
signal.signal(signal.SIGUSR1, lambda *_: None)
say("result", "x" * 150_000)
"""


def test_a_long_line_is_written_whole_where_the_kernel_takes_a_part_of_it() -> None:
    """A signal ends a write to a full pipe after a part of it; an unbuffered sys.stdout loses the rest."""
    process = subprocess.Popen(
        [sys.executable, "-u", "-c", WRITER], stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": str(ROOT)}
    )
    try:
        assert process.stdout is not None
        pipe = process.stdout
        wait_until(lambda: full(pipe) and psutil.Process(process.pid).status() == psutil.STATUS_SLEEPING, "its wait")
        process.send_signal(signal.SIGUSR1)
        time.sleep(0.2)
        output, _ = process.communicate(timeout=PATIENCE_S)
    finally:
        process.kill()
        process.wait()
    assert len(output) == len("result \n") + 150_000


def full(pipe: IO[bytes]) -> bool:
    """Whether the pipe takes no further byte before somebody reads."""
    (unread,) = struct.unpack("i", fcntl.ioctl(pipe, termios.FIONREAD, bytes(4)))
    return bool(unread == fcntl.fcntl(pipe, fcntl.F_GETPIPE_SZ))
