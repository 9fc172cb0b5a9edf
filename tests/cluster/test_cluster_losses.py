"""What becomes of a run, and of what it has started, when a machine, the scheduler or the bench itself is lost?"""

import logging
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

pytest.importorskip("distributed", reason="the extra 'cluster' is not installed")

from bench.cluster.connection import Address, ClusterLost, Connection
from bench.cluster.joined import Cluster, joining
from bench.errors import BenchError
from bench.files import ROOT
from bench.load import GeneratorError, LoadJob
from bench.load.null_server import null_server
from bench.measuring.session import Inquiry, Place, Session
from bench.models import find_models
from bench.results import Run, load_run
from bench.scenarios import SCENARIOS
from bench.scenarios.base import Options, Workload
from tests.clusters import Machines, on_loopback
from tests.listeners import Heard
from tests.processes import wait_until

(MODEL,) = find_models("gevent")
SCENARIO = replace(SCENARIOS["throughput"], workloads=lambda options: [Workload("GET /", {"path": "/"})])
PATIENCE_S = 120.0
# A load that would go on for as long as this has not come to its own end.
LONG_S = 300.0


@pytest.fixture(scope="module")
def machines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machines]:
    """One cluster for all tests: what one of them has lost is there again for the next, but for the last one's."""
    with on_loopback(tmp_path_factory.mktemp("machines")) as ready:
        yield ready


def started_by(pid: int) -> list[psutil.Process]:
    """What a worker's agent has started and has not ended."""
    try:
        return psutil.Process(pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []


@contextmanager
def soon(act: Callable[[], None]) -> Iterator[None]:
    """Do something in a second, while the context goes on."""
    timer = threading.Timer(1.0, act)
    timer.start()
    try:
        yield
    finally:
        timer.join()


def test_a_bench_that_is_killed_leaves_nothing_on_any_machine(machines: Machines, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "bench", "throughput", "--cluster", machines.url, "--models", "gevent", "--quick",
               "--out", str(tmp_path / "run")]  # fmt: skip
    names = ("lab-server", "lab-load-1", "lab-load-2")
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as bench:
        serving = lambda: any("gunicorn" in " ".join(one.cmdline()) for one in started_by(machines.pid("lab-server")))  # noqa: E731
        wait_until(serving, "a server on lab-server", PATIENCE_S)
        bench.kill()
        assert bench.stderr is not None
        assert b"without TLS a Dask scheduler runs code for whoever reaches it" in bench.stderr.read()
    wait_until(lambda: not any(started_by(machines.pid(name)) for name in names), "the end of everything", PATIENCE_S)


def test_a_lost_server_machine_makes_its_cells_errors_with_its_name_and_the_run_goes_on(
    machines: Machines, tmp_path: Path
) -> None:
    def lose(load: int) -> None:
        if load == 1:
            os.kill(machines.pid("lab-server"), signal.SIGKILL)
            machines.worker("lab-server", "127.0.0.3", wait=False, server=1)

    run = carried_out(machines, tmp_path, Heard(lose))
    states = {cell.model: [one.state for one in cell.observations] for cell in run.cells.values()}
    assert states.keys() == {"gevent", "gevent (again)"}
    assert all(first == "ERRORS" and second != "ERRORS" for first, second in states.values())
    reasons = [cell.observations[0].reason for cell in run.cells.values()]
    assert all("the machine lab-server (127.0.0.3) is lost: " in reason for reason in reasons)


def carried_out(machines: Machines, tmp_path: Path, heard: Heard, resume: bool = False) -> Run:
    """Two generations of two servers."""
    place = Place(out=tmp_path / "run", joined=joining(Address(machines.url)))
    if resume:
        place = replace(place, out=None, resume=tmp_path / "run")
    options = Options(generations=2, cycles=2, budget_s=0, seed=1)
    return Session(place).carry_out(Inquiry("throughput", [SCENARIO], [MODEL], options, typed=["throughput"]), heard)


def test_a_load_machine_that_is_killed_or_frozen_ends_its_load_with_its_name_and_the_next_load_goes_on(
    machines: Machines,
) -> None:
    with Connection(Address(machines.url)) as connection:
        cluster = Cluster(connection)
        server_machine = cluster.server
        with (
            null_server(host=server_machine.host, start=server_machine.start) as server,
            cluster.generator(2) as generator,
        ):
            job = LoadJob(host=server_machine.host, port=server.port, connections=4, duration_s=LONG_S)
            first, second = machines.pid("lab-load-1"), machines.pid("lab-load-2")
            with (
                soon(lambda: os.kill(first, signal.SIGKILL)),
                pytest.raises(GeneratorError, match=r"the machine lab-load-1 \(127\.0\.0\.4\) is lost: "),
            ):
                generator.run(job)
            short = replace(job, duration_s=0.2, warmup_s=0.1)
            assert generator.run(short).good > 0, "both generators are on the other machine now"
            with (
                soon(lambda: os.kill(second, signal.SIGSTOP)),
                pytest.raises(GeneratorError, match=r"the machine lab-load-2 \(127\.0\.0\.5\) is lost: it has not ans"),
            ):
                generator.run(job)
            os.kill(second, signal.SIGCONT)
            wait_until(lambda: not started_by(second), "the end of the frozen machine's generators", PATIENCE_S)
            machines.worker("lab-load-1", "127.0.0.4", load=1)
            assert generator.run(short).good > 0


def test_a_lost_scheduler_ends_the_run_leaves_nothing_and_the_run_can_be_gone_on_with(
    machines: Machines, tmp_path: Path
) -> None:
    def lose(load: int) -> None:
        if load == 2:
            os.kill(machines.pid("scheduler"), signal.SIGKILL)

    names = ("lab-server", "lab-load-1", "lab-load-2")
    started: list[psutil.Process] = []

    def look_and_lose(load: int) -> None:
        started.extend(one for name in names for one in started_by(machines.pid(name)))
        lose(load)

    heard = Heard(look_and_lose)
    with pytest.raises(
        ClusterLost, match=r"the scheduler at tcp://127\.0\.0\.1:\d+ is lost; start it and its workers "
    ):
        carried_out(machines, tmp_path, heard)
    assert heard.names[-1] == "not complete"
    assert not any(logging.getLogger(name).isEnabledFor(logging.ERROR) for name in [*logging.root.manager.loggerDict]
                   if name.startswith("distributed")), "Dask would write its own traceback of it"  # fmt: skip
    wait_until(lambda: not any(one.is_running() and one.status() != psutil.STATUS_ZOMBIE for one in started),
               "the end of all that was started", PATIENCE_S)  # fmt: skip
    assert len(load_run(tmp_path / "run").steps_done) == 1
    with on_loopback(machines.logs / "again") as again:
        run = carried_out(again, tmp_path, Heard(), resume=True)
    assert len(run.steps_done) == 2


def test_a_scheduler_that_is_not_there_is_one_line() -> None:
    with pytest.raises(BenchError, match=r"there is no Dask scheduler at tcp://127\.0\.0\.1:9 \(.*\); start one as"):
        Connection(Address("tcp://127.0.0.1:9"))
