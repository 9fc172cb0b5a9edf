"""What happens when more requests want the database than it has connections?

They wait, and their answers come in waves: as many at a time as the pool has connections. Each set-up of the pool has a
server of its own; bench/scenarios/pool_setups.py says what they are.

Only models whose database waits overlap take part, because with the others no two requests ever want a connection at
the same time. Models that can have no pool do not take part, nor do those whose requests wait for a thread first, nor
those of several processes, which have a pool each.
"""

import math
import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import asdict
from itertools import pairwise
from pathlib import Path
from statistics import median

from bench.judging import JudgedCell, JudgedScenario
from bench.judging.validity import VALID, Judgement
from bench.load import LoadJob, LoadResult
from bench.models import POOL, Model
from bench.scenarios.base import MeasurementContext, Options, Reading, Scenario, Workload, describe, run_load
from bench.scenarios.classic import at_once
from bench.scenarios.pool_setups import (
    ABOVE,
    KEPT,
    NO_POOL,
    OVERFLOW,
    REQUESTS,
    SETUPS,
    TIMEOUT,
    TIMEOUT_S,
    WAIT_S,
    PoolSetup,
    ideal_s,
    requests_for,
    why_not,
)
from bench.scenarios.schedule import Once
from bench.testbed.databases.connections import ConnectionMeter
from bench.words import join

# How much longer than all waits together a burst may take on a slow machine before its requests count as lost.
PATIENCE_S = 30.0


def waves(ends_s: Sequence[float], gap_s: float) -> tuple[int, ...]:
    """How many answers each wave has; a new one begins with an answer that comes more than `gap_s` after the last."""
    ordered = sorted(ends_s)
    starts = [0, *(index for index, (a, b) in enumerate(pairwise(ordered), start=1) if b - a > gap_s), len(ordered)]
    return tuple(end - start for start, end in pairwise(starts)) if ordered else ()


def workloads(options: Options) -> Sequence[Workload]:
    """The one workload, which is put to the server of each set-up."""
    return [Workload("burst", {"requests": REQUESTS})]


def measure(context: MeasurementContext, workload: Workload) -> Reading:
    """Send a burst to a server whose pool already has the connections that it keeps open."""
    setup, headroom = context.setup, context.testbed.headroom(context.server.model)
    assert isinstance(setup, PoolSetup)
    if reason := why_not(setup, headroom):
        return Reading({}, raw={"skipped": reason})
    context.generator.run(burst(context, POOL, WAIT_S / 2))
    return read(context, setup, requests_for(setup, headroom))


def burst(context: MeasurementContext, requests: int, wait_s: float) -> LoadJob:
    """So many requests at once, each on a connection of its own."""
    limit_s = requests * wait_s + PATIENCE_S  # at worst they are served one after the other
    return context.job(
        f"{context.server.model.database_sleep}?seconds={wait_s:g}", connections=requests, max_requests=requests,
        warmup_s=0.0, duration_s=limit_s, timeout_s=limit_s, raw_limit=requests,
    )  # fmt: skip


def read(context: MeasurementContext, setup: PoolSetup, requests: int) -> Reading:
    """Send the burst, and count its waves and the database connections that it took."""
    job = burst(context, requests, setup.wait_s)
    written = context.server.process.log_bytes()
    with ConnectionMeter(context.testbed.database_of(context.server.model)) as connections:
        result, cost, judgement = run_load(context, job)
    reasons = error_lines(context.server.process.log_since(written), setup.expected)
    ends_s = [sample.done_s for sample in result.raw if sample.kind == "good"]
    total_s = max((sample.done_s for sample in result.raw), default=0.0)
    found = waves(ends_s, setup.wait_s / 2)
    ideal = ideal_s(setup, result.good)
    values = {
        "total_s": total_s,
        "ideal_s": ideal,
        "total_per_ideal": total_s / ideal if ideal else None,
        "requests": requests,
        "waves": len(found),
        "failed": result.errors.total,
        "database_connections": connections.most,
        "database_connections_opened": connections.opened,
        "cpu_per_request_s": cost.cpu_s / requests,
        "threads": cost.threads,
    }
    detail = {"job": describe(job), "load": asdict(result), "cost": asdict(cost), "pool": asdict(setup),
              "answers_by_wave": found, "expected_error": reasons[-1] if reasons else None}  # fmt: skip
    return Reading(values, judge(judgement, result, len(reasons)), detail, total_s)


def judge(judgement: Judgement, result: LoadResult, reasons: int) -> Judgement:
    """Failed requests are no fault if each got a 500 and the server's log has the expected error for it."""
    failed = result.errors.total
    if judgement.state == "ERRORS" and 0 < failed <= reasons and dict(result.unexpected_statuses).get(500) == failed:
        return VALID
    return judgement


def log_bytes(log: Path) -> int:
    """How much a server has written to its log; servers of the same model share one."""
    return log.stat().st_size if log.exists() else 0


def error_lines(log: str, expected: str) -> list[str]:
    """The lines of a log that name an error of the expected kind, which are the last ones of tracebacks."""
    return [line for line in log.splitlines() if expected and re.match(rf"[\w.]+: .*({expected})", line)]


def finding(judged: JudgedScenario) -> str:
    """What each set-up does to a burst, in one sentence."""
    cells = judged.cells
    kept = {cell.model: cell for cell in of(KEPT, cells)}

    def both(setup: PoolSetup) -> list[JudgedCell]:
        return [cell for cell in of(setup, cells) if cell.model in kept]

    def times_kept(name: str) -> Callable[[JudgedCell], float]:
        return lambda cell: middle(name)(cell) / middle(name)(kept[cell.model])

    burst = f"{REQUESTS} requests of {WAIT_S:g} s"
    clauses = (
        said(f"a pool of 15 answers {burst} in {{}}", kept.values(), middle("total_s"), "{:.2f} s"),
        said("5 + 10 overflow takes {} as long", both(OVERFLOW), times_kept("total_s"), "{:.2f} times"),
        said("no pool costs {} the CPU time", both(NO_POOL), times_kept("cpu_per_request_s"), "{:.1f} times"),
        said("above max_connections {} requests fail", of(ABOVE, cells), middle("failed")),
        said(f"{{}} wait longer than a time-out of {TIMEOUT_S} s and fail", of(TIMEOUT, cells), middle("failed")),
        *(f"{name} was left out ({reason})" for name, reason in skipped(cells).items()),
    )
    sentence = "; ".join(filter(None, clauses))
    return f"{sentence[:1].upper()}{sentence[1:]}." if sentence else ""


def of(setup: PoolSetup, cells: Sequence[JudgedCell]) -> list[JudgedCell]:
    """The cells of a set-up that have figures to believe."""
    return [cell for cell in cells if cell.workload.get("setup") == setup.name and cell.judgement.valid
            and cell.values("total_s")]  # fmt: skip


def skipped(cells: Sequence[JudgedCell]) -> dict[str, str]:
    """The set-ups that were left out, and why."""
    return {
        cell.workload["setup"]: cell.observations[0].raw["skipped"]
        for cell in cells
        if "skipped" in cell.observations[0].raw
    }


def middle(name: str) -> Callable[[JudgedCell], float]:
    """A figure's median over the rounds."""
    return lambda cell: median(cell.values(name))


def said(
    template: str, cells: Collection[JudgedCell], figure: Callable[[JudgedCell], float], form: str = "{:.0f}"
) -> str:
    """The template with each model's figure in it; empty if there are no cells."""
    figures = [f"{form.format(figure(cell))} ({cell.model})" for cell in cells]
    return template.format(join(figures)) if cells else ""


def expected_s(options: Options, model: Model) -> float:
    """The mean of all set-ups, each with its warm-up."""
    return sum(ideal_s(setup, REQUESTS) for setup in SETUPS) / len(SETUPS) + WAIT_S / 2


def takes_part(model: Model, workload: Workload) -> bool:
    """Whether any number of the model's requests may wait for the one pool of its one process."""
    return model.workers == 1 and model.pool > 0 and at_once(model, model.database_waits_overlap) == math.inf


SCENARIO = Scenario(
    name="pool",
    question="What happens when more requests want the database than it has connections?",
    workloads=workloads,
    measure=measure,
    finding=finding,
    figure="total_s",
    schedule=Once(SETUPS),
    asks=takes_part,
    expected_s=expected_s,
)
