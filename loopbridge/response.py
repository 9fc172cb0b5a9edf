"""What does the application answer, is it HTTP, and how does it reach the client?"""

from __future__ import annotations

import asyncio
import functools
import re
from collections.abc import Callable
from typing import Any

from greenlet import getcurrent

from loopbridge.asgi import Message, Send
from loopbridge.exchange import Exchange
from loopbridge.greenlets import RequestGreenlet

_STATUS = re.compile(r"([2-5][0-9][0-9])(?: [^\x00-\x08\x0a-\x1f\x7f]*)?")  # 1xx is no response but comes before one
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110, section 5.6.2
_FORBIDDEN = re.compile(r"[\0\r\n]")  # RFC 9110, section 5.5
_CLOSED = "the handler is closed"  # uvloop says so if the client has left; asyncio drops such writes
# A larger body goes to the server in pieces. It buffers all that it is given at once, and only then makes `send` wait,
# so that a client that reads slowly would take as much memory as its answer is long. Half of this costs 15 µs more for
# every 128 KiB; twice as much, or four times, saves less than that.
PIECE_BYTES = 128 * 1024


class Response:
    """One response, from `start_response` to its last byte."""

    __slots__ = ("bodiless", "client", "exchange", "head", "remaining", "rest", "send", "started", "to_head")
    head: Message | None
    remaining: int  # bytes that Content-Length still allows; -1 without one
    rest: bytes  # the end of a large body, which its thread leaves to the request's task

    def __init__(self, exchange: Exchange, send: Send, to_head: bool) -> None:
        self.exchange, self.client, self.send, self.to_head = exchange, exchange.client, send, to_head
        self.head, self.started, self.rest = None, False, b""

    def start(self, status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Callable[[bytes], None]:
        """`start_response` of PEP 3333. Raises ValueError for what servers would send as broken HTTP, or fail at."""
        if exc_info is not None and self.started:
            raise exc_info[1].with_traceback(exc_info[2])
        if exc_info is None and self.head is not None:
            raise AssertionError("start_response was called a second time without exc_info (PEP 3333)")
        code = _code(status)
        pairs = []
        self.remaining = -1
        for name, value in headers:
            key = _field_name(name)
            if type(value) is not str or not value.isprintable():
                _check_value(name, value)
            if key == b"content-length":
                self.remaining = _length(value)
            pairs.append((key, value.encode("latin-1")))
        self.head = {"type": "http.response.start", "status": code, "headers": pairs}
        self.bodiless = code in (204, 304) or self.to_head
        return self.write

    def write(self, chunk: bytes) -> None:
        if self.head is None:
            raise AssertionError("the body began before start_response was called (PEP 3333)")
        if self.bodiless or self.rest or self.client.answered or self.client.gone:
            return
        if self.remaining >= 0:
            chunk = chunk[: self.remaining]
            self.remaining -= len(chunk)
        if len(chunk) <= PIECE_BYTES:
            self.exchange.on_server(self._respond(chunk, self.remaining != 0))
        elif self.remaining == 0 and type(getcurrent()) is not RequestGreenlet:
            self.rest = chunk  # whoever reads it slowly does not hold a thread
        else:
            self.exchange.on_server(self._respond_in_pieces(chunk, self.remaining != 0))

    def finish(self) -> None:
        if self.head is None:
            raise AssertionError("the application ended without start_response (PEP 3333)")
        if not self.client.answered and not self.rest:
            self.exchange.on_server(self._respond(b"", False))

    async def send_rest(self) -> None:
        """Send what the thread has left, if anything."""
        rest, self.rest = self.rest, b""
        if rest:
            await self._respond_in_pieces(rest, False)

    async def _respond_in_pieces(self, chunk: bytes, more: bool) -> None:
        for start in range(0, len(chunk), PIECE_BYTES):
            end = start + PIECE_BYTES
            await self._respond(chunk[start:end], more or end < len(chunk))
            if self.client.gone:
                return

    async def _respond(self, chunk: bytes, more: bool) -> None:
        client = self.client
        client.answered = not more
        try:
            if not self.started:
                self.started = True
                await self.send(self.head)  # type: ignore[arg-type]
            await self.send({"type": "http.response.body", "body": chunk, "more_body": more})
        except OSError:  # how a server says that the client has left (ASGI HTTP 2.4)
            client.gone = True
        except RuntimeError as error:
            if _CLOSED not in str(error):
                raise
            client.gone = True
        if more:
            client.watch_soon()
            await asyncio.sleep(0)  # `send` need not wait, and a fast body would leave the loop to nobody else


@functools.lru_cache(maxsize=1024)
def _code(status: str) -> int:
    if not isinstance(status, str) or (match := _STATUS.fullmatch(status)) is None:
        raise ValueError(f"the response's status is {status!r}; it has to be like '200 OK', from 200 to 599 (PEP 3333)")
    return int(match[1])


@functools.lru_cache(maxsize=1024)
def _field_name(name: str) -> bytes:
    if not isinstance(name, str) or _TOKEN.fullmatch(name) is None:
        raise ValueError(f"{name!r} is no name of a header (RFC 9110, section 5.1)")
    return name.lower().encode()


def _check_value(name: str, value: object) -> None:
    if not isinstance(value, str) or _FORBIDDEN.search(value):
        raise ValueError(f"the header {name} is {value!r}; it has to be a str without CR, LF and NUL (PEP 3333)")


def _length(value: str) -> int:
    if not (value.isascii() and value.isdecimal()):
        raise ValueError(f"the header Content-Length is {value!r}; it has to be a number of bytes")
    return int(value)
