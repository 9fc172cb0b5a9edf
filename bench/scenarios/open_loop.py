"""A load in an open loop: requests arrive as those of users who do not know of each other, whatever the server does."""

from dataclasses import asdict, replace
from itertools import islice

from bench.load import LoadJob
from bench.load.job import NS_PER_S
from bench.load.pacing import poisson
from bench.scenarios.base import MeasurementContext, Reading, describe, run_load

P90_SAMPLES = 101  # a percentile needs ten samples beyond it, and one is to spare
# A server that falls behind by 20 % at 1,200/s for a second has 240 requests in flight; users do not share 32 sockets.
CONNECTIONS = 256
# The load that found the server's capacity has warmed it; only the connections are new.
WARMUP_S = 0.05


def open_loop(
    context: MeasurementContext, rate_rps: float, samples: int, bounds: tuple[float, float], path: str
) -> LoadJob:
    """A load that lasts until so many requests have arrived.

    It is no shorter and no longer than the bounds, which are multiples of the run's duration.
    """
    job = context.job(path, rate_rps=rate_rps, arrival="poisson", connections=CONNECTIONS, warmup_s=WARMUP_S)
    shortest_s, longest_s = (bound * context.options.duration_s for bound in bounds)
    needed_s = arrived_s(rate_rps, job.seed, job.warmup_s, samples)
    return replace(job, duration_s=min(max(needed_s, shortest_s), longest_s))


def arrived_s(rate_rps: float, seed: int, warmup_s: float, samples: int) -> float:
    """When so many requests have arrived after the warm-up, in seconds from its end."""
    offsets_s = (offset_ns / NS_PER_S - warmup_s for offset_ns in poisson(rate_rps, seed))
    measured_s = (offset_s for offset_s in offsets_s if offset_s >= 0)
    return next(islice(measured_s, samples - 1, None)) + 1e-6  # a request at the very end of a window is not in it


def open_reading(context: MeasurementContext, job: LoadJob) -> Reading:
    """Send the load; give its figures."""
    result, cost, judgement = run_load(context, job)
    handled = result.warmup_requests + result.requests
    figures = {
        "offered_rps": job.rate_rps,
        "throughput_rps": result.throughput_rps,
        "p50_s": result.response.p50_s,
        "p90_s": result.response.p90_s,
        "p99_s": result.response.p99_s,
        "max_s": result.response.max_s,
        "service_p50_s": result.service.p50_s,
        "unsent": result.unsent,
        "cpu_per_request_s": cost.cpu_s / handled if handled else None,
    }
    return Reading(
        figures, judgement, {"job": describe(job), "load": asdict(result), "cost": asdict(cost)}, result.window_s
    )
