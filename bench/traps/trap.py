"""What is a trap: which model falls into it, which load shows that, how, and why? And was it seen?"""

from collections.abc import Callable
from dataclasses import dataclass

from bench.measuring.checks import SERIAL_AT_LEAST, SLEEPERS, TOGETHER_AT_MOST
from bench.models import POOL
from bench.scenarios.base import MeasurementContext
from bench.scenarios.schedule import Setup

# So many requests that a pool serves them in four turns, as four waits that do not overlap.
CALLERS = SLEEPERS * POOL


@dataclass(frozen=True)
class Seen:
    """What a server did under a trap's load."""

    requests: int
    failed: int
    error: str = ""
    """The error of the expected kind in the server's log."""
    python_waits: float | None = None
    """How long four requests took that waited in Python at once, in waits; None if none were sent."""
    database_waits: float | None = None
    calls: float | None = None
    """How long sixty requests took that each read and then called a service, in calls; None if none were sent."""
    not_tried: str = ""
    """Why it was left out; empty if it was not."""

    @property
    def timed(self) -> bool:
        """Whether it is a matter of time, which another process may spoil."""
        return self.python_waits is not None or self.calls is not None

    def words(self) -> str:
        """The same in words."""
        if self.not_tried:
            return f"not tried: {self.not_tried}"
        failures = f"{self.failed} of {self.requests} requests failed"
        if self.calls is not None and not self.failed:
            return calls_words(f"{self.calls:.1f}")
        if self.python_waits is None or self.database_waits is None or self.failed:
            return f"{failures}: {self.error or 'its log names no error of this kind'}" if self.failed else failures
        return waits_words(f"{self.python_waits:.1f}", f"{self.database_waits:.1f}")


@dataclass(frozen=True)
class Expected:
    """What a load must show; without arguments, that nothing is wrong."""

    python_serial: bool = False
    """Whether waits in Python take place one after the other."""
    database_serial: bool = False
    calls_in_turns: bool = False
    """Whether requests call another service only as many at a time as there are database connections."""
    failed_share: float = 0.0
    """At least this share of the requests fails; at 0 none may fail."""
    error: str = ""
    """A pattern of the error that must be in the server's log."""

    def agrees(self, seen: Seen) -> bool:
        """Whether what was seen is what was expected."""
        if self.failed_share:
            return bool(seen.error) and seen.failed >= self.failed_share * seen.requests
        waits = (
            (self.python_serial, seen.python_waits),
            (self.database_serial, seen.database_waits),
            (self.calls_in_turns, seen.calls),
        )
        return not seen.failed and all(
            found is None or (found >= SERIAL_AT_LEAST if serial else found <= TOGETHER_AT_MOST)
            for serial, found in waits
        )

    def words(self) -> str:
        """The same in words."""
        if self.failed_share:
            share = "all" if self.failed_share == 1 else f"at least {self.failed_share:.0%} of all"
            return f"{share} requests fail: {self.error.replace('|', ', or ')}"
        if self.calls_in_turns:
            return calls_words(str(CALLERS // POOL))
        return waits_words(*(str(SLEEPERS if serial else 1) for serial in (self.python_serial, self.database_serial)))


def waits_words(python: str, database: str) -> str:
    """How long requests take that are sent at once and wait."""
    return f"{SLEEPERS} at once take {python} waits in Python, {database} in the database"


def calls_words(calls: str) -> str:
    """How long requests take that are sent at once, read, and call a service."""
    return f"{CALLERS} at once that read and then call take {calls} times as long as one call"


CURED = Expected()


@dataclass(frozen=True)
class Trap:
    """A configuration that looks right and is not."""

    name: str
    model: str
    """The model that falls into it."""
    load: Callable[[MeasurementContext], Seen]
    """What shows it, on a server of that model."""
    expected: Expected
    cause: str
    """Two sentences."""
    cure: str
    """What to do instead."""
    cured_by: str
    """The model that does so."""
    sources: tuple[str, ...]
    """Threads and documentation that report it, the best one first."""
    setup: Setup | None = None
    """The set-up of the pool scenario that the server has; None for what every server has."""
    cured_setup: Setup | None = None
    """The same for the server of the model that avoids the trap."""
