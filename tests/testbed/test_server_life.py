"""A server starts, answers, is explained when it does not, and never outlives the bench."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from itertools import takewhile
from pathlib import Path

import psutil
import psycopg2
import pytest
from processes import PATIENCE_S, gone, wait_until

import bench.testbed.servers.life as life
from bench.errors import BenchError
from bench.measuring.environment import environment
from bench.models import Model, find_models
from bench.testbed.processes.local_http import local_get
from bench.testbed.processes.ports import free_port
from bench.testbed.processes.process import GuardedProcess
from bench.testbed.servers.life import ServerFailed, serving, starting
from bench.testbed.testbed import TestBed

ROOT = Path(__file__).parents[2]
# Long enough for gunicorn's own graceful end on a busy machine, and far below a test's patience.


def model(*arguments: str) -> Model:
    """A model of our own."""
    return Model("own", "gevent_app", arguments, "", False, False)


def test_a_server_that_ends_at_once_is_explained_by_its_log(tmp_path: Path) -> None:
    script = "import sys; print('the disk is on fire', file=sys.stderr); sys.exit(7)"
    with (
        pytest.raises(ServerFailed, match=r"it ended with exit code 7; the last lines of .*\nthe disk is on fire"),
        serving(model("-c", script), {}, tmp_path),
    ):
        pass


def test_a_server_that_never_answers_is_given_up(tmp_path: Path) -> None:
    with (
        starting(model("-c", "import time; time.sleep(600)"), {}, tmp_path) as begun,
        pytest.raises(ServerFailed, match="no answer within 0 s: nothing listened on its port"),
    ):
        begun.ready(within_s=0.5)


def test_the_shells_variables_that_change_a_server_do_not_reach_it(
    test_bed: TestBed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither in its first process nor in the worker that answers; those that a model sets on purpose do."""
    slowing = {"PYTHONDEVMODE": "1", "PYTHONMALLOC": "debug", "GEVENT_RESOLVER": "thread", "UVLOOP_DEBUG": "1"}
    for name, value in {**slowing, "PYTHONPATH": "/nowhere", "WANTED": "as it is"}.items():
        monkeypatch.setenv(name, value)
    (gevent,) = find_models("gevent")
    chosen = replace(gevent, environment={"PYTHONMALLOC": "malloc"})
    with serving(chosen, test_bed.environment(chosen), test_bed.logs) as server:
        for pid in {server.process.pid, server.info["pid"]}:
            found = psutil.Process(pid).environ()
            kept = {"PYTHONMALLOC": "malloc", "PYTHONPATH": "/nowhere", "WANTED": "as it is", "POOL_SIZE": "15"}
            assert kept.items() <= found.items()
            assert not (slowing.keys() - kept) & found.keys()
    noted = set(environment()["cleared_variables"])
    assert noted >= slowing.keys()
    assert not noted & {"PYTHONPATH", "WANTED"}


def test_another_server_on_the_port_is_not_taken_for_ours(test_bed: TestBed, tmp_path: Path) -> None:
    """Its /info has the pid of a process that this bench did not start for this model."""
    (gevent,) = find_models("gevent")
    with serving(gevent, test_bed.environment(gevent), tmp_path) as other:
        port = int(other.url.rpartition(":")[2])
        message = f"another server, pid {other.info['pid']}, answers at .*:{port}"
        command = [sys.executable, "-c", "import time; time.sleep(600)"]
        with GuardedProcess(command, log=tmp_path / "x") as ours, pytest.raises(ServerFailed, match=message):
            life.wait_until_it_answers(ours, other.url)


def test_a_taken_port_is_named_with_its_holder(test_bed: TestBed) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        message = rf"port {port} is taken by pid {os.getpid()} \(.+\); stop it or pass another --port"
        with pytest.raises(BenchError, match=message), serving(model("-c", "pass"), {}, test_bed.logs, port):
            pass


def test_a_command_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(BenchError, match=r"cannot start /no/such/program: .*No such file"):
        GuardedProcess(["/no/such/program"], log=tmp_path / "log")


def test_a_stubborn_process_and_its_children_are_killed(tmp_path: Path) -> None:
    script = (
        "import signal, subprocess, sys, time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        "print('ready', flush=True)\n"
        "time.sleep(600)\n"
    )
    with GuardedProcess([sys.executable, "-c", script], log=tmp_path / "log") as process:
        wait_until(lambda: "ready" in process.log_tail(), "the process is ready")
        root = psutil.Process(process.pid)
        family = [one.pid for one in (root, *root.children(recursive=True))]
        assert len(family) == 2
    wait_until(lambda: gone(*family), "the family has ended")
    assert process.exit_code == 128 + signal.SIGKILL


def test_the_server_stays_on_its_core(serve: Callable[[str], life.Server]) -> None:
    server = serve("gevent")
    cores = life.server_cores()
    if cores:
        workers = psutil.Process(server.process.pid).children()
        assert [worker.cpu_affinity() for worker in workers] == [list(cores)]
        tasks = [int(task.name) for each in workers for task in Path(f"/proc/{each.pid}/task").iterdir()]
        assert {tuple(os.sched_getaffinity(task)) for task in tasks} == {cores}
        assert not set(cores) & set(life.other_cores())
    else:
        assert len(os.sched_getaffinity(0)) == 1


@pytest.fixture
def served() -> Iterator[tuple["subprocess.Popen[str]", list[psutil.Process], str]]:
    """A whole `bench serve` in a process of its own, ready: it, all processes it started, its URL."""
    port = free_port()
    command = [sys.executable, "-m", "bench", "serve", "gevent", "--port", str(port)]
    bench = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert bench.stdout is not None
    assert bench.stderr is not None
    try:
        lines = [*takewhile(lambda line: "Ctrl-C ends it" not in line, iter(bench.stdout.readline, ""))]
        assert bench.poll() is None, bench.stderr.read()
        assert lines[-1].startswith("its database is postgresql://bench:")
        with closing(psycopg2.connect(lines[-1].split()[-1])) as connection, connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM todos")
            assert cursor.fetchall() == [(50,)]
        yield bench, psutil.Process(bench.pid).children(recursive=True), f"http://127.0.0.1:{port}"
    finally:
        bench.kill()
        bench.communicate()


def command_line(process: psutil.Process) -> list[str]:
    """How a process was started; empty if it has ended, as PostgreSQL's do with their connections."""
    try:
        return process.cmdline()
    except psutil.NoSuchProcess:
        return []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL, signal.SIGTERM])
def test_nothing_outlives_the_bench(
    served: tuple["subprocess.Popen[str]", list[psutil.Process], str], number: signal.Signals
) -> None:
    """Ctrl-C, `kill -9` and `kill`: guards, database, upstream, server and workers are gone, data folder included."""
    bench, started, url = served
    assert local_get(f"{url}/todos/1").status_code == 200
    commands = [*map(command_line, started)]
    names = " ".join(" ".join(command) for command in commands)
    assert all(part in names for part in ("guard.py", "gunicorn", "uvicorn", "postgres"))
    data = next(command[2] for command in commands if command[1:2] == ["-D"])
    assert Path(data).exists()
    bench.send_signal(number)
    _, errors = bench.communicate(timeout=PATIENCE_S)
    wait_until(lambda: gone(*(process.pid for process in started)), "every process has ended")
    assert not Path(data).exists()
    if number == signal.SIGINT:
        assert bench.returncode == 130
        assert errors.strip() == "bench: interrupted; nothing is left running"


def test_ctrl_c_keeps_the_cells_that_are_measured(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "bench", "classic", "--seconds", "0.2", "--models", "gevent,sync", "--out", "out"]
    bench = subprocess.Popen(
        [*command, "--requests", "60"], cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    path = tmp_path / "out" / "results.json"
    try:
        # The file is there, and empty, before anything is written to it.
        wait_until(lambda: path.exists() and (text := path.read_text()) and len(json.loads(text)["cells"]) == 1,
                   "the first cell is saved", 120)  # fmt: skip
        started = psutil.Process(bench.pid).children(recursive=True)
        bench.send_signal(signal.SIGINT)
        output, errors = bench.communicate(timeout=60)  # it still writes the page of what it has
    finally:
        bench.kill()
        bench.communicate()
    wait_until(lambda: gone(*(process.pid for process in started)), "every process has ended")
    assert bench.returncode == 130
    assert list(filter(None, errors.splitlines())) == [
        "bench: not complete; go on with: "
        "python -m bench classic --models gevent,sync --seconds 0.2 --requests 60 --resume out",
        "bench: interrupted; nothing is left running",
    ]
    assert output.endswith("out/results.json\n")
    (cell,) = json.loads(path.read_text())["cells"]
    assert (cell["model"], cell["observations"][0]["state"]) == ("gevent", "VALID")
