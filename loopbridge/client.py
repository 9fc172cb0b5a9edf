"""Is the client still there, and what has it sent?

A server says that a client went away only to a task that receives. That costs time, so only long waits do it.
"""

from __future__ import annotations

import asyncio
import contextvars
from typing import TYPE_CHECKING, Any

from loopbridge.asgi import Message, Receive

if TYPE_CHECKING:
    from loopbridge.bridge import LoopBridge

PATIENCE_S = 0.25  # a task that receives costs 20 µs a request, which requests that are answered sooner are spared


class Waiting:
    """The clients that wait on one loop, by age: a single timer for all, since one for each costs 5 µs a request."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.young: set[Client] = set()
        self.old: set[Client] = set()
        self.timer: asyncio.TimerHandle | None = None

    def add(self, client: Client) -> None:
        self.young.add(client)
        if self.timer is None:
            self.timer = self.loop.call_later(PATIENCE_S, self.grow_older, context=contextvars.Context())

    def discard(self, client: Client) -> None:
        self.young.discard(client)
        self.old.discard(client)

    def grow_older(self) -> None:
        """Make the young clients old, and watch those that were old: they have waited once or twice `PATIENCE_S`."""
        patient, self.old, self.young = self.old, self.young, set()
        self.timer = None
        if self.old:
            self.timer = self.loop.call_later(PATIENCE_S, self.grow_older)
        for client in patient:
            client.origin.run(client.watch)  # type: ignore[union-attr]


class Client:
    """Who sent a request, as its task on the loop sees it."""

    __slots__ = (
        "answered", "bridge", "cancelled", "expects", "gone", "inbox", "loop", "origin", "reading", "receive",
        "receiving", "sends", "task", "waiting",
    )  # fmt: skip
    origin: contextvars.Context | None
    loop: asyncio.AbstractEventLoop  # this and the next are known with `origin`
    task: asyncio.Task[Any]
    waiting: Waiting | None
    receiving: asyncio.Future[Message] | None

    def __init__(self, bridge: LoopBridge, receive: Receive) -> None:
        self.bridge, self.receive = bridge, receive
        self.origin = self.waiting = self.receiving = None
        self.inbox: list[Message] = []
        self.sends = False  # the client sends a body; the application may not have asked for it yet
        self.expects = False  # it sends the body only after 100 Continue, which receiving makes the server send
        self.reading = False  # the application waits for the server's next message
        self.answered = False  # the response is complete
        self.gone = False
        self.cancelled = False  # we cancelled the task, because the client is gone

    def watch_soon(self) -> None:
        """Look after a while whether the client is still there. The first time, this is called in the server's context.

        That context is kept for all receiving later, and the application runs in a copy. Else what a request sets leaks
        into its connection's next one, which the server starts from inside `send`, or from a socket callback that
        `receive` registers (Kludex/uvicorn#2167, python/cpython#140947).
        """
        if self.waiting is not None or self.receiving is not None:
            return
        if self.origin is None:
            self.origin = contextvars.copy_context()
            self.loop = asyncio.get_running_loop()
            self.task = asyncio.current_task(self.loop)  # type: ignore[assignment]
        waiting = self.bridge.waiting
        if waiting is None or waiting.loop is not self.loop:
            waiting = self.bridge.waiting = Waiting(self.loop)
        waiting.add(self)
        self.waiting = waiting

    def watch(self) -> None:
        self.waiting = None
        if self.receiving is None and not self.reading and not self.expects:
            self.receiving = asyncio.ensure_future(self.receive())
            self.receiving.add_done_callback(self._received)

    def _received(self, receiving: asyncio.Future[Message]) -> None:
        if receiving.cancelled():
            return
        self.receiving = None
        message = receiving.result()
        if message["type"] != "http.disconnect":
            self.inbox.append(message)
            if not message.get("more_body"):  # else stop one message ahead: the application must ask for more
                self.watch()
        elif not self.answered:  # servers send a disconnect after each response too
            self.gone = True
            if self.bridge.cancel_on_disconnect:
                self.cancelled = self.task.cancel()

    def cancelled_by_server(self) -> bool:
        """Whether somebody else has cancelled the request's task, which calls this."""
        task = asyncio.current_task()
        return task is not None and task.cancelling() > self.cancelled

    def forget(self) -> None:
        """The request has ended."""
        if self.cancelled:
            self.task.uncancel()
        if self.waiting is not None:
            self.waiting.discard(self)
        if self.receiving is not None:
            self.receiving.cancel()

    async def next_message(self) -> Message:
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

    async def read_ahead(self, limit_bytes: int) -> None:
        """Wait until the body is whole or has so many bytes, and keep that for the application."""
        if not self.sends or self.expects:
            return
        body, more = bytearray(), True
        while more and len(body) < limit_bytes:
            message = await self.next_message()
            if message["type"] == "http.disconnect":
                self.gone = True
                return
            body += message.get("body", b"")
            more = message.get("more_body", False)
        self.inbox.insert(0, {"type": "http.request", "body": bytes(body), "more_body": more})
