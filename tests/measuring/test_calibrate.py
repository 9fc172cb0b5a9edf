"""The ceiling is measured on the models' pinning, beside wrk where there is one, and leaves nothing behind."""

import io
import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from processes import gone, wait_until
from rich.console import Console

from bench.errors import BenchError
from bench.files import ROOT
from bench.load import Generator
from bench.load.calibration import Calibration
from bench.load.null_server import null_server
from bench.measuring.calibrate import calibrate, parse_wrk
from bench.report.terminal.load import calibration_report
from bench.testbed.servers.life import other_cores, server_cores

GOOD = """Running 1s test @ http://127.0.0.1:40001/
  1 threads and 32 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency   168.54us   88.17us   4.27ms   96.10%
    Req/Sec   182.44k     6.01k  190.91k    80.00%
  199644 requests in 1.10s, 14.66MB read
Requests/sec: 181534.61
Transfer/sec:     13.33MB
"""
FAULTY = """Running 1s test @ http://127.0.0.1:40001/
  1 threads and 32 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     0.00us    0.00us   0.00us    -nan%
    Req/Sec     0.00      0.00     0.00      -nan%
  12 requests in 1.00s, 1.10KB read
  Socket errors: connect 1, read 20, write 300, timeout 4000
  Non-2xx or 3xx responses: 12
Requests/sec:     11.97
Transfer/sec:      1.10KB
"""


@pytest.mark.parametrize(
    ("output", "rps", "errors"),
    [
        (GOOD, 181_534.61, 0),
        (FAULTY, 11.97, 4_333),
        (GOOD.replace("\n", "\r\n"), 181_534.61, 0),
        ("Requests/sec:      0.00\n", 0, 0),
        ("Requests/sec: 1e+06", 1_000_000, 0),
        ("Requests/sec: 12\nNon-2xx or 3xx responses: 7\n", 12, 7),
    ],
)
def test_wrk_s_rate_and_errors_are_read(output: str, rps: float, errors: int) -> None:
    figures = parse_wrk(output)
    assert (figures.rps, figures.errors) == (pytest.approx(rps), errors)


@pytest.mark.parametrize("output", ["", "unable to connect to 127.0.0.1:1 Connection refused\n",
                                    GOOD.replace("181534.61", "-nan"), GOOD.replace("181534.61", "1.2.3"),
                                    GOOD.replace("Requests/sec", "Req/sec")])  # fmt: skip
def test_output_without_a_rate_is_quoted(output: str) -> None:
    with pytest.raises(BenchError, match="wrk printed no rate"):
        parse_wrk(output)


def wrk(folder: Path, output: str, status: int = 0) -> str:
    """A program that prints this and ends so."""
    (folder / "output").write_text(output)
    program = folder / "wrk"
    program.write_text(f'#!/bin/sh\necho "$@" > {folder}/arguments\ncat {folder}/output\nexit {status}\n')
    program.chmod(0o755)
    return str(program)


def printed(calibration: Calibration) -> str:
    output = io.StringIO()
    Console(file=output, width=80).print(calibration_report(calibration))
    return output.getvalue()


def test_without_wrk_the_generator_s_own_figures_are_there() -> None:
    with Generator() as generator:
        calibration = calibrate(generator=generator, rounds=2, duration_s=0.15, wrk=None)
        assert generator._worker is not None
    assert (calibration.wrk_rps, calibration.closed_to_wrk) == (None, None)
    assert (calibration.generator_cores, calibration.server_cores) == (other_cores(), server_cores())
    assert calibration.closed_rps > 0
    assert calibration.open_rps > 0
    assert calibration.closed_cpu_share > 0
    assert calibration.open_start_lag_p50_s is not None
    assert Calibration.from_json(calibration.to_json()) == calibration
    assert "wrk is not installed" in printed(calibration)


def test_wrk_takes_its_turn_and_the_ratio_is_to_its_rate(tmp_path: Path) -> None:
    calibration = calibrate(rounds=1, duration_s=0.4, connections=4, rate_rps=500, wrk=wrk(tmp_path, GOOD))
    assert calibration.wrk_rps == pytest.approx(181_534.61)
    assert calibration.closed_to_wrk == pytest.approx(calibration.closed_rps / 181_534.61)
    assert (tmp_path / "arguments").read_text().startswith("-t1 -c4 -d1s http://127.0.0.1:")
    output = printed(calibration)
    assert "wrk -t1 -c4" in output
    assert "181,535" in output
    assert "\x1b" not in output
    assert "…" not in output
    assert max(map(len, output.splitlines())) <= 80


@pytest.mark.parametrize(
    ("output", "status", "says"), [(FAULTY, 0, "4333 errors"), ("no such option", 1, "ended with 1 .*no such option")]
)
def test_a_wrk_that_fails_is_an_error(output: str, status: int, says: str, tmp_path: Path) -> None:
    with pytest.raises(BenchError, match=f"wrk .*{says}"):
        calibrate(rounds=1, duration_s=0.4, rate_rps=500, wrk=wrk(tmp_path, output, status))


def test_a_null_server_that_does_not_start_is_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(BenchError), null_server():
        pass


def test_the_null_server_keeps_to_its_core_and_ends_with_its_context() -> None:
    with null_server(server_cores()) as server:
        process = psutil.Process(server.pid)
        assert not server_cores() or process.cpu_affinity() == list(server_cores())
    assert not process.is_running()


def test_the_null_server_does_not_outlive_a_killed_bench() -> None:
    code = """
import sys
from bench.load.null_server import null_server
with null_server() as server:
    print(server.pid, flush=True)
    sys.stdin.read()
"""
    with subprocess.Popen(
        [sys.executable, "-c", code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    ) as bench:
        assert bench.stdout is not None
        server = int(bench.stdout.readline())
        bench.kill()
    wait_until(lambda: gone(server), "the null server's end")
