"""What do raw samples say? Exact percentiles, and when not to give one."""

from bisect import bisect_right
from collections.abc import Sequence
from typing import Literal

from bench.load.job import NS_PER_S, Latency, StartLag

__all__ = ["histogram", "latency", "percentile", "start_lag"]

SAMPLES_BEYOND = 10  # with fewer above it, single stragglers decide a percentile

Percentile = Literal["p50", "p90", "p95", "p99", "p999"]
PERCENTS: dict[Percentile, float] = {"p50": 50, "p90": 90, "p95": 95, "p99": 99, "p999": 99.9}

BINS_PER_DECADE = 10  # neighbouring bounds differ by 26 %: fine enough for a picture, 80 bins from 1 us to 100 s


def percentile(ordered: Sequence[int], percent: float) -> int | None:
    """The nearest-rank percentile (numpy's `inverted_cdf`), or None with fewer than ten samples beyond it."""
    rank = _rank(len(ordered), percent)
    return ordered[rank - 1] if len(ordered) - rank >= SAMPLES_BEYOND else None


def latency(ordered_ns: Sequence[int], *, seen: int, total_ns: int, censored: Sequence[int]) -> Latency:
    """Sums up samples sorted by size, drawn from `seen` that add up to `total_ns`; `censored` are its time-outs.

    From the smallest time-out upward the true order is unknown, so the percentiles there are lower bounds.
    """
    count = len(ordered_ns)
    sure = bisect_right(ordered_ns, min(censored) - 1) if censored else count
    values = {f"{name}_s": _seconds(percentile(ordered_ns, percent)) for name, percent in PERCENTS.items()}
    return Latency(
        count=seen,
        timed_out=round(len(censored) * seen / count) if count else 0,
        exact=seen == count,
        mean_s=total_ns / seen / NS_PER_S if seen else None,
        min_s=_seconds(ordered_ns[0]) if count else None,
        max_s=_seconds(ordered_ns[-1]) if count else None,
        at_least=tuple(name for name, percent in PERCENTS.items() if _rank(count, percent) > sure),
        **values,
    )


def start_lag(ordered_ns: Sequence[int], *, seen: int, late_sends: int) -> StartLag:
    """Sums up lags sorted by size, drawn from `seen`, of which so many were late sends."""
    return StartLag(
        count=seen,
        late_sends=late_sends,
        p50_s=_seconds(percentile(ordered_ns, 50)),
        p99_s=_seconds(percentile(ordered_ns, 99)),
        max_s=_seconds(ordered_ns[-1]) if ordered_ns else None,
    )


def histogram(ordered_ns: Sequence[int]) -> tuple[tuple[float, int], ...]:
    """(upper bound in s, samples up to it and above the bound before), logarithmic, without empty bins."""
    bins: list[tuple[float, int]] = []
    below, exponent = 0, 0
    while below < len(ordered_ns):
        bound_ns = 10 ** (exponent / BINS_PER_DECADE)
        upto = bisect_right(ordered_ns, bound_ns)
        if upto > below:
            bins.append((bound_ns / NS_PER_S, upto - below))
        below, exponent = upto, exponent + 1
    return tuple(bins)


def _rank(count: int, percent: float) -> int:
    return -(-count * round(percent * 100) // 10_000)  # in whole numbers: 0.07 * 100 is not 7 in floats


def _seconds(value_ns: int | None) -> float | None:
    return None if value_ns is None else value_ns / NS_PER_S
