"""Does one request that makes many upstream calls take as long as one of them?

A page that asks 10 or 50 other services, each of which takes 0.1 s to answer. Its calls overlap if they are greenlets,
tasks or threads; what each of them costs the server in CPU time is what then sets the limit. One request at a time,
several times over: nothing else is going on in the server.

The calls are httpx's wherever a model does not say otherwise, and most of their CPU time is the client's own. Its async
client costs more than its sync one, for every call looks through its pool of idle connections
(https://github.com/encode/httpx/issues/3215): that is no price of an event loop. `asyncio-tortoise` calls through
aiohttp, for far less.
"""

from collections.abc import Sequence
from dataclasses import asdict
from statistics import median

from bench.load import LoadJob
from bench.results import Cell
from bench.scenarios.base import Column, MeasurementContext, Options, Reading, Scenario, Workload, describe, run_load

COUNTS = (1, 10, 50)
# Lest a reader take the HTTP client's price for the event loop's.
HTTP_CLIENT = (
    "What a call costs is mostly httpx, whose async client takes more than its sync one (encode/httpx#3215); "
    "`--models asyncio-tortoise` has aiohttp."
)
# How long the upstream takes for each call, and so the ideal time of a request however many it makes.
CALL_S = 0.1
REPETITIONS = 3
# What a slow machine may add to calls that are made one after the other before a request counts as lost.
PATIENCE_S = 30.0


def workloads(options: Options) -> Sequence[Workload]:
    """From one call to many."""
    return [Workload(f"{count} call{'s' * (count > 1)}", {"count": count, "seconds": CALL_S}) for count in COUNTS]


def measure(context: MeasurementContext, workload: Workload) -> Reading:
    """The median of a few requests, after one that has opened the connections to the upstream."""
    count, seconds = workload.parameters["count"], workload.parameters["seconds"]
    context.generator.run(job_of(context, count, seconds, requests=1))
    job = job_of(context, count, seconds, requests=REPETITIONS)
    result, cost, judgement = run_load(context, job)
    walls_s = [sample.done_s - sample.sent_s for sample in result.raw if sample.kind == "good"]
    wall_s = median(walls_s) if walls_s else None
    values = {
        "wall_s": wall_s,
        "ideal_s": seconds,
        "total_per_ideal": wall_s / seconds if wall_s is not None else None,
        "cpu_per_call_s": cost.cpu_s / (REPETITIONS * count),
        "threads": cost.threads,
        "sockets": cost.sockets,
    }
    detail = {"job": describe(job), "load": asdict(result), "cost": asdict(cost)}
    return Reading(values, judgement, detail, result.last_answer_s or 0.0)


def job_of(context: MeasurementContext, count: int, seconds: float, requests: int) -> LoadJob:
    """Requests one after the other, each making so many calls."""
    limit_s = requests * count * seconds + PATIENCE_S  # one call after the other is the worst that can be
    return context.job(
        f"/fanout/?count={count}&seconds={seconds:g}", connections=1, max_requests=requests, warmup_s=0.0,
        duration_s=limit_s, timeout_s=limit_s, raw_limit=requests,
    )  # fmt: skip


def finding(cells: Sequence[Cell]) -> str:
    """How long the request with the most calls takes, beside what it would take without any overlap."""
    most = max(COUNTS)
    walls = ", ".join(
        f"{median(cell.values('wall_s')):.2f} s ({cell.model})"
        for cell in cells
        if cell.workload["count"] == most and cell.judgement.valid and cell.values("wall_s")
    )
    if not walls:
        return ""
    serial_s = f"{most * CALL_S:g} s"
    took = f"{most} calls of {CALL_S:g} s in one request take {walls}; one after the other they would take {serial_s}."
    return f"{took} {HTTP_CLIENT}"


def expected_s(options: Options) -> float:
    """As long as it is if all calls overlap, and a little for each."""
    return (REPETITIONS + 1) * sum(CALL_S + count * 0.002 for count in COUNTS)


SCENARIO = Scenario(
    name="fanout",
    question="Does one request that makes many upstream calls take as long as one of them?",
    workloads=workloads,
    measure=measure,
    columns=(
        Column("wall ms", "wall_s", 1e3),
        Column("÷ ideal", "total_per_ideal", decimals=2),
        Column("CPU µs/call", "cpu_per_call_s", 1e6),
        Column("threads", "threads"),
    ),
    finding=finding,
    figure="wall_s",
    shuffled=False,
    shares_server=True,
    expected_s=lambda options, model: expected_s(options),
)
