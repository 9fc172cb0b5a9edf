"""10,000 requests that misuse the bridge in every way known, under collections at a low threshold.

Two event loops, one in the main thread, serve one Flask object, each with one bridge after another: their threads end
while tracebacks of theirs are still kept. It is a process of its own, for what goes wrong is a segmentation fault.
"""

import asyncio
import collections
import contextlib
import gc
import logging
import random
import sys
import tempfile
import threading
from collections.abc import Iterator
from typing import Any

from flask import Flask, Response, current_app, request
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from loopbridge import LoopBridge

ROUNDS, LOOPS, REQUESTS, AT_ONCE = 10, 2, 500, 50
app = Flask("misuse")
engines: dict[str, AsyncEngine] = {}
kept: collections.deque[BaseException] = collections.deque(maxlen=300)
answered: collections.Counter[tuple[str, int]] = collections.Counter()


def engine() -> AsyncEngine:
    return engines[request.args["loop"]]


@app.errorhandler(Exception)
def keep(error: Exception) -> tuple[str, int]:
    kept.append(error)
    return type(error).__name__, 500


@app.get("/proper")
async def proper() -> str:
    async with engine().connect() as connection:
        await asyncio.sleep(0)
        return str((await connection.execute(text("select 1"))).scalar())


@app.get("/run_sync")
async def run_sync() -> str:
    async with engine().connect() as connection:
        return str(await connection.run_sync(lambda sync: sync.execute(text("select 1")).scalar()))


@app.get("/ensured")
def ensured() -> Any:
    return current_app.ensure_sync(proper)()


@app.get("/misused")
def misused() -> str:
    with engine().sync_engine.connect() as connection:
        return str(connection.execute(text("select 1")).scalar())


@app.get("/cycle")
def cycle() -> str:
    """An exception that refers to itself, with frames of a thread and of a coroutine: for the collector."""

    async def fail() -> None:
        await asyncio.sleep(0)
        error: Any = LookupError("kept by nobody")
        error.itself = error
        raise error

    current_app.ensure_sync(fail)()
    return "never"


@app.get("/fail")
async def fail() -> str:
    await asyncio.sleep(0)
    error: Any = LookupError("kept by nobody")
    error.itself = error
    raise error


@app.get("/wait")
async def wait() -> str:
    await asyncio.sleep(30)
    return "never"


@app.get("/wait-in-thread")
def wait_in_thread() -> str:
    current_app.ensure_sync(asyncio.sleep)(30)
    return "never"


@app.get("/half")
async def half() -> Response:
    def body() -> Iterator[bytes]:
        pause = app.ensure_sync(asyncio.sleep)
        while True:
            yield b"x"
            pause(0.001)

    return Response(body())


@app.get("/half-in-thread")
def half_in_thread() -> Response:
    return Response(iter(lambda: b"x", b""))


PATHS = {
    "/proper": 200,
    "/run_sync": 200,
    "/ensured": 200,
    "/misused": 500,
    "/cycle": 500,
    "/fail": 500,
    "/half": 200,
    "/half-in-thread": 200,
    "/wait": 0,
    "/wait-in-thread": 0,
}


async def ask(bridge: LoopBridge, path: str, loop: str) -> int:
    """The status, after which the client leaves: by raising what servers raise, or by being cancelled from outside."""
    status, first = 0, [{"type": "http.request", "body": b"", "more_body": False}]

    async def receive() -> dict[str, Any]:
        if not first:
            await asyncio.sleep(30)
        return first.pop()

    async def send(message: dict[str, Any]) -> None:
        nonlocal status
        if status and message.get("more_body"):
            raise OSError("the client has left")
        status = message.get("status", status)

    scope = {"type": "http", "http_version": "1.1", "method": "GET", "path": path, "headers": [(b"host", b"x")]}
    task = asyncio.create_task(bridge(scope | {"query_string": f"loop={loop}".encode()}, receive, send))
    if PATHS[path] == 0:
        await asyncio.sleep(random.random() / 100)
        task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    return status


async def serve(loop: str) -> None:
    engines[loop] = create_async_engine(f"sqlite+aiosqlite:///{folder.name}/{loop}.db", pool_size=3, max_overflow=-1)
    paths = list(PATHS) * (REQUESTS // len(PATHS))
    random.shuffle(paths)
    for start in range(0, len(paths), AT_ONCE):
        bridge, some = LoopBridge(app), paths[start : start + AT_ONCE]
        answered.update(zip(some, await asyncio.gather(*(ask(bridge, path, loop) for path in some)), strict=True))
    await engines.pop(loop).dispose()


gc.set_threshold(200, 5, 5)
folder = tempfile.TemporaryDirectory()
logging.disable()
for number in range(ROUNDS):
    thread = threading.Thread(target=lambda name=f"{number}b": asyncio.run(serve(name)))
    thread.start()
    asyncio.run(serve(f"{number}a"))
    thread.join()
assert answered == {(path, status): ROUNDS * LOOPS * REQUESTS // len(PATHS) for path, status in PATHS.items()}, answered
sys.stdout.write("survived")
