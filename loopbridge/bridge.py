"""What does a server call, and what may be chosen?"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Literal

from loopbridge.asgi import Receive, Scope, Send, WSGIApp
from loopbridge.client import Waiting
from loopbridge.flask_hooks import is_flask, replace_hooks
from loopbridge.greenlets import keep_main_greenlet
from loopbridge.lifespan import Lifespan, serve_lifespan
from loopbridge.request import serve_request


class LoopBridge:
    """An ASGI 3 application from a WSGI one; for Flask, with async views on the server's own loop.

    `sync_views`: `"thread"` or `"inline"`, where `def` views run. `max_threads`: threads of the pool, for all
    requests together (anyio's default, which Starlette uses, is 40 too). `lifespan`: a factory of an async context
    manager, without arguments, entered before the first request and left after the last. `cancel_on_disconnect`: when a
    client goes away, cancel what its request waits for (a thread cannot be interrupted, only its next wait); if false,
    the view runs to its end. In both cases a streamed body ends there, and its `close()` is called.

    Nothing global is changed: of the Flask object given, two methods are replaced (`async_to_sync`, `request_context`),
    and outside the bridge they do what they did. Put WSGI middleware inside, as Flask's documentation shows:
    `app.wsgi_app = ProxyFix(app.wsgi_app)`.

    Raises ValueError for an unknown `sync_views`. A request's exceptions go to the server, as WSGI and ASGI have it.
    """

    def __init__(
        self,
        app: WSGIApp,
        *,
        sync_views: Literal["thread", "inline"] = "thread",
        max_threads: int = 40,
        lifespan: Lifespan | None = None,
        cancel_on_disconnect: bool = True,
    ) -> None:
        if sync_views not in ("thread", "inline"):
            raise ValueError(f'sync_views is {sync_views!r}; pass "thread" or "inline"')
        # Calling the object puts 750 bytes more on the C stack, which is copied while a request waits.
        self.wsgi: WSGIApp = app.__call__  # type: ignore[operator]
        self.flask = is_flask(app)
        self.threaded = sync_views == "thread"
        self.threads = ThreadPoolExecutor(max_threads, "loopbridge", initializer=keep_main_greenlet)
        self.lifespan = lifespan
        self.cancel_on_disconnect = cancel_on_disconnect
        self.waiting: Waiting | None = None
        if self.flask:
            replace_hooks(app)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        kind = scope["type"]
        if kind == "http":
            await serve_request(self, scope, receive, send)
        elif kind == "lifespan":
            await serve_lifespan(self.lifespan, receive, send)
        elif kind == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1000, "reason": "a WSGI application serves HTTP only"})
        else:
            raise ValueError(f"LoopBridge serves http and lifespan, not {kind!r}; route it to another application")
