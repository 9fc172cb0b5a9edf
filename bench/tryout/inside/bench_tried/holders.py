"""Which thread has kept the GIL, so that no other could run?"""

from __future__ import annotations

import sys
import threading
from typing import NamedTuple

from .beats import LATE_S, Beat
from .clocks import ThreadClock
from .frames import Snapshot, serves_only, snapshot


class Holder(NamedTuple):
    """A thread that has computed since the last look, more than any other."""

    where: Snapshot | None
    """None if it is not, or no longer, in the application."""
    cpu_s: float


class GilHolders:
    """The CPU clocks of the threads that Python has started, read at every look."""

    def __init__(self, watched: int | None) -> None:
        self.watched = watched
        """The thread of the loop, which is looked at in another way."""
        self.clocks: dict[int, ThreadClock] = {}
        self.read: dict[int, float] | None = None

    def busiest(self, beat: Beat | None) -> Holder | None:
        """The thread whose CPU clock moved the most since the last call, if by enough to make a beat late."""
        # Without the lock that `threading.enumerate` takes, which a stopped thread may have.
        threads = {thread.native_id: ident for ident, thread in threading._active.copy().items()}  # type: ignore[attr-defined]
        threads.pop(self.watched, None)
        self.clocks = {number: self.clocks.get(number) or ThreadClock(number) for number in threads if number}
        before, now = self.read, {number: clock.cpu_s() for number, clock in self.clocks.items()}
        self.read = now
        if before is None:
            return None
        moved = {number: now[number] - before.get(number, 0.0) for number in now}
        number = max(moved, key=lambda each: moved[each], default=None)
        if number is None or moved[number] < LATE_S:
            return None
        return Holder(where_is(threads[number], beat), moved[number])


def where_is(thread: int, beat: Beat | None) -> Snapshot | None:
    """Where it is in the application; or was, when the late beat came, which may have had the GIL first."""
    if beat is not None and (taken := beat.others.get(thread)) is not None:
        return taken
    frame = sys._current_frames().get(thread)
    return None if frame is None or serves_only(frame) else snapshot(frame)
