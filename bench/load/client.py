"""How does one request become one answer, or one error, on one socket?

A Connection lives as long as its socket and carries at most one request at a time. All connections receive into one
fixed buffer (the loop fills it and hands it over in one step), so 5,000 connections need no larger buffer than one, and
nothing is allocated for a read.
"""

import asyncio
import errno
import time
from typing import Protocol, cast

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

from bench.load.job import ErrorKind, LoadJob

__all__ = ["Connection", "Exchange", "Owner", "kind_of"]

BUFFER = bytearray(65_536)  # what the kernel hands over at once on loopback; longer answers take several reads
VIEW = memoryview(BUFFER)

NO_SOCKET = {errno.EADDRNOTAVAIL, errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}

clock_ns = time.monotonic_ns


class Owner(Protocol):
    """A connection tells it how its request ended, and when the connection itself has ended."""

    def finished(self, connection: "Connection", now_ns: int, error: ErrorKind | None, detail: str) -> None: ...

    def closed(self, connection: "Connection", *, idle: bool) -> None: ...


class Exchange:
    """What is sent, what is to come back, and the last good answer as it came.

    A good answer that arrived in one piece is remembered; the same bytes again are the same answer and need not be
    parsed again. That spares the generator a good part of its work and changes nothing in what is checked.
    """

    def __init__(self, job: LoadJob, address: str) -> None:
        self.address, self.port = address, job.port
        self.request = _request(job)
        self.keep_alive = job.keep_alive
        self.received_bytes = 0
        self.known = b""
        self.known_bytes = -1
        self._status = job.expect_status
        self._body = job.expect_body
        self._body_bytes = job.expect_body_bytes
        self.keeps_body = job.expect_body is not None

    def verdict(self, status: int, body: bytes, body_bytes: int) -> tuple[ErrorKind | None, str]:
        if status != self._status:
            return "bad_status", f"status {status}, expected {self._status}"
        if self._body is not None and body != self._body:
            return "wrong_body", f"body {body[:80]!r} of {body_bytes} bytes, expected {self._body[:80]!r}"
        if self._body_bytes is not None and body_bytes != self._body_bytes:
            return "wrong_body", f"body of {body_bytes} bytes, expected {self._body_bytes}"
        return None, ""

    def learn(self, nbytes: int) -> None:
        self.known, self.known_bytes = bytes(VIEW[:nbytes]), nbytes


class Connection(asyncio.BufferedProtocol):
    """One socket; `status` is that of the answer to the last request, 0 before it is known."""

    def __init__(self, owner: Owner, exchange: Exchange) -> None:
        self.busy = self.open = False
        self.intended_ns = self.sent_ns = 0
        self.status = 0
        self._owner, self._exchange = owner, exchange
        self._transport: asyncio.Transport | None = None
        self._connecting: asyncio.Task[None] | None = None
        self._untouched = False  # a request was sent, and no byte of its answer has arrived
        self._complete = self._delimited = self._reusable = self._surplus = False
        self._body: list[bytes] = []
        self._body_bytes = 0
        self._parser = HttpResponseParser(self)
        self._feed = self._parser.feed_data

    def connect(self, loop: asyncio.AbstractEventLoop) -> "asyncio.Task[None]":
        self._connecting = loop.create_task(self._connect(loop))
        return self._connecting

    def send(self, intended_ns: int, now_ns: int) -> None:
        """Sends the request, as soon as there is a connection."""
        self.intended_ns, self.sent_ns = intended_ns, now_ns
        self.status = 0
        self.busy = self._untouched = True
        if self.open:
            self._transport.write(self._exchange.request)  # type: ignore[union-attr]  # open implies a transport

    def fail(self, now_ns: int, kind: ErrorKind, detail: str) -> None:
        """Gives up the request under way, and closes the connection."""
        self._end(now_ns, kind, detail, reusable=False)

    def abort(self) -> None:
        """Closes without telling the owner."""
        self.busy = self.open = False
        if self._connecting is not None:
            self._connecting.cancel()
        if self._transport is not None:
            self._transport.abort()

    async def _connect(self, loop: asyncio.AbstractEventLoop) -> None:
        try:
            await loop.create_connection(lambda: self, self._exchange.address, self._exchange.port)
        except OSError as error:
            self._connecting = None
            if self.busy:
                self.fail(clock_ns(), kind_of(error), str(error))
            else:
                self._owner.closed(self, idle=False)
        else:
            self._connecting = None

    # What the event loop calls:

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's lacks only the base class
        # uvloop holds writes back until the end of its iteration; with 0 they are sent at the time noted for them.
        self._transport.set_write_buffer_limits(high=0)
        self.open = True
        if self.busy:
            self._transport.write(self._exchange.request)

    def get_buffer(self, sizehint: int) -> bytearray:
        return BUFFER

    def buffer_updated(self, nbytes: int) -> None:
        now_ns = clock_ns()
        exchange = self._exchange
        exchange.received_bytes += nbytes
        if self._untouched and nbytes == exchange.known_bytes and BUFFER.startswith(exchange.known):
            self.busy = self._untouched = False
            self._owner.finished(self, now_ns, None, "")
        elif self.busy:
            self._parse(nbytes, now_ns)
        else:
            self._drop(idle=True)  # no request is under way: a server may send a last message before it closes

    def eof_received(self) -> None:
        if self.busy and self.status and not self._delimited:
            self._answered(clock_ns(), 0, reusable=False)

    def connection_lost(self, exc: Exception | None) -> None:
        if self.busy:
            self.fail(
                clock_ns(), "reset", str(exc or "the server closed the connection before the answer was complete")
            )
        elif self.open:
            self._drop(idle=True)

    # What the parser calls:

    def on_message_begin(self) -> None:
        self._surplus = self._complete
        self.status = self._body_bytes = 0
        self._delimited = False
        self._body.clear()

    def on_header(self, name: bytes, value: bytes) -> None:
        if name.lower() in (b"content-length", b"transfer-encoding"):
            self._delimited = True

    def on_headers_complete(self) -> None:
        status = self._parser.get_status_code()
        self.status = status if status >= 200 else 0

    def on_body(self, data: bytes) -> None:
        self._body_bytes += len(data)
        if self._exchange.keeps_body:
            self._body.append(data)

    def on_message_complete(self) -> None:
        self._complete = self.status >= 200  # else it was an interim answer such as 100 Continue
        self._reusable = self._parser.should_keep_alive()

    def _parse(self, nbytes: int, now_ns: int) -> None:
        in_one_piece, self._untouched = self._untouched, False
        try:
            self._feed(VIEW[:nbytes])
        except (HttpParserError, HttpParserUpgrade) as error:
            self.fail(now_ns, "protocol", f"{type(error).__name__}: {error}")
            return
        if self._surplus:
            self.fail(now_ns, "protocol", "more than one answer to one request")
        elif self._complete:
            self._answered(now_ns, nbytes if in_one_piece else 0, reusable=self._reusable and self._exchange.keep_alive)

    def _answered(self, now_ns: int, learnable_bytes: int, *, reusable: bool) -> None:
        error, detail = self._exchange.verdict(self.status, b"".join(self._body), self._body_bytes)
        if learnable_bytes and reusable and error is None:
            self._exchange.learn(learnable_bytes)
        self._end(now_ns, error, detail, reusable=reusable)

    def _end(self, now_ns: int, error: ErrorKind | None, detail: str, *, reusable: bool) -> None:
        self.busy = self._untouched = self._complete = self._surplus = False
        if not reusable:
            self._drop(idle=False)
        self._owner.finished(self, now_ns, error, detail)

    def _drop(self, *, idle: bool) -> None:
        self.abort()
        self._owner.closed(self, idle=idle)


def kind_of(error: OSError) -> ErrorKind:
    """The kind of error that a failed connect counts as."""
    if isinstance(error, ConnectionResetError | ConnectionAbortedError | BrokenPipeError):
        return "reset"
    if isinstance(error, TimeoutError):
        return "timeout"
    return "no_socket" if error.errno in NO_SOCKET else "refused"


def _request(job: LoadJob) -> bytes:
    host = f"[{job.host}]" if ":" in job.host else job.host
    headers = {"host": ("Host", f"{host}:{job.port}")}
    if job.body is not None:
        headers["content-length"] = ("Content-Length", str(len(job.body)))
    if not job.keep_alive:
        headers["connection"] = ("Connection", "close")
    headers |= {name.lower(): (name, value) for name, value in job.headers}
    lines = [f"{job.method} {job.path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.values())]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + (job.body or b"")
