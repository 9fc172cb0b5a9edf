"""How many generators does a run need, where nobody has said it?

One, until it is what limits a measurement. Then twice as many measure the same again, if the machine has a core for
each beside those of the servers, and one more for databases and the upstream.
"""

from collections.abc import Iterable

from bench.results import Cell
from bench.testbed.servers.life import other_cores

__all__ = ["more_generators", "most_generators", "said"]


def most_generators(workers: int = 1) -> int:
    """How many generators have a core of their own beside a server of so many processes."""
    return max(1, len(other_cores(workers)) - 1)


def more_generators(cells: Iterable[Cell], now: int, workers: int = 1) -> int | None:
    """How many generators should measure these cells anew; None if those of now were enough, or there is no room."""
    limited = any(one.state == "GENERATOR-LIMITED" for cell in cells for one in cell.observations)
    more = min(2 * now, most_generators(workers))
    return more if limited and more > now else None


def said(now: int, more: int) -> str:
    """What a reader is told when there are more from here on."""
    limit = "one load generator was" if now == 1 else f"{now} load generators were"
    return f"{limit} the limit of what was just measured; {more} measure it again, and all that follows"
