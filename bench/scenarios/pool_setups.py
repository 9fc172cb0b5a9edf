"""Which set-ups of a pool are compared, and what is asked of each?

- A pool of 15 connections that are all kept open, as in every other scenario.
- 5 + 10 overflow, SQLAlchemy's default. SQLAlchemy closes an overflow connection that comes back when five are idle.
  For a request that waits already it opens none, because that one looks for an idle connection only
  (`QueuePool._do_get`); so the waves of a burst may get smaller. asyncpg keeps a connection until nobody has used it
  for five minutes, asyncmy for an hour.
- No pool: every request opens a connection and closes it. With SQLAlchemy that is NullPool. asyncpg has nothing but
  pools, so there it is one that closes a connection as soon as it comes back; with asyncmy it is closed when the next
  one is wanted. There are no waves, and every request pays for a handshake.
- Above `max_connections`: a pool that may grow beyond what the server allows, and more requests than that. The scenario
  shows that those which get no connection fail. The pool starts with 15, because asyncpg opens its minimum at start-up,
  and a server whose minimum is above `max_connections` never starts. SQLAlchemy's pool fails when it is asked. asyncmy
  opens one connection at a time, and some come back before the limit is reached; then nothing fails.
- Time-out: a pool of 15 whose time-out is shorter than the wait. SQLAlchemy raises TimeoutError, and the request fails.
  `databases` has no time-out for a full pool, so there the requests wait.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from bench.models import POOL
from bench.testbed.databases.connections import MAX_CONNECTIONS, ConnectionHeadroom

REQUESTS = 100
WAIT_S = 0.2
# Three waves of it begin within a time-out of a second and the fourth does not, each with 0.2 s to spare.
TIMEOUT_WAIT_S = 0.4
TIMEOUT_S = 1
# Opening some 200 connections takes a server half a second or so; none is to come back before the last is opened.
ABOVE_WAIT_S = 1.0
# What the applications' config.py has; longer than any wait here.
NO_TIMEOUT_S = 300
# How many requests more than there can be connections.
TOO_MANY = 20
# The set-up without a pool leaves so many connections to others, and opens a multiple of ROUNDED.
MARGIN, ROUNDED = 5, 10


@dataclass(frozen=True)
class PoolSetup:
    """How the server's pool is set, and what is asked of it."""

    name: str
    size: int
    """Connections kept open; 0 is no pool."""
    overflow: int = 0
    timeout_s: int = NO_TIMEOUT_S
    """How long a request may wait for a connection, where the driver's pool has such a limit."""
    wait_s: float = WAIT_S
    """How long each request sleeps in the database."""
    expected: str = ""
    """A pattern of the errors that this set-up is there to show; empty if there should be none."""

    @property
    def environment(self) -> Mapping[str, str]:
        """The settings as the applications' config.py reads them; no two set-ups have the same."""
        pool = {"POOL_SIZE": self.size, "MAX_OVERFLOW": self.overflow, "POOL_TIMEOUT_S": self.timeout_s}
        return {name: str(value) for name, value in pool.items()}


KEPT = PoolSetup("pool of 15", POOL)
OVERFLOW = PoolSetup("5 + 10 overflow", 5, 10)
NO_POOL = PoolSetup("no pool", 0)
ABOVE = PoolSetup("above max_connections", POOL, MAX_CONNECTIONS + TOO_MANY - POOL, wait_s=ABOVE_WAIT_S,
              expected=r"too many clients|remaining connection slots|[Tt]oo many connections")  # fmt: skip
TIMEOUT = PoolSetup("time-out", POOL, timeout_s=TIMEOUT_S, wait_s=TIMEOUT_WAIT_S, expected=r"QueuePool limit|Timeout")
SETUPS = (KEPT, OVERFLOW, NO_POOL, ABOVE, TIMEOUT)


def ideal_s(setup: PoolSetup, requests: int) -> float:
    """Seconds that so many requests take if nothing but waiting takes time."""
    at_once = setup.size + setup.overflow or requests or 1
    return math.ceil(requests / at_once) * setup.wait_s


def requests_for(setup: PoolSetup, headroom: ConnectionHeadroom) -> int:
    """How many requests to send at once: as few as will do, so that nobody else finds the database full."""
    if setup == ABOVE:
        return headroom.max_connections + TOO_MANY
    if setup == NO_POOL:
        return min(REQUESTS, (headroom.free - MARGIN) // ROUNDED * ROUNDED)
    return REQUESTS


def why_not(setup: PoolSetup, headroom: ConnectionHeadroom) -> str:
    """Why a set-up is left out with this database; empty if it is not."""
    if setup == ABOVE and headroom.max_connections > MAX_CONNECTIONS:
        return f"max_connections is {headroom.max_connections}, and more than {MAX_CONNECTIONS} are not opened for this"
    if setup == ABOVE and headroom.strangers:
        return f"others hold {headroom.strangers} of its connections and would be locked out"
    if setup == NO_POOL and requests_for(setup, headroom) <= POOL:
        return f"only {headroom.free} connections are left, too few to show what a connection for each request costs"
    return ""
