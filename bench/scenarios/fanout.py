"""Does one request that makes many upstream calls take as long as one of them?

The request is for a page that asks 10 or 50 other services, each of which takes 0.1 s to answer. Its calls overlap if
they are greenlets, tasks or threads, and then the CPU time that each of them costs the server sets the limit. One
request is sent after the other, so that nothing else goes on in the server.

The calls are httpx's wherever a model does not say otherwise, and most of their CPU time is the client's own. Its async
client costs more than its sync one, because every call looks through its pool of idle connections
(https://github.com/encode/httpx/issues/3215). The event loop is not the reason: with aiohttp, through which
`asyncio-tortoise` calls, a call costs far less.
"""

from collections.abc import Sequence
from dataclasses import asdict
from statistics import median

from bench.judging import JudgedScenario
from bench.load import LoadJob
from bench.models import Model
from bench.scenarios.base import MeasurementContext, Options, Reading, Scenario, Workload, describe, run_load
from bench.scenarios.schedule import OnceOnSharedServer

COUNTS = (1, 10, 50)
# So that no reader takes what the HTTP client costs for what the event loop costs.
HTTP_CLIENT = (
    "What a call costs is mostly httpx, whose async client takes more than its sync one (encode/httpx#3215); "
    "`--models asyncio-tortoise` has aiohttp."
)
# How long the upstream takes for each call. It is also the ideal time of a request, however many calls it makes.
CALL_S = 0.1
REPETITIONS, REPETITIONS_QUICK = 3, 1
# How much longer than its calls one after the other a request may take on a slow machine before it counts as lost.
PATIENCE_S = 30.0


def workloads(options: Options) -> Sequence[Workload]:
    """Requests that make one call, ten and fifty."""
    return [Workload(f"{count} call{'s' * (count > 1)}", {"count": count, "seconds": CALL_S}) for count in COUNTS]


def measure(context: MeasurementContext, workload: Workload) -> Reading:
    """The median of a few requests. One that opens the connections to the upstream comes before them."""
    count, seconds = workload.parameters["count"], workload.parameters["seconds"]
    context.generator.run(job_of(context, count, seconds, requests=1))
    requests = REPETITIONS_QUICK if context.options.quick else REPETITIONS
    job = job_of(context, count, seconds, requests)
    result, cost, judgement = run_load(context, job)
    times_s = [sample.done_s - sample.sent_s for sample in result.raw if sample.kind == "good"]
    total_s = median(times_s) if times_s else None
    values = {
        "total_s": total_s,
        "ideal_s": seconds,
        "total_per_ideal": total_s / seconds if total_s is not None else None,
        "cpu_per_call_s": cost.cpu_s / (requests * count),
        "threads": cost.threads,
        "sockets": cost.sockets,
    }
    detail = {"job": describe(job), "load": asdict(result), "cost": asdict(cost)}
    return Reading(values, judgement, detail, result.last_answer_s or 0.0)


def job_of(context: MeasurementContext, count: int, seconds: float, requests: int) -> LoadJob:
    """So many requests one after the other, each of which makes so many calls."""
    limit_s = requests * count * seconds + PATIENCE_S  # one call after the other is the worst that can be
    return context.job(
        f"/fanout/?count={count}&seconds={seconds:g}", connections=1, max_requests=requests, warmup_s=0.0,
        duration_s=limit_s, timeout_s=limit_s, raw_limit=requests,
    )  # fmt: skip


def finding(judged: JudgedScenario) -> str:
    """How long the request with the most calls takes, beside what it would take without any overlap."""
    most = max(COUNTS)
    times = ", ".join(
        f"{median(cell.values('total_s')):.2f} s ({cell.model})"
        for cell in judged.cells
        if cell.workload["count"] == most and cell.judgement.valid and cell.values("total_s")
    )
    if not times:
        return ""
    serial_s = f"{most * CALL_S:g} s"
    took = f"{most} calls of {CALL_S:g} s in one request take {times}; one after the other they would take {serial_s}."
    return f"{took} {HTTP_CLIENT}"


def expected_s(options: Options, model: Model) -> float:
    """As long as it takes if all calls overlap, and a little for each call."""
    return (REPETITIONS + 1) * sum(CALL_S + count * 0.002 for count in COUNTS)


SCENARIO = Scenario(
    name="fanout",
    question="Does one request that makes many upstream calls take as long as one of them?",
    workloads=workloads,
    measure=measure,
    finding=finding,
    figure="total_s",
    schedule=OnceOnSharedServer(),
    expected_s=expected_s,
)
