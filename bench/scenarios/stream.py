"""What does an open event stream cost, and does it keep its beat beside hundreds of others?

500 clients open a stream of server-sent events at once, and every stream is to send an event at the same interval.
Ideally the first event comes without delay, and each later one after exactly the interval. The table has the median and
the longest delay of the first events, and the 90th percentile of the intervals. Memory per stream is what the server
holds when all streams have begun and none has ended, less what it held before, divided by their number. It is resident
memory, without what the kernel holds for the sockets (see `scale`).

A server that serves one request at a time sends one stream to its end before the next can begin. It is asked for the
same 500 streams and is stopped after the time of one and a half, which shows how many have begun by then.
"""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from bench.judging import JudgedScenario
from bench.judging.validity import GENERATOR_CPU, VALID, Judgement, apart, overworked
from bench.load import StreamJob, StreamResult
from bench.models import POOL, Model
from bench.scenarios.base import MeasurementContext, Options, Reading, Scenario, Workload
from bench.scenarios.scale import by_cause, failed, priced
from bench.scenarios.schedule import OnceOnSharedServer
from bench.testbed.servers.cost import Cost
from bench.words import join

STREAMS = 500
EVENTS = 6
EVENTS_QUICK = 4
INTERVAL_S = 0.4
# How many times the length of one stream all streams together may take.
PATIENCE = 5.0
PATIENCE_SERIAL = 1.5
# Sent beforehand, so that what only a server's first streams cost is in no figure.
WARM_STREAMS = 2 * POOL
WARM_TIMEOUT_S = 30.0
WARM_S = 1.0

MEMORY = "memory_per_stream_bytes"


def workloads(options: Options) -> Sequence[Workload]:
    """The one workload; in a quick run its streams are shorter."""
    return [workload(STREAMS, events_each(options), INTERVAL_S)]


def events_each(options: Options) -> int:
    """How many events a stream has."""
    return EVENTS_QUICK if options.quick else EVENTS


def workload(streams: int, events: int, seconds: float) -> Workload:
    """So many streams at once, each of so many events that are so many seconds apart."""
    return Workload(f"{streams} × {seconds:g} s", {"streams": streams, "events": events, "seconds": seconds})


def limit_s(model: Model, events: int, seconds: float) -> float:
    """How many seconds after their start the streams are given up."""
    return (events - 1) * seconds * (PATIENCE if model.python_waits_overlap else PATIENCE_SERIAL)


def measure(context: MeasurementContext, workload: Workload) -> Reading:
    """Open all streams and read them to their end; look at the server's memory while all of them are open."""
    streams, events, seconds = (workload.parameters[name] for name in ("streams", "events", "seconds"))
    model = context.contestant.model
    in_middle_bytes = 0
    context.generator.stream(job(context, WARM_STREAMS, 2, 0.0, WARM_TIMEOUT_S))
    before_bytes = context.server.held().rss_bytes
    with context.server.meter() as meter:

        def look(_: int) -> None:
            nonlocal in_middle_bytes
            in_middle_bytes = context.server.held().rss_bytes

        result = context.generator.stream(job(context, streams, events, seconds, limit_s(model, events, seconds)), look)
    judgement = judge(result, model, limit_s(model, events, seconds))
    if not context.server.process.running:
        judgement = Judgement("ERRORS", f"the server ended: {result.finished} of {streams} streams were complete")
    detail = {"streams": asdict(result), "cost": asdict(meter.cost), "rss_before_bytes": before_bytes}
    memory_bytes = max(0, in_middle_bytes - before_bytes) / streams if judgement.valid else None
    return Reading({**figures(result, meter.cost), MEMORY: memory_bytes}, judgement, detail, result.wall_s)


def figures(result: StreamResult, cost: Cost) -> dict[str, Any]:
    """What all streams together say, and what they cost the server."""
    return {
        "first_event_p50_s": result.first_event_p50_s,
        "first_event_max_s": result.first_event_max_s,
        "spacing_p50_s": result.spacing_p50_s,
        "spacing_p90_s": result.spacing_p90_s,
        "spacing_max_s": result.spacing_max_s,
        "streams_begun": result.opened,
        "failed": result.errors.total,
        "threads": cost.threads,
        "sockets": cost.sockets,
        "cpu_per_event_s": cost.cpu_s / result.events if result.events else None,
    }


def job(context: MeasurementContext, streams: int, events: int, seconds: float, timeout_s: float) -> StreamJob:
    """So many streams of this server at once."""
    usual = context.job(f"/stream/?count={events}&seconds={seconds:g}")
    return StreamJob(
        host=usual.host, port=usual.port, path=usual.path, streams=streams, expect_events=events,
        mid_after_s=timeout_s, timeout_s=timeout_s, cores=usual.cores,
    )  # fmt: skip


def judge(result: StreamResult, model: Model, within_s: float) -> Judgement:
    """Whether the streams may be believed. The reason is a cause, a colon, and the figures."""
    if result.errors.total:
        return failed(result.errors, f"{result.opened} of {result.streams} had begun within {within_s:.1f} s", model)
    if result.cpu_s > GENERATOR_CPU * result.wall_s:
        return Judgement("GENERATOR-LIMITED", overworked(result.cpu_s / result.wall_s, result.generators))
    if reason := apart(result.start_spread_s, result.wall_s):
        return Judgement("UNSTABLE", reason)
    if result.mid_open != result.streams:
        return Judgement(
            "SATURATED", f"not all at once: {result.mid_open} of {result.streams} were open when the last began"
        )
    return VALID


def expected_s(options: Options, model: Model) -> float:
    """The length of one stream where all go on together, elsewhere the time after which they are given up."""
    length = events_each(options)
    return WARM_S + ((length - 1) * INTERVAL_S if model.python_waits_overlap else limit_s(model, length, INTERVAL_S))


def finding(judged: JudgedScenario) -> str:
    """With which models all streams are open at once, and what memory that takes; with which they are not, and why."""
    kept = [cell for cell in judged.cells if cell.judgement.valid]
    parts = [f"{STREAMS} streams are open at once with {priced(kept, MEMORY)}"] if kept else []
    for (_, cause), names in by_cause([cell for cell in judged.cells if not cell.judgement.valid]):
        parts.append(f"not with {join(names)} ({cause})")
    sentence = "; ".join(parts) + "."
    return sentence[0].upper() + sentence[1:]


SCENARIO = Scenario(
    name="stream",
    question="What does an open event stream cost, and does it keep its beat?",
    workloads=workloads,
    measure=measure,
    finding=finding,
    figure="spacing_p90_s",
    schedule=OnceOnSharedServer(),
    expected_s=expected_s,
)
