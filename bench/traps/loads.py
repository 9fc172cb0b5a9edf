"""What shows a trap: small loads, each on a fresh server, each bounded in requests and time."""

from collections.abc import Callable

from bench.load import LoadJob
from bench.load.burst import send_at_once
from bench.measuring.checks import SLEEPERS, TIMEOUT_S
from bench.scenarios import pool
from bench.scenarios.base import MeasurementContext
from bench.scenarios.classic import PYTHON
from bench.traps.trap import CALLERS, Seen

# Twice as long as in the first probe of bench/measuring/checks.py, so that a busy machine hardly adds a wait.
SLEEP_S = 0.12
# How long the other service takes: much longer than sixty requests keep a process of a busy machine at work.
CALL_S = 0.5


def sleepers(context: MeasurementContext) -> Seen:
    """Four requests at once that sleep in Python, then four that sleep in the database."""
    server = context.server
    python, database = (
        send_at_once(server.url, f"{endpoint}?seconds={SLEEP_S}", SLEEPERS, TIMEOUT_S, lambda _: None)
        for endpoint in (PYTHON, server.model.database_sleep)
    )
    return Seen(
        requests=2 * SLEEPERS,
        failed=sum(not answer.ok for answer in (*python, *database)),
        python_waits=max(answer.end_s for answer in python) / SLEEP_S,
        database_waits=max(answer.end_s for answer in database) / SLEEP_S,
    )


def keep_alive(path: str, connections: int, requests: int) -> Callable[[MeasurementContext], Seen]:
    """So many requests on so many connections that stay open; each connection always has one request under way."""

    def load(context: MeasurementContext) -> Seen:
        result = context.generator.run(burst(context, path, connections, requests))
        return Seen(result.requests, result.errors.total)

    return load


def burst(context: MeasurementContext, path: str, connections: int, requests: int) -> LoadJob:
    """A load that ends with so many requests."""
    return context.job(
        path, connections=connections, max_requests=requests, warmup_s=0.0, duration_s=TIMEOUT_S, timeout_s=TIMEOUT_S
    )


def callers(context: MeasurementContext) -> Seen:
    """Four times as many requests at once as the pool has connections; each reads, and then calls another service.

    The same requests without a wait come first, because they open the connections to database and service.
    """
    at_once = {"connections": CALLERS, "requests": CALLERS}
    keep_alive("/mixed/?seconds=0", **at_once)(context)
    result = context.generator.run(burst(context, f"/mixed/?seconds={CALL_S}", **at_once))
    return Seen(result.requests, result.errors.total, calls=(result.last_answer_s or 0.0) / CALL_S)


def burst_above_max_connections(context: MeasurementContext) -> Seen:
    """More requests at once than PostgreSQL allows connections; none if the pool scenario leaves this set-up out.

    A pool that stays within the limit gets the 100 requests that it gets in the pool scenario.
    """
    reading = pool.measure(context, pool.workloads(context.options)[0])
    if reason := reading.raw.get("skipped"):
        return Seen(0, 0, not_tried=reason)
    return Seen(reading.figures["requests"], reading.figures["failed"])
