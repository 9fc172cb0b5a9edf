"""How does the server tell an application to start and to stop, and what does a context manager make of it?"""

from __future__ import annotations

import traceback
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, nullcontext
from typing import Any

from loopbridge.asgi import ASGIApp, Receive, Scope, Send

Lifespan = Callable[[], AbstractAsyncContextManager[Any]]


async def serve_lifespan(lifespan: Lifespan | None, receive: Receive, send: Send) -> None:
    """Answer the server's lifespan protocol with an async context manager; without one, agree to everything.

    An exception at start-up is sent as `lifespan.startup.failed` with its traceback, and the server does not start.
    """
    phase = "startup"
    try:
        await receive()
        async with nullcontext() if lifespan is None else lifespan():
            await send({"type": "lifespan.startup.complete"})
            phase = "shutdown"
            await receive()
        await send({"type": "lifespan.shutdown.complete"})
    except Exception:
        await send({"type": f"lifespan.{phase}.failed", "message": traceback.format_exc()})


def with_lifespan(app: ASGIApp, lifespan: Lifespan) -> ASGIApp:
    """Give a lifespan to an ASGI application that has none: `with_lifespan(WsgiToAsgi(app), lifespan)`."""

    async def asgi(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await serve_lifespan(lifespan, receive, send)
        else:
            await app(scope, receive, send)

    return asgi
