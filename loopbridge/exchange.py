"""How does a request's synchronous code wait for the server: from its greenlet on the loop, or from its thread?"""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import CancelledError as ThreadCancelled
from typing import Any

from greenlet import getcurrent

from loopbridge.client import Client
from loopbridge.greenlets import RequestGreenlet, on_loop

KEY = "loopbridge"  # in a request's environ
current_exchange: contextvars.ContextVar[Exchange] = contextvars.ContextVar("loopbridge")


class Exchange:
    """What WSGI's side of a request knows of ASGI's: its client, and how to have something awaited on the loop."""

    __slots__ = ("client", "jobs", "may_move", "stopping")

    def __init__(self, client: Client, may_move: bool) -> None:
        self.client = client
        self.may_move = may_move  # to a thread, if Flask finds a synchronous view
        self.stopping = False  # the thread is to stop, because the client has left or the server stops
        self.jobs: list[asyncio.Task[Any]] = []

    def on_server(self, call: Coroutine[Any, Any, Any]) -> Any:
        """Wait for a coroutine that calls the server, run in the server's context."""
        here = getcurrent()
        if type(here) is RequestGreenlet:
            return here.parent.switch(False, call)
        if on_loop():
            call.close()
            raise RuntimeError("A task of its own cannot wait for the request's body; read it before starting the task")
        return self.from_thread(lambda: call)

    def from_thread(self, call: Callable[[], Awaitable[Any]]) -> Any:
        """Have what the call returns awaited on the loop, in a task of its own, and wait for it in the thread."""
        client = self.client
        try:
            context = client.origin.copy()  # type: ignore[union-attr]
            result, error = context.run(asyncio.run_coroutine_threadsafe, self._job(call), client.loop).result()
        except ThreadCancelled:
            raise asyncio.CancelledError from None
        if error is not None:
            raise error
        return result

    async def _job(self, call: Callable[[], Awaitable[Any]]) -> tuple[Any, BaseException | None]:
        """The call's result; SystemExit and KeyboardInterrupt as values, since raised in a task they end the loop."""
        task: Any = asyncio.current_task()
        self.jobs.append(task)
        self.client.watch_soon()
        if self.stopping:
            task.cancel()
        try:
            return await call(), None
        except (SystemExit, KeyboardInterrupt) as error:
            return None, error
        finally:
            self.jobs.remove(task)

    def stop(self) -> None:
        """Cancel what the thread waits for, now and from now on: a thread by itself cannot be interrupted."""
        self.stopping = True
        for job in self.jobs:
            job.cancel()
