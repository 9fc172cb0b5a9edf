"""What happens to one request, from ASGI's call to the end of WSGI's?"""

from __future__ import annotations

import asyncio
import io
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from loopbridge.asgi import Receive, Scope, Send, WSGIApp
from loopbridge.body import Input
from loopbridge.client import Client
from loopbridge.environ import BadRequest, has_body, make_environ
from loopbridge.exchange import KEY, Exchange, current_exchange
from loopbridge.flask_hooks import NeedsThread
from loopbridge.greenlets import drive
from loopbridge.response import Response

if TYPE_CHECKING:
    from loopbridge.bridge import LoopBridge

READ_AHEAD_BYTES = 256 * 1024  # of a body, before its request takes a thread: most forms and JSON are smaller


class Request:
    """One request: on the loop in a greenlet, in a thread, or begun on the loop and made again in a thread."""

    def __init__(self, bridge: LoopBridge, scope: Scope, receive: Receive, send: Send) -> None:
        self.bridge, self.scope = bridge, scope
        self.wsgi = bridge.wsgi
        self.environ: dict[str, Any] = {}
        self.client = client = Client(bridge, receive)
        self.exchange = Exchange(client, bridge.threaded)
        self.response = Response(self.exchange, send, scope["method"])
        self.context = client.origin.copy()

    async def run(self) -> None:
        client = self.client
        try:
            to_thread = self.bridge.threaded and not self.bridge.flask
            if not to_thread:
                self.prepare()
                try:
                    await drive(self.call, self.context, client.watch_soon)
                except NeedsThread:
                    to_thread = True
            if to_thread:
                await self.run_in_thread()
        except asyncio.CancelledError:
            if not client.gone or client.cancelled_by_server():
                raise  # the server's own wish; but where the client has left, there is nobody to tell
        except SystemExit as error:
            raise _contained(error) from error
        finally:
            client.forget()

    def prepare(self) -> bool:
        """Make the call's environ; whether the request has a body."""
        client, exchange = self.client, self.exchange
        try:
            self.environ = environ = make_environ(self.scope, self.bridge.threaded)
        except BadRequest as error:
            self.wsgi, self.environ = _refusal(str(error)), {}
            return False
        environ[KEY] = exchange
        if has_body(environ):
            environ["wsgi.input"] = io.BufferedReader(Input(exchange))
            client.unasked = "HTTP_EXPECT" in environ
            return True
        environ["wsgi.input"] = io.BytesIO()
        return False

    async def run_in_thread(self) -> None:
        self.exchange.may_move = False
        if self.prepare() and not self.client.unasked:
            await self.client.read_ahead(READ_AHEAD_BYTES)
            if self.client.gone:
                return
        work = self.bridge.threads.submit(self.context.run, self.call_in_thread)
        self.client.watch_soon()
        done = asyncio.wrap_future(work)
        try:
            await asyncio.shield(done)
        except asyncio.CancelledError:
            if not done.done() and not work.cancel():
                self.exchange.stop()
                with suppress(Exception, asyncio.CancelledError):
                    await done
            raise

    def call_in_thread(self) -> None:
        try:
            self.call()
        except (SystemExit, KeyboardInterrupt) as error:
            raise _contained(error) from error

    def call(self) -> None:
        """Call the WSGI application and send what it answers."""
        current_exchange.set(self.exchange)
        response = self.response
        result = self.wsgi(self.environ, response.start)
        try:
            for chunk in result:
                if chunk:
                    response.write(chunk)
                if self.client.gone:
                    return
            response.finish()
        finally:
            if (close := getattr(result, "close", None)) is not None:
                close()


def _refusal(reason: str) -> WSGIApp:
    """400, and the connection ends: what follows on it may be the rest of this request, or another."""

    def refuse(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        body = f"Bad Request: {reason}\n".encode()
        headers = [("Content-Type", "text/plain"), ("Content-Length", str(len(body))), ("Connection", "close")]
        start_response("400 Bad Request", headers)
        return [body]

    return refuse


def _contained(error: BaseException) -> RuntimeError:
    return RuntimeError(f"the application raised {type(error).__name__}, which would have ended the server")
