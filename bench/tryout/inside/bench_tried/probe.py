"""Where does the application keep the event loop, the hub or the GIL, while nothing else can run?

`start` is called in a server's process. On the loop or the hub, a beat says every 10 ms that it turns. A native thread,
which gevent does not patch, looks every 5 ms. Where the beat is late, it looks where the watched thread is, and whether
that computes or waits. Each stall becomes a line in a file, which bench/tryout/stalls.py reads.

The standard library and Python 3.9 are enough for it (and gevent, where gevent serves). What fails in here must not
fail in the application: the probe ends then, and the server's log says so.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import time
from collections.abc import Callable
from typing import Any, NamedTuple

from . import quietly
from .beats import BEAT_S, LATE_S, Beat, HubBeat, LoopBeat, Unit
from .clocks import ThreadClock
from .frames import Snapshot, serves_only, snapshot
from .holders import GilHolders, Holder
from .stall import Stall

LOOK_S = 0.005
# A stall that goes on is written when it has lasted so long, then twice as long, and so on: it may never end.
TOLD_AFTER_S = 1.0
MOST_LINES = 20_000

_started: set[int] = set()


class Seen(NamedTuple):
    """The watched thread in the application."""

    unit: Unit
    where: Snapshot
    turned: float
    """When the loop or the hub had turned last."""


def start(kind: str, file: str) -> None:
    """Watch this process from now on: `asyncio` (called on the loop), `gevent` (in a greenlet) or `threads`.

    Stalls are added to the file. A second call in the same process does nothing. Never raises.
    """
    if os.getpid() in _started:
        return
    _started.add(os.getpid())
    try:
        Probe(kind, file).start()
    except Exception as error:
        say_failed(error)


def say_failed(error: BaseException) -> None:
    sys.stderr.write(f"bench: the probe for stalls has ended: {type(error).__name__}: {error}\n")


def original(module: str, name: str) -> Any:
    """A function of the standard library as it was before gevent patched it, if it did."""
    if "gevent.monkey" in sys.modules:
        return sys.modules["gevent.monkey"].get_original(module, name)
    return getattr(importlib.import_module(module), name)


class Probe:
    """The thread that looks, and what it has seen last."""

    def __init__(self, kind: str, file: str) -> None:
        self.kind = kind
        self.file = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        self.lines = 0
        self.sleep: Callable[[float], None] = original("time", "sleep")
        self.get_native_id: Callable[[], int] = original("_thread", "get_native_id")
        self.thread: int = original("_thread", "get_ident")()
        self.clock = ThreadClock(self.get_native_id())
        beats: dict[str, Callable[[], Beat]] = {"asyncio": LoopBeat, "gevent": HubBeat}
        self.beat = beats[kind]() if kind in beats else None
        self.holders = GilHolders(self.get_native_id() if self.beat else None) if kind != "gevent" else None
        self.stall: Stall | None = None
        self.looked = time.monotonic()
        self.cpu_s = self.queued_s = 0.0

    def start(self) -> None:
        """Begin, and say in the file that stalls would have been seen."""
        self.write({"started_s": time.monotonic(), "kind": self.kind, "pid": os.getpid()})
        original("_thread", "start_new_thread")(self.run, ())

    def run(self) -> None:
        """Look until the process ends."""
        try:
            own = ThreadClock(self.get_native_id())
            while self.lines < MOST_LINES:
                queued_s = own.queued_s()
                self.sleep(LOOK_S)
                self.look(time.monotonic(), own.queued_s() - queued_s)
        except Exception as error:
            say_failed(error)

    def look(self, now: float, own_queue_s: float) -> None:
        """Look at the watched thread; and if this one was kept from looking, which other thread had the GIL.

        The GIL must not be given up in here: who has kept it is seen where he is when this thread gets it at last.
        """
        seen = self.watched(now)
        holder = self.holders.busiest(self.beat, now) if self.holders is not None else None
        if holder is not None and now - self.looked - LOOK_S - own_queue_s >= LATE_S:
            seen = None  # it waits for the GIL, wherever it is
            self.tell_of(holder, now)
        if self.beat is not None:
            self.go_on(self.beat, seen, now, own_queue_s)
            self.beat.others = {}
        self.looked = now

    def watched(self, now: float) -> Seen | None:
        """Where the watched thread is, if it is in the application and the loop has not turned for a moment."""
        if self.beat is None or now - self.beat.turned < LOOK_S / 2:
            return None
        turned, turn = self.beat.turned, self.beat.turn
        frame = sys._current_frames().get(self.thread)
        if frame is None or serves_only(frame, self.beat.below):
            return None
        return Seen(self.beat.unit(frame, turn), snapshot(frame, self.beat.below), turned)

    def go_on(self, beat: Beat, seen: Seen | None, now: float, own_queue_s: float) -> None:
        """End the stall that was, go on with it, or begin one."""
        cpu_s, queued_s = self.clock.cpu_s(), self.clock.queued_s()
        if self.stall is not None and (seen is None or not self.stall.same(seen.unit)):
            self.end(self.stall, min(now, max(beat.resumed, self.stall.until_s)))
        if seen is not None:
            if self.stall is None:
                # At the last look it was not there. It may have come at any time since; but while this thread itself
                # waited for a core, others may have come and gone, unless the beat knows of each.
                began = min(now, max(seen.turned, self.looked + (0.0 if beat.exact else own_queue_s)))
                self.stall = Stall(seen.unit, began, self.cpu_s, self.queued_s)
            if now - self.stall.from_s >= BEAT_S:
                self.stall.add(seen.where, now, cpu_s, queued_s)
            self.tell(self.stall, now)
        self.cpu_s, self.queued_s = cpu_s, queued_s

    def tell_of(self, holder: Holder, now: float) -> None:
        """Write where the thread was that has kept the GIL since the last look, while it computed."""
        from_s, share = self.looked, holder.cpu_s / (now - self.looked)
        for where, until_s in holder.places:
            passed_s = max(0.0, until_s - from_s)
            stall = Stall(None, from_s, 0.0, 0.0)
            stall.add(where, until_s, passed_s * share, passed_s * max(0.0, 1 - share))
            self.write(self.line(stall, until_s))
            from_s = until_s

    def tell(self, stall: Stall, now: float) -> None:
        """Write what is known of one that goes on."""
        if now - stall.from_s >= TOLD_AFTER_S * 2**stall.told:
            stall.told += 1
            self.write(self.line(stall, now))

    def end(self, stall: Stall, at: float) -> None:
        """Write it, if it was long enough."""
        self.stall = None
        stall.ended(at)
        if stall.spans and stall.stood_s() >= LATE_S:
            self.write(self.line(stall, at))

    def line(self, stall: Stall, until_s: float) -> dict[str, Any]:
        late_s = until_s - stall.from_s
        return {"kind": self.kind, "pid": os.getpid(), "from_s": stall.from_s, "late_s": late_s, **stall.content()}

    def write(self, content: dict[str, Any]) -> None:
        """A line in one piece; several processes may add to the file."""
        self.lines += 1
        quietly.write(self.file, json.dumps(content).encode() + b"\n")
