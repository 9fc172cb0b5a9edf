"""When should each request of an open loop be sent?

A pacer is a pure function: it yields intended offsets from the start of the run and looks at no clock. The schedule is
absolute: a late request never moves the ones after it, which is what keeps the measurement free of coordinated omission
(Gil Tene, "How NOT to Measure Latency"; wrk2 and vegeta pace the same way).

Several generators share a schedule without a word between them: each draws the whole of it and keeps its lot. Arrivals
that are kept or not by chance, independently of each other, are Poisson again (thinning; Kingman, "Poisson Processes",
section 5.1); evenly spaced ones stay so if they are dealt out in turn.
"""

import math
import random
from collections.abc import Callable, Iterator
from itertools import count, islice, takewhile

from bench.load.job import NS_PER_S, WHOLE, Arrival, Lot

__all__ = ["constant", "poisson", "schedule"]


def constant(rate_rps: float) -> Iterator[int]:
    """Endless offsets in ns, evenly spaced, the first at 0; each is computed from its index, so no error adds up."""
    _require_rate(rate_rps)
    return (int(index * NS_PER_S / rate_rps) for index in count())


def poisson(rate_rps: float, seed: int) -> Iterator[int]:
    """Endless offsets in ns with independent exponential gaps: arrivals of users who do not know of each other.

    Only `random.Random.random` is drawn on, the one method whose sequence Python promises to keep between versions.
    """
    _require_rate(rate_rps)
    return _poisson(NS_PER_S / rate_rps, random.Random(seed).random)


def schedule(
    arrival: Arrival, rate_rps: float, duration_s: float, seed: int, *, most: int | None = None, lot: Lot = WHOLE
) -> Iterator[int]:
    """The offsets in ns below `duration_s`, at most so many, and of these a lot.

    Raises ValueError for an unknown arrival or a rate that is not above 0.
    """
    if arrival not in ("constant", "poisson"):
        raise ValueError(f"arrival is {arrival!r}; it must be 'constant' or 'poisson'")
    offsets = constant(rate_rps) if arrival == "constant" else poisson(rate_rps, seed)
    end_ns = int(duration_s * NS_PER_S)
    whole = islice(takewhile(lambda offset_ns: offset_ns < end_ns, offsets), most)
    if lot == WHOLE:
        return whole
    lots = _in_turn(lot.of) if arrival == "constant" else _by_chance(lot.of, seed)
    return (offset_ns for offset_ns, number in zip(whole, lots, strict=False) if number == lot.number)


def _in_turn(of: int) -> Iterator[int]:
    return (index % of for index in count())


def _by_chance(of: int, seed: int) -> Iterator[int]:
    uniform = random.Random(f"lots of {seed}").random  # not the sequence that the gaps are drawn from
    while True:
        yield int(uniform() * of)


def _poisson(mean_gap_ns: float, uniform: Callable[[], float]) -> Iterator[int]:
    offset_ns = 0.0
    while True:
        offset_ns -= math.log(1.0 - uniform()) * mean_gap_ns
        yield int(offset_ns)


def _require_rate(rate_rps: float) -> None:
    if not (math.isfinite(rate_rps) and rate_rps > 0):
        raise ValueError(f"rate_rps is {rate_rps}; it must be above 0 and finite")
