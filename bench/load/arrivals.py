"""How does an open loop learn that a request is due, and how late?

The schedule is the pacer's; this keeps to it on the event loop. A late loop acts at once on all that has become due.
"""

import asyncio
from collections.abc import Callable, Iterable, Iterator

from bench.load.client import clock_ns
from bench.load.timer import NEVER_NS, Timer

__all__ = ["Arrivals"]


class Arrivals:
    """Calls `act` with the intended time and the time now, in ns, for each request of a schedule once it is due."""

    def __init__(self, loop: asyncio.AbstractEventLoop, act: Callable[[int, int], None]) -> None:
        self.due_ns = NEVER_NS  # when the next request is due
        self._act = act
        self._offsets: Iterator[int] = iter(())
        self._begun_ns = 0
        self._timer = Timer(loop, self._wake)

    def begin(self, offsets_ns: Iterable[int], now_ns: int) -> None:
        """Starts a schedule now; one before it must have come to its end."""
        self._offsets, self._begun_ns = iter(offsets_ns), now_ns
        self._advance()
        self._wake()

    def catch_up(self, now_ns: int) -> None:
        """Acts on all that is due."""
        while self.due_ns <= now_ns:
            intended_ns = self.due_ns
            self._advance()
            self._act(intended_ns, now_ns)
            now_ns = clock_ns()

    def close(self) -> None:
        """Gives the timer back."""
        self._timer.close()

    def _wake(self) -> None:
        self.catch_up(clock_ns())
        if self.due_ns != NEVER_NS:
            self._timer.arm(self.due_ns)

    def _advance(self) -> None:
        offset_ns = next(self._offsets, None)
        self.due_ns = NEVER_NS if offset_ns is None else self._begun_ns + offset_ns
