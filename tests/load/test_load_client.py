"""Against servers that answer, stall, refuse and lie: what happened is what is counted."""

import asyncio
import importlib
import json
import os
import signal
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
import uvloop

from bench.files import ROOT
from bench.load import ErrorCounts, GeneratorError, Interrupted, LoadJob, LoadResult, run
from bench.load.loops import generator_for
from bench.load.null_server import NullServer, null_server
from bench.load.worker import raise_file_limit

run_module = importlib.import_module("bench.load.run")  # the package's `run` is the function

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
CLOSING = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello"


def load(handler: Handler | None, **options: Any) -> LoadResult:
    """A load on a server in the same loop; without a handler, on a port where nobody listens."""
    return uvloop.run(_load(handler, options))


async def _load(handler: Handler | None, options: dict[str, Any]) -> LoadResult:
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert handler is not None
        tasks.add(task := asyncio.current_task())  # type: ignore[arg-type]
        try:
            await handler(reader, writer)
        except (asyncio.IncompleteReadError, asyncio.CancelledError, ConnectionError):
            pass
        finally:
            tasks.discard(task)
            writer.close()

    if handler is None:
        return await _generate(_free_port(), options)
    server = await asyncio.start_server(serve, "127.0.0.1", 0, backlog=1_024)
    try:
        return await _generate(server.sockets[0].getsockname()[1], options)
    finally:
        server.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _generate(port: int, options: dict[str, Any]) -> LoadResult:
    defaults = {"connections": 2, "duration_s": 0.1, "warmup_s": 0.0, "timeout_s": 5.0}
    job = LoadJob(**{"host": "127.0.0.1", "port": port, **defaults, **options})
    return await (await generator_for(job)).run()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


async def head(reader: asyncio.StreamReader) -> bytes:
    return await reader.readuntil(b"\r\n\r\n")


def answering(*pieces: bytes, pause_s: float = 0.0, last: bool = False) -> Handler:
    """Answers each request with those pieces, each a write of its own; `last` closes after the first answer."""

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            await head(reader)
            for piece in pieces:
                await asyncio.sleep(pause_s)
                writer.write(piece)
            if last:
                return

    return handler


async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()


async def resetting(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await head(reader)
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def hanging_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await head(reader)


def assert_nothing_lost(result: LoadResult) -> None:
    assert result.requests == result.good + result.errors.total + result.unfinished


ANSWERS = {
    "content-length": (answering(OK), {}),
    "byte by byte": (answering(*(OK[i : i + 1] for i in range(len(OK)))), {}),
    "chunked": (
        answering(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n"),
        {},
    ),
    "close-delimited": (answering(b"HTTP/1.1 200 OK\r\n\r\nhel", b"lo", last=True), {}),
    "HTTP/1.0": (answering(b"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello", last=True), {}),
    "announced close": (answering(CLOSING, last=True), {}),
    "interim answer first": (answering(b"HTTP/1.1 100 Continue\r\n\r\n", OK), {}),
    "no content": (answering(b"HTTP/1.1 204 No Content\r\n\r\n"), {"expect_status": 204, "expect_body": b""}),
    "a new connection each": (answering(OK), {"keep_alive": False}),
    "larger than the buffer": (
        answering(b"HTTP/1.1 200 OK\r\nContent-Length: 300000\r\n\r\n" + b"x" * 300_000),
        {"expect_body": b"x" * 300_000, "expect_body_bytes": 300_000},
    ),
}


@pytest.mark.parametrize("name", ANSWERS)
@pytest.mark.parametrize("rate_rps", [None, 100.0], ids=["closed", "open"])
def test_every_way_to_end_an_answer_is_a_good_answer(name: str, rate_rps: float | None) -> None:
    handler, options = ANSWERS[name]
    result = load(handler, rate_rps=rate_rps, **{"expect_body": b"hello", **options})
    assert (result.errors, result.error_example) == (ErrorCounts(), None)
    assert result.good > 2
    assert result.throughput_rps > 0
    assert_nothing_lost(result)


FAULTS: dict[str, tuple[str, Handler | None, dict[str, Any]]] = {
    "nobody listens": ("refused", None, {}),
    "reset": ("reset", resetting, {}),
    "closed while in flight": ("reset", hanging_up, {}),
    "closed within the body": ("reset", answering(CLOSING[:-1], last=True), {}),
    "closed within the head": ("reset", answering(OK[:20], last=True), {}),
    "silence": ("timeout", silent, {"timeout_s": 0.1}),
    "half an answer": ("timeout", answering(OK[:-1]), {"timeout_s": 0.1}),
    "500": ("bad_status", answering(OK.replace(b"200", b"500")), {}),
    "204 for 200": ("bad_status", answering(b"HTTP/1.1 204 No Content\r\n\r\n"), {}),
    "another body": ("wrong_body", answering(OK), {"expect_body": b"jello"}),
    "another length": ("wrong_body", answering(OK), {"expect_body_bytes": 4}),
    "not HTTP": ("protocol", answering(b"hello\r\n\r\n"), {}),
    "two answers to one request": ("protocol", answering(OK + OK), {}),
    "an upgrade": ("protocol", answering(b"HTTP/1.1 101 S\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n"), {}),
}


@pytest.mark.parametrize("name", FAULTS)
@pytest.mark.parametrize("rate_rps", [None, 100.0], ids=["closed", "open"])
def test_each_fault_counts_as_its_kind_and_never_as_an_answer(name: str, rate_rps: float | None) -> None:
    kind, handler, options = FAULTS[name]
    result = load(handler, rate_rps=rate_rps, **options)
    assert result.errors.total == getattr(result.errors, kind) > 0
    assert (result.good, result.throughput_rps, result.good_per_second) == (0, 0, (0,))
    assert (result.error_example or "").startswith(kind)
    assert_nothing_lost(result)


def test_a_status_not_expected_is_counted_by_its_number() -> None:
    result = load(answering(OK.replace(b"200", b"503")))
    assert result.unexpected_statuses == ((503, result.errors.bad_status),)


def test_an_answer_seen_before_is_still_told_from_one_that_differs_in_a_byte() -> None:
    async def alternating(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            for answer in (OK, OK, OK.replace(b"hello", b"hellO")):
                await head(reader)
                writer.write(answer)

    result = load(alternating, connections=1, expect_body=b"hello", max_requests=30, duration_s=5.0)
    assert (result.good, result.errors.wrong_body, result.connects) == (20, 10, 1)


def test_a_time_out_stays_in_the_distribution_as_its_limit_or_more() -> None:
    result = load(silent, rate_rps=200.0, connections=100, duration_s=0.2, timeout_s=0.2)
    assert result.response.count == result.response.timed_out == result.errors.timeout == 40
    assert (result.response.min_s or 0) >= 0.2
    assert "p50" in result.response.at_least


def test_a_server_closing_idle_connections_causes_reconnects_and_no_error() -> None:
    async def impatient(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await head(reader)
        writer.write(OK)
        await asyncio.sleep(0.005)

    result = load(impatient, rate_rps=5.0, duration_s=1.0)
    assert (result.good, result.errors) == (5, ErrorCounts())
    assert result.connects == 5
    assert result.idle_closes >= 4


def test_bytes_on_an_idle_connection_are_no_answer_to_the_next_request() -> None:
    async def afterthought(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await head(reader)
        writer.write(OK)
        await asyncio.sleep(0.005)
        writer.write(b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n")
        await head(reader)

    result = load(afterthought, rate_rps=5.0, duration_s=1.0)
    assert (result.good, result.errors, result.connects) == (5, ErrorCounts(), 5)


def test_with_no_connection_free_a_request_waits_and_its_response_time_grows() -> None:
    result = load(answering(OK, pause_s=0.02), rate_rps=100.0, connections=1, duration_s=0.5)
    assert (result.good, result.unsent) == (50, 0)
    assert result.response.mean_s
    assert result.service.mean_s
    assert result.response.mean_s > 3 * result.service.mean_s


def test_past_the_bound_of_the_queue_requests_are_counted_as_unsent() -> None:
    result = load(silent, rate_rps=100.0, connections=1, duration_s=0.2, queue_limit=3, timeout_s=0.3)
    assert result.requests + result.unsent == 20
    assert result.unsent >= 16
    assert result.errors.timeout == result.requests > 0


def test_little_s_law_holds() -> None:
    result = load(
        answering(OK, pause_s=0.03), rate_rps=200.0, connections=50, warmup_s=0.2, duration_s=1.0, arrival="poisson"
    )
    assert result.time_in_system_mean_s
    expected = result.arrival_rps * result.time_in_system_mean_s
    assert result.in_flight_mean == pytest.approx(expected, rel=0.2)
    assert result.start_lag is not None
    assert result.start_lag.count == result.requests


def test_a_closed_loop_keeps_all_its_connections_busy_and_no_more() -> None:
    result = load(answering(OK, pause_s=0.01), connections=20, warmup_s=0.1, duration_s=0.5)
    assert result.in_flight_mean == pytest.approx(20, rel=0.05)
    assert result.connects == 20
    assert result.warmup_requests > 0
    assert result.start_lag is None


def test_a_burst_of_five_hundred_ends_with_its_last_answer() -> None:
    result = load(answering(OK, pause_s=0.3), connections=500, max_requests=500, duration_s=30.0, raw_limit=500)
    assert (result.good, len(result.raw), result.interrupted) == (500, 500, False)
    assert result.last_answer_s is not None
    assert 0.3 <= result.last_answer_s <= result.window_s < 15


def test_a_lost_connection_pauses_its_closed_loop() -> None:
    """Refusing takes microseconds; without a pause two connections would be refused thousands of times in 0.3 s."""
    assert load(None, duration_s=0.3).errors.refused <= 2 * 4


def test_a_run_stopped_before_it_began_has_figures_of_nothing() -> None:
    async def stopped() -> LoadResult:
        generator = await generator_for(LoadJob(host="localhost", port=_free_port()))
        generator.stop()
        return await generator.run()

    result = uvloop.run(stopped())
    assert (result.interrupted, result.requests, result.window_s, result.throughput_rps) == (True, 0, 0, 0)


def test_post_sends_its_body_and_headers() -> None:
    seen: list[bytes] = []

    async def echoing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            seen.append(await head(reader))
            body = await reader.readexactly(8)
            writer.write(b"HTTP/1.1 201 Created\r\nContent-Length: 8\r\n\r\n" + body)

    body, headers = b'{"a": 1}', (("Content-Type", "application/json"), ("Host", "example.org"))
    result = load(echoing, method="POST", body=body, headers=headers, expect_status=201, expect_body=body)
    assert result.good > 2
    assert result.errors.total == 0
    assert seen[0].startswith(b"POST / HTTP/1.1\r\n")
    for line in (b"Content-Length: 8\r\n", b"Content-Type: application/json\r\n", b"Host: example.org\r\n"):
        assert seen[0].count(line) == 1


# Generators and servers in processes of their own:


def _open_files(server: NullServer) -> int:
    return len(list(Path(f"/proc/{server.pid}/fd").iterdir()))


def _wait_for_connections(server: NullServer, before: int, count: int) -> None:
    until = time.monotonic() + 60
    while _open_files(server) < before + count and time.monotonic() < until:
        time.sleep(0.02)


needs_proc = pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="looks into /proc")


@needs_proc
def test_an_open_loop_shows_a_server_stopped_for_a_second_and_a_closed_loop_hides_it() -> None:
    """Coordinated omission: the closed loop sends nothing while it waits, so only its two waiting requests are slow."""
    common: dict[str, Any] = {"host": "127.0.0.1", "warmup_s": 0.0, "duration_s": 3.0}
    with null_server() as server, ThreadPoolExecutor(2) as pool:
        before = _open_files(server)
        open_loop = pool.submit(run, LoadJob(port=server.port, connections=64, rate_rps=500.0, **common))
        closed_loop = pool.submit(run, LoadJob(port=server.port, connections=2, **common))
        _wait_for_connections(server, before, 3)
        time.sleep(0.3)
        os.kill(server.pid, signal.SIGSTOP)
        try:
            time.sleep(1.0)
        finally:
            os.kill(server.pid, signal.SIGCONT)
        shown, hidden = open_loop.result(), closed_loop.result()
    assert shown.errors.total == hidden.errors.total == shown.unsent == 0
    assert shown.response.p99_s
    assert hidden.response.p99_s
    assert shown.response.p99_s > 0.5
    assert shown.response.p99_s > 5 * hidden.response.p99_s


@needs_proc
def test_stop_ends_a_worker_s_load_with_what_it_measured() -> None:
    with null_server() as server:
        before = _open_files(server)
        job = LoadJob(host="127.0.0.1", port=server.port, connections=4, duration_s=600.0, warmup_s=0.0)
        worker = run_module.Worker()
        try:
            worker.send(f"load {job.to_json()}")
            _wait_for_connections(server, before, 4)
            time.sleep(0.3)
            result = run_module._partial(worker)
        finally:
            worker.end()
    assert result is not None
    assert result.interrupted
    assert result.good > 0
    assert 0 < result.window_s < 100
    assert_nothing_lost(result)


@needs_proc
def test_ctrl_c_in_the_caller_ends_the_generator_and_hands_over_its_result() -> None:
    code = """
import sys
from bench.load import Interrupted, LoadJob, run
try:
    run(LoadJob(host="127.0.0.1", port=int(sys.argv[1]), duration_s=600.0, warmup_s=0.0, connections=4))
except Interrupted as interrupted:
    print(interrupted.result.to_json())
"""
    with null_server() as server:
        before = _open_files(server)
        caller = subprocess.Popen(
            [sys.executable, "-c", code, str(server.port)],
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        with caller:
            try:
                _wait_for_connections(server, before, 4)
                time.sleep(0.3)
                caller.send_signal(signal.SIGINT)
                output, _ = caller.communicate(timeout=30)
            finally:
                caller.kill()
        assert LoadResult.from_json(output.decode()).good > 0
        assert _open_files(server) <= before + 4
    assert issubclass(Interrupted, KeyboardInterrupt)


@pytest.mark.parametrize(
    ("options", "reason"), [({"host": "no-such-host.invalid"}, "no-such-host"), ({"cores": (4_000,)}, "choose from")]
)
def test_a_generator_that_fails_says_why(options: dict[str, Any], reason: str) -> None:
    with pytest.raises(GeneratorError, match=reason):
        run(LoadJob(**{"host": "127.0.0.1", "port": 80, **options}))


def test_a_hard_limit_on_files_is_named_with_its_remedy() -> None:
    with pytest.raises(OSError, match="ulimit -Hn"):
        raise_file_limit(1 << 40)


def test_the_null_server_answers_what_a_correct_server_must() -> None:
    requests = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" * 2  # pipelined
    requests += b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\n\r\n\r\n"
    requests += b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    with null_server(body=b"fixed") as server:
        for step in (len(requests), 7):
            with socket.create_connection(("127.0.0.1", server.port), timeout=60) as client:
                for index in range(0, len(requests), step):
                    client.sendall(requests[index : index + step])
                    time.sleep(0.002)
                answers = b"".join(iter(lambda: client.recv(65_536), b""))
            assert answers.count(b"HTTP/1.1 200 OK\r\n") == answers.count(b"\r\n\r\nfixed") == 4


def test_a_result_survives_json() -> None:
    result = load(answering(OK), rate_rps=50.0, raw_limit=3)
    assert LoadResult.from_json(result.to_json()) == result
    assert json.loads(result.to_json())["errors"] == asdict(result.errors)
