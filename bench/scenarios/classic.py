"""Do five requests that each wait five seconds take five seconds, or twenty-five?

The original example's question, of 2013: five requests at once to a view that sleeps in Python, then five to a view
that sleeps in the database. A server that waits for one request at a time needs the sum of the waits.
"""

import math
from dataclasses import dataclass

from bench.burst import Answer, OnAnswer, send_at_once
from bench.models import Model

NAME = "classic"
QUESTION = "Do requests that wait, in Python or in the database, wait together or one after the other?"
PYTHON = "/sleep/python/"
POSTGRES = "/sleep/postgres/"
SECONDS_2013 = 5.0
REQUESTS_2013 = 5
# What a slow machine may add to a wait before a request counts as lost.
PATIENCE_S = 30.0


@dataclass(frozen=True)
class Workload:
    """`requests` requests at once to each sleep endpoint, each of which sleeps `seconds`."""

    seconds: float
    requests: int


@dataclass(frozen=True)
class Round:
    """Seconds from the first request's start to the last one's end, and every request."""

    python_s: float
    postgres_s: float
    sum_s: float
    requests: tuple[Answer, ...]


def ideal_s(model: Model, workload: Workload, pool: int) -> tuple[float, float]:
    """Seconds for python and postgres if the model did what it does without any overhead.

    `pool` is how many database connections there are: waits in the database overlap at most that many at a time.
    """
    python = 1 if model.python_waits_overlap else workload.requests
    postgres = math.ceil(workload.requests / pool) if model.database_waits_overlap else workload.requests
    return python * workload.seconds, postgres * workload.seconds


def measure(url: str, workload: Workload, on_answer: OnAnswer) -> Round:
    """One round against the server at that address; `on_answer` hears of each answer as it arrives."""
    timeout_s = workload.requests * workload.seconds * 1.5 + PATIENCE_S
    # One request beforehand, whatever comes of it: some models connect to the database only when they are first asked.
    send_at_once(url, f"{POSTGRES}?seconds=0", 1, PATIENCE_S, lambda _: None)
    bursts = [
        send_at_once(url, f"{endpoint}?seconds={workload.seconds:g}", workload.requests, timeout_s, on_answer)
        for endpoint in (PYTHON, POSTGRES)
    ]
    python_s, postgres_s = (max(answer.end_s for answer in burst) for burst in bursts)
    return Round(python_s, postgres_s, python_s + postgres_s, (*bursts[0], *bursts[1]))


def problem(round_: Round) -> str | None:
    """Why this round proves nothing; None if every request was answered with 200."""
    errors = [answer.error for answer in round_.requests if answer.error]
    if not errors:
        return None
    kinds = ", ".join(f"{errors.count(kind)} × {kind}" for kind in sorted(set(errors)))
    return f"{len(errors)} of {len(round_.requests)} requests failed: {kinds}"
