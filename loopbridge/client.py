"""Is the client still there, and what has it sent?

Only receiving tells that a client went away, and only requests that wait for long have to know.
"""

from __future__ import annotations

import asyncio
import contextvars
from typing import TYPE_CHECKING

from loopbridge.asgi import Message, Receive

if TYPE_CHECKING:
    from loopbridge.bridge import LoopBridge

PATIENCE_S = 0.25  # a task that receives costs 20 µs a request: those that are answered sooner do without


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
        """Twice in a request's life: from young to old, and then it has been patient for once or twice that time."""
        patient, self.old, self.young = self.old, self.young, set()
        self.timer = None
        if self.old:
            self.timer = self.loop.call_later(PATIENCE_S, self.grow_older)
        for client in patient:
            client.origin.run(client.watch)


class Client:
    """Who sent a request, as its task on the loop sees it."""

    waiting: Waiting | None = None
    receiving: asyncio.Future[Message] | None = None
    reading = False  # the application waits for the server's next message
    unasked = False  # it waits for 100 Continue, and receiving is what sends that
    answered = False  # the response is complete
    gone = False
    cancelled = False  # our task, because the client is gone

    def __init__(self, bridge: LoopBridge, receive: Receive) -> None:
        self.bridge, self.receive = bridge, receive
        self.inbox: list[Message] = []
        # The application gets a copy of the task's context, and the server is only ever called in the original. Else
        # what a request sets leaks into its connection's next one, which the server starts from inside `send`, or from
        # a socket callback that `receive` registers (Kludex/uvicorn#2167, python/cpython#140947).
        self.origin = contextvars.copy_context()
        self.loop = asyncio.get_running_loop()
        self.task = asyncio.current_task(self.loop)

    def watch_soon(self) -> None:
        if self.waiting is None and self.receiving is None:
            waiting = self.bridge.waiting
            if waiting is None or waiting.loop is not self.loop:
                waiting = self.bridge.waiting = Waiting(self.loop)
            waiting.add(self)
            self.waiting = waiting

    def watch(self) -> None:
        self.waiting = None
        if self.receiving is None and not self.reading and not self.unasked:
            self.receiving = asyncio.ensure_future(self.receive())
            self.receiving.add_done_callback(self._received)

    def _received(self, receiving: asyncio.Future[Message]) -> None:
        if receiving.cancelled():
            return
        self.receiving = None
        message = receiving.result()
        if message["type"] != "http.disconnect":
            self.inbox.append(message)
            if not message.get("more_body"):  # else one message ahead and no further: the application is to ask for it
                self.watch()
        elif not self.answered:  # servers say so after each response too
            self.gone = True
            if self.bridge.cancel_on_disconnect and self.task is not None:
                self.cancelled = self.task.cancel()

    def cancelled_by_server(self) -> bool:
        return self.task is not None and self.task.cancelling() > self.cancelled

    def forget(self) -> None:
        """The request has ended."""
        if self.cancelled and self.task is not None:
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
        body, more = bytearray(), True
        while more and len(body) < limit_bytes:
            message = await self.next_message()
            if message["type"] == "http.disconnect":
                self.gone = True
                return
            body += message.get("body", b"")
            more = message.get("more_body", False)
        self.inbox.insert(0, {"type": "http.request", "body": bytes(body), "more_body": more})
