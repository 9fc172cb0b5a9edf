"""What happens when more requests want the database than it has connections?

They wait, and their answers come in waves: as many at a time as the pool has connections. Five set-ups, a server each:

- pool of 15, all of them kept open: what every other scenario has.
- 5 + 10 overflow, SQLAlchemy's default. SQLAlchemy closes an overflow connection that comes back when five are idle,
  and opens none for a request that waits already, which looks for an idle one only (`QueuePool._do_get`): by chance
  the waves of a burst get smaller. asyncpg keeps a connection until nobody has used it for five minutes, asyncmy for an
  hour.
- no pool: every request opens a connection and closes it. SQLAlchemy's NullPool; asyncpg has nothing but pools, so
  there it is one that closes a connection as soon as it comes back, and with asyncmy when the next one is wanted. No
  waves, and a handshake for every request.
- above `max_connections`: a pool that may grow beyond what the server allows, and more requests than that. Those that
  get no connection are expected to fail: that they do is what is shown. The pool starts with 15, for asyncpg opens its
  minimum at start-up: a server with a minimum above `max_connections` never starts. SQLAlchemy's fails when asked.
  asyncmy opens one connection at a time, and some are back before the limit is reached: then nothing fails.
- time-out: a pool of 15 whose time-out is shorter than the wait. SQLAlchemy raises TimeoutError, and the request fails;
  `databases` has no time-out for a full pool: its requests wait.

Only models whose database waits overlap take part: with the others no two requests ever want a connection at once. Nor
do those that can have no pool, those that have threads for so many requests (which wait for a thread first), and those
of several processes (each has a pool of its own).
"""

import math
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from statistics import median

from bench.judging.validity import VALID, Judgement
from bench.load import LoadJob, LoadResult
from bench.models import POOL, Model
from bench.results import Cell
from bench.scenarios.base import Column, MeasurementContext, Options, Reading, Scenario, Workload, describe, run_load
from bench.scenarios.classic import at_once
from bench.testbed.databases.connections import ConnectionHeadroom, ConnectionMeter
from bench.words import join

REQUESTS = 100
WAIT_S = 0.2
# Three waves of it begin within a time-out of a second, the fourth does not, each with 0.2 s to spare.
TIMEOUT_WAIT_S = 0.4
TIMEOUT_S = 1
# What the applications' config.py has, longer than any wait here.
NO_TIMEOUT_S = 300
# Above a larger limit it would take hundreds of requests and a tenth of the server's memory to show the same.
MAX_CONNECTIONS = 200
# How many requests more than there can be connections.
TOO_MANY = 20
# Connections left to others by the set-up without a pool, and by how many it is rounded.
MARGIN, ROUNDED = 5, 10
# What a slow machine may add to the waits before a request counts as lost.
PATIENCE_S = 30.0


@dataclass(frozen=True)
class Setup:
    """How the server's pool is set, and what is asked of it."""

    name: str
    size: int
    """Connections kept open; 0 is no pool."""
    overflow: int = 0
    timeout_s: int = NO_TIMEOUT_S
    """How long a request may wait for a connection, where the driver's pool knows of such a thing."""
    wait_s: float = WAIT_S
    """How long each request sleeps in the database."""
    expected: str = ""
    """A pattern of the errors that are this set-up's finding; empty if there should be none."""

    @property
    def environment(self) -> Mapping[str, str]:
        """As the applications' config.py reads it; no two set-ups have the same."""
        pool = {"POOL_SIZE": self.size, "MAX_OVERFLOW": self.overflow, "POOL_TIMEOUT_S": self.timeout_s}
        return {name: str(value) for name, value in pool.items()}


KEPT = Setup("pool of 15", POOL)
OVERFLOW = Setup("5 + 10 overflow", 5, 10)
NO_POOL = Setup("no pool", 0)
ABOVE = Setup("above max_connections", POOL, MAX_CONNECTIONS + TOO_MANY - POOL,
              expected=r"too many clients|remaining connection slots|[Tt]oo many connections")  # fmt: skip
TIMEOUT = Setup("time-out", POOL, timeout_s=TIMEOUT_S, wait_s=TIMEOUT_WAIT_S, expected=r"QueuePool limit|Timeout")
SETUPS = (KEPT, OVERFLOW, NO_POOL, ABOVE, TIMEOUT)


def waves(ends_s: Sequence[float], gap_s: float) -> tuple[int, ...]:
    """How many answers each wave has; a new one begins with an answer that comes more than `gap_s` after the last."""
    ordered = sorted(ends_s)
    starts = [0, *(index for index, (a, b) in enumerate(pairwise(ordered), start=1) if b - a > gap_s), len(ordered)]
    return tuple(end - start for start, end in pairwise(starts)) if ordered else ()


def ideal_s(setup: Setup, requests: int) -> float:
    """Seconds that so many requests take if waiting is all that takes time."""
    at_once = setup.size + setup.overflow or requests or 1
    return math.ceil(requests / at_once) * setup.wait_s


def requests_for(setup: Setup, headroom: ConnectionHeadroom) -> int:
    """How many requests to send at once: no more than need be, so that nobody else finds the database full."""
    if setup == ABOVE:
        return headroom.max_connections + TOO_MANY
    if setup == NO_POOL:
        return min(REQUESTS, (headroom.free - MARGIN) // ROUNDED * ROUNDED)
    return REQUESTS


def why_not(setup: Setup, headroom: ConnectionHeadroom) -> str:
    """The reason to leave a set-up out with this database; empty if there is none."""
    if setup == ABOVE and headroom.max_connections > MAX_CONNECTIONS:
        return f"max_connections is {headroom.max_connections}, and more than {MAX_CONNECTIONS} are not opened for this"
    if setup == ABOVE and headroom.strangers:
        return f"others hold {headroom.strangers} of its connections and would be locked out"
    if setup == NO_POOL and requests_for(setup, headroom) <= POOL:
        return f"only {headroom.free} connections are left, too few to show what a connection for each request costs"
    return ""


def workloads(options: Options) -> Sequence[Workload]:
    """The one workload; each set-up has a server of its own."""
    return [Workload("burst", {"requests": REQUESTS})]


def measure(context: MeasurementContext, workload: Workload) -> Reading:
    """A burst on a server whose pool is as full as it will be while it idles."""
    setup, headroom = setup_of(context), context.testbed.headroom(context.server.model)
    if reason := why_not(setup, headroom):
        return Reading({}, raw={"skipped": reason})
    context.generator.run(burst(context, POOL, WAIT_S / 2))
    return read(context, setup, requests_for(setup, headroom))


def setup_of(context: MeasurementContext) -> Setup:
    """The set-up that the server was started with."""
    return next(setup for setup in SETUPS if setup.name == context.setup)


def burst(context: MeasurementContext, requests: int, wait_s: float) -> LoadJob:
    """Requests at once, each on a connection of its own, each asked for once."""
    limit_s = requests * wait_s + PATIENCE_S  # one after the other is the worst that can be
    return context.job(
        f"{context.server.model.database_sleep}?seconds={wait_s:g}", connections=requests, max_requests=requests,
        warmup_s=0.0, duration_s=limit_s, timeout_s=limit_s, raw_limit=requests,
    )  # fmt: skip


def read(context: MeasurementContext, setup: Setup, requests: int) -> Reading:
    """The burst, and what it took of the database."""
    job = burst(context, requests, setup.wait_s)
    written = log_bytes(context.server.process.log)
    with ConnectionMeter(context.testbed.database_of(context.server.model)) as connections:
        result, cost, judgement = run_load(context, job)
    log = context.server.process.log.read_bytes()[written:].decode(errors="replace")
    reasons = error_lines(log, setup.expected)
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
        "connections": connections.most,
        "opened": connections.opened,
        "cpu_per_request_s": cost.cpu_s / requests,
        "threads": cost.threads,
    }
    detail = {"job": describe(job), "load": asdict(result), "cost": asdict(cost), "pool": asdict(setup),
              "answers_by_wave": found, "expected_error": reasons[-1] if reasons else None}  # fmt: skip
    return Reading(values, judge(judgement, result, len(reasons)), detail, total_s)


def judge(judgement: Judgement, result: LoadResult, reasons: int) -> Judgement:
    """VALID also where every failed request was answered with 500 and the server's log has a reason expected here."""
    failed = result.errors.total
    if judgement.state == "ERRORS" and 0 < failed <= reasons and dict(result.unexpected_statuses).get(500) == failed:
        return VALID
    return judgement


def log_bytes(log: Path) -> int:
    """How much a server has written to its log; servers of the same model share one."""
    return log.stat().st_size if log.exists() else 0


def error_lines(log: str, expected: str) -> list[str]:
    """The lines of a log that name an error of the expected kind: the last line of a traceback, not its code."""
    return [line for line in log.splitlines() if expected and re.match(rf"[\w.]+: .*({expected})", line)]


def finding(cells: Sequence[Cell]) -> str:
    """What each set-up does to a burst, in one sentence."""
    kept = {cell.model: cell for cell in of(KEPT, cells)}

    def both(setup: Setup) -> list[Cell]:
        return [cell for cell in of(setup, cells) if cell.model in kept]

    def times_kept(name: str) -> Callable[[Cell], float]:
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


def of(setup: Setup, cells: Sequence[Cell]) -> list[Cell]:
    """The cells of a set-up that have figures to believe."""
    return [cell for cell in cells if cell.workload.get("setup") == setup.name and cell.judgement.valid
            and cell.values("total_s")]  # fmt: skip


def skipped(cells: Sequence[Cell]) -> dict[str, str]:
    """The set-ups that were left out, and why."""
    return {
        cell.workload["setup"]: cell.observations[0].raw["skipped"]
        for cell in cells
        if "skipped" in cell.observations[0].raw
    }


def middle(name: str) -> Callable[[Cell], float]:
    """A figure's median over the rounds."""
    return lambda cell: median(cell.values(name))


def said(template: str, cells: Collection[Cell], figure: Callable[[Cell], float], form: str = "{:.0f}") -> str:
    """The template with each model's figure in it; empty without any."""
    figures = [f"{form.format(figure(cell))} ({cell.model})" for cell in cells]
    return template.format(join(figures)) if cells else ""


def expected_s(options: Options) -> float:
    """The mean of the set-ups, each with its warm-up."""
    return sum(ideal_s(setup, REQUESTS) for setup in SETUPS) / len(SETUPS) + WAIT_S / 2


def takes_part(model: Model) -> bool:
    """Whether any number of its requests may wait, in one process, for one pool."""
    return model.workers == 1 and model.pool > 0 and at_once(model, model.database_waits_overlap) == math.inf


SCENARIO = Scenario(
    name="pool",
    question="What happens when more requests want the database than it has connections?",
    workloads=workloads,
    measure=measure,
    columns=(
        Column("s", "total_s", decimals=2),
        Column("÷ ideal", "total_per_ideal", decimals=2),
        Column("waves", "waves"),
        Column("failed", "failed"),
        Column("most", "connections"),
        Column("new", "opened"),
    ),
    finding=finding,
    figure="total_s",
    applies=takes_part,
    expected_s=lambda options, model: expected_s(options),
    environments={setup.name: setup.environment for setup in SETUPS},
)
