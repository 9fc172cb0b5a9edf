"""All of HTTP that an application may use, through the bridge and a real uvicorn."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import json
import signal
import socket
import time
from collections.abc import Iterator
from typing import Any

import pytest
from served_apps import HERE, Server, flask, serve, until

from loopbridge import LoopBridge, serve_lifespan, with_lifespan
from loopbridge.request import READ_AHEAD_BYTES

KINDS = ("async", "sync")
kinds = pytest.mark.parametrize("kind", KINDS)


@pytest.fixture(scope="module", params=["uvicorn", "uvicorn-h11"])
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    with serve("main", request.param) as running:
        yield running


@pytest.fixture(scope="module")
def plain() -> Iterator[Server]:
    with serve("wsgi") as running:
        yield running


def test_the_view_decides_where_its_request_runs(server: Server) -> None:
    assert server.get("/async/where").json() == {"thread": False}
    assert server.get("/sync/where").json() == {"thread": True}


@kinds
@pytest.mark.parametrize("chunked", [False, True])
def test_bodies_arrive_whole(server: Server, kind: str, chunked: bool) -> None:
    body = bytes(range(256)) * 4000
    sent: Any = iter([body[:5], body[5:70000], body[70000:]]) if chunked else body
    assert server.post(f"/{kind}/echo", sent).body == body
    assert server.post(f"/{kind}/echo", iter([]) if chunked else b"").body == b""


@kinds
def test_bodies_are_read_as_they_arrive(server: Server, kind: str) -> None:
    """Each line is answered before the next is sent, to a `def` view from the limit on that is read ahead."""
    first = b"one\n" if kind == "async" else b"x" * READ_AHEAD_BYTES + b"\n"
    with server.connect() as connection:
        head = f"POST /{kind}/lines HTTP/1.1\r\nHost: x\r\nContent-Length: {len(first) + 8}\r\n\r\n"
        connection.sendall(head.encode())
        heard = b""
        for line in (first, b"two\n", b"six\n"):
            time.sleep(0.15)  # long enough for the bridge to look for a disconnect meanwhile
            connection.sendall(line)
            while b"got " + line[-4:] not in heard:
                data = connection.recv(65536)
                assert data
                heard += data


@kinds
@pytest.mark.parametrize("chunked", [False, True])
def test_max_content_length_is_honoured(server: Server, kind: str, chunked: bool) -> None:
    body = b"x" * 5000
    assert server.post(f"/{kind}/limited", iter([body[:500]]) if chunked else body[:500]).json() == 500
    with contextlib.suppress(BrokenPipeError):
        assert server.post(f"/{kind}/limited", iter([body]) if chunked else body).status == 413


@kinds
def test_an_upload_may_be_refused_before_it_is_sent(server: Server, kind: str) -> None:
    head = f"POST /{kind}/limited HTTP/1.1\r\nHost: x\r\nContent-Length: 5000\r\nExpect: 100-continue\r\n\r\n"
    with server.connect() as connection:
        connection.sendall(head.encode())
        assert connection.recv(65536).startswith(b"HTTP/1.1 413 ")


@kinds
def test_multipart_forms(server: Server, kind: str) -> None:
    parts = b'--b\r\nContent-Disposition: form-data; name="name"\r\n\r\nAda\r\n--b\r\n'
    parts += (
        b'Content-Disposition: form-data; name="file"; filename="f.bin"\r\n\r\n' + b"z" * 300_000 + b"\r\n--b--\r\n"
    )
    answer = server.post(f"/{kind}/form", parts, Content_Type="multipart/form-data; boundary=b")
    assert answer.json() == {"name": "Ada", "size": 300_000, "filename": "f.bin"}


@kinds
def test_a_stream_arrives_chunk_by_chunk(server: Server, kind: str) -> None:
    """The first chunk is there long before the last, and other requests are answered in between."""
    before = len(server.events())
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    connection.request("GET", f"/{kind}/stream?count=3&seconds=0.4")
    response = connection.getresponse()
    assert response.read1(100) == b"data: 0\n\n"
    assert "stream ended" not in server.events()[before:]
    assert response.read() == b"data: 1\n\ndata: 2\n\n"
    connection.close()
    server.wait_for("closed", before)
    assert server.events()[before:] == ["stream ended", "closed"]


def test_a_body_that_blocks_its_thread_blocks_nobody_else(server: Server) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    connection.request("GET", "/sync/blocking")
    response = connection.getresponse()
    first = response.read1(10)
    began, answered = time.monotonic(), 0
    while time.monotonic() - began < 0.25:
        answered += server.get("/async/where").status == 200
    assert (first, response.read()) == (b"0\n", b"1\n2\n")
    assert answered > 2
    connection.close()


@kinds
def test_a_slow_reader_stops_the_producer(server: Server, kind: str) -> None:
    """An endless body stays within what sockets buffer, until the client goes, and is closed then."""
    before = len(server.events())
    with server.connect() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        connection.sendall(f"GET /{kind}/endless HTTP/1.1\r\nHost: x\r\n\r\n".encode())

        def produced() -> int:
            return int(next((event for event in server.events()[before:] if "produced" in event), "produced 0")[9:])

        until(lambda: produced() > 1)
        counts = [0, -1]
        while counts[-1] != counts[-2]:
            time.sleep(0.3)
            counts.append(produced())
        assert counts[-1] < 500  # of 64 KiB each; a socket's buffers hold some
    server.wait_for("endless ended", before)


@kinds
def test_files_and_ranges(server: Server, kind: str) -> None:
    whole = HERE.read_bytes()
    answer = server.get(f"/{kind}/file")
    assert (answer.status, answer.body) == (200, whole)
    part = server.get(f"/{kind}/file", Range="bytes=100-299")
    assert (part.status, part.body) == (206, whole[100:300])
    assert part.headers["Content-Range"] == f"bytes 100-299/{len(whole)}"
    assert server.get(f"/{kind}/file", Range="bytes=999999999-").status == 416
    unchanged = server.get(f"/{kind}/file", If_None_Match=answer.headers["ETag"])
    assert (unchanged.status, unchanged.body) == (304, b"")


@kinds
@pytest.mark.parametrize("code", [204, 304])
def test_responses_without_a_body_leave_the_connection_in_step(server: Server, kind: str, code: int) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    for expected, path in ((code, f"/{kind}/status/{code}"), (200, f"/{kind}/where")):
        connection.request("GET", path)
        response = connection.getresponse()
        assert (response.status, bool(response.read())) == (expected, expected == 200)
    connection.close()


@kinds
def test_head_has_the_headers_of_get_and_no_body(server: Server, kind: str) -> None:
    head, get = server.request("HEAD", f"/{kind}/status/200"), server.get(f"/{kind}/status/200")
    assert (head.status, head.body, get.body) == (200, b"", b"text")
    assert head.headers["Content-Length"] == get.headers["Content-Length"]


@kinds
def test_cookies_go_both_ways(server: Server, kind: str) -> None:
    answer = server.get(f"/{kind}/cookies", Cookie="a=1; b=2")
    assert answer.body == b"12"
    assert [value.split("=")[0] for value in answer.headers.get_all("Set-Cookie")] == ["one", "two", "three"]


@kinds
def test_paths_may_hold_any_character(server: Server, kind: str) -> None:
    answer = server.get(f"/{kind}/path/caf%C3%A9/%E2%9C%93%20%25/a%2Fb?q=%C3%BC&r=a%26b").json()
    assert (answer["rest"], answer["query"]) == ("café/✓ %/a/b", {"q": "ü", "r": "a&b"})
    assert answer["root"] == ""


@kinds
def test_root_path_is_script_name_and_not_in_path_info(kind: str) -> None:
    with serve("main", "uvicorn", "--root-path", "/mounted/app") as mounted:
        answer = mounted.get(f"/{kind}/path/x").json()
    assert (answer["root"], answer["path"], answer["rest"]) == ("/mounted/app", f"/{kind}/path/x", "x")
    assert "/mounted/" in answer["url"]


@kinds
def test_environ_follows_pep_3333(server: Server, kind: str) -> None:
    lines = f"GET /{kind}/environ?a=%20b HTTP/1.1", "Host: h:1", "X-Two: 1", "X-Two: 2", "X_Two: forged"
    answer = server.raw("\r\n".join([*lines, "Connection: close", "", ""]).encode())
    environ = json.loads(answer[answer.index(b"{") : answer.rindex(b"}") + 1])
    assert environ["QUERY_STRING"] == "a=%20b"
    assert environ["HTTP_X_TWO"] == "1,2"
    assert (environ["SERVER_PORT"], environ["REMOTE_ADDR"]) == (str(server.port), "127.0.0.1")
    assert environ["SERVER_PROTOCOL"] == "HTTP/1.1"


@kinds
def test_an_exception_before_the_first_byte_is_a_500(server: Server, kind: str) -> None:
    assert server.get(f"/{kind}/error").status == 500
    assert server.get(f"/{kind}/where").status == 200


@kinds
def test_an_exception_after_the_first_byte_cuts_the_response_short(server: Server, kind: str) -> None:
    before = len(server.events())
    with pytest.raises(http.client.IncompleteRead) as caught:
        server.get(f"/{kind}/broken")
    assert caught.value.partial == b"first"
    server.wait_for("broken closed", before)


@kinds
def test_a_client_that_goes_away_cancels_the_wait(server: Server, kind: str) -> None:
    before = len(server.events())
    for path in (f"/{kind}/wait", f"/{kind}/wait"):
        with server.connect() as connection:
            connection.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            server.wait_for("wait began", before)
    server.wait_for("wait ended: CancelledError", before)
    until(lambda: server.get("/state").json()["opened"] == 0)
    assert "wait ended" not in server.events()[before:]


def test_what_a_cancelled_view_gives_back_may_be_awaited(server: Server) -> None:
    before = len(server.events())
    with server.connect() as connection:
        connection.sendall(b"GET /async/gone HTTP/1.1\r\nHost: x\r\n\r\n")
        time.sleep(0.2)
    server.wait_for("gone: given back", before)


@kinds
def test_a_client_that_goes_away_while_it_sends_ends_the_request(server: Server, kind: str) -> None:
    before = len(server.events())
    with server.connect() as connection:
        connection.sendall(f"POST /{kind}/upload HTTP/1.1\r\nHost: x\r\nContent-Length: 999999\r\n\r\n".encode())
        connection.sendall(b"x" * READ_AHEAD_BYTES)
        server.wait_for("upload began", before)
    server.wait_for("upload ended: CancelledError", before)


SLOW = b"POST /sync/upload HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nabc"


def test_slow_uploads_take_no_thread_until_their_bodies_are_there() -> None:
    with serve("few_threads") as server, contextlib.ExitStack() as open_ones:
        connections = [open_ones.enter_context(server.connect()) for _ in range(4)]
        for connection in connections:
            connection.sendall(SLOW)
        time.sleep(0.2)
        assert server.get("/sync/where").json() == {"thread": True}
        assert server.events() == []
        for connection in connections:
            connection.sendall(b"defghi")
            assert connection.recv(65536).startswith(b"HTTP/1.1 200 ")


def test_an_upload_that_its_client_leaves_never_takes_a_thread() -> None:
    with serve("few_threads") as server:
        with server.connect() as connection:
            connection.sendall(SLOW)
            time.sleep(0.2)
        until(lambda: server.get("/state").json()["exchanges"] == 1)
        assert server.events() == []


@kinds
def test_a_stream_whose_client_goes_away_is_closed(server: Server, kind: str) -> None:
    before = len(server.events())
    with server.connect() as connection:
        connection.sendall(f"GET /{kind}/stream?count=1000&seconds=0.05 HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        connection.recv(1000)
    server.wait_for("closed", before)
    assert server.events()[before:] == ["stream ended", "closed"]


@kinds
def test_a_request_may_be_let_finish_without_its_client(kind: str) -> None:
    with serve("finishing") as server:
        with server.connect() as connection:
            connection.sendall(f"GET /{kind}/wait?seconds=0.5 HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            server.wait_for("wait began")
        server.wait_for("wait ended")


@kinds
def test_a_request_in_flight_outlives_the_signal_to_stop(kind: str) -> None:
    with serve("main") as server, server.connect() as connection:
        connection.sendall(f"GET /{kind}/wait?seconds=0.6 HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        server.wait_for("wait began")
        server.process.send_signal(signal.SIGTERM)
        assert connection.recv(65536).startswith(b"HTTP/1.1 200 ")
        assert server.process.wait(20) in (0, -signal.SIGTERM)
        assert "left the lifespan" in server.log.read_text()


def test_threads_are_as_many_as_allowed(server: Server) -> None:
    with serve("few_threads") as few, contextlib.ExitStack() as open_ones:
        connections = [open_ones.enter_context(few.connect()) for _ in range(12)]
        for connection in connections:
            connection.sendall(b"GET /sync/wait?seconds=0.1 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        assert all(connection.recv(65536).startswith(b"HTTP/1.1 200 ") for connection in connections)
        assert few.get("/state").json()["threads"] <= 3


def test_thousands_of_waits_need_no_threads(server: Server) -> None:
    with contextlib.ExitStack() as open_ones:
        connections = [open_ones.enter_context(server.connect()) for _ in range(300)]
        for connection in connections:
            connection.sendall(b"GET /async/wait?seconds=1 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        until(lambda: server.get("/state").json()["opened"] > 200)
        assert server.get("/state").json()["threads"] <= 41
        assert all(connection.recv(65536).startswith(b"HTTP/1.1 200 ") for connection in connections)


def test_inline_runs_synchronous_views_on_the_loop() -> None:
    with serve("inline") as server:
        assert server.get("/sync/where").json() == {"thread": False}
        assert server.get("/sync/stream").body.count(b"data") == 3
        assert server.post("/sync/echo", b"abc").body == b"abc"
        assert server.get("/state").json()["threads"] == 1


# --- PEP 3333, which frameworks hide


@pytest.mark.parametrize(
    ("path", "status", "body"),
    [
        ("/write", 200, b"one two three"),
        ("/twice", 500, b"Internal Server Error"),
        ("/twice-with-error", 500, b"an error page"),
        ("/silent", 500, b"Internal Server Error"),
        ("/long", 200, b"12345"),
    ],
)
def test_start_response_and_write(plain: Server, path: str, status: int, body: bytes) -> None:
    answer = plain.get(path)
    assert (answer.status, answer.body) == (status, body)


def test_start_response_with_an_error_after_the_first_byte_raises_it(plain: Server) -> None:
    with pytest.raises(http.client.IncompleteRead):
        plain.get("/late-error")
    assert "KeyError: 'after the first byte'" in plain.log.read_text()


def test_head_of_an_application_that_ignores_it(plain: Server) -> None:
    answer = plain.request("HEAD", "/head")
    assert (answer.status, answer.body, answer.headers["Content-Length"]) == (200, b"", "5")


def test_input_reads_as_a_file(plain: Server) -> None:
    expected = repr([b"line one\n", b"abc", b"def\n|last", b"", b""]).encode()
    assert plain.post("/read", b"line one\nabcdef\nlast").body == expected
    assert plain.post("/read", iter([b"line", b" one\na", b"bcdef\nlast"])).body == expected
    assert plain.get("/read").body == repr([b""] * 5).encode()


def test_any_wsgi_application_runs_in_a_thread_or_inline(plain: Server) -> None:
    assert plain.get("/").body.startswith(b"loopbridge")
    with serve("wsgi_inline") as inline:
        assert inline.get("/").body == b"MainThread"
        assert inline.get("/write").body == b"one two three"


# --- The other scopes


def test_a_start_that_fails_is_reported() -> None:
    with serve("unstartable") as server:
        assert server.process.wait(20) != 0
        assert "the database is not there" in server.log.read_text()


def test_another_asgi_application_can_have_the_lifespan_too() -> None:
    with serve("wrapped", "uvicorn", "--lifespan", "on") as server:
        assert server.get("/").status == 200
        server.process.send_signal(signal.SIGTERM)
        server.process.wait(20)
        assert "left the lifespan" in server.log.read_text()


def talk(app: Any, scope: dict[str, Any], *messages: dict[str, Any]) -> list[dict[str, Any]]:
    """The messages that an ASGI application answers to these."""
    queue, answers = list(messages), []

    async def receive() -> dict[str, Any]:
        return queue.pop(0)

    async def send(message: dict[str, Any]) -> None:
        answers.append(message)

    asyncio.run(app(scope, receive, send))
    return answers


STARTUP, SHUTDOWN = {"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}


def test_lifespan_messages() -> None:
    steps: list[str] = []

    @contextlib.asynccontextmanager
    async def lifespan() -> Any:
        steps.append("in")
        yield
        steps.append("out")
        raise RuntimeError("cannot stop")

    async def never(scope: Any, receive: Any, send: Any) -> None:
        raise AssertionError("the application saw the lifespan")

    for app in (LoopBridge(flask, lifespan=lifespan), with_lifespan(never, lifespan)):
        answers = talk(app, {"type": "lifespan"}, STARTUP, SHUTDOWN)
        assert [answer["type"] for answer in answers] == ["lifespan.startup.complete", "lifespan.shutdown.failed"]
        assert "cannot stop" in answers[1]["message"]
    assert steps == ["in", "out"] * 2

    async def without(scope: Any, receive: Any, send: Any) -> None:
        await serve_lifespan(None, receive, send)

    answers = talk(without, {}, STARTUP, SHUTDOWN)
    assert [answer["type"] for answer in answers] == ["lifespan.startup.complete", "lifespan.shutdown.complete"]


def test_websockets_and_other_scopes_are_refused_clearly() -> None:
    (answer,) = talk(LoopBridge(flask), {"type": "websocket"}, {"type": "websocket.connect"})
    assert answer["type"] == "websocket.close"
    assert "HTTP" in answer["reason"]
    with pytest.raises(ValueError, match="not 'mail'"):
        talk(LoopBridge(flask), {"type": "mail"})


def test_an_unknown_mode_is_refused() -> None:
    with pytest.raises(ValueError, match="sync_views"):
        LoopBridge(flask, sync_views="sideways")  # type: ignore[arg-type]
