"""What comes back when several requests are sent at the same moment, each on a connection of its own?

All connections are made first. Then the requests, prepared as bytes, are written one right after the other: within
some 0.1 ms, where a client that connects and builds each on its way would have the first answer before the last
request is sent. Only so do views overlap that take a few milliseconds.
"""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass

import h11

__all__ = ["Received", "send_together"]

READ_BYTES = 65_536
HEAD_LIMIT_BYTES = 65_536
BODY_LIMIT_BYTES = 64 * 2**20


class CutOff(Exception):
    """The answer did not arrive; the message says how, without a word of it."""


@dataclass(frozen=True, kw_only=True)
class Received:
    """An answer as it came, or why there is none. The times are `time.monotonic`'s."""

    status: int | None = None
    headers: tuple[tuple[bytes, bytes], ...] = ()
    body: bytes = b""
    failure: str = ""
    sent_s: float
    done_s: float


def send_together(host: str, port: int, requests: Sequence[h11.Request], bodies: Sequence[bytes],
                  timeout_s: float) -> list[Received]:  # fmt: skip
    """Send them all at once; give their answers in the same order.

    It is over once nothing has been answered for `timeout_s`: a server that takes one request at a time needs longer
    for all of them together, and hangs no more than one that takes all at once.
    """
    return asyncio.run(_send_together(host, port, [Outgoing(*each) for each in zip(requests, bodies, strict=True)],
                                      timeout_s))  # fmt: skip


class Outgoing:
    """A request and its connection."""

    def __init__(self, request: h11.Request, body: bytes) -> None:
        self.state = h11.Connection(h11.CLIENT, max_incomplete_event_size=HEAD_LIMIT_BYTES)
        self.bytes = b"".join(
            self.state.send(event) or b"" for event in (request, h11.Data(data=body), h11.EndOfMessage())
        )
        self.sent_s = time.monotonic()
        self.failure = ""

    async def connect(self, host: str, port: int, timeout_s: float) -> None:
        """Make the connection; if there is none, there will be no answer."""
        try:
            async with asyncio.timeout(timeout_s):
                self.reader, self.writer = await asyncio.open_connection(host, port)
        except TimeoutError:
            self.failure = f"no connection within {timeout_s:g} s"
        except OSError:
            self.failure = "the connection was refused"

    def send(self) -> None:
        """Write the request."""
        self.sent_s = time.monotonic()
        if not self.failure:
            self.writer.write(self.bytes)

    async def answer(self) -> Received:
        """The whole answer, or what became of it; the connection is closed then.

        gunicorn's sync worker takes no other request until the client has closed, for up to two seconds: it lingers, as
        RFC 9112, 9.6, asks it to (`gunicorn.util.close_graceful`).
        """
        if self.failure:
            return self.failed(self.failure)
        try:
            head, body = await self.receive()
        except CutOff as cut_off:
            return self.failed(str(cut_off))
        except OSError:
            return self.failed("the connection was reset before the answer was complete")
        finally:
            self.writer.close()
        return Received(
            status=head.status_code,
            headers=tuple((name.lower(), value) for name, value in head.headers),
            body=body,
            sent_s=self.sent_s,
            done_s=time.monotonic(),
        )

    async def receive(self) -> tuple[h11.Response, bytes]:
        """The head and the body. Raises CutOff, whose words hold nothing of what came."""
        head: h11.Response | None = None
        body = bytearray()
        while True:
            event = await self.next_event(head is not None)
            if isinstance(event, h11.Response):
                head = event
            elif isinstance(event, h11.Data):
                body += event.data
                if len(body) > BODY_LIMIT_BYTES:
                    raise CutOff(f"the answer has more than {BODY_LIMIT_BYTES >> 20} MiB")
            elif isinstance(event, h11.EndOfMessage) and head is not None:
                return head, bytes(body)

    async def next_event(self, begun: bool) -> object:
        """The next part of the answer. Raises CutOff."""
        while True:
            try:
                event = self.state.next_event()
                if event is not h11.NEED_DATA:
                    return event
                data = await self.reader.read(READ_BYTES)
                self.state.receive_data(data)
            except h11.RemoteProtocolError:
                raise CutOff(self.broken(begun)) from None
            if not data and not begun:
                raise CutOff("the server closed the connection without an answer")

    def broken(self, begun: bool) -> str:
        """How an answer ended that h11 cannot read."""
        ended = self.state.trailing_data[1]
        return "the connection was closed before the answer was complete" if ended and begun else "no valid HTTP came"

    def failed(self, why: str) -> Received:
        """No answer."""
        return Received(failure=why, sent_s=self.sent_s, done_s=time.monotonic())

    def close(self) -> None:
        """Closes the connection, if there is one."""
        if hasattr(self, "writer"):
            self.writer.close()


async def _send_together(host: str, port: int, all_of_them: Sequence[Outgoing], timeout_s: float) -> list[Received]:
    try:
        await asyncio.gather(*(one.connect(host, port, timeout_s) for one in all_of_them))
        for one in all_of_them:
            one.send()
        tasks = [asyncio.create_task(one.answer()) for one in all_of_them]
        await _all_or_none_for(timeout_s, tasks)
        unanswered = f"no answer within {timeout_s:g} s"
        return [
            one.failed(unanswered) if task.cancelled() else task.result()
            for one, task in zip(all_of_them, tasks, strict=True)
        ]
    finally:
        for one in all_of_them:
            one.close()


async def _all_or_none_for(timeout_s: float, tasks: Sequence["asyncio.Task[Received]"]) -> None:
    """Wait until all are done, or none has been for that long."""
    waiting = set(tasks)
    while waiting:
        done, waiting = await asyncio.wait(waiting, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
        if not done:
            break
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
