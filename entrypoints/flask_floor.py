"""The floor under the bridge: Flask's own work for `GET /`, with nothing around it that a bridge would have to do.

An ASGI function runs Flask's routing, the view and the response object on a WSGI environment prepared beforehand, and
sends a response head prepared beforehand with the body that came of it. It reads nothing of the request but method and
path, translates no head, has no second stack, and does not notice a client that leaves: no way to serve anything, but
what is left of the bridge's CPU time above it is the bridge's own. All other requests go through the bridge, to
asyncio_app with the further paths of the scenario `layers`.
"""

import io
import sys
from collections.abc import Callable, Coroutine
from typing import Any

from asyncio_app import create_app, lifespan
from asyncio_app.db import database
from loopbridge import LoopBridge
from reference_apps.layers.async_views import add_parts

ENVIRON = {
    "REQUEST_METHOD": "GET",
    "SCRIPT_NAME": "",
    "PATH_INFO": "/",
    "QUERY_STRING": "",
    "SERVER_NAME": "127.0.0.1",
    "SERVER_PORT": "8000",
    "SERVER_PROTOCOL": "HTTP/1.1",
    "HTTP_HOST": "127.0.0.1:8000",
    "wsgi.version": (1, 0),
    "wsgi.url_scheme": "http",
    "wsgi.input": io.BytesIO(),
    "wsgi.errors": sys.stderr,
    "wsgi.multithread": False,
    "wsgi.multiprocess": True,
    "wsgi.run_once": False,
}


async def hold() -> None:
    """Take a connection as the views do, and give it back."""
    async with database.connection():
        pass


whole = create_app()
add_parts(whole, hold)
bridge = LoopBridge(whole, lifespan=lifespan)
flask = create_app()


def async_to_sync(view: Callable[..., Coroutine[Any, Any, Any]]) -> Callable[..., Any]:
    """In place of Flask's: the view, which waits for nothing, run to its end at once."""

    def call(*args: Any, **kwargs: Any) -> Any:
        try:
            view(*args, **kwargs).send(None)
        except StopIteration as stop:
            return stop.value
        raise RuntimeError("a view that waits cannot be called without a bridge")

    return call


flask.async_to_sync = async_to_sync  # type: ignore[assignment, method-assign]


def body() -> bytes:
    """What the view answers."""
    with flask.request_context(ENVIRON.copy()):  # a copy, because Flask writes to it
        return flask.full_dispatch_request().get_data()


HEADERS = [(b"content-type", b"application/json"), (b"content-length", str(len(body())).encode())]
HEAD = {"type": "http.response.start", "status": 200, "headers": HEADERS}


async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
    if scope.get("path") != "/" or scope["method"] != "GET":  # a lifespan has no path
        await bridge(scope, receive, send)
        return
    await send(HEAD)
    await send({"type": "http.response.body", "body": body()})
