"""A load in an open loop: requests arrive as those of users who do not know of each other, whatever the server does."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any

from bench.load import LoadJob
from bench.load.job import NS_PER_S
from bench.load.pacing import poisson
from bench.scenarios.base import MeasurementContext, Reading, load_reading

P90_SAMPLES = 101  # ten beyond it and one to spare
# A server that falls behind by 20 % at 1,200/s for a second has 240 requests in flight; users do not share 32 sockets.
CONNECTIONS = 256
# The capacity's load has warmed the server; what is left to warm is the connections.
WARMUP_S = 0.05
RAW_SAMPLES = 20_000  # late requests are counted one by one, among so many of a load


def open_loop(
    context: MeasurementContext, rate_rps: float, samples: int, bounds: tuple[float, float], path: str
) -> LoadJob:
    """A load until so many requests have arrived, within bounds given in durations of the run."""
    job = context.job(path, rate_rps=rate_rps, arrival="poisson", connections=CONNECTIONS, warmup_s=WARMUP_S,
                     raw_limit=RAW_SAMPLES)  # fmt: skip
    shortest_s, longest_s = (bound * context.options.duration_s for bound in bounds)
    needed_s = arrived_s(rate_rps, job.seed, job.warmup_s, samples)
    return replace(job, duration_s=min(max(needed_s, shortest_s), longest_s))


def arrived_s(rate_rps: float, seed: int, warmup_s: float, samples: int) -> float:
    """When the schedule's warm-up is over and that many more requests have arrived, from the end of the warm-up."""
    offsets_s = (offset_ns / NS_PER_S - warmup_s for offset_ns in poisson(rate_rps, seed))
    measured_s = (offset_s for offset_s in offsets_s if offset_s >= 0)
    return next(islice(measured_s, samples - 1, None)) + 1e-6  # a window is open at its end


def open_reading(context: MeasurementContext, job: LoadJob) -> Reading:
    """A load as a reading, with what an open loop has beside the usual; `late` counts failed and unsent ones too."""
    reading = load_reading(context, job)
    load = dict(reading.raw["load"])
    late = late_requests(load.pop("raw"), context.options.slo_s) + load["unsent"]
    requests = min(load["requests"], job.raw_limit) + load["unsent"]
    values = {
        **reading.figures,
        "offered_rps": job.rate_rps,
        "service_p50_s": load["service"]["p50_s"],
        "unsent": load["unsent"],
        "late": late,
        "requests": requests,
        "late_share": late / requests if requests else None,
    }
    return replace(reading, figures=values, raw={**reading.raw, "load": load})


def late_requests(raw: Sequence[Mapping[str, Any]], slo_s: float) -> int:
    """How many took the limit or longer from their intended time, or failed."""
    return sum(one["kind"] != "good" or one["done_s"] - one["intended_s"] >= slo_s for one in raw)
