"""What do the requests say that were sent while a fault was inflicted: how many failed, who was served, back when?

*Lost* is what failed and what a client may not simply send again; a refused connection, and one that was closed before
any byte of an answer after it had had one, are *retryable* and counted apart. *Back* is the time from the fault's end
to the last request that failed, if nothing failed for two seconds after it, or where it was watched for less than four
for half of that time. *Away* is the longest time in which no request was answered.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from statistics import median

from bench.results.faults import FaultCell

# Outcomes that a client may answer by sending the request again, whatever it does.
RETRYABLE = ("refused", "stale")
# A server is back only if nothing fails for so long.
CLEAN_S = 2.0
# A request that is unanswered when the watch ends says nothing unless it had waited longer than this, or than twice as
# long as an answer usually takes.
PATIENCE_S = 1.0
# Of a fault that lasts, the part in which a server has had time to run out of threads or connections, and requests
# still have time to be answered before it ends.
WHILE_IT_LASTS = (0.3, 0.8)


@dataclass(frozen=True)
class Sent:
    """A request of a watch."""

    endpoint: str
    at_s: float
    took_s: float | None
    outcome: str

    @property
    def good(self) -> bool:
        """Whether it was answered as it should be."""
        return self.outcome == "ok"

    @property
    def retryable(self) -> bool:
        """Whether it failed so that a client may send it again."""
        return self.outcome in RETRYABLE

    @property
    def end_s(self) -> float:
        """When its answer was complete, or it failed; infinitely late for one that was still waiting."""
        return float("inf") if self.took_s is None else self.at_s + self.took_s


@dataclass(frozen=True)
class Watched:
    """All requests of a cell, without those of which the watch's end says nothing."""

    cell: FaultCell
    sent: tuple[Sent, ...]

    @property
    def failed(self) -> list[Sent]:
        """Those that were not answered as they should be."""
        return [one for one in self.sent if not one.good]

    @property
    def lost(self) -> list[Sent]:
        """Those of them that a client may not simply send again."""
        return [one for one in self.failed if not one.retryable]

    @property
    def retryable(self) -> list[Sent]:
        """The others."""
        return [one for one in self.failed if one.retryable]

    @property
    def failed_after(self) -> list[Sent]:
        """Those that failed although they were sent when the fault was over."""
        return [one for one in self.failed if one.at_s > self.cell.lasted_s]

    @property
    def gone(self) -> bool:
        """Whether the server had ended at the end, and did not come back."""
        return self.cell.facts.get("alive") is False

    @property
    def workers(self) -> tuple[int, int]:
        """How many of the server's processes answered at the end, and how many had before; 0 where nobody knows."""
        before, after = (self.cell.facts.get(name) for name in ("workers_before", "workers_after"))
        return (after, before) if isinstance(before, int) and isinstance(after, int) else (0, 0)

    def away_s(self, endpoint: str) -> float:
        """The longest time without an answer, from the fault's beginning on; of an endpoint that is always asked."""
        ends_s = sorted(one.end_s for one in self.sent if one.good and one.endpoint == endpoint)
        return max((later - max(earlier, 0.0) for earlier, later in pairwise(ends_s) if later > 0), default=0.0)

    @cached_property
    def usual_s(self) -> dict[str, float]:
        """By endpoint, how long an answer took before the fault, or where there is none, at its fastest."""
        before: dict[str, list[float]] = {}
        fastest: dict[str, float] = {}
        for one in self.sent:
            if one.good and one.took_s is not None:
                fastest[one.endpoint] = min(one.took_s, fastest.get(one.endpoint, one.took_s))
                if one.end_s < 0:
                    before.setdefault(one.endpoint, []).append(one.took_s)
        return {**fastest, **{name: median(times) for name, times in before.items()}}

    @property
    def back_s(self) -> float | None:
        """From the fault's end until requests were answered again; None if they were not within the watch."""
        if self.gone or not self.sent:
            return None
        end_s, last_s = self.cell.lasted_s, max((one.at_s for one in self.failed), default=0.0)
        served = [one.at_s + max(0.0, (one.took_s or 0.0) - self.usual_s[one.endpoint])
                  for one in self.sent if one.good and one.at_s > end_s]  # fmt: skip
        clean_s = end_s + self.cell.watched_s - max(last_s, end_s)
        if not served or clean_s < min(CLEAN_S, self.cell.watched_s / 2):
            return None
        return max(0.0, last_s - end_s, min(served) - end_s)

    def meanwhile(self, endpoints: Iterable[str] = ()) -> list[Sent]:
        """What was sent while the fault lasted, to these endpoints or to all."""
        names, lasted_s = tuple(endpoints), self.cell.lasted_s
        first_s, last_s = (share * lasted_s for share in WHILE_IT_LASTS)
        return [one for one in self.sent
                if first_s <= one.at_s <= last_s and (not names or one.endpoint in names)]  # fmt: skip

    def served_share(self, endpoints: Iterable[str] = ()) -> float | None:
        """Which share of that was answered before the fault was over; None if nothing was sent."""
        found = self.meanwhile(endpoints)
        return sum(self.served(one) for one in found) / len(found) if found else None

    def served(self, one: Sent) -> bool:
        """Whether a request was answered before the fault was over."""
        return one.good and one.end_s < self.cell.lasted_s

    def longest_wait_after_s(self, endpoint: str) -> float:
        """How long the request waited longest that was sent to an endpoint when the fault was over."""
        end_s = self.cell.lasted_s + self.cell.watched_s
        return max((min(one.end_s, end_s) - one.at_s for one in self.sent
                    if one.at_s > self.cell.lasted_s and one.endpoint == endpoint), default=0.0)  # fmt: skip

    def longest_wait_s(self, endpoints: Iterable[str] = ()) -> float:
        """How long the one that waited longest did, of those that were sent while the fault lasted."""
        end_s = self.cell.lasted_s + self.cell.watched_s
        return max((min(one.end_s, end_s) - one.at_s for one in self.meanwhile(endpoints)), default=0.0)


def watched(cell: FaultCell) -> Watched:
    """The requests of a cell."""
    every = [Sent(kind.endpoint, *one) for kind in cell.requests
             for one in zip(kind.sent_s, kind.took_s, kind.outcome, strict=True)]  # fmt: skip
    found = Watched(cell, tuple(every))
    end_s = cell.lasted_s + cell.watched_s
    told = [one for one in every if one.outcome != "unanswered" or end_s - one.at_s > patience_s(found, one)]
    return Watched(cell, tuple(told))


def patience_s(found: Watched, one: Sent) -> float:
    """How long a request may wait for its answer without anything being wrong."""
    return max(PATIENCE_S, 2 * found.usual_s.get(one.endpoint, 0.0))


def outcomes(found: Sequence[Sent]) -> str:
    """`3 reset, 1 status 500`: how requests ended, the most frequent way first."""
    counted = Counter(f"status {one.outcome}" if one.outcome.isdigit() else one.outcome for one in found)
    return ", ".join(f"{count} {name}" for name, count in counted.most_common())
