"""What happens to one request, from ASGI's call to the end of WSGI's?"""

from __future__ import annotations

import asyncio
import contextvars
import io
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

from loopbridge.asgi import Receive, Scope, Send, WSGIApp
from loopbridge.body import Input
from loopbridge.client import Client
from loopbridge.environ import BadRequest, make_environ
from loopbridge.exchange import KEY, Exchange, current_exchange
from loopbridge.flask_hooks import NeedsThread
from loopbridge.greenlets import drive
from loopbridge.response import Response

if TYPE_CHECKING:
    from loopbridge.bridge import LoopBridge

READ_AHEAD_BYTES = 256 * 1024  # of a body, before its request takes a thread: most forms and JSON are smaller


async def serve_request(bridge: LoopBridge, scope: Scope, receive: Receive, send: Send) -> None:
    """Serve a request on the loop in a greenlet, in a thread, or begun on the loop and begun again in a thread."""
    client = Client(bridge, receive)
    exchange = Exchange(client, bridge.threaded)
    response = Response(exchange, send, scope["method"] == "HEAD")
    context = contextvars.copy_context()  # what a request sets stays in it
    try:
        to_thread = bridge.threaded and not bridge.flask
        if not to_thread:
            wsgi, environ = _prepare(bridge, scope, exchange)
            try:
                # A lambda: a partial would put frames on the C stack, which is copied while a request waits.
                await drive(lambda: _call(wsgi, environ, exchange, response), context, client.watch_soon)
            except NeedsThread:
                to_thread = True
        if to_thread:
            wsgi, environ = _prepare(bridge, scope, exchange)
            call = partial(_call_in_thread, wsgi, environ, exchange, response)
            try:
                await _run_in_thread(bridge, exchange, partial(context.run, call))
            except Exception:  # after the body was whole: the client gets it, and the server the exception
                await response.send_rest()
                raise
            await response.send_rest()
    except asyncio.CancelledError:
        if not client.gone or client.cancelled_by_server():
            raise  # the server has cancelled us; if only the client has left, there is nobody to tell
    except SystemExit as error:
        raise _contained(error) from error
    finally:
        client.forget()


def _prepare(bridge: LoopBridge, scope: Scope, exchange: Exchange) -> tuple[WSGIApp, dict[str, Any]]:
    """The application and its environ; if the request is refused, an application that says so."""
    try:
        environ = make_environ(scope, bridge.threaded)
    except BadRequest as error:
        return _refusal(str(error)), {}
    environ[KEY] = exchange
    if "wsgi.input" not in environ:
        environ["wsgi.input"] = io.BufferedReader(Input(exchange))
        exchange.client.sends, exchange.client.expects = True, "HTTP_EXPECT" in environ
    return bridge.wsgi, environ


async def _run_in_thread(bridge: LoopBridge, exchange: Exchange, call: Callable[[], None]) -> None:
    exchange.may_move = False
    client = exchange.client
    await client.read_ahead(READ_AHEAD_BYTES)
    if client.gone:
        return
    client.watch_soon()
    work = bridge.threads.submit(call)
    done = asyncio.wrap_future(work)
    try:
        await asyncio.shield(done)
    except asyncio.CancelledError:
        if not done.done() and not work.cancel():
            exchange.stop()
            with suppress(Exception, asyncio.CancelledError):
                await done
        raise


def _call_in_thread(wsgi: WSGIApp, environ: dict[str, Any], exchange: Exchange, response: Response) -> None:
    try:
        _call(wsgi, environ, exchange, response)
    except (SystemExit, KeyboardInterrupt) as error:
        raise _contained(error) from error


def _call(wsgi: WSGIApp, environ: dict[str, Any], exchange: Exchange, response: Response) -> None:
    """Call the WSGI application and send what it answers."""
    current_exchange.set(exchange)
    client = exchange.client
    result = wsgi(environ, response.start)
    try:
        for chunk in result:
            if chunk:
                response.write(chunk)
            if client.gone:
                return
        response.finish()
    finally:
        if (close := getattr(result, "close", None)) is not None:
            close()


def _refusal(reason: str) -> WSGIApp:
    """Answers 400 and ends the connection: what follows on it may be the rest of this request, or another."""

    def refuse(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        body = f"Bad Request: {reason}\n".encode()
        headers = [("Content-Type", "text/plain"), ("Content-Length", str(len(body))), ("Connection", "close")]
        start_response("400 Bad Request", headers)
        return [body]

    return refuse


def _contained(error: BaseException) -> RuntimeError:
    return RuntimeError(f"the application raised {type(error).__name__}, which would have ended the server")
