"""What are the figures of a load? Made once, of what one generator has recorded, or several together."""

from collections.abc import Sequence
from dataclasses import replace

from bench.load.job import NS_PER_S, GeneratorShare, LoadJob, LoadResult
from bench.load.part import Part, Use, pooled
from bench.load.recorder import Recorder

__all__ = ["result_of"]


def result_of(job: LoadJob, parts: Sequence[Part], start_spread_s: float = 0.0) -> LoadResult:
    """The result of a load that these parts are all of."""
    if len(parts) == 1:
        return figures(job, parts[0].recorder, parts[0].use)
    shares = tuple(share_of(job, part) for part in parts)
    whole = figures(job, pooled([part.recorder for part in parts]), together([part.use for part in parts]))
    return replace(whole, generators=shares, start_spread_s=start_spread_s)


def figures(job: LoadJob, recorder: Recorder, use: Use) -> LoadResult:
    """The figures of all that was recorded."""
    response, histogram = recorder.response()
    window_s, last_ns = recorder.window_s, recorder.last_answer_ns
    return LoadResult(
        mode="closed" if job.rate_rps is None else "open",
        window_s=window_s,
        interrupted=use.interrupted,
        warmup_requests=recorder.warmup_requests,
        warmup_errors=recorder.warmup_errors,
        requests=recorder.requests,
        good=recorder.good,
        unsent=recorder.unsent,
        unfinished=recorder.unfinished,
        errors=recorder.error_counts(),
        unexpected_statuses=tuple(sorted(recorder.statuses.items())),
        error_example=recorder.error_example,
        throughput_rps=sum(recorder.good_per_second) / window_s if window_s else 0.0,
        response=response,
        service=recorder.service(),
        start_lag=None if job.rate_rps is None else recorder.start_lag(),
        arrival_rps=recorder.requests / window_s if window_s else 0.0,
        time_in_system_mean_s=recorder.time_in_system_mean_s,
        in_flight_mean=recorder.in_flight_mean,
        first_third=recorder.third(0),
        last_third=recorder.third(2),
        good_per_second=recorder.good_per_second,
        histogram=histogram,
        raw=tuple(recorder.raw),
        last_answer_s=None if last_ns is None else (last_ns - recorder.start_ns) / NS_PER_S,
        connects=use.connects,
        idle_closes=use.idle_closes,
        received_bytes=use.received_bytes,
        cpu_user_s=use.cpu_user_s,
        cpu_system_s=use.cpu_system_s,
        cpu_window_s=use.cpu_window_s,
        max_rss_bytes=use.max_rss_bytes,
    )


def together(uses: Sequence[Use]) -> Use:
    """What several generators needed: counts in sum, CPU time and memory of the busiest, which decides."""
    return replace(
        max(uses, key=lambda use: use.cpu_share),
        interrupted=any(use.interrupted for use in uses),
        connects=sum(use.connects for use in uses),
        idle_closes=sum(use.idle_closes for use in uses),
        received_bytes=sum(use.received_bytes for use in uses),
        max_rss_bytes=max(use.max_rss_bytes for use in uses),
    )


def share_of(job: LoadJob, part: Part) -> GeneratorShare:
    """One of several generators."""
    use = part.use
    return GeneratorShare(
        requests=part.recorder.requests,
        start_lag=None if job.rate_rps is None else part.recorder.start_lag(),
        cpu_s=use.cpu_user_s + use.cpu_system_s,
        cpu_window_s=use.cpu_window_s,
        max_rss_bytes=use.max_rss_bytes,
    )
