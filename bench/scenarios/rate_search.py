"""What is the highest rate that keeps a promise? A search by halves, with a second try for what a neighbour spoils."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

PROBES = 5  # the limit is found to within 1.2 / 2 ** 5, which is 4 % of the capacity
RETRIES = 2  # in a search: another process may spoil a probe, but the search must end


@dataclass(frozen=True)
class Probe:
    """One rate that was tried, and whether the promise was kept at it."""

    rate_rps: float
    kept: bool
    late: int
    requests: int
    p99_s: float | None
    state: str
    reason: str
    window_s: float


def highest_kept(probe_at: Callable[[float], Probe], upper_rps: float) -> tuple[float | None, list[Probe]]:
    """The highest rate that kept the promise (None: none did), and every probe of the search."""
    probes: list[Probe] = []

    def kept_at(rate_rps: float) -> bool:
        probes.append(probe_at(rate_rps))
        if worth_a_retry(probes):
            probes.append(probe_at(rate_rps))
        return probes[-1].kept

    return search(kept_at, upper_rps), probes


def worth_a_retry(probes: Sequence[Probe]) -> bool:
    """Whether to try the last rate again: the server did not fall far behind at it, and retries are left."""
    retries = len(probes) - len({one.rate_rps for one in probes})
    return not probes[-1].kept and probes[-1].state != "SATURATED" and retries < RETRIES


def search(kept_at: Callable[[float], bool], upper_rps: float, probes: int = PROBES) -> float | None:
    """The highest rate known to be kept after halving what lies between 0 and `upper_rps` so often; None: none is.

    It is below the true limit by at most `upper_rps / 2 ** probes`, and never above it if `kept_at` is never wrong.
    """
    low_rps, high_rps = 0.0, upper_rps
    for _ in range(probes):
        middle_rps = (low_rps + high_rps) / 2
        if kept_at(middle_rps):
            low_rps = middle_rps
        else:
            high_rps = middle_rps
    return low_rps or None
