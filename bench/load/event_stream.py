"""What arrives on one server-sent-event stream, and when? One connection, from its connect to its end."""

import asyncio
from typing import Protocol, cast

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

from bench.load.client import BUFFER, VIEW, Exchange, clock_ns, kind_of
from bench.load.job import ErrorKind

__all__ = ["EventStream", "Owner"]

LINE_BYTES = 1_000_000  # a longer line is no event stream; without a bound it could fill the memory


class Owner(Protocol):
    """Is told when one of its streams is answered, has an event, or ends."""

    def opened(self) -> None: ...

    def event(self, stream: "EventStream", now_ns: int) -> None: ...

    def ended(self, stream: "EventStream", error: ErrorKind | None, detail: str) -> None: ...


class EventStream(asyncio.BufferedProtocol):
    """One connection, from its connect to the end of its only answer; `first_ns` and `last_ns`: when events came."""

    def __init__(self, owner: Owner, exchange: Exchange) -> None:
        self.begun_ns = self.first_ns = self.last_ns = self.events = 0
        self.over = False
        self._owner, self._exchange = owner, exchange
        self._transport: asyncio.Transport | None = None
        self._parser = HttpResponseParser(self)
        self._status = 0
        self._delimited = self._has_data = False
        self._unfinished = b""  # the beginning of a line
        self._now_ns = 0

    async def connect(self, loop: asyncio.AbstractEventLoop) -> None:
        self.begun_ns = clock_ns()
        try:
            await loop.create_connection(lambda: self, self._exchange.address, self._exchange.port)
        except OSError as error:
            self.end(kind_of(error), str(error))

    def end(self, error: ErrorKind | None, detail: str = "") -> None:
        """Closes the connection and tells the owner; a second call does nothing."""
        if self.over:
            return
        self.over = True
        if self._transport is not None:
            self._transport.abort()
        self._owner.ended(self, error, detail)

    # What the event loop calls:

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        if self.over:
            self._transport.abort()
        else:
            self._transport.write(self._exchange.request)

    def get_buffer(self, sizehint: int) -> bytearray:
        return BUFFER

    def buffer_updated(self, nbytes: int) -> None:
        self._now_ns = clock_ns()
        try:
            self._parser.feed_data(VIEW[:nbytes])
        except (HttpParserError, HttpParserUpgrade) as error:
            self.end("protocol", f"{type(error).__name__}: {error}")

    def eof_received(self) -> None:
        if self._status and not self._delimited:
            self.end(None)

    def connection_lost(self, exc: Exception | None) -> None:
        self.end("reset", str(exc or "the server closed the connection before the stream was complete"))

    # What the parser calls:

    def on_message_begin(self) -> None:
        self._status, self._delimited = 0, False

    def on_header(self, name: bytes, value: bytes) -> None:
        if name.lower() in (b"content-length", b"transfer-encoding"):
            self._delimited = True

    def on_headers_complete(self) -> None:
        status = self._parser.get_status_code()
        if status == 200:
            self._status = status
            self._owner.opened()
        elif status > 200:  # below, it is an interim answer
            self.end("bad_status", f"status {status}, expected 200")

    def on_body(self, data: bytes) -> None:
        first, *rest = data.split(b"\n")
        lines = [self._unfinished + first, *rest]
        self._unfinished = lines.pop()
        for line in lines:
            self._line(line.removesuffix(b"\r"))
        if len(self._unfinished) > LINE_BYTES:
            self.end("protocol", f"a line of more than {LINE_BYTES} bytes")

    def on_message_complete(self) -> None:
        if self._status:
            self.end(None)

    def _line(self, line: bytes) -> None:
        if line:
            self._has_data = self._has_data or line == b"data" or line.startswith(b"data:")
        elif self._has_data and not self.over:
            self._has_data = False
            self.events += 1
            self.first_ns = self.first_ns or self._now_ns
            self._owner.event(self, self._now_ns)
            self.last_ns = self._now_ns
