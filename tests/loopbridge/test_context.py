"""What belongs to a request: seen wherever its code runs, and by no other request."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import served_apps
from flask import Flask
from served_apps import Server, serve, until

from loopbridge import LoopBridge


@pytest.fixture(scope="module", params=["uvicorn", "uvicorn-h11"])
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    with serve("context", request.param) as running:
        yield running


def expected(path: str, user: str) -> dict[str, Any]:
    return {"path": path, "user": user, "g": user, "app": "served_apps", "mine": user}


@pytest.mark.parametrize("kind", ["async", "sync"])
def test_context_holds_in_awaits_children_threads_and_hooks(server: Server, kind: str) -> None:
    answer = server.get(f"/{kind}/all?user=ada")
    assert answer.json()["all"] == [expected(f"/{kind}/all", "ada")] * len(answer.json()["all"])
    assert len(answer.json()["all"]) >= 4
    assert json.loads(answer.headers["X-Seen"]) == expected(f"/{kind}/all", "ada")


@pytest.mark.parametrize("kind", ["async", "sync"])
def test_requests_in_flight_together_do_not_mix(server: Server, kind: str) -> None:
    wrong: list[Any] = []

    def ask(user: str) -> None:
        for _ in range(5):
            answer = server.get(f"/{kind}/all?user={user}").json()
            wrong.extend(seen for seen in answer["all"] if seen["user"] != user or seen["mine"] != user)

    threads = [threading.Thread(target=ask, args=(f"user{number}",)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


@pytest.mark.parametrize("path", ["/async/stream", "/sync/streamed"])
def test_context_holds_in_streamed_bodies(server: Server, path: str) -> None:
    lines = server.get(f"{path}?user=ada").body.splitlines()
    assert [json.loads(line) for line in lines] == [expected(path, "ada")] * 3


def test_synchronous_code_and_coroutines_may_call_each_other_to_any_depth(server: Server) -> None:
    assert server.get("/async/nested?user=ada").json() == expected("/async/nested", "ada")


def test_filters_and_context_processors_may_be_coroutines(server: Server) -> None:
    assert server.get("/template?user=ada").body == b"HELLO ada ada"


def test_error_handlers_may_be_coroutines(server: Server) -> None:
    raised = server.get("/raise?user=ada")
    assert (raised.status, raised.json()) == (418, expected("/raise", "ada") | {"error": "ada"})
    missing = server.get("/missing?user=ada")
    assert (missing.status, missing.json()) == (404, expected("/missing", "ada"))


def test_each_method_of_a_view_class_is_placed_by_itself(server: Server) -> None:
    assert server.get("/methods?user=ada").json() == expected("/methods", "ada") | {"thread": False}
    assert server.post("/methods?user=ada", b"").json() == expected("/methods", "ada") | {"thread": True}


def test_a_decorated_coroutine_stays_on_the_loop(server: Server) -> None:
    assert server.get("/decorated?user=ada").json() == expected("/decorated", "ada") | {"thread": False}


def test_a_task_of_its_own_cannot_wait_synchronously_and_says_so(server: Server) -> None:
    assert server.get("/gathered-wait?user=ada").status == 500
    assert "await the async function directly" in server.log.read_text()


@pytest.mark.parametrize("kind", ["async", "sync"])
def test_nothing_leaks_into_the_next_request_of_a_connection(server: Server, kind: str) -> None:
    """Pipelined, so that the next one starts within the last one's `send`; and after a body that made reading pause."""
    head = "Host: x\r\nContent-Length: {}\r\n\r\n"
    get = f"GET /{kind}/leak?user=ada HTTP/1.1\r\n{head.format(0)}".encode()
    post = f"POST /{kind}/leak?user=ada HTTP/1.1\r\n{head.format(300_000)}".encode() + b"x" * 300_000
    last = get.replace(b"\r\nHost", b"\r\nConnection: close\r\nHost")
    heard = server.raw(get * 20 + post + get + post + last)
    assert heard.count(b"HTTP/1.1 200 ") == 24
    assert heard.count(b'"before":"nothing"') == 24


def test_a_keep_alive_connection_answers_every_request(server: Server) -> None:
    """Half of them failed behind WsgiToAsgi, by a context variable that the previous request had left behind."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    for number in range(100):
        kind = ("async", "sync")[number % 2]
        connection.request("GET", f"/{kind}/leak?user={number}")
        response = connection.getresponse()
        assert (response.status, json.loads(response.read())) == (200, {"before": "nothing"})
    connection.close()


# --- In this process: what the bridge leaves alone


async def ask(app: Any, path: str) -> bytes:
    """One request without a server."""
    parts: list[bytes] = []
    done = asyncio.Event()
    first = [{"type": "http.request", "body": b"", "more_body": False}]

    async def receive() -> dict[str, Any]:
        if not first:
            await done.wait()
        return first.pop() if first else {"type": "http.disconnect"}

    async def send(message: dict[str, Any]) -> None:
        parts.append(message.get("body", b""))

    path, _, query = path.partition("?")
    scope = {"type": "http", "http_version": "1.1", "method": "GET", "path": path, "query_string": query.encode()}
    await app(scope | {"headers": [(b"host", b"x")]}, receive, send)
    return b"".join(parts)


def small(name: str) -> Flask:
    app = Flask(name)

    @app.get("/")
    async def index() -> dict[str, Any]:
        await asyncio.sleep(0.01)
        return {"app": name, "thread": threading.current_thread() is not threading.main_thread()}

    return app


def test_two_applications_in_one_process_do_not_meet() -> None:
    one, two, other = small("one"), small("two"), small("other")
    bridges = [LoopBridge(one), LoopBridge(two, sync_views="inline")]

    async def both() -> list[bytes]:
        return await asyncio.gather(*(ask(bridge, "/") for bridge in bridges * 5))

    assert [json.loads(body)["app"] for body in asyncio.run(both())] == ["one", "two"] * 5
    assert "async_to_sync" not in vars(other)
    assert Flask.async_to_sync is not one.async_to_sync


def test_the_same_application_still_works_under_wsgi() -> None:
    app = small("one")
    bridge = LoopBridge(app)
    assert app.test_client().get("/").json == {"app": "one", "thread": True}  # asgiref gives the view a loop of its own
    assert json.loads(asyncio.run(ask(bridge, "/"))) == {"app": "one", "thread": False}
    with app.test_request_context("/"):
        assert app.ensure_sync(asyncio.sleep)(0, "slept") == "slept"


def test_a_test_client_inside_a_view_works() -> None:
    app = small("one")

    @app.get("/outer")
    async def outer() -> Any:
        return app.test_client().get("/").json

    @app.get("/outer-in-thread")
    def outer_in_thread() -> Any:
        return app.test_client().get("/").json

    bridge = LoopBridge(app)
    assert json.loads(asyncio.run(ask(bridge, "/outer")))["app"] == "one"
    assert json.loads(asyncio.run(ask(bridge, "/outer-in-thread")))["app"] == "one"


def test_two_bridges_may_share_an_application() -> None:
    app = small("one")
    for mode in ("thread", "inline", "thread"):
        bridge = LoopBridge(app, sync_views=mode)  # type: ignore[arg-type]
        assert json.loads(asyncio.run(ask(bridge, "/")))["thread"] is False


def test_a_loop_in_another_thread_has_greenlets_of_its_own() -> None:
    bridge, bodies = LoopBridge(small("one")), []
    for _ in range(2):
        thread = threading.Thread(target=lambda: bodies.append(asyncio.run(ask(bridge, "/"))))
        thread.start()
        thread.join()
    bodies.append(asyncio.run(ask(bridge, "/")))
    assert [json.loads(body)["app"] for body in bodies] == ["one"] * 3


def test_the_servers_own_cancellation_is_not_swallowed() -> None:
    async def cancelled() -> None:
        for path in ("/", "/wait"):
            task = asyncio.create_task(ask(LoopBridge(app), path))
            await asyncio.sleep(0.005)
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
            assert task.cancelled()

    app = small("one")
    app.add_url_rule("/wait", view_func=lambda: app.ensure_sync(asyncio.sleep)(5))
    asyncio.run(cancelled())


def test_timeouts_and_task_groups_work_in_views() -> None:
    app = small("one")

    @app.get("/timeout")
    async def timeout() -> str:
        try:
            async with asyncio.timeout(0.01):
                await asyncio.sleep(5)
        except TimeoutError:
            async with asyncio.TaskGroup() as group:
                return await group.create_task(asyncio.sleep(0, "timed out"))
        return "never"

    @app.get("/timeout-in-thread")
    def timeout_in_thread() -> Any:
        return app.ensure_sync(timeout)()

    bridge = LoopBridge(app)
    assert asyncio.run(ask(bridge, "/timeout")) == b"timed out"
    assert asyncio.run(ask(bridge, "/timeout-in-thread")) == b"timed out"


def test_sqlalchemy_waits_through_the_same_greenlet() -> None:
    """Its asyncio dialects call await_only(), which has the parent of the current greenlet await."""
    from sqlalchemy.util import await_only, greenlet_spawn

    app = small("one")

    async def later(value: str) -> str:
        await asyncio.sleep(0.001)
        return value + served_apps.mine.get()

    @app.get("/sql")
    async def sql() -> str:
        served_apps.mine.set("!")
        return await_only(later("inline")) + await greenlet_spawn(lambda: await_only(later("spawned")))

    assert asyncio.run(ask(LoopBridge(app), "/sql")) == b"inline!spawned!"


def test_every_hook_ran_in_order() -> None:
    with serve("both_apps") as server:
        answer = server.get("/context/async/all?user=ada")
        assert answer.status == 200
        until(lambda: "teardown app" in server.events())
        assert server.events()[-2:] == ["teardown ada NoneType", "teardown app"]
