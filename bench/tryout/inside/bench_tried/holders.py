"""Which thread has kept the GIL, so that no other could run?"""

from __future__ import annotations

import sys
import threading
from typing import NamedTuple

from .clocks import ThreadClock
from .frames import Snapshot, serves_only, snapshot


class Holder(NamedTuple):
    """A thread that has used most of the time since the last look."""

    where: Snapshot
    cpu_s: float


class GilHolders:
    """The CPU clocks of the threads that Python has started, read at every look."""

    def __init__(self, watched: int | None) -> None:
        self.watched = watched
        """The thread of the loop, which is looked at in another way."""
        self.clocks: dict[int, ThreadClock] = {}
        self.read: dict[int, float] = {}

    def busiest(self, passed_s: float) -> Holder | None:
        """The thread whose CPU clock moved the most since the last call, if it had half of that time at least."""
        # Without the lock that `threading.enumerate` takes, which a stopped thread may have.
        threads = {thread.native_id: ident for ident, thread in threading._active.copy().items()}  # type: ignore[attr-defined]
        threads.pop(self.watched, None)
        self.clocks = {number: self.clocks.get(number) or ThreadClock(number) for number in threads if number}
        before, self.read = self.read, {number: clock.cpu_s() for number, clock in self.clocks.items()}
        moved = {number: self.read[number] - before[number] for number in self.read if number in before}
        number = max(moved, key=lambda each: moved[each], default=None)
        if number is None or moved[number] < passed_s / 2:
            return None
        frame = sys._current_frames().get(threads[number])
        return None if frame is None or serves_only(frame) else Holder(snapshot(frame), moved[number])
