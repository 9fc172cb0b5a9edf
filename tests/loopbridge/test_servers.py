"""The main things that the bridge does, on each ASGI server that people deploy."""

from __future__ import annotations

import json
import signal
import socket
import struct
import threading
import time
from collections.abc import Iterator

import pytest
from served_apps import HERE, Server, serve, until

SERVERS = ("uvicorn", "hypercorn", "granian", "gunicorn")
kinds = pytest.mark.parametrize("kind", ["async", "sync"])


@pytest.fixture(scope="module", params=SERVERS)
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    with serve("both_apps", request.param) as running:
        yield running


@kinds
def test_bodies_both_ways(server: Server, kind: str) -> None:
    body = bytes(range(256)) * 2000
    assert server.post(f"/{kind}/echo", body).body == body
    assert server.post(f"/{kind}/echo", iter([body[:10], body[10:]])).body == body
    assert server.get(f"/{kind}/file").body == HERE.read_bytes()
    assert server.get(f"/{kind}/file", Range="bytes=10-19").body == HERE.read_bytes()[10:20]


@kinds
def test_statuses_headers_and_paths(server: Server, kind: str) -> None:
    assert [server.get(f"/{kind}/status/{code}").status for code in (204, 304, 404, 503)] == [204, 304, 404, 503]
    assert len(server.get(f"/{kind}/cookies").headers.get_all("Set-Cookie")) == 3
    assert server.get(f"/{kind}/path/caf%C3%A9?q=%C3%BC").json()["rest"] == "café"
    head = server.request("HEAD", f"/{kind}/status/200")
    assert (head.status, head.body, head.headers["Content-Length"]) == (200, b"", "4")


@kinds
def test_a_stream_arrives_as_it_is_made(server: Server, kind: str) -> None:
    before = len(server.events())
    with server.connect() as connection:
        connection.sendall(f"GET /{kind}/stream?count=3&seconds=0.5 HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        heard = b""
        while b"data: 0" not in heard:
            heard += connection.recv(65536)
        assert "stream ended" not in server.events()[before:]
        while b"data: 2" not in heard:
            heard += connection.recv(65536)
    server.wait_for("closed", before)


@kinds
def test_exceptions(server: Server, kind: str) -> None:
    before = len(server.events())
    assert server.get(f"/{kind}/error").status == 500
    heard = server.raw(f"GET /{kind}/broken HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
    assert b"first" in heard
    server.wait_for("broken closed", before)
    assert server.get(f"/{kind}/where").json() == {"thread": kind == "sync"}


@kinds
def test_context_is_kept_and_not_handed_on(server: Server, kind: str) -> None:
    for user in ("ada", "bob"):
        answer = server.get(f"/context/{kind}/all?user={user}").json()
        assert answer["before"] == "nothing"
        assert {json.dumps(seen["mine"]) for seen in answer["all"]} == {f'"{user}"'}
    get = f"GET /context/{kind}/leak?user=ada HTTP/1.1\r\nHost: x\r\n\r\n".encode()
    heard = server.raw(get * 5 + get.replace(b"Host", b"Connection: close\r\nHost"))
    assert heard.count(b'"before":"nothing"') == 6


@kinds
def test_a_client_that_goes_away_cancels_the_wait(server: Server, kind: str) -> None:
    before = len(server.events())
    with server.connect() as connection:
        connection.sendall(f"GET /{kind}/wait HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        server.wait_for("wait began", before)
    server.wait_for("wait ended: CancelledError", before)


def test_waits_overlap(server: Server) -> None:
    """Forty waits of half a second end together, each way."""
    before = len(server.events())

    def ask(number: int) -> None:
        statuses.append(server.get(f"/{('async', 'sync')[number % 2]}/wait?seconds=0.5").status)

    statuses: list[int] = []
    threads = [threading.Thread(target=ask, args=(number,)) for number in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [200] * 40
    steps = server.events()[before:]
    assert steps.index("wait ended") >= 20  # most had begun before the first had ended


@pytest.mark.parametrize("name", SERVERS)
def test_shutdown_lets_requests_in_flight_end_and_leaves_the_lifespan(name: str) -> None:
    with serve("main", name) as server, server.connect() as connection:
        connection.sendall(b"GET /async/wait?seconds=0.6 HTTP/1.1\r\nHost: x\r\n\r\n")
        server.wait_for("wait began")
        assert "started" in server.events()
        server.process.send_signal(signal.SIGTERM)
        assert connection.recv(65536).startswith(b"HTTP/1.1 200 ")
        connection.shutdown(socket.SHUT_RDWR)
        server.process.wait(20)
        assert "left the lifespan" in server.log.read_text()


@pytest.mark.parametrize("name", SERVERS)
def test_a_start_that_fails_stops_the_server(name: str) -> None:
    with serve("unstartable", name) as server:
        assert "the database is not there" in until(
            lambda: (text := server.log.read_text()) and "not there" in text and text
        )
        assert server.process.poll() is not None or server.process.wait(20) is not None


def test_pipelines_that_are_aborted_leave_nothing() -> None:
    """Five GETs and an upload at once, and then a reset; what is left of them is counted when all have ended."""
    pipeline = b"GET /async/endless HTTP/1.1\r\nHost: x\r\n\r\n" * 5
    pipeline += b"POST /sync/endless HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n" + b"x" * 70_000
    with serve("main", "granian") as server:
        for number in range(400):
            with server.connect() as connection:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                connection.sendall(pipeline)
                time.sleep(number % 10 / 1000)
        until(lambda: server.get("/state").json()["exchanges"] == 1)
