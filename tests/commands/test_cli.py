"""The command line: what it prints, in which width, and how it refuses."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import click
import psutil
import pytest

from bench.cli import cli
from bench.results import new_run
from bench.testbed.processes.ports import free_port
from bench.testbed.servers.life import Server
from tests.in_process import Bench, Done
from tests.report_runs import trap

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["nope"], "No such command 'nope'"),
        (["classic", "--models", "gevnt"], "there is no model 'gevnt'; did you mean gevent"),
        (["classic", "--models", ""], "no model is named; there are: sync, "),
        (["classic", "--models", ",,"], "no model is named"),
        (["classic", "--seconds", "0"], "'--seconds': 0.0 is not in the range"),
        (["classic", "--seconds", "61"], "is not in the range"),
        (["classic", "--seconds", "nan"], "nan is not a number"),
        (["classic", "--requests", "0"], "is not in the range"),
        (["classic", "--requests", "x"], "'x' is not a valid integer range"),
        (["classic", "--out", "/dev/null/x"], "cannot write to /dev/null/x: Not a directory; pass another --out"),
        (["all", "--wrong"], "No such option '--wrong'"),
        (["list", "--quick"], "The commands that have --quick are all, try, classic, throughput, pairs, latency"),
        (["scale", "--slo-ms", "9"], "The commands that have --slo-ms are all, latency"),
        (["traps", "one-loop"], "there is no trap 'one-loop'; there are one-thread-adapter, leaking-context"),
        (["traps", "blocking-driver", "--models", "sync"], "no trap is known of sync; name some of gevent-blocking-db"),
        (["report"], "no run in results/ has measurements; run python -m bench all, or name a run's folder"),
        (["publish"], "Missing argument 'RESULTS...'"),
        (["publish", "nowhere"], "cannot read nowhere: No such file or directory"),
        (["all", "--scenarios", "classic,nope"], "there is no scenario 'nope'; there are classic, throughput"),
        (["all", "--resume", "."], "cannot read results.json: No such file or directory"),
        (["throughput", "--rounds", "6"], "No such option '--rounds'"),
        (["throughput", "--generations", "0"], "'--generations': 0 is not in the range 1<=x<=1000"),
        (["throughput", "--cycles", "0"], "'--cycles': 0 is not in the range 1<=x<=1000"),
        (["throughput", "--cycles", "2.5"], "'2.5' is not a valid integer range"),
        (["latency", "--budget-s", "-1"], "'--budget-s': -1.0 is not in the range 0<=x<=86400"),
        (["throughput", "--budget-s", "nan"], "nan is not a number"),
        (["throughput", "--slice-s", "0"], "'--slice-s': 0.0 is not in the range"),
        (["bridge", "--slice-s", "61"], "'--slice-s': 61.0 is not in the range"),
        (["throughput", "--lead-in-s", "2"], "'--lead-in-s': 2.0 is not in the range"),
        (["all", "--servers-at-once", "2"], "'--servers-at-once': 2 is not in the range 3<=x<=100"),
        (
            ["classic", "--generations", "3"],
            "The commands that have --generations are all, throughput, pairs, latency, layers, bridge",
        ),
        (["serve"], "Missing argument 'MODEL'"),
        (["serve", "nothing-like-it"], "there is no model 'nothing-like-it'; python -m bench list shows all"),
        (["serve", "gevent,sync"], "name one model"),
        (["serve", "sync", "--port", "0"], "is not in the range"),
        (["client", "127.0.0.1:8000"], "is no address of a server; write it as http://127.0.0.1:8000"),
        (["client", "http://127.0.0.1:8000", "0"], "is not in the range"),
        (["code", "/nowhere"], "no endpoint '/nowhere'; there are /, /sleep/python/, "),
    ],
)
def test_bad_input_is_exit_code_2_and_says_what_to_do(
    arguments: list[str], says: str, bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = bench(*arguments)
    assert done.returncode == 2
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    assert list(tmp_path.iterdir()) == []


def test_an_out_folder_with_results_is_not_overwritten(bench: Bench, tmp_path: Path) -> None:
    (tmp_path / "results.json").write_text("precious")
    done = bench("classic", "--out", str(tmp_path))
    assert done.returncode == 2
    assert "has results already" in done.stderr
    assert "pass another --out" in done.stderr
    assert (tmp_path / "results.json").read_text() == "precious"


def test_help_starts_with_examples_that_are_commands(bench: Bench) -> None:
    lines = bench("--help").stdout.splitlines()
    examples = [line.split("  ")[1].strip() for line in lines if line.startswith("  python -m bench")]
    assert lines.index("Examples:") < lines.index("Options:")
    assert len(examples) >= 5
    for example in examples:
        assert bench(example.split()[3], "--help").returncode == 0


def test_code_lists_the_pairs_and_shows_one(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "GET /sleep/postgres/" in bench("code").stdout
    narrow = bench("code", "/sleep/postgres/").stdout
    assert narrow.index("gevent_app/views.py") < narrow.index("def sleep_postgres") < narrow.index("asyncio_app")
    assert "▌ async def sleep_postgres" in narrow
    assert bench("code", "/todos/").stdout.count("gevent_app/views.py") == 2
    monkeypatch.setenv("COLUMNS", "200")
    wide = bench("code", "sleep_postgres").stdout.splitlines()
    assert "gevent_app/views.py" in wide[0]
    assert "asyncio_app/views.py" in wide[0]


def as_a_user(*arguments: str, folder: Path) -> Done:
    """`python -m bench` in a process of its own, its output piped."""
    variables = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "80"}
    command = [sys.executable, "-W", "error", "-m", "bench", *arguments]
    done = subprocess.run(command, cwd=folder, env=variables, capture_output=True, text=True, timeout=120)
    return Done(done.returncode, done.stdout, done.stderr)


@pytest.mark.parametrize("width", [80, 200])
def test_the_classic_end_to_end(width: int, bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two models at a tenth of a second: lines, totals, waterfall, table, results; no line wider than the terminal."""
    arguments = ("classic", "--seconds", "0.1", "--requests", "3", "--models", "gevent,asyncio-adapter", "--out", "o")
    if width == 80:
        done = as_a_user(*arguments, folder=tmp_path)
    else:
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("COLUMNS", str(width))
        done = bench(*arguments)
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[-1] == "o/results.json"
    assert max(map(len, lines)) <= width
    assert "\x1b" not in done.stdout
    assert "[1/2] classic: gevent; 0:" in lines[0]
    assert sum(line.strip().startswith("@") and line.endswith("s got response [200]") for line in lines) == 12
    assert sum(line.endswith("s TOTAL") and line.strip().startswith("= ") for line in lines) == 4
    assert sum(line.startswith("SUM TOTAL = ") for line in lines) == 2
    assert sum("█" in line for line in lines) == 12
    (row,) = (line.split() for line in lines if line.startswith("asyncio-adapter ") and "both block" in line)
    assert row[4] == "0.60"
    results = json.loads((tmp_path / "o" / "results.json").read_text())
    assert results["schema"] == 3
    assert results["arguments"]["models"] == ["gevent", "asyncio-adapter"]
    assert {"python", "cpu", "kernel", "packages", "postgres", "commit"} <= set(results["environment"])
    assert results["environment"]["packages"]["gevent"]
    assert isinstance(results["seed"], int)
    for cell in results["cells"]:
        assert cell["scenario"] == "classic"
        assert cell["workload"] == {"name": "3 × 0.1 s", "seconds": 0.1, "requests": 3}
        (seen,) = cell["observations"]
        assert (seen["state"], seen["reason"]) == ("VALID", "")
        assert {"python_s", "database_s", "total_s", "ideal_s"} <= set(seen["figures"])
        assert {"endpoint", "status", "start_s", "end_s"} <= set(seen["raw"]["answers"][0])
        assert cell["command"][1] == "-m"
        assert cell["info"]["pid"]


class Interrupts:
    """Has Ctrl-C come while Python finalises it."""

    def __del__(self) -> None:
        signal.raise_signal(signal.SIGINT)


def test_an_interrupt_that_python_drops_comes_again(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def waits() -> None:
        Interrupts()
        time.sleep(60)

    monkeypatch.setitem(cli.commands, "waits", click.Command("waits", callback=waits))
    done = bench("waits")
    assert (done.returncode, done.stderr.strip()) == (130, "bench: interrupted; nothing is left running")


def test_colours_only_where_they_are_wanted(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert "\x1b[" in bench("list").stdout
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[3" not in bench("list").stdout


def test_the_client_works_on_any_server(serve: Callable[[str], Server], bench: Bench) -> None:
    done = bench("client", serve("asyncio-bridge").url, "2")
    assert done.returncode == 0
    assert done.stdout.count("got response [200]") == 4
    assert done.stdout.splitlines()[-1].startswith("SUM TOTAL = 1")


def test_the_client_fails_where_nothing_answers(bench: Bench) -> None:
    done = bench("client", f"http://127.0.0.1:{free_port()}", "2")
    assert done.returncode == 1
    assert done.stdout.count("got no response: connection refused") == 4


def test_a_server_killed_under_its_requests_fails_its_cell_and_the_run_goes_on(tmp_path: Path) -> None:
    arguments = ["classic", "--seconds", "3", "--requests", "2", "--models", "asyncio-bridge,gevent", "--out", "o"]
    process = subprocess.Popen(
        [sys.executable, "-m", "bench", *arguments], cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        deadline = time.monotonic() + 60
        while not (serving := requests_under_way(process.pid)):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        serving.kill()
        output, errors = process.communicate(timeout=60)
    finally:
        process.kill()
        process.communicate()
    assert (process.returncode, errors) == (1, "")
    assert output.count("got no response: ") == 4
    assert "FAILED: 4 of 4 requests failed: " in output
    assert "the server ended with exit code 137" in output
    (row,) = (line for line in output.splitlines() if line.startswith("asyncio-bridge ") and "nothing" in line)
    assert row.split()[1:4] == ["FAILED"] * 3
    (other,) = (line for line in output.splitlines() if line.startswith("gevent ") and "nothing" in line)
    assert "FAILED" not in other


def requests_under_way(bench_pid: int) -> psutil.Process | None:
    """The uvicorn process of asyncio_app once two clients are connected to it."""
    for process in psutil.Process(bench_pid).children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            command = process.cmdline()
            if "asyncio_app.asgi:app" not in command or "guard.py" in " ".join(command):
                continue
            port = int(command[command.index("--port") + 1])
            clients = [c for c in process.net_connections("tcp") if c.laddr[1] == port and c.status == "ESTABLISHED"]
            if len(clients) == 2:
                return process
    return None


def test_server_settings_in_the_users_shell_change_nothing(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shell = {"GUNICORN_CMD_ARGS": "--workers 3", "WEB_CONCURRENCY": "4", "UVICORN_LIMIT_CONCURRENCY": "1"}
    for name, value in (*shell.items(), ("POOL_SIZE", "1")):
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    assert bench("classic", "--seconds", "0.05", "--models", "sync,asyncio-bridge", "--out", "o").returncode == 0
    for cell in json.loads((tmp_path / "o" / "results.json").read_text())["cells"]:
        assert cell["info"]["pool"] == 15
        assert [one["state"] for one in cell["observations"]] == ["VALID"]


def test_the_newest_run_is_reported_and_one_without_measurements_is_none(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    older, newer, empty = (new_run(tmp_path / "results" / name, {}, {}, seed=1) for name in ("b", "a", "c"))
    for run, day in ((older, "2026-01-01"), (newer, "2026-01-02"), (empty, "2026-01-03")):
        run.started_utc = f"{day}T00:00:00Z"
        if run is not empty:
            run.traps.append(trap("blocking-driver"))
        run.save()
    (tmp_path / "results" / "d").mkdir()
    (tmp_path / "results" / "d" / "results.json").write_text("{")
    done = bench("report")
    assert (done.returncode, done.stdout) == (0, "results/a/report.html\n")
