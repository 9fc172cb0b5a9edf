"""An answer that is large and comes at once: it arrives whole, and slow readers of it cost next to nothing."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from served_apps import LARGE, Server, serve, until

READERS = 60  # more than there are threads
kinds = pytest.mark.parametrize("kind", ["async", "sync"])


@pytest.fixture(scope="module", params=["uvicorn", "uvicorn-h11"])
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    with serve("main", request.param) as running:
        yield running


@kinds
@pytest.mark.parametrize("query", ["", "?unknown"])
def test_a_large_body_arrives_whole(server: Server, kind: str, query: str) -> None:
    answer = server.get(f"/{kind}/large{query}")
    assert answer.body == LARGE
    assert answer.headers["Content-Length"] == (None if query else str(len(LARGE)))


@kinds
def test_its_head_alone_has_no_body(server: Server, kind: str) -> None:
    answer = server.request("HEAD", f"/{kind}/large")
    assert (answer.body, answer.headers["Content-Length"]) == (b"", str(len(LARGE)))


@kinds
def test_slow_readers_of_it_hold_neither_memory_nor_threads(server: Server, kind: str) -> None:
    """Each has begun to read; if a quarter of the answer were kept for each, it would be 60 MiB."""
    before = server.get("/state").json()["resident_bytes"]
    with ExitStack() as readers:
        for _ in range(READERS):
            reader = readers.enter_context(slow_reader(server, f"/{kind}/large"))
            assert reader.recv(12) == b"HTTP/1.1 200"
        assert server.get("/sync/where").json() == {"thread": True}
        assert server.get("/state").json()["resident_bytes"] - before < READERS * len(LARGE) / 4
    until(lambda: server.get("/state").json()["exchanges"] == 1)


@kinds
def test_it_is_closed_when_its_client_leaves_in_the_middle(server: Server, kind: str) -> None:
    before = len(server.events())
    with slow_reader(server, f"/{kind}/large") as reader:
        assert reader.recv(12) == b"HTTP/1.1 200"
    server.wait_for("large closed", before)
    until(lambda: server.get("/state").json()["exchanges"] == 1)


@kinds
def test_what_fails_after_it_costs_the_client_nothing(server: Server, kind: str) -> None:
    assert server.get(f"/{kind}/large?failing").body == LARGE
    until(lambda: "IndexError" in server.log.read_text())


def slow_reader(server: Server, path: str) -> socket.socket:
    """A client for which the kernel keeps little, as over a network; on loopback it would keep two megabytes."""
    reader = socket.socket()
    reader.settimeout(30)
    reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16384)
    reader.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 1460)
    reader.connect(("127.0.0.1", server.port))
    reader.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    return reader
