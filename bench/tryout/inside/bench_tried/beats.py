"""When did the loop or the hub turn last, and is what runs on it now still what ran when it was looked at before?

A beat that is late tells that other requests wait. It does not tell for whom: fifty short callbacks in one turn of the
loop are late as well, and none of them is to blame. So a beat also knows the unit of work: under gevent what runs
between two switches, on an event loop one callback.
"""

from __future__ import annotations

import asyncio
import contextvars
import sys
import time
from collections.abc import Collection
from threading import get_ident
from types import FrameType
from typing import Any

from .frames import Snapshot, outwards, serves_only, snapshot

BEAT_S = 0.010
LATE_S = 0.020
Unit = tuple[Any, ...]


class Beat:
    """What the watched thread leaves for the one that looks: when it turned, and how often so far."""

    exact = False
    """Whether it turns with every unit of work."""

    def __init__(self) -> None:
        self.turned = self.resumed = time.monotonic()
        """When it turned last; and when it turned again after the last time that it had not for longer than a beat."""
        self.turn = 0
        self.others: dict[int, Snapshot] = {}
        """Where other threads were in the application when a late beat came, since the last look."""
        self.kept: list[FrameType] = []
        self.below: Collection[int] = ()
        """The ids of the loop's own frames, which are there as long as the loop runs."""

    def turns(self) -> None:
        now = time.monotonic()
        if now - self.turned > BEAT_S:
            self.resumed = now
        self.turn += 1
        self.turned = now

    def at_rest(self, frame: FrameType) -> bool:
        """Whether the server alone is there, or nobody."""
        return serves_only(frame, self.below)

    def unit(self, frame: FrameType, turn: int) -> Unit:
        raise NotImplementedError


class LoopBeat(Beat):
    """On the running event loop of this thread."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.get_running_loop()
        # A context of its own: what the request that started the probe has set there would be kept for good.
        self.context = contextvars.Context()
        self.loop.call_soon(self.beat, context=self.context)

    def beat(self) -> None:
        if not self.below:
            self.keep_below(sys._getframe())
        if time.monotonic() - self.turned >= BEAT_S + LATE_S:
            self.look_at_others()
        self.turns()
        self.loop.call_later(BEAT_S, self.beat, context=self.context)

    def look_at_others(self) -> None:
        """Another thread may have kept the GIL, and is still there: it goes on when this one gives up the GIL."""
        frames = sys._current_frames()
        del frames[get_ident()]
        self.others = {thread: snapshot(frame) for thread, frame in frames.items() if not serves_only(frame)}

    def keep_below(self, frame: FrameType) -> None:
        """Keep the frames that stay: those below asyncio's one turn, or with uvloop, written in C, below this one."""
        callers = list(outwards(frame))
        turn = [place for place, each in enumerate(callers) if is_turn(each)]
        self.kept = callers[turn[0] + 1 if turn else 1 :]
        self.below = {id(each) for each in self.kept}

    def unit(self, frame: FrameType, turn: int) -> Unit:
        """The two outermost frames of the callback: the bridge's outermost one serves many requests."""
        callback = [each for each in outwards(frame) if id(each) not in self.below and not is_turn(each)]
        return (turn, *callback[-2:])


def is_turn(frame: FrameType) -> bool:
    """Whether it is asyncio's function for one turn of the loop."""
    return frame.f_code.co_name == "_run_once" and frame.f_globals.get("__name__") == "asyncio.base_events"


class HubBeat(Beat):
    """On gevent's hub of this thread: a timer, and every switch from one greenlet to another.

    gevent's own monitor traces switches too, for greenlets that never yield (`GEVENT_MONITOR_THREAD_ENABLE`):
    https://www.gevent.org/monitoring.html
    """

    exact = True

    def __init__(self) -> None:
        super().__init__()
        import greenlet
        from gevent import get_hub

        self.before: Any = greenlet.gettrace()
        greenlet.settrace(self.switched)
        self.timer: Any = get_hub().loop.timer(BEAT_S, BEAT_S, ref=False)
        self.timer.start(self.turns)

    def switched(self, event: str, greenlets: Any) -> None:
        self.turns()
        if self.before is not None:
            self.before(event, greenlets)

    def unit(self, frame: FrameType, turn: int) -> Unit:
        return (turn,)
