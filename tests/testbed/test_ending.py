"""Whatever ends the bench, nothing of it is left: no process, no temporary folder."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
from processes import PATIENCE_S, gone, wait_until

from bench.errors import BenchError
from bench.load.null_server import null_server
from bench.results import new_run
from bench.testbed.processes.piped import SCRIPT
from bench.testbed.processes.ports import free_port
from bench.testbed.processes.process import GuardedProcess
from bench.testbed.processes.temporary import GUARD, temporary_folder
from tests.observations import described
from tests.prediction.examples import throughput

ROOT = Path(__file__).parents[2]
EXIT_CODES = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGKILL: -9}


@contextmanager
def running(folder: Path, *command: str, **environment: str) -> Iterator["subprocess.Popen[str]"]:
    """A command in that folder, whose temporary files go to `tmp` in it."""
    (folder / "tmp").mkdir()
    variables = {**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(folder / "tmp"), **environment}
    process = subprocess.Popen(
        [sys.executable, *command], cwd=folder, env=variables, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def end(bench: "subprocess.Popen[str]", number: signal.Signals) -> str:
    """Send the signal, wait until the bench and all that it started have ended, and give what it wrote to stderr."""
    started = [process.pid for process in psutil.Process(bench.pid).children(recursive=True)]
    bench.send_signal(number)
    _, errors = bench.communicate(timeout=PATIENCE_S)
    wait_until(lambda: gone(*started), "every process has ended")
    return errors


def with_results(folder: Path) -> None:
    """A run from which `decide` can predict."""
    run = new_run(folder / "results" / "a", {"python": "3"}, {"models": ["gevent"]}, seed=1)
    for cell in throughput("gevent"):
        run.add(cell)
    described(run).save()


def with_wrk(folder: Path) -> None:
    """A wrk that takes its time."""
    (folder / "wrk").write_text("#!/bin/sh\nexec sleep 600\n")
    (folder / "wrk").chmod(0o755)


COMMANDS = {
    "classic": (["classic", "--models", "gevent", "--out", "o"], "", None),
    "serve": (["serve", "gevent"], "bench-serve-*", None),
    "decide --check": (["decide", "--check"], "bench-decide-*", with_results),
    "calibrate": (["calibrate", "--rounds", "100"], "bench-null-server-*", None),
    "calibrate, wrk": (["calibrate", "--rounds", "1", "--duration", "0.1"], "bench-wrk-*", with_wrk),
}


@pytest.mark.parametrize("number", EXIT_CODES)
@pytest.mark.parametrize("name", COMMANDS)
def test_no_temporary_folder_and_no_process_outlives_a_command(
    name: str, number: signal.Signals, tmp_path: Path
) -> None:
    arguments, folders, prepare = COMMANDS[name]
    if prepare:
        prepare(tmp_path)
    if name == "serve":
        arguments = [*arguments, "--port", str(free_port())]
    path = f"{tmp_path}:{os.environ['PATH']}"
    with running(tmp_path, "-m", "bench", *arguments, PATH=path) as bench:
        wait_until(lambda: bool(folders) <= bool([*(tmp_path / "tmp").glob(folders or "*")]), "its folder is there")
        wait_until(lambda: len(psutil.Process(bench.pid).children(recursive=True)) >= 3, "it has started something")
        errors = end(bench, number)
    assert bench.returncode == EXIT_CODES[number], errors
    wait_until(lambda: not [*(tmp_path / "tmp").iterdir()], "its folders are gone")
    assert "Traceback" not in errors
    if number != signal.SIGKILL:
        assert errors.splitlines()[-1] == "bench: interrupted; nothing is left running"


@pytest.mark.parametrize("number", EXIT_CODES)
def test_a_load_ends_with_what_it_measured(number: signal.Signals, tmp_path: Path) -> None:
    with null_server() as server:
        command = ["-m", "bench", "load", f"http://127.0.0.1:{server.port}/", "--duration", "600", "--warmup", "0"]
        with running(tmp_path, *command) as bench:
            wait_until(lambda: connections(server.pid) >= 32, "the load has begun")
            errors = end(bench, number)
        assert bench.returncode == EXIT_CODES[number], errors
        assert not [*(tmp_path / "tmp").iterdir()]
        assert errors.strip() == ("" if number == signal.SIGKILL else "bench: interrupted; nothing is left running")


def connections(pid: int) -> int:
    """How many clients a server has."""
    return sum(one.status == psutil.CONN_ESTABLISHED for one in psutil.Process(pid).net_connections("tcp"))


WRITER = """
import signal, sys, time
signal.signal(signal.SIGTERM, lambda *_: None)
while True:
    open(sys.argv[1] + "/written", "w").close()
    time.sleep(0.01)
"""
HOLDER = """
import sys, time
from pathlib import Path
from bench.testbed.databases.folder import database_folder
from bench.testbed.processes.process import GuardedProcess
with database_folder(Path("."), None) as folder:
    command = [sys.executable, "-c", sys.argv[1], str(folder.path)]
    with GuardedProcess(command, log=Path("log"), folder=folder):
        while not (folder.path / "written").exists():
            time.sleep(0.01)
        print("ready", flush=True)
        time.sleep(600)
"""


def test_a_folder_goes_after_the_process_that_still_writes_to_it(tmp_path: Path) -> None:
    """A server that takes three seconds to end, and is then killed, has its files until then and not longer."""
    with running(tmp_path, "-c", HOLDER, WRITER) as bench:
        assert bench.stdout is not None
        assert bench.stdout.readline() == "ready\n"
        (folder,) = tmp_path.glob("database-*")
        bench.kill()
        bench.wait()
        assert (folder / "lock").exists()
        wait_until(lambda: not folder.exists(), "the folder is gone")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["lock", "log", "tmp"]


def test_a_folder_goes_even_if_the_bench_is_gone_before_it_hears_of_it(tmp_path: Path) -> None:
    """Its guard finds both its pipes closed."""
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, *SCRIPT, str(GUARD), "new-", str(tmp_path)]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=writer, stderr=subprocess.PIPE, timeout=60)
    os.close(writer)
    assert (done.returncode, done.stderr, [*tmp_path.iterdir()]) == (0, b"", [])


def test_a_folder_that_cannot_be_made_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(BenchError, match=r"cannot make a folder for temporary files: .*No such file.*; make room"):
        temporary_folder("new-", tmp_path / "absent").__enter__()


def has_cells(path: Path) -> bool:
    """Whether the results file has something that was measured; it is empty when it is begun."""
    return bool(path.exists() and (text := path.read_text()) and json.loads(text)["cells"])


def test_ctrl_c_says_how_to_go_on(tmp_path: Path) -> None:
    asked = ["classic", "--models", "gevent,sync", "--seconds", "0.5"]
    path = tmp_path / "o" / "results.json"
    with running(tmp_path, "-m", "bench", *asked, "--out", "o") as bench:
        wait_until(lambda: has_cells(path), "something is measured", 60)
        errors = end(bench, signal.SIGINT)
    assert list(filter(None, errors.splitlines())) == [
        "bench: not complete; go on with: python -m bench classic --models gevent,sync --seconds 0.5 --resume o",
        "bench: interrupted; nothing is left running",
    ]
    again = ["-m", "bench", *asked, "--resume", "o", "--seconds", "4"]
    (tmp_path / "tmp").rmdir()
    with running(tmp_path, *again) as bench:
        _, errors = bench.communicate(timeout=PATIENCE_S)
    assert "cannot go on with o, other options were given for it: --seconds was 0.5 and is 4.0" in errors


def loading(bench: "subprocess.Popen[str]", servers: int) -> bool:
    """Whether so many servers are up and the load generator has connections to one of them."""
    workers = [one for one in psutil.Process(bench.pid).children() if "bench.load.worker" in one.cmdline()]
    connected = sum(
        one.status == psutil.CONN_ESTABLISHED for worker in workers for one in worker.net_connections("tcp")
    )
    listening = sum("gunicorn" in one.cmdline() and "guard.py" not in " ".join(one.cmdline())
                    for guard in psutil.Process(bench.pid).children() for one in guard.children())  # fmt: skip
    return listening == servers and connected > 0


def test_a_signal_in_the_middle_of_a_generation_keeps_those_before_it(tmp_path: Path) -> None:
    asked = ["throughput", "--models", "gevent", "--generations", "2", "--cycles", "5", "--slice-s", "0.02"]
    path = tmp_path / "o" / "results.json"
    with running(tmp_path, "-m", "bench", *asked, "--out", "o") as bench:
        wait_until(lambda: has_cells(path), "a generation is measured", 60)
        wait_until(lambda: loading(bench, servers=2), "the next generation is loaded", 60)
        errors = end(bench, signal.SIGTERM)
    assert bench.returncode == EXIT_CODES[signal.SIGTERM], errors
    assert list(filter(None, errors.splitlines())) == [
        "bench: not complete; go on with: python -m bench throughput --models gevent --generations 2 --cycles 5 "
        "--slice-s 0.02 --resume o",
        "bench: interrupted; nothing is left running",
    ]
    assert not [*(tmp_path / "tmp").iterdir()]
    kept = json.loads(path.read_text())
    assert len(kept["steps_done"]) == 1
    assert {one["round"] for cell in kept["cells"] for one in cell["observations"]} == {0}
    assert (tmp_path / "o" / "report.html").exists()


def test_a_folder_goes_with_a_process_that_nobody_could_end_before_an_interrupt(tmp_path: Path) -> None:
    with temporary_folder("one-", tmp_path) as folder:
        process = GuardedProcess([sys.executable, "-c", "import time; time.sleep(600)"], log=tmp_path / "log",
                                 folder=folder)  # fmt: skip
    assert not folder.path.exists()
    assert gone(process.pid)
    process.stop()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_among_the_first_imports_is_one_line(number: signal.Signals, tmp_path: Path) -> None:
    """A module that is imported late on the way to the command line, and takes the time for the signal to come."""
    (tmp_path / "psutil.py").write_text("print('importing', flush=True)\nimport time\ntime.sleep(600)\n")
    with running(tmp_path, "-m", "bench", "list", PYTHONPATH=f"{tmp_path}{os.pathsep}{ROOT}") as bench:
        assert bench.stdout is not None
        assert bench.stdout.readline() == "importing\n"
        errors = end(bench, number)
    assert bench.returncode == EXIT_CODES[number], errors
    assert errors == "bench: interrupted before it began; nothing was started\n"


ALONE = ("unshare", "--net") if os.geteuid() == 0 else ("unshare", "--map-root-user", "--net")


def may_have_a_network_of_its_own() -> bool:
    """Whether this system has the program, and lets this user run it."""
    try:
        return subprocess.run([*ALONE, "true"], capture_output=True).returncode == 0
    except FileNotFoundError:
        return False


@pytest.mark.skipif(not may_have_a_network_of_its_own(), reason="cannot make a network without loopback")
@pytest.mark.parametrize("command", [["serve", "gevent"], ["classic"], ["calibrate"], ["load", "http://127.0.0.1:1/"]])
def test_a_machine_without_loopback_is_one_line(command: list[str], tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    alone = [*ALONE, sys.executable, "-m", "bench", *command]
    done = subprocess.run(alone, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "bench: this machine cannot reach itself at 127.0.0.1 (Network is unreachable); run: ip link set lo up\n"
    )


EXECUTING = """
import os, signal, sys
import click
from bench.cli import cli, main
@cli.command("execute")
def execute():
    exec("os.kill(os.getpid(), signal.SIGTERM)", {"os": os, "signal": signal})
main()
"""


def test_the_exit_code_stays_when_the_signal_comes_within_an_exec(tmp_path: Path) -> None:
    """Libraries that are imported late make their classes by it."""
    (tmp_path / "executing.py").write_text(EXECUTING)
    path = f"{tmp_path}{os.pathsep}{ROOT}"
    with running(tmp_path, "-m", "executing", "execute", PYTHONPATH=path) as bench:
        _, errors = bench.communicate(timeout=PATIENCE_S)
    assert (bench.returncode, errors.strip()) == (143, "bench: interrupted; nothing is left running")
