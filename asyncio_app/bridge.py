"""Serve an unchanged Flask application on an event loop: can its async views wait without holding a thread each?

`LoopBridge(app)` takes the place of `asgiref.wsgi.WsgiToAsgi(app)`. A request's WSGI call runs in a greenlet, and where
synchronous Flask has to wait for a coroutine, that greenlet is switched out and the loop goes on to other requests.

What runs where. The view decides for its whole request, so one request never changes its thread:

* an `async def` view (or a `MethodView` whose method is one, or a `functools.wraps` wrapper of one): all of it on the
  loop's thread, hooks, templates, teardown and the body's iteration included. Coroutine functions are awaited, and
  plain ones are called: a hook that blocks (`time.sleep`, psycopg2) blocks every request, so make it `async def`.
* a `def` view, static files, and requests without a view (404): all of it in one thread of a pool, as Starlette and
  Quart do. Coroutine functions that it meets (hooks, error handlers, filters) are awaited on the loop.
* `sync_views="inline"`: everything on the loop, for apps whose synchronous views never block, such as Flask-SQLAlchemy
  on `postgresql+asyncpg://`, which waits through the same greenlet.
* a WSGI application that is not a Flask object: in a thread, or on the loop with `"inline"`.

Where the view is found out to be a `def`, Flask has only parsed the URL: the call is left and made again in the thread.
WSGI middleware therefore sees the beginning of such a request twice, the first time on the loop's thread.

Children of `asyncio.gather` and other tasks have no greenlet to switch out: in them a coroutine is awaited, not made
synchronous, and the request's body is one that the view has read before. A second Flask object, mounted by a
dispatcher, needs a bridge of its own.

Sources: PEP 3333 (WSGI); the ASGI specification, HTTP and lifespan; "Using async and await" in Flask's documentation
(https://flask.palletsprojects.com/en/stable/async-await/); greenlet's `gr_context` (python-greenlet/greenlet#198).
"""

from __future__ import annotations

import asyncio
import contextvars
import functools
import inspect
import io
import sys
import threading
import traceback
import types
from collections.abc import Awaitable, Callable, Coroutine, Generator, Iterable
from concurrent.futures import CancelledError as ThreadCancelled
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, nullcontext, suppress
from typing import Any, Literal

from greenlet import getcurrent, greenlet

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
ASGIApp = Callable[[Scope, Receive, Send], Awaitable[None]]
Lifespan = Callable[[], AbstractAsyncContextManager[Any]]
WSGIApp = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]

_exchange: contextvars.ContextVar[_Exchange] = contextvars.ContextVar("asyncio_app.bridge")


class _Greenlet(greenlet):
    """Runs synchronous code in the request's context, which is shared and not copied: what a hook sets, a view sees.

    It is used again and again: CPython maps 16 KiB of frames for each new one, which costs 8 µs a request.
    """

    __sqlalchemy_greenlet_provider__ = True  # SQLAlchemy's await_only() then hands its awaitables to our parent
    parent: Any  # the greenlet of the loop: whoever drives us
    result: Any = None

    def run(self) -> None:
        work = self.parent.switch()
        while True:
            self.result = work()
            del work  # nothing of a request stays
            work = self.parent.switch(_DONE)


class _Idle(threading.local):  # a greenlet cannot change its thread
    def __init__(self) -> None:
        self.greenlets: list[_Greenlet] = []


_DONE = object()
_idle = _Idle()
_MAX_IDLE = 1024  # 20 MB at most, and only where so many requests have waited at once
_PATIENCE_S = 0.25  # a task that receives costs 20 µs a request: those that are answered sooner do without


def _step(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """Run a coroutine here, inside the greenlet, so that it may call back into synchronous code that waits again."""
    here: Any = getcurrent()
    pause = here.parent.switch
    resume: Callable[[Any], Any] = coroutine.send
    value: Any = None
    while True:
        try:
            future = resume(value)
        except StopIteration as stop:
            return stop.value
        try:
            value, resume = pause(True, future), coroutine.send
        except BaseException as error:  # the wait was cancelled, which is for the coroutine to hear
            value, resume = error, coroutine.throw


async def _await(awaitable: Awaitable[Any]) -> Any:
    return await awaitable


@types.coroutine
def _drive(
    work: Callable[[], Any], context: contextvars.Context | None, on_wait: Callable[[], None] | None = None
) -> Generator[Any, Any, Any]:
    """Await synchronous code from the loop: it switches here with what it has to wait for, and is resumed with that."""
    idle = _idle.greenlets
    if idle:
        runner = idle.pop()
    else:
        runner = _Greenlet()
        runner.switch()
    runner.parent, runner.gr_context = getcurrent(), context
    step = runner.switch(work)
    while step is not _DONE:
        try:
            if type(step) is tuple and not step[0]:  # from on_server: await this in the server's context
                result = yield from step[1]
            else:
                if on_wait is not None:
                    on_wait()
                if type(step) is tuple:  # from _step: a future, for our task to wait for
                    result = yield step[1]
                else:  # from SQLAlchemy: await this in the request's context
                    result = yield from _drive(functools.partial(_step, _await(step)), context)
        except BaseException as error:
            step = runner.throw(error)
        else:
            step = runner.switch(result)
    result, runner.result, runner.gr_context = runner.result, None, None
    if len(idle) < _MAX_IDLE:
        idle.append(runner)
    return result


def _synchronous(func: Callable[..., Any], original: Callable[..., Any]) -> Callable[..., Any]:
    """A coroutine function as synchronous code may call it, wherever that runs."""

    def call(*args: Any, **kwargs: Any) -> Any:
        here = getcurrent()
        if type(here) is _Greenlet:
            return _step(func(*args, **kwargs))
        exchange = _exchange.get(None)
        if exchange is None or _on_loop():  # not in the bridge; or in a task of its own, which cannot be switched out
            return original(func)(*args, **kwargs)
        context = here.gr_context
        return exchange.from_thread(lambda: _drive(functools.partial(_step, func(*args, **kwargs)), context))

    return call


def _on_loop() -> bool:
    try:
        return asyncio.get_running_loop() is not None
    except RuntimeError:
        return False


class _NeedsThread(BaseException):
    """The view is synchronous: leave the loop's thread, before Flask has begun with the request."""


@functools.lru_cache(maxsize=1024)
def _is_async(view: Callable[..., Any], method: str) -> bool:
    handlers = [view]
    if (owner := getattr(view, "view_class", None)) is not None:
        name = "get" if method == "HEAD" and not hasattr(owner, "head") else method.lower()
        handlers = [owner.dispatch_request, getattr(owner, name, view)]
    return any(inspect.iscoroutinefunction(inspect.unwrap(handler)) for handler in handlers)


class LoopBridge:
    """An ASGI 3 application from a WSGI one; for Flask, with async views on the server's own loop.

    `sync_views`: `"thread"` or `"inline"`, as the module's docstring says. `max_threads`: threads of the pool, for all
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
        self.flask = hasattr(app, "async_to_sync") and hasattr(app, "request_context")
        self.threaded = sync_views == "thread"
        self.threads = ThreadPoolExecutor(max_threads, thread_name_prefix="bridge")
        self.lifespan = lifespan
        self.cancel_on_disconnect = cancel_on_disconnect
        self.waiting: _Waiting | None = None
        if self.flask and not hasattr(app, "loop_bridged"):
            _prepare(app)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        kind = scope["type"]
        if kind == "http":
            await _Exchange(self, scope, receive, send).run()
        elif kind == "lifespan":
            await serve_lifespan(self.lifespan, receive, send)
        elif kind == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1000, "reason": "a WSGI application serves HTTP only"})
        else:
            raise ValueError(f"LoopBridge serves http and lifespan, not {kind!r}; route it to another application")


def _prepare(app: Any) -> None:
    original, request_context = app.async_to_sync, app.request_context

    def async_to_sync(func: Callable[..., Any]) -> Callable[..., Any]:
        return _synchronous(func, original)

    def matched() -> None:
        """In place of the second match of the same URL, when the context is pushed: 5 µs."""

    def placed_request_context(environ: dict[str, Any]) -> Any:
        context = request_context(environ)  # nothing has been pushed, opened or called yet: no trace of it stays
        exchange = environ.get("asyncio_app.bridge")
        if exchange is not None and exchange.may_move:
            exchange.may_move = False
            try:
                context.match_request()
                rule = context.request.url_rule
                stay = rule is not None and _is_async(app.view_functions[rule.endpoint], environ["REQUEST_METHOD"])
            except Exception:  # a URL converter may need the session, which is opened later
                stay = False
            if not stay:
                raise _NeedsThread
            context.match_request = matched
        return context

    app.async_to_sync, app.request_context, app.loop_bridged = async_to_sync, placed_request_context, True


class _Waiting:
    """The requests that wait on one loop, by age: a single timer for all, since one for each costs 5 µs a request."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.young: set[_Exchange] = set()
        self.old: set[_Exchange] = set()
        self.timer: asyncio.TimerHandle | None = None

    def add(self, exchange: _Exchange) -> None:
        self.young.add(exchange)
        if self.timer is None:
            self.timer = self.loop.call_later(_PATIENCE_S, self.grow_older, context=contextvars.Context())

    def discard(self, exchange: _Exchange) -> None:
        self.young.discard(exchange)
        self.old.discard(exchange)

    def grow_older(self) -> None:
        """Twice in a request's life: from young to old, and then it has been patient for once or twice that time."""
        patient, self.old, self.young = self.old, self.young, set()
        self.timer = None
        if self.old:
            self.timer = self.loop.call_later(_PATIENCE_S, self.grow_older)
        for exchange in patient:
            exchange.origin.run(exchange.watch)


class _Exchange:
    """One request and its response: ASGI's messages on one side, WSGI's calls on the other."""

    task: Any
    waiting: _Waiting | None = None
    receiving: asyncio.Future[dict[str, Any]] | None = None
    head: Any = None  # http.response.start
    remaining = -1  # bytes that Content-Length still allows; -1 without one
    started = complete = bodiless = False  # the response
    unasked = False  # a client that waits for 100 Continue: receiving is what sends it
    reading = False  # the application waits for the server's next message
    gone = cancelled = stopping = False  # the client; our task, because of it; our thread, because of that

    def __init__(self, bridge: LoopBridge, scope: Scope, receive: Receive, send: Send) -> None:
        self.bridge, self.scope, self.receive, self.send = bridge, scope, receive, send
        self.may_move = bridge.threaded
        self.inbox: list[dict[str, Any]] = []
        self.jobs: list[asyncio.Task[Any]] = []
        # The application gets a copy of the task's context, and the server is only ever called in the original. Else
        # what a request sets leaks into its connection's next one, which the server starts from inside `send`, or from
        # a socket callback that `receive` registers (Kludex/uvicorn#2167, python/cpython#140947).
        self.origin = contextvars.copy_context()
        self.context = self.origin.copy()
        self.loop = asyncio.get_running_loop()

    async def run(self) -> None:
        self.task = asyncio.current_task(self.loop)
        try:
            to_thread = self.bridge.threaded and not self.bridge.flask
            if not to_thread:
                try:
                    await _drive(self.call, self.context, self.watch_soon)
                except _NeedsThread:
                    to_thread = True
            if to_thread:
                await self.run_in_thread()
        except asyncio.CancelledError:
            if not self.gone or self.task.cancelling() > self.cancelled:
                raise  # the server's own wish; but where the client has left, there is nobody to tell
        finally:
            if self.cancelled:
                self.task.uncancel()
            if self.waiting is not None:
                self.waiting.discard(self)
            if self.receiving is not None:
                self.receiving.cancel()
            del self.context  # it refers to us: leave no cycle to the garbage collector

    async def run_in_thread(self) -> None:
        self.may_move = False
        work = self.bridge.threads.submit(self.context.run, self.call)
        self.watch_soon()
        done = asyncio.wrap_future(work)
        try:
            await asyncio.shield(done)
        except asyncio.CancelledError:
            if not done.done() and not work.cancel():
                self.stopping = True
                for job in self.jobs:
                    job.cancel()
                with suppress(Exception, asyncio.CancelledError):
                    await done
            raise

    # The client's side. Only receiving tells that it went away, and only requests that wait for long have to know.

    def watch_soon(self) -> None:
        if self.waiting is None and self.receiving is None:
            waiting = self.bridge.waiting
            if waiting is None or waiting.loop is not self.loop:
                waiting = self.bridge.waiting = _Waiting(self.loop)
            waiting.add(self)
            self.waiting = waiting

    def watch(self) -> None:
        self.waiting = None
        if self.receiving is None and not self.reading and not self.unasked:
            self.receiving = asyncio.ensure_future(self.receive())
            self.receiving.add_done_callback(self.received)

    def received(self, receiving: asyncio.Future[dict[str, Any]]) -> None:
        if receiving.cancelled():
            return
        self.receiving = None
        message = receiving.result()
        if message["type"] != "http.disconnect":
            self.inbox.append(message)
            if not message.get("more_body"):  # else one message ahead and no further: the application is to ask for it
                self.watch()
        elif not self.complete:  # servers say so after each response too
            self.gone = True
            if self.bridge.cancel_on_disconnect:
                self.cancelled = self.task.cancel()

    async def next_message(self) -> dict[str, Any]:
        while not self.inbox:
            if self.gone:
                return {"type": "http.disconnect"}
            if self.receiving is not None:
                await asyncio.wait({self.receiving})
            else:
                self.reading = True  # a server is asked for one message at a time
                try:
                    self.inbox.append(await self.receive())
                finally:
                    self.reading = False
        return self.inbox.pop(0)

    # The application's side, called from its greenlet or from its thread.

    def on_server(self, call: Coroutine[Any, Any, Any]) -> Any:
        """Wait for the server, in the server's context."""
        here = getcurrent()
        if type(here) is _Greenlet:
            return here.parent.switch(False, call)
        if _on_loop():
            call.close()
            raise RuntimeError("A task of its own cannot wait for the request's body: read it in the view, before")
        return self.from_thread(lambda: call)

    def from_thread(self, call: Callable[[], Awaitable[Any]]) -> Any:
        async def job() -> Any:
            task: Any = asyncio.current_task()
            self.jobs.append(task)
            self.watch_soon()
            if self.stopping:
                task.cancel()
            try:
                return await call()
            finally:
                self.jobs.remove(task)

        try:
            return self.origin.copy().run(asyncio.run_coroutine_threadsafe, job(), self.loop).result()
        except ThreadCancelled:
            raise asyncio.CancelledError from None

    def call(self) -> None:
        """Call the WSGI application and send what it answers."""
        _exchange.set(self)
        result = self.bridge.wsgi(self.environ(), self.start_response)
        try:
            for chunk in result:
                if chunk:
                    self.write(chunk)
                if self.gone:
                    return
            self.finish()
        finally:
            if (close := getattr(result, "close", None)) is not None:
                close()

    def environ(self) -> dict[str, Any]:
        scope = self.scope
        root, path = scope.get("root_path", "").rstrip("/"), scope["path"]
        if root and (path == root or path.startswith(root + "/")):
            path = path[len(root) :]  # ASGI has root_path inside path, WSGI does not have SCRIPT_NAME in PATH_INFO
        host, port = scope.get("server") or ("localhost", None)
        environ = {
            "REQUEST_METHOD": scope["method"],
            "SCRIPT_NAME": root.encode().decode("latin-1"),
            "PATH_INFO": path.encode().decode("latin-1"),
            "QUERY_STRING": scope["query_string"].decode("latin-1"),
            "SERVER_NAME": host,
            "SERVER_PORT": str(port or 80),
            "SERVER_PROTOCOL": "HTTP/" + scope["http_version"],
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": scope.get("scheme", "http"),
            "wsgi.errors": sys.stderr,
            "wsgi.multithread": self.bridge.threaded,
            "wsgi.multiprocess": True,
            "wsgi.run_once": False,
            "wsgi.input_terminated": True,
            "asgi.scope": scope,
            "asyncio_app.bridge": self,
        }
        if client := scope.get("client"):
            environ["REMOTE_ADDR"], environ["REMOTE_PORT"] = client[0], str(client[1])
        for name, value in scope["headers"]:
            key, text = _wsgi_name(name), value.decode("latin-1")
            if key in environ:
                text = environ[key] + ("; " if key == "HTTP_COOKIE" else ",") + text
            environ[key] = text
        environ.pop("", None)
        if "CONTENT_LENGTH" in environ or "HTTP_TRANSFER_ENCODING" in environ or scope["http_version"] >= "2":
            environ["wsgi.input"] = io.BufferedReader(_Input(self))
            self.unasked = "HTTP_EXPECT" in environ
        else:
            environ["wsgi.input"] = io.BytesIO()  # HTTP/1.1 has no body without one of these (RFC 9112, section 6.3)
        return environ

    def start_response(
        self, status: str, headers: list[tuple[str, str]], exc_info: Any = None
    ) -> Callable[[bytes], None]:
        if exc_info is not None and self.started:
            raise exc_info[1].with_traceback(exc_info[2])
        if exc_info is None and self.head is not None:
            raise AssertionError("start_response was called a second time without exc_info (PEP 3333)")
        code = int(status[:3])
        pairs = []
        self.remaining = -1
        for name, value in headers:
            name = name.lower()
            if name == "content-length":
                self.remaining = int(value)
            pairs.append((name.encode("latin-1"), value.encode("latin-1")))
        self.head = {"type": "http.response.start", "status": code, "headers": pairs}
        self.bodiless = code in (204, 304) or self.scope["method"] == "HEAD"
        return self.write

    def write(self, chunk: bytes) -> None:
        if self.head is None:
            raise AssertionError("the body began before start_response was called (PEP 3333)")
        if self.bodiless or self.complete or self.gone:
            return
        if self.remaining >= 0:
            chunk = chunk[: self.remaining]
            self.remaining -= len(chunk)
        self.on_server(self.respond(chunk, self.remaining != 0))

    def finish(self) -> None:
        if self.head is None:
            raise AssertionError("the application ended without start_response (PEP 3333)")
        if not self.complete:
            self.on_server(self.respond(b"", False))

    async def respond(self, chunk: bytes, more: bool) -> None:
        self.complete = not more
        try:
            if not self.started:
                self.started = True
                await self.send(self.head)
            await self.send({"type": "http.response.body", "body": chunk, "more_body": more})
        except OSError:  # how a server says that the client has left (ASGI HTTP 2.4)
            self.gone = True
        if more:
            self.watch_soon()
            await asyncio.sleep(0)  # `send` need not wait, and a fast body would keep the loop to itself


class _Input(io.RawIOBase):
    """`wsgi.input`: a read takes what has arrived, or waits for the next message."""

    rest = b""
    ended = False

    def __init__(self, exchange: _Exchange) -> None:
        self.exchange = exchange

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        exchange = self.exchange
        exchange.may_move = exchange.unasked = False
        while not self.rest and not self.ended:
            message = exchange.on_server(exchange.next_message())
            if message["type"] == "http.disconnect":
                exchange.gone = True
                if exchange.bridge.cancel_on_disconnect:
                    raise asyncio.CancelledError
                raise ConnectionResetError("the client went away before its request's body was complete")
            self.rest = message.get("body", b"")
            self.ended = not message.get("more_body", False)
        part, self.rest = self.rest[: len(buffer)], self.rest[len(buffer) :]
        buffer[: len(part)] = part
        return len(part)


@functools.lru_cache(maxsize=1024)
def _wsgi_name(name: bytes) -> str:
    if b"_" in name:
        return ""  # X_User would arrive as X-User: dropped, as nginx and Werkzeug's server do
    key = name.decode("latin-1").upper().replace("-", "_")
    return key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else "HTTP_" + key


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
