"""How many requests can wait at once, and what does each cost while it waits?

At each level so many requests are sent at the same moment to a view that sleeps; their connections are made beforehand.
The ideal is one sleep where waits in Python overlap, one sleep for every wave where there are threads for so many at a
time, and as many sleeps as requests where waits do not overlap.

The sleeps grow with the level, for two reasons. A server needs up to half a millisecond of its core to begin a request,
so all of them wait at the same moment only if the sleep is longer than that times the level. And after its sleep the
view reads all todos through a pool of 15 connections, which the ideal ignores. At 5,000 in flight this reading is most
of the time beyond the ideal; it is the subject of `throughput`, not of waiting.

Memory per request is the server's peak, less what it held before the first level with its pool already open, divided by
the number of requests: so much memory must be there for each. The peak comes while the requests queue for the pool; in
the sleep alone they hold a fifth to two fifths less. It is resident memory, because pages that processes share are in
both terms and cancel out, and because the kernel takes 5 to 10 ms to find the PSS. What the kernel itself holds for the
sockets is not in it.
"""

from collections.abc import Sequence
from dataclasses import asdict, replace
from math import inf
from statistics import median
from typing import Any

from bench.judging import JudgedCell, JudgedScenario
from bench.judging.validity import Judgement, judge_load
from bench.load import ErrorCounts, LoadResult
from bench.models import POOL, Model
from bench.scenarios.base import MeasurementContext, Options, Reading, Scenario, Workload, describe
from bench.scenarios.classic import PYTHON, at_once, ideal_s
from bench.testbed.processes.local_http import local_get
from bench.testbed.servers.cost import Cost
from bench.words import join

# (requests in flight, seconds that each sleeps)
LEVELS = ((10, 0.15), (100, 0.3), (1_000, 1.0), (5_000, 3.0))
# If a level takes more than so many times the ideal, its requests do not wait together in any useful sense.
SLOWEST = 10.0
# One after the other, the requests of the first level take 1.5 s; this is twice that.
DEADLINE_MIN_S = 3.0
# CPython's memory grows by arenas of 1 MB. That is a kilobyte a request at this level, but 10 kB a request at 100.
MEMORY_FROM = 1_000
# Before anything is measured, so many requests at once open the whole pool of 15 and fill every cache.
WARM_REQUESTS = 2 * POOL
WARM_TIMEOUT_S = 30.0
WARM_S = 2.0

MEMORY = "memory_per_request_bytes"


def workloads(options: Options) -> Sequence[Workload]:
    """One for each level, the lowest first. A verdict is about the highest."""
    levels = [workload(requests, seconds) for requests, seconds in levels_of(options)]
    return [*levels[:-1], replace(levels[-1], kind=f"{levels[-1].parameters['requests']:,} requests waiting")]


def levels_of(options: Options) -> Sequence[tuple[int, float]]:
    """Requests in flight, and seconds that each sleeps; a quick run leaves out the highest level."""
    return LEVELS[:-1] if options.quick else LEVELS


def workload(requests: int, seconds: float) -> Workload:
    """So many requests at once, each of which sleeps so long."""
    return Workload(f"{requests:,} × {seconds:g} s", {"requests": requests, "seconds": seconds})


def deadline_s(seconds: float) -> float:
    """How many seconds after its start a level is given up."""
    return max(DEADLINE_MIN_S, SLOWEST * seconds)


def measure(context: MeasurementContext, workload: Workload) -> Reading:
    """Measure one level, unless a lower one has found the server's limit already."""
    if stopped := context.memo.get("stopped"):
        return Reading({}, Judgement("SATURATED", f"not tried: its limit was found at {stopped}"))
    if "body" not in context.memo:
        context.memo.update(warm_up(context))
    reading = burst(context, workload)
    if reading.figures["failed"] or reading.judgement.state == "SATURATED":
        context.memo["stopped"] = workload.name
    return reading


def warm_up(context: MeasurementContext) -> dict[str, Any]:
    """Fill the server's pool and caches; give what every answer must be, and the memory that the server now holds."""
    path = f"{PYTHON}?seconds=0"
    body = local_get(context.server.url + path, timeout=WARM_TIMEOUT_S).raise_for_status().content
    context.generator.run(
        context.job(path, connections=WARM_REQUESTS, max_requests=WARM_REQUESTS, warmup_s=0.0,
                   duration_s=WARM_TIMEOUT_S, timeout_s=WARM_TIMEOUT_S)
    )  # fmt: skip
    return {"body": body, "rss_bytes": context.server.held().rss_bytes}


def burst(context: MeasurementContext, workload: Workload) -> Reading:
    """Send all requests of a level at once, each on a connection of its own."""
    requests, seconds = workload.parameters["requests"], workload.parameters["seconds"]
    limit_s = deadline_s(seconds)
    job = context.job(
        f"{PYTHON}?seconds={seconds:g}", connections=requests, max_requests=requests, warmup_s=0.0,
        duration_s=limit_s, timeout_s=limit_s, expect_body=context.memo["body"],
    )  # fmt: skip
    with context.server.meter() as meter:
        result = context.generator.run(job)
    files = context.server.machine.file_limit(context.server.info["pid"])
    judgement = judge(result, context.contestant.model, seconds, requests, files)
    if not context.server.process.running:
        judgement = Judgement("ERRORS", f"the server ended: {result.good:,} of {requests:,} were answered")
    base_bytes = context.memo["rss_bytes"]
    detail = {"job": describe(job), "load": asdict(replace(result, raw=())), "cost": asdict(meter.cost),
              "rss_before_bytes": base_bytes, "file_limit": files}  # fmt: skip
    values = figures(result, meter.cost, context.contestant.model, seconds, requests)
    if judgement.valid:
        values[MEMORY] = memory_per_request(meter.cost.peak_rss_bytes, base_bytes, requests)
    return Reading(values, judgement, detail, result.window_s)


def figures(result: LoadResult, cost: Cost, model: Model, seconds: float, requests: int) -> dict[str, Any]:
    """The figures of a level that was tried; it has a time only if all its requests were answered."""
    ideal, _ = ideal_s(model, seconds, requests)
    total_s = result.last_answer_s if result.good == requests else None
    return {
        "total_s": total_s,
        "ideal_s": ideal,
        "total_per_ideal": total_s / ideal if total_s else None,
        "answered": result.good,
        "failed": result.errors.total,
        "threads": cost.threads,
        "sockets": cost.sockets,
        "cpu_s": cost.cpu_s,
    }


def memory_per_request(peak_bytes: int, before_bytes: int, requests: int) -> float | None:
    """Bytes that a request in flight adds; None where so few requests add less than one step of the allocator."""
    return max(0, peak_bytes - before_bytes) / requests if requests >= MEMORY_FROM else None


def judge(result: LoadResult, model: Model, seconds: float, requests: int, files: int | None) -> Judgement:
    """Whether a level may be believed. The reason is a cause, a colon, and the figures."""
    answered = f"{result.good:,} of {requests:,} answered within {deadline_s(seconds):g} s"
    if result.errors.total:
        return failed(result.errors, answered, model, files if files and files <= requests + POOL else None)
    judgement = judge_load(result)
    ideal, _ = ideal_s(model, seconds, requests)
    if judgement.valid and (result.last_answer_s or 0.0) > SLOWEST * ideal:
        slower = (result.last_answer_s or 0.0) / ideal
        return Judgement("SATURATED", f"{slower:.0f} times the ideal: {result.last_answer_s:.1f} s for {ideal:g} s")
    return judgement


def failed(errors: ErrorCounts, answered: str, model: Model, files: int | None = None) -> Judgement:
    """What errors of requests say that were to wait at once.

    A wrong answer is always an error. A missing answer is the server's limit, which is what the scenario looks for, and
    no failure of the run.
    """
    kinds = {kind: count for kind, count in asdict(errors).items() if count}
    text = f"{answered} ({', '.join(f'{count:,} × {kind}' for kind, count in kinds.items())})"
    if kinds.keys() & {"bad_status", "wrong_body", "protocol"}:
        return Judgement("ERRORS", f"wrong answers: {text}")
    if "no_socket" in kinds:
        return Judgement("GENERATOR-LIMITED", f"the generator had no socket: {text}")
    if files:
        return Judgement("SATURATED", f"the server may open only {files:,} files, see ulimit -n: {text}")
    if (number := at_once(model, model.python_waits_overlap)) < inf:
        return Judgement("SATURATED", f"{'one' if number == 1 else number} at a time: {answered}")
    return Judgement("SATURATED", f"out of time: {text}" if kinds.keys() == {"timeout"} else f"overrun: {text}")


def expected_s(options: Options, model: Model) -> float:
    """Twice the ideal of each level on an event loop; elsewhere the ideal, up to the first level that is given up."""
    total_s = WARM_S
    for requests, seconds in levels_of(options):
        ideal, _ = ideal_s(model, seconds, requests)
        if ideal > deadline_s(seconds):
            return total_s + deadline_s(seconds)
        total_s += ideal if at_once(model, model.python_waits_overlap) < inf else 2 * ideal
    return total_s


def finding(judged: JudgedScenario) -> str:
    """With which models the highest level waits at once, and in how much memory; where the others stop, and why."""
    cells = judged.cells
    top = max((cell.workload["requests"] for cell in cells if cell.judgement.valid), default=0)
    kept = {cell.model: cell for cell in cells if cell.workload["requests"] == top and cell.judgement.valid}
    parts = [f"{top:,} requests wait at once with {priced(list(kept.values()), MEMORY)}"] if kept else []
    stops = [cell for cell in first_stops(cells) if cell.model not in kept or cell.workload["requests"] > top]
    for (requests, cause), names in by_cause(stops):
        parts.append(f"not {requests:,} with {join(names)} ({cause})")
    sentence = "; ".join(parts) + "."
    return sentence[0].upper() + sentence[1:]


def first_stops(cells: Sequence[JudgedCell]) -> list[JudgedCell]:
    """Each model's lowest level that is not valid, the lowest of all first."""
    stops = [cell for cell in sorted(cells, key=lambda cell: cell.workload["requests"]) if not cell.judgement.valid]
    return list({cell.model: cell for cell in reversed(stops)}.values())[::-1]


def by_cause(cells: Sequence[JudgedCell]) -> list[tuple[tuple[int, str], list[str]]]:
    """The models of cells that are not valid, grouped by level and by cause, which is how a reason begins."""
    groups: dict[tuple[int, str], list[str]] = {}
    for cell in cells:
        reason: str = next(one.reason for one in cell.observations if one.reason)
        groups.setdefault((cell.workload.get("requests", 0), reason.partition(":")[0]), []).append(cell.model)
    return list(groups.items())


def priced(cells: Sequence[JudgedCell], figure: str) -> str:
    """`gevent (61 kB each) and asyncio (70 kB each)`, the model with the smallest figure first."""
    prices = sorted((median(cell.values(figure) or [0.0]), cell.model) for cell in cells)
    return join([f"{model} ({price / 1e3:.0f} kB each)" if price else model for price, model in prices])


SCENARIO = Scenario(
    name="scale",
    question="How many requests can wait at once, and what does each cost?",
    workloads=workloads,
    measure=measure,
    finding=finding,
    # Not the ratio to the ideal, which is another one for models that serve one request at a time.
    figure="total_s",
    expected_s=expected_s,
)
