"""How do several generators begin at the same moment, though nobody has compared their clocks?

Each says "ready" when it could begin. When all have, each is told "go" and a time of its own clock. Whoever tells them
knows by how much the clocks differ: see bench/load/together.py.
"""

import asyncio
from collections.abc import Callable

from bench.load.client import clock_ns
from bench.load.timer import Timer

__all__ = ["END", "CommonStart"]

END = "end"


class CommonStart:
    """The start of one of several generators; `say` is how it tells that it is ready."""

    def __init__(self, loop: asyncio.AbstractEventLoop, say: Callable[[str, str], None]) -> None:
        self._loop, self._say = loop, say
        self._timer = Timer(loop, self._begin)
        self._at_ns = 0
        self._begun: asyncio.Future[int] = loop.create_future()
        self.told: asyncio.Queue[str] = asyncio.Queue()
        """What else it is told."""

    def heard(self, line: str) -> None:
        """It is told this."""
        kind, _, text = line.partition(" ")
        if kind == "go":
            self._at_ns = int(text)
            self._timer.arm(self._at_ns)
        else:
            self.told.put_nowait(line)

    async def wait(self, about: str = "") -> int:
        """Say that it is ready, and wait; gives the common time, which may be over already."""
        if not self._begun.done():  # else it has been released
            self._say("ready", about)
        at_ns = await self._begun
        self._begun = self._loop.create_future()
        return at_ns

    def release(self) -> None:
        """Begin now, and end, because the load is stopped."""
        self.told.put_nowait(END)
        if not self._begun.done():
            self._begun.set_result(clock_ns())

    def close(self) -> None:
        """Gives the timer back."""
        self._timer.close()

    def _begin(self) -> None:
        if not self._begun.done():
            self._begun.set_result(self._at_ns)
