"""How long did one unit of work stand still, and where was it meanwhile?"""

from __future__ import annotations

import operator
from typing import Any

from .frames import Described, Snapshot, callee

Place = tuple[tuple[Described, ...], str]
# A stall that is at ever new places for a minute; what comes then is counted with the last.
MOST_SPANS = 4_000


class Stall:
    """A unit of work that goes on: since when, and what it has been at, one span of time after the other."""

    def __init__(self, unit: Any, from_s: float, cpu_s: float, queued_s: float) -> None:
        self.unit = unit
        self.from_s = self.until_s = from_s
        self.read_cpu_s, self.read_queued_s = cpu_s, queued_s
        self.cpu_s = self.queued_s = 0.0
        self.told = 0
        self.places: dict[Place, int] = {}
        self.spans: list[list[float]] = []
        """The number of the place, then seconds: in all, on a core, and ready to run while another had the core."""

    def same(self, unit: tuple[Any, ...]) -> bool:
        """Whether it is the same unit of work: the same turn, and the very same frames."""
        mine: tuple[Any, ...] = self.unit
        return len(mine) == len(unit) and mine[0] == unit[0] and all(map(operator.is_, mine[1:], unit[1:]))

    def add(self, where: Snapshot, now: float, cpu_s: float, queued_s: float) -> None:
        """What has passed since the last time was there."""
        place = (where.stack, callee(where))
        number = self.places.setdefault(place, len(self.places))
        if not self.spans or (self.spans[-1][0] != number and len(self.spans) < MOST_SPANS):
            self.spans.append([number, 0.0, 0.0, 0.0])
        passed = now - self.until_s, cpu_s - self.read_cpu_s, queued_s - self.read_queued_s
        self.spans[-1][1:] = map(operator.add, self.spans[-1][1:], passed)
        self.cpu_s += passed[1]
        self.queued_s += passed[2]
        self.until_s, self.read_cpu_s, self.read_queued_s = now, cpu_s, queued_s

    def ended(self, at: float) -> None:
        """What was left until the end is the last span's."""
        if self.spans:
            self.spans[-1][1] += max(0.0, at - self.until_s)
        self.until_s = at

    def stood_s(self) -> float:
        """How long it stood still by its own doing: without what it waited for a core, but as long as it was on one."""
        passed_s = self.until_s - self.from_s
        return max(passed_s - self.queued_s, min(passed_s, self.cpu_s))

    def content(self) -> dict[str, Any]:
        """As it is written: names and times only."""
        return {
            "cpu_s": self.cpu_s,
            "queued_s": self.queued_s,
            "stacks": [stack for stack, _ in self.places],
            "calls": [call for _, call in self.places],
            "spans": self.spans,
        }
