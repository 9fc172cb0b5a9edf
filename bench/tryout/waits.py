"""How long does a request take alone, and how long do several at once?

A client sees its own work and the network beside the application's, which is most of a short request. So what the
application took is read from what the server's process has noted of each request, where it notes it.

Of a few times the shortest counts: whatever else the machine does makes a request longer, and never shorter.
"""

import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.results.tried import Waits
from bench.tryout.asking import Answer, Visitor, ask, at_once
from bench.tryout.script import Asked

__all__ = ["Timing", "overlap", "read_timings"]

# A server notes a request after it has sent the answer.
NOTED_WITHIN_S = 1.0
POLL_S = 0.02
# A request that takes seconds is not asked as often as one that takes milliseconds.
BUDGET_S = 20.0


@dataclass(frozen=True, kw_only=True)
class Timing:
    """What a server's process noted of one request; `at_s` is `time.monotonic`'s."""

    at_s: float
    wall_s: float
    cpu_s: float


def overlap(
    visitor: Visitor, asked: Asked, how_many: int, repeat: int, timings: Path | None = None, budget_s: float = BUDGET_S
) -> Waits | None:
    """A request alone and so many at once, each so often, but no more once `budget_s` is over.

    `timings` is the file in which the server's process notes its requests. None if a request was not answered.
    """
    until_s = time.monotonic() + budget_s
    alone = list(within(until_s, repeat, lambda: [ask(visitor, asked)]))
    noted = process_times(timings, [answer for (answer,) in alone])
    rounds = list(within(until_s + budget_s, repeat, lambda: at_once(visitor, asked, how_many)))
    if any(answer.failure for answers in (*alone, *rounds) for answer in answers):
        return None
    return Waits(
        alone_s=min(answer.took_s for (answer,) in alone),
        wall_s=min(one.wall_s for one in noted) if noted else None,
        cpu_s=min(one.cpu_s for one in noted) if noted else None,
        at_once=how_many,
        together_s=min(from_first_to_last_s(answers) for answers in rounds),
    )


def within(until_s: float, repeat: int, send: Callable[[], list[Answer]]) -> Iterator[list[Answer]]:
    """The answers of each time: once at least, and no more after a time without all its answers."""
    for number in range(repeat):
        if number and time.monotonic() > until_s:
            return
        answers = send()
        yield answers
        if any(answer.failure for answer in answers):
            return


def from_first_to_last_s(answers: Sequence[Answer]) -> float:
    """From the first request to the last answer."""
    return max(answer.done_s for answer in answers) - min(answer.sent_s for answer in answers)


def process_times(timings: Path | None, alone: Sequence[Answer]) -> list[Timing]:
    """What the server's process noted of these requests, which were sent one after the other; empty without a file."""
    if timings is None:
        return []
    since_s, deadline_s = alone[0].sent_s, time.monotonic() + NOTED_WITHIN_S
    while True:
        noted = [one for one in read_timings(timings) if one.at_s >= since_s]
        if len(noted) >= len(alone) or time.monotonic() > deadline_s:
            return noted
        time.sleep(POLL_S)


def read_timings(file: Path) -> list[Timing]:
    """All that was noted so far; a line that is being written is left out."""
    if not file.exists():
        return []
    lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
    return [timing for line in lines if (timing := timing_of(line)) is not None]


def timing_of(line: str) -> Timing | None:
    """A line of the file; None if it is not whole."""
    try:
        found = json.loads(line)
        return Timing(at_s=float(found["at_s"]), wall_s=float(found["wall_s"]), cpu_s=float(found["cpu_s"]))
    except (ValueError, LookupError, TypeError):
        return None
