"""The load commands refuse what is not theirs to load, print what was measured, and exit accordingly."""

import io
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace

import psutil
import pytest
from click.testing import CliRunner, Result
from rich.console import Console

from bench.commands.load import calibrate, is_loopback, load
from bench.files import ROOT
from bench.load import LoadJob, LoadResult, run
from bench.load.null_server import NullServer, null_server
from bench.report.terminal.load import duration, histogram, load_report
from bench.testbed.processes.ports import free_port

PATIENCE_S = 60.0
SHORT = ("--duration", "0.2", "--warmup", "0.05")


@pytest.fixture(scope="module")
def server() -> Iterator[NullServer]:
    with null_server() as running:
        yield running


@pytest.fixture(scope="module")
def result(server: NullServer) -> LoadResult:
    return run(LoadJob(host="127.0.0.1", port=server.port, duration_s=0.3, warmup_s=0.0, connections=4))


def invoke(*arguments: str) -> Result:
    return CliRunner(env={"COLUMNS": "80"}).invoke(load, arguments)


def text(result: LoadResult, job: LoadJob, width: int = 80) -> str:
    output = io.StringIO()
    Console(file=output, width=width).print(load_report(result, job, width))
    return output.getvalue()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "Missing argument 'URL'"),
        (["127.0.0.1:8000"], "is no address to load; write it as http://127.0.0.1:8000/path"),
        (["https://127.0.0.1/"], "is no address to load"),
        (["http:///x"], "is no address to load"),
        (["http://user:secret@127.0.0.1/"], "is no address to load"),
        (["http://127.0.0.1:0/"], "is no address to load"),
        (["http://127.0.0.1:65536/"], "is no URL: Port out of range"),
        (["http://127.0.0.1:x/"], "is no URL: Port could not be cast"),
        (["http://[::1/"], "is no URL: Invalid IPv6 URL"),
        (["http://example.com/"], "example.com is not this machine; a load may only be aimed at 127.0.0.0/8"),
        (["http://127.0.0.1@example.com/"], "is no address to load"),
        (["http://10.0.0.1/"], "10.0.0.1 is not this machine"),
        (["http://[2001:db8::1]/"], "2001:db8::1 is not this machine"),
        (["http://127.0.0.1/", "--rate", "0"], "is not in the range"),
        (["http://127.0.0.1/", "--rate", "nan"], "nan is not a number"),
        (["http://127.0.0.1/", "--duration", "-1"], "is not in the range"),
        (["http://127.0.0.1/", "--duration", "inf"], "is not in the range"),
        (["http://127.0.0.1/", "--connections", "0"], "is not in the range"),
        (["http://127.0.0.1/", "--arrival", "burst"], "'burst' is not one of"),
        (["http://127.0.0.1/", "--method", "HEAD"], "'HEAD' is not one of"),
        (["http://127.0.0.1/", "--header", "x"], "'x' is no header; write it as 'Name: value'"),
        (["http://127.0.0.1/", "--header", "a b: c"], "is no header"),
        (["http://127.0.0.1/", "--header", "a: b\r\nc: d"], "is no header"),
        (["http://127.0.0.1/", "--header", "a: €"], "is no header"),
        (["http://127.0.0.1/", "--expect-status", "100"], "is not in the range"),
    ],
)
def test_bad_input_is_exit_code_2_and_says_what_to_do(arguments: Sequence[str], says: str) -> None:
    done = invoke(*arguments)
    assert done.exit_code == 2
    assert says in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize(
    ("host", "ours"),
    [
        ("127.0.0.1", True), ("127.255.0.9", True), ("::1", True), ("localhost", True),
        ("128.0.0.1", False), ("0.0.0.0", False), ("127.1", False), ("2130706433", False), ("::", False),
        ("::ffff:127.0.0.1", False), ("::1%lo", False), ("localhost.example.com", False), ("", False),
    ],
)  # fmt: skip
def test_only_loopback_is_loopback(host: str, ours: bool) -> None:
    assert is_loopback(host) == ours


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_closed_loop_says_so_and_what_it_hides(host: str, server: NullServer) -> None:
    done = invoke(f"http://{host}:{server.port}", "--connections", "3", *SHORT)
    assert done.exit_code == 0
    for words in ("closed loop, 3 connections", "coordinated omission", "errors       none", "response      service"):
        assert words in done.output
    assert "start lag" not in done.output
    assert "\x1b" not in done.output
    assert max(map(len, done.output.splitlines())) <= 80


def test_an_open_loop_says_so_and_shows_its_start_lag(server: NullServer) -> None:
    url = f"http://127.0.0.1:{server.port}/"
    done = invoke(url, "--rate", "300", "--connections", "8", "--arrival", "poisson", "--no-keep-alive", *SHORT)
    assert done.exit_code == 0
    flat = " ".join(done.output.split())
    for words in (
        "open loop, 300/s (poisson), at most 8 connections, a new one for each request",
        "start lag p50",
        "of 300 asked for",
        "fewer than 10 samples",
        "counts from when a request was due",
    ):
        assert words in flat
    assert "coordinated omission" not in flat


def test_json_has_the_job_and_the_result(server: NullServer) -> None:
    url = f"http://127.0.0.1:{server.port}/a b/é?x=%20&y={{}}"
    done = invoke(url, "--json", "--body", "é", "--header", "X-A: b:c", "--header", "X-D:e", "--timeout", "3", *SHORT)
    values = json.loads(done.stdout)
    assert done.exit_code == 0
    assert values["result"]["good"] > 0
    assert values["result"]["cpu_share"] > 0
    assert values["job"]["path"] == "/a%20b/%C3%A9?x=%20&y=%7B%7D"
    assert (values["job"]["method"], values["job"]["headers"]) == ("POST", [["X-A", "b:c"], ["X-D", "e"]])
    assert values["job"]["timeout_s"] == 3


def test_errors_are_named_and_make_exit_code_1(server: NullServer) -> None:
    done = invoke(f"http://127.0.0.1:{server.port}/", "--expect-status", "404", *SHORT)
    assert done.exit_code == 1
    assert "bad status" in done.output
    assert "× 200" in done.output
    refused = invoke(f"http://127.0.0.1:{free_port()}/", *SHORT)
    assert refused.exit_code == 1
    assert "refused" in refused.output


def test_two_generators_are_named_and_each_has_its_share(server: NullServer) -> None:
    url = f"http://127.0.0.1:{server.port}/"
    done = invoke(url, "--generators", "2", "--json", "--rate", "200", *SHORT)
    assert done.exit_code == 0
    found = json.loads(done.output)
    assert sum(one["requests"] for one in found["result"]["generators"]) == found["result"]["requests"] > 0
    assert "lot" not in found["job"]
    del found["result"]["cpu_share"]
    told = text(LoadResult.from_json(json.dumps(found["result"])), LoadJob.from_json(json.dumps(found["job"])))
    assert re.search(r"generators +2, the busiest used \d+% of a core", told)
    assert "they began within" in told


def test_ctrl_c_prints_what_was_measured_and_goes_on_as_an_interrupt(server: NullServer) -> None:
    code = """
import sys
from bench.commands.load import load
try:
    load.callback(("127.0.0.1", int(sys.argv[1]), "/"), False, connections=2, rate_rps=None, duration_s=600.0,
                  warmup_s=0.0, arrival="constant", method=None, body=None, headers=(), timeout_s=10.0,
                  expect_status=200, no_keep_alive=False, generators=1)
except KeyboardInterrupt:
    sys.exit(77)
"""
    process = subprocess.Popen(
        [sys.executable, "-W", "error", "-c", code, str(server.port)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "80"},
    )
    with process:
        try:
            until = time.monotonic() + PATIENCE_S
            while not _loading(process.pid) and time.monotonic() < until:
                time.sleep(0.02)
            time.sleep(0.3)
            process.send_signal(signal.SIGINT)
            output, _ = process.communicate(timeout=PATIENCE_S)
        finally:
            process.kill()
    assert process.returncode == 77
    assert "interrupted  after" in output
    assert "of the 600 s asked for" in output
    assert "response ≤" in output


def _loading(pid: int) -> bool:
    return any(len(child.net_connections("tcp")) >= 2 for child in psutil.Process(pid).children())


def test_calibrate_is_json_too() -> None:
    done = CliRunner().invoke(calibrate, ["--rounds", "1", "--duration", "0.1", "--json"])
    assert done.exit_code == 0
    values = json.loads(done.stdout)
    assert values["closed_rps"] > 0
    assert values["rounds"] == 1


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(None, "–"), (0, "0.00 µs"), (8.5e-6, "8.50 µs"), (850e-6, "850 µs"), (0.9999e-3, "1.00 ms"),
     (1.234e-3, "1.23 ms"), (0.0123, "12.3 ms"), (0.1, "100 ms"), (0.9996, "1.00 s"), (12.34, "12.3 s"),
     (1234, "1,234 s")],
)  # fmt: skip
def test_a_duration_has_three_digits_and_a_unit(seconds: float | None, shown: str) -> None:
    assert duration(seconds) == shown


@pytest.mark.parametrize("width", [80, 40, 200])
def test_a_histogram_counts_every_sample_and_shows_gaps(width: int) -> None:
    bins = tuple((10 ** (exponent / 10), exponent + 50) for exponent in (-49, -20, -19, 5))
    output = io.StringIO()
    Console(file=output, width=width).print(histogram(bins, width))
    lines = output.getvalue().splitlines()[1:]
    counts = [int(line.split()[2]) for line in lines]
    assert sum(counts) == sum(count for _, count in bins)
    assert 0 in counts
    assert len(counts) <= 24
    assert max(map(len, lines)) <= width
    assert [("█" in line or "▏" in line or "▎" in line) for line in lines].count(True) <= 4


def test_a_report_of_nothing_shows_no_figure(result: LoadResult) -> None:
    empty = replace(
        result,
        histogram=(),
        response=replace(result.response, count=0, p50_s=None, p90_s=None, p95_s=None, p99_s=None, p999_s=None),
    )
    output = text(empty, LoadJob(host="::1", port=80))
    assert "there was no good answer" in output
    assert "http://[::1]:80/" in output
    late = text(replace(empty, requests=0, warmup_requests=5, warmup_errors=0), LoadJob(host="::1", port=80))
    assert "no request could begin in the window" in " ".join(late.split())


def test_what_is_uncertain_is_marked(result: LoadResult) -> None:
    late = replace(result.response, timed_out=30, at_least=("p99", "p999"), exact=False, p99_s=10.0, p999_s=10.0)
    uncertain = replace(
        result, response=late, unsent=5, unfinished=6, warmup_errors=7, error_example="reset: [x] " + "y" * 200
    )
    output = text(uncertain, LoadJob(host="127.0.0.1", port=80, path="/" + "x" * 200))
    assert "≥ 10.0 s" in output
    assert "time-outs, whose true time nobody knows" in output
    assert "uniform random choice" in output
    for name in ("unsent       5", "unfinished   6", "warm-up      7"):
        assert name in output
    assert max(map(len, output.splitlines())) <= 80
