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

    places: list[tuple[Snapshot, float]]
    """Where it was in the application, and until when, one after the other; none if it is there no longer."""
    cpu_s: float


class GilHolders:
    """The CPU clocks of the threads that Python has started, read at every look."""

    def __init__(self, watched: int | None) -> None:
        self.watched = watched
        """The thread of the loop, which is looked at in another way."""
        self.clocks: dict[int, ThreadClock] = {}
        self.read: dict[int, float] | None = None

    def busiest(self, beat: Beat | None, now: float) -> Holder | None:
        """The thread whose CPU clock moved the most since the last call, if by enough to make a beat late."""
        # Without the lock that `threading.enumerate` takes, which a stopped thread may have.
        threads = {thread.native_id: ident for ident, thread in threading._active.copy().items()}  # type: ignore[attr-defined]
        threads.pop(self.watched, None)
        self.clocks = {number: self.clocks.get(number) or ThreadClock(number) for number in threads if number}
        before, self.read = self.read, {number: clock.cpu_s() for number, clock in self.clocks.items()}
        if before is None:
            return None
        moved = {number: cpu_s - before.get(number, 0.0) for number, cpu_s in self.read.items()}
        number = max(moved, key=lambda each: moved[each], default=None)
        if number is None or moved[number] < LATE_S:
            return None
        return Holder(places_of(threads[number], beat, now), moved[number])


def places_of(thread: int, beat: Beat | None, now: float) -> list[tuple[Snapshot, float]]:
    """Where it is; and where it was when a late beat came, which may have had the GIL before the one that looks."""
    places = []
    if beat is not None and (taken := beat.others.get(thread)) is not None:
        places.append((taken, beat.resumed))
    frame = sys._current_frames().get(thread)
    if frame is not None and not serves_only(frame):
        where = snapshot(frame)
        if not places or places[0][0].stack != where.stack:
            places.append((where, now))
    return places
