"""One worker serves job after job, is replaced when it fails, and never outlives who started it."""

import importlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from processes import PATIENCE_S, gone, wait_until

from bench.files import ROOT
from bench.load import Generator, GeneratorError, LoadJob, LoadResult
from bench.load.null_server import NullServer, null_server
from bench.load.run import Worker

run_module = importlib.import_module("bench.load.run")  # the package's `run` is the function

LONG_S = 600.0

needs_proc = pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="looks into /proc")


@pytest.fixture(scope="module")
def server() -> Iterator[NullServer]:
    with null_server() as running:
        yield running


@pytest.fixture
def generator() -> Iterator[Generator]:
    with Generator() as made:
        yield made


def job(server: NullServer, **options: Any) -> LoadJob:
    defaults = {"connections": 2, "duration_s": 0.05, "warmup_s": 0.0}
    return LoadJob(**{"host": "127.0.0.1", "port": server.port, **defaults, **options})


def pid(generator: Generator) -> int:
    assert generator._worker is not None
    return generator._worker.process.pid


def open_files(process: int) -> int:
    return len(list(Path(f"/proc/{process}/fd").iterdir()))


@needs_proc
def test_one_worker_serves_all_jobs_and_keeps_no_file_of_them_open(generator: Generator, server: NullServer) -> None:
    assert generator.run(job(server)).good > 0
    first, files = pid(generator), open_files(pid(generator))
    for rate_rps in (None, 200.0) * 3:
        result = generator.run(job(server, rate_rps=rate_rps))
        assert result.good > 0
        assert result.errors.total == 0
    assert (pid(generator), open_files(pid(generator))) == (first, files)


def test_cpu_time_is_that_of_the_job_alone(generator: Generator, server: NullServer) -> None:
    busy = generator.run(job(server, duration_s=0.5))
    idle = generator.run(job(server, rate_rps=20.0, duration_s=0.3))
    assert idle.cpu_user_s + idle.cpu_system_s < (busy.cpu_user_s + busy.cpu_system_s) / 2


@needs_proc
def test_the_peak_of_memory_is_forgotten_before_each_job() -> None:
    code = """
from bench.load.generator import peak_rss_bytes
from bench.load.worker import prepare
before = bytearray(b"x") * 200_000_000
del before
assert peak_rss_bytes() > 200_000_000
prepare((), 0)
assert peak_rss_bytes() < 150_000_000
"""
    subprocess.run([sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": str(ROOT)}, check=True)


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="cannot pin")
def test_a_job_that_chooses_no_cores_may_run_anywhere_again(generator: Generator, server: NullServer) -> None:
    usable = os.sched_getaffinity(0)
    generator.run(job(server, cores=(min(usable),)))
    assert os.sched_getaffinity(pid(generator)) == {min(usable)}
    generator.run(job(server))
    assert os.sched_getaffinity(pid(generator)) == usable


def test_the_worker_has_no_variable_that_would_slow_it(
    generator: Generator, server: NullServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONDEVMODE", "1")
    generator.run(job(server))
    found = psutil.Process(pid(generator)).environ()
    assert "PYTHONDEVMODE" not in found
    assert found["PYTHONPATH"].startswith(str(ROOT))


def test_a_worker_that_failed_says_why_and_the_next_job_gets_a_fresh_one(
    generator: Generator, server: NullServer
) -> None:
    generator.run(job(server))
    first = pid(generator)
    with pytest.raises(GeneratorError, match=r"no-such-host.*give its address"):
        generator.run(job(server, host="no-such-host.invalid"))
    assert gone(first)
    assert generator.run(job(server)).good > 0
    assert pid(generator) != first


def test_a_worker_that_hangs_is_killed_and_the_next_job_gets_a_fresh_one(
    generator: Generator, server: NullServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(run_module, "budget_s", lambda job: 0.5)
        with pytest.raises(GeneratorError, match="hung and was killed after"):
            generator.run(job(server, duration_s=LONG_S))
    assert generator.run(job(server)).good > 0


def test_a_stopped_worker_cannot_hold_up_a_job_too_large_for_the_pipe(
    generator: Generator, server: NullServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    generator.run(job(server))
    os.kill(pid(generator), signal.SIGSTOP)
    monkeypatch.setattr(run_module, "budget_s", lambda job: 0.2)
    with pytest.raises(GeneratorError, match="hung"):
        generator.run(job(server, method="POST", body=bytes(1_000_000)))


def test_a_worker_killed_between_two_jobs_is_replaced(generator: Generator, server: NullServer) -> None:
    generator.run(job(server))
    psutil.Process(first := pid(generator)).kill()
    wait_until(lambda: gone(first), "the worker's end")
    assert generator.run(job(server)).good > 0


def test_a_worker_ends_with_its_stdin_when_it_has_nothing_to_do() -> None:
    worker = Worker()
    try:
        assert worker.process.stdin is not None
        worker.process.stdin.close()
        assert worker.process.wait(PATIENCE_S) == 0
    finally:
        worker.end()


def test_a_stop_counts_for_the_job_it_was_meant_for_and_no_other(server: NullServer) -> None:
    worker = Worker()
    try:
        worker.send(f"load {job(server, duration_s=LONG_S).to_json()}\nstop")  # before the job has begun
        assert LoadResult.from_json(worker.result()).interrupted
        worker.send(f"stop\nload {job(server).to_json()}")  # after it has ended
        assert not LoadResult.from_json(worker.result()).interrupted
    finally:
        worker.end()


CALLER = """
import sys
from bench.load import Generator, Interrupted, LoadJob
job = LoadJob(host="127.0.0.1", port=int(sys.argv[1]), connections=2, duration_s=600.0, warmup_s=0.0)
with Generator() as generator:
    generator.run(LoadJob(host="127.0.0.1", port=job.port, duration_s=0.05, warmup_s=0.0))
    print(generator._worker.process.pid, flush=True)
    if sys.argv[2] == "idle":
        sys.stdin.read()
    try:
        generator.run(job)
    except Interrupted as interrupted:
        again = generator.run(LoadJob(host="127.0.0.1", port=job.port, duration_s=0.05, warmup_s=0.0))
        print(interrupted.result.interrupted, interrupted.result.good > 0, again.good > 0)
"""


@pytest.fixture
def caller(server: NullServer) -> Iterator[Callable[[str], "subprocess.Popen[str]"]]:
    """A function that starts a process with a generator that is "idle" or "busy"."""
    started: list[subprocess.Popen[str]] = []

    def start(state: str) -> "subprocess.Popen[str]":
        started.append(
            subprocess.Popen(
                [sys.executable, "-c", CALLER, str(server.port), state],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                env={**os.environ, "PYTHONPATH": str(ROOT)},
            )
        )
        return started[0]

    yield start
    for process in started:
        process.kill()
        process.communicate()


def wait_until_loading(worker: int) -> None:
    wait_until(lambda: len(psutil.Process(worker).net_connections("tcp")) >= 2, "the load")
    time.sleep(0.2)


@pytest.mark.parametrize("state", ["idle", "busy"])
def test_a_worker_ends_when_its_caller_is_killed(state: str, caller: Callable[[str], "subprocess.Popen[str]"]) -> None:
    process = caller(state)
    assert process.stdout is not None
    worker = int(process.stdout.readline())
    if state == "busy":
        wait_until_loading(worker)
    assert not gone(worker)
    process.kill()
    wait_until(lambda: gone(worker), "the worker's end")


def test_ctrl_c_hands_over_what_was_measured_and_leaves_a_generator_that_works(
    caller: Callable[[str], "subprocess.Popen[str]"],
) -> None:
    process = caller("busy")
    assert process.stdout is not None
    worker = int(process.stdout.readline())
    wait_until_loading(worker)
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=PATIENCE_S)
    assert output.split() == ["True"] * 3
    assert process.returncode == 0
    assert gone(worker)
