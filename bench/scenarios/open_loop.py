"""A load in an open loop: requests arrive as those of users who do not know of each other, whatever the server does."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any

from bench.load import LoadJob
from bench.load.job import NS_PER_S
from bench.load.pacing import poisson
from bench.scenarios.base import MeasurementContext, Reading, load_reading

P90_SAMPLES = 101  # a percentile needs ten samples beyond it, and one is to spare
# A server that falls behind by 20 % at 1,200/s for a second has 240 requests in flight; users do not share 32 sockets.
CONNECTIONS = 256
# The load that found the server's capacity has warmed it; only the connections are new.
WARMUP_S = 0.05
RAW_SAMPLES = 20_000  # of each load; late requests are counted among them, one by one


def open_loop(
    context: MeasurementContext, rate_rps: float, samples: int, bounds: tuple[float, float], path: str
) -> LoadJob:
    """A load that lasts until so many requests have arrived.

    It is no shorter and no longer than the bounds, which are multiples of the run's duration.
    """
    job = context.job(path, rate_rps=rate_rps, arrival="poisson", connections=CONNECTIONS, warmup_s=WARMUP_S,
                     raw_limit=RAW_SAMPLES)  # fmt: skip
    shortest_s, longest_s = (bound * context.options.duration_s for bound in bounds)
    needed_s = arrived_s(rate_rps, job.seed, job.warmup_s, samples)
    return replace(job, duration_s=min(max(needed_s, shortest_s), longest_s))


def arrived_s(rate_rps: float, seed: int, warmup_s: float, samples: int) -> float:
    """When so many requests have arrived after the warm-up, in seconds from its end."""
    offsets_s = (offset_ns / NS_PER_S - warmup_s for offset_ns in poisson(rate_rps, seed))
    measured_s = (offset_s for offset_s in offsets_s if offset_s >= 0)
    return next(islice(measured_s, samples - 1, None)) + 1e-6  # a request at the very end of a window is not in it


def open_reading(context: MeasurementContext, job: LoadJob, late_after_s: float | None = None) -> Reading:
    """Send the load; give what an open loop shows beside the figures of every load.

    With `late_after_s` the late requests are counted, and those that failed or could not be sent are among them.
    """
    reading = load_reading(context, job)
    load = dict(reading.raw["load"])
    samples = load.pop("raw")
    figures = {
        **reading.figures,
        "offered_rps": job.rate_rps,
        "service_p50_s": load["service"]["p50_s"],
        "unsent": load["unsent"],
    }
    if late_after_s is not None:
        late = late_requests(samples, late_after_s) + load["unsent"]
        requests = min(load["requests"], job.raw_limit) + load["unsent"]
        figures |= {"late": late, "requests": requests, "late_share": late / requests if requests else None}
    return replace(reading, figures=figures, raw={**reading.raw, "load": load})


def late_requests(raw: Sequence[Mapping[str, Any]], limit_s: float) -> int:
    """How many were answered at the limit or later, counted from the time at which they were due, or failed."""
    return sum(one["kind"] != "good" or one["done_s"] - one["intended_s"] >= limit_s for one in raw)
