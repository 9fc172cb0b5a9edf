"""How do several generators send one load, and what is the one result of it?

All of them get their share, say that they are ready, and are told when to begin. The time is one of their own clocks,
because those of two machines differ: nine questions for the time find by how much. The answer that comes back soonest
is the best: its clock was read at half time, give or take half of the time that the question took (Cristian,
"Probabilistic clock synchronization", 1989).

A generator is something that takes a line and answers lines, as bench/load/worker.py has them. Where it runs does not
matter here.
"""

import selectors
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from bench.errors import BenchError
from bench.load.client import clock_ns
from bench.load.job import NS_PER_S, LoadJob, LoadResult
from bench.load.part import Part
from bench.load.result import result_of
from bench.load.slices import SlicesJob
from bench.load.stream_job import StreamJob, StreamPart, StreamResult, stream_result

__all__ = ["GeneratorError", "GeneratorProcess", "Together"]

PINGS = 9
# From the word "go" to the beginning: each must have read it by then, and a line takes some 0.1 ms on one machine.
NOTICE_NS = 1_000_000


class GeneratorError(BenchError):
    """The generator's process failed or hung; the message holds the end of what it wrote to stderr."""


class GeneratorProcess(Protocol):
    """A generator and the way to it."""

    def send(self, line: str) -> None:
        """Tell it something; nothing happens if it has ended."""

    def fileno(self) -> int:
        """A file descriptor that is readable once there is something to receive."""

    def receive(self) -> list[str]:
        """The lines that have come, which may be none yet. Raises GeneratorError if it has ended."""


@dataclass(frozen=True)
class Clock:
    """A generator's clock beside the bench's."""

    ahead_ns: int
    unsure_ns: int
    """By how much more or less it may be ahead."""


class Together:
    """Several generators that do a job together, and what they have said."""

    def __init__(self, generators: Sequence[GeneratorProcess]) -> None:
        self.generators = generators
        self._heard: list[deque[str]] = [deque() for _ in generators]
        self._selector = selectors.DefaultSelector()
        for number, generator in enumerate(generators):
            self._selector.register(generator.fileno(), selectors.EVENT_READ, number)
        self.clocks = [self._clock(number) for number in range(len(generators))]

    def load(self, job: LoadJob, shares: Sequence[LoadJob]) -> LoadResult:
        """The result of a load that these are the shares of."""
        self.order("load", shares)
        self.begin()
        return self.loaded(job)

    def loaded(self, job: LoadJob) -> LoadResult:
        """The result once all have sent theirs."""
        parts = [Part.from_json(text) for text in self.results()]
        return result_of(job, parts, self.spread_s([part.use.begun_ns for part in parts]))

    def stream(
        self, job: StreamJob, shares: Sequence[StreamJob], mid: Callable[[int], None] | None = None
    ) -> StreamResult:
        """What became of event streams; `mid` is called once when all generators have said that it is time."""
        self.order("streams", shares)
        self.begin()
        going_on = sum(map(int, self.each("mid")))
        if mid is not None:
            mid(going_on)
        parts = [StreamPart.from_json(text) for text in self.results()]
        return stream_result(job, parts, self.spread_s([part.begun_ns for part in parts]))

    def order(self, kind: str, shares: Sequence[LoadJob | StreamJob | SlicesJob]) -> None:
        """Give each its share."""
        for generator, share in zip(self.generators, shares, strict=True):
            generator.send(f"share-{kind} {share.to_json()}")

    def tell(self, line: str, numbers: Iterable[int] | None = None) -> None:
        """Say the same to all, or to some."""
        for number in range(len(self.generators)) if numbers is None else numbers:
            self.generators[number].send(line)

    def begin(self) -> None:
        """Wait until all are ready, and let them begin."""
        self.each("ready")
        self.go(range(len(self.generators)))

    def go(self, numbers: Iterable[int]) -> int:
        """Let these begin, at the time given, which is one of this process."""
        at_ns = clock_ns() + NOTICE_NS + 2 * max(clock.unsure_ns for clock in self.clocks)
        for number in numbers:
            self.generators[number].send(f"go {at_ns + self.clocks[number].ahead_ns}")
        return at_ns

    def here_ns(self, number: int, at_ns: int) -> int:
        """A time of a generator's clock as one of this process."""
        return at_ns - self.clocks[number].ahead_ns

    def spread_s(self, begun_ns: Sequence[int]) -> float:
        """By how much generators have begun apart; these are the first, with the times of their clocks."""
        here_ns = [self.here_ns(number, at_ns) for number, at_ns in enumerate(begun_ns)]
        return (max(here_ns) - min(here_ns)) / NS_PER_S

    def results(self) -> list[str]:
        """The JSON of each result; whatever else comes before it is no matter any more."""
        return [self._skip_to_result(number) for number in range(len(self.generators))]

    def each(self, kind: str, numbers: Iterable[int] | None = None) -> list[str]:
        """What comes next of all, or of some, which must be of this kind."""
        return [self._next(number, kind) for number in (range(len(self.generators)) if numbers is None else numbers)]

    def close(self) -> None:
        """Give back what it takes to listen to them."""
        self._selector.close()

    def _next(self, number: int, kind: str) -> str:
        line = self._line(number)
        found, _, text = line.partition(" ")
        if found != kind:
            raise GeneratorError(f"a load generator said {line[:80]!r} where {kind!r} was expected")
        return text

    def _skip_to_result(self, number: int) -> str:
        while True:
            kind, _, text = self._line(number).partition(" ")
            if kind == "result":
                return text

    def _line(self, number: int) -> str:
        """The next line of one; meanwhile all are listened to, so that the end of any is noticed at once."""
        while not self._heard[number]:
            for key, _ in self._selector.select():
                self._heard[key.data].extend(self.generators[key.data].receive())
        return self._heard[number].popleft()

    def _clock(self, number: int) -> Clock:
        return min((self._asked(number) for _ in range(PINGS)), key=lambda clock: clock.unsure_ns)

    def _asked(self, number: int) -> Clock:
        asked_ns = clock_ns()
        self.generators[number].send("ping")
        there_ns = int(self._next(number, "pong"))
        half_ns = (clock_ns() - asked_ns) // 2
        return Clock(ahead_ns=there_ns - asked_ns - half_ns, unsure_ns=half_ns)
