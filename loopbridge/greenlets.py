"""How does synchronous code wait for a coroutine without holding its thread?

It runs in a greenlet, a second stack in the same thread. `drive` starts it from the loop and is awaited there; `step`
runs a coroutine inside it, and switches to `drive` with each future that the coroutine waits for.
"""

from __future__ import annotations

import asyncio
import contextvars
import functools
import threading
import types
from collections.abc import Awaitable, Callable, Coroutine, Generator
from typing import Any

from greenlet import getcurrent, greenlet


class RequestGreenlet(greenlet):
    """Runs synchronous code in the request's context, which is shared and not copied: what a hook sets, a view sees.

    It serves one request after the other: for each new one CPython maps 16 KiB of frames, which costs 8 µs.
    """

    __sqlalchemy_greenlet_provider__ = True  # SQLAlchemy's await_only() then hands its awaitables to our parent
    parent: Any  # the greenlet of the loop: whoever drives us
    result: Any = None

    def run(self) -> None:
        work = self.parent.switch()
        while True:
            self.result = work()
            del work  # nothing of a request is kept
            work = self.parent.switch(DONE)


class _Idle(threading.local):  # a greenlet cannot change its thread
    def __init__(self) -> None:
        self.greenlets: list[RequestGreenlet] = []
        keep_main_greenlet()


_main_greenlets: list[Any] = []


def keep_main_greenlet() -> None:
    """Keep the main greenlet of this thread for good: greenlet may free it when the thread ends, while it is in use.

    When a thread has ended and one reference to its main greenlet is left that `gc.get_referrers()` does not find,
    greenlet 3.5.6 drops that reference. `get_referrers()` misses the frames of a traceback that is being collected, and
    the collection then follows a dangling pointer; tests/loopbridge/greenlet_freed_in_use.py shows it without our code.
    With two more references greenlet does not search; a search takes as long as a full collection for each thread.
    A few hundred bytes stay for each thread that has run requests or their loop.
    """
    _main_greenlets.extend([getcurrent()] * 2)


DONE = object()
_idle = _Idle()
_MAX_IDLE = 1024  # 20 MB at most, and only where so many requests have waited at once


def step(coroutine: Coroutine[Any, Any, Any]) -> Any:
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
def drive(
    work: Callable[[], Any], context: contextvars.Context | None, on_wait: Callable[[], None] | None = None
) -> Generator[Any, Any, Any]:
    """Await synchronous code from the loop: it switches here with what it has to wait for, and is resumed with that."""
    idle = _idle.greenlets
    if idle:
        runner = idle.pop()
    else:
        runner = RequestGreenlet()
        runner.switch()
    runner.parent, runner.gr_context = getcurrent(), context
    wanted = runner.switch(work)
    while wanted is not DONE:
        try:
            if type(wanted) is not tuple:  # from SQLAlchemy: await it in the request's context, where step waits for it
                result = yield from drive(functools.partial(step, _await(wanted)), context, on_wait)
            elif wanted[0]:  # from step: a future, for our task to wait for
                if on_wait is not None:
                    on_wait()
                result = yield wanted[1]
            else:  # from Exchange.on_server: await it in the server's context
                result = yield from wanted[1]
        except BaseException as error:
            wanted = runner.throw(error)
        else:
            wanted = runner.switch(result)
    result, runner.result, runner.gr_context = runner.result, None, None
    if len(idle) < _MAX_IDLE:
        idle.append(runner)
    return result


def on_loop() -> bool:
    """Whether this thread runs an event loop at the moment."""
    try:
        return asyncio.get_running_loop() is not None
    except RuntimeError:
        return False
