"""Do the waits of several requests overlap under a model, as far as a trial of somebody's application can tell?

Of n requests sent together, each computes for C and waits for the rest of the time W that it takes alone. Where nothing
but computing is in the way of the others they take W + (n - 1) C, and n W where one is served after the other. What is
between the two was waits that held up the others: B of each, from T = W + (n - 1) (C + B). Its share of all that a
request waits says whether waits overlap. It says nothing of requests that wait for too short a time to be told from
what a client and a switch of threads take, or that hardly wait at all.
"""

from dataclasses import dataclass
from typing import Literal

from bench.results.tried import Waits

# Below this a request's waits are not told from what sending it, and switching to it, takes.
TOO_SHORT_S = 0.005
# A request that waits for a smaller share of its time computes, whatever serves it.
COMPUTES = 0.2
# Waits overlap if a smaller share than this holds up others, and block if more than the other does.
OVERLAP, BLOCK = 1 / 3, 2 / 3
# From this share on, waiting is what a request's time is about.
MOSTLY = 0.5

Kind = Literal["blocks", "in part", "overlap", "computes", "too short to say"]
KINDS: tuple[Kind, ...] = ("blocks", "in part", "overlap", "computes", "too short to say")
"""From what matters most to a reader to what matters least."""


@dataclass(frozen=True)
class JudgedWaits:
    """The waits of one request under one model."""

    request: str
    waits: Waits

    @property
    def own_s(self) -> float:
        """How long the request takes alone: in the server's process where that was measured."""
        return self.waits.wall_s or self.waits.alone_s

    @property
    def cpu_s(self) -> float:
        """Its CPU time; 0 where that was not measured, and no more than it takes."""
        return min(self.waits.cpu_s or 0.0, self.own_s)

    @property
    def wait_s(self) -> float:
        """How long it waits alone."""
        return self.own_s - self.cpu_s

    @property
    def blocked_s(self) -> float:
        """How much of that holds up other requests; all of it where only one was sent at a time."""
        others = self.waits.at_once - 1
        if not others:
            return self.wait_s
        each_s = (self.waits.together_s - self.waits.alone_s) / others - self.cpu_s
        return min(max(0.0, each_s), self.wait_s)

    @property
    def waits_mostly(self) -> bool:
        """Whether its time is about waiting, and long enough to tell."""
        return self.own_s >= TOO_SHORT_S and self.wait_s >= MOSTLY * self.own_s

    @property
    def kind(self) -> Kind:
        """What can be said of them."""
        if self.own_s < TOO_SHORT_S:
            return "too short to say"
        if self.wait_s < COMPUTES * self.own_s:
            return "computes"
        share = self.blocked_s / self.wait_s
        return "overlap" if share <= OVERLAP else "blocks" if share >= BLOCK else "in part"

    @property
    def text(self) -> str:
        """`×7.9 blocks`: what so many at once take, in requests alone."""
        return self.kind if self.kind == "too short to say" else f"×{self.waits.times:.1f} {self.kind}"


def most_telling(found: list[JudgedWaits]) -> JudgedWaits | None:
    """Of a model's requests the one that says most: what blocks before what overlaps, and of equals the most times."""
    return min(found, key=lambda one: (KINDS.index(one.kind), -one.waits.times), default=None)
