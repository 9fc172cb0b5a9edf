"""Do five requests that each wait five seconds take five seconds, or twenty-five?

The original example's question, of 2013: five requests at once to a view that sleeps in Python, then five to a view
that sleeps in the database. A server that waits for one request at a time needs the sum of the waits.
"""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from bench.judging.validity import VALID, Judgement
from bench.load.burst import Answer, OnAnswer, send_at_once
from bench.models import Model
from bench.results import Cell
from bench.scenarios.base import Column, MeasurementContext, Options, Reading, Scenario, Workload
from bench.testbed.servers.life import Server

PYTHON = "/sleep/python/"
SECONDS_2013 = 5.0
REQUESTS_2013 = 5
# What a slow machine may add to a wait before a request counts as lost.
PATIENCE_S = 30.0


@dataclass(frozen=True)
class Round:
    """Seconds from the first request's start to the last one's end, and every request."""

    python_s: float
    database_s: float
    sum_s: float
    requests: tuple[Answer, ...]


def at_once(model: Model, overlap: bool) -> float:
    """How many waits the model's processes have at the same moment: one each, one a thread, or any number on a loop."""
    if not overlap:
        return model.workers
    return model.workers * model.threads if model.threads and model.threads > 1 else math.inf


def ideal_s(model: Model, seconds: float, requests: int) -> tuple[float, float]:
    """Seconds for both bursts if the model did what it does without any overhead, its processes evenly busy.

    `requests` at once sleep `seconds` each; waits in the database overlap as many at a time as there are connections.
    """
    connections = model.workers * model.pool or math.inf
    python = math.ceil(requests / at_once(model, model.python_waits_overlap)) or 1
    database = math.ceil(requests / min(connections, at_once(model, model.database_waits_overlap))) or 1
    return python * seconds, database * seconds


def measure_round(server: Server, seconds: float, requests: int, on_answer: OnAnswer) -> Round:
    """One round against that server; `on_answer` hears of each answer as it arrives."""
    url, database_sleep = server.url, server.model.database_sleep
    timeout_s = requests * seconds * 1.5 + PATIENCE_S
    # One request beforehand, whatever comes of it: some models connect to the database only when they are first asked.
    send_at_once(url, f"{database_sleep}?seconds=0", 1, PATIENCE_S, lambda _: None)
    bursts = [
        send_at_once(url, f"{endpoint}?seconds={seconds:g}", requests, timeout_s, on_answer)
        for endpoint in (PYTHON, database_sleep)
    ]
    python_s, database_s = (max(answer.end_s for answer in burst) for burst in bursts)
    return Round(python_s, database_s, python_s + database_s, (*bursts[0], *bursts[1]))


def problem(round_: Round) -> str | None:
    """Why this round proves nothing; None if every request was answered with 200."""
    errors = [answer.error for answer in round_.requests if answer.error]
    if not errors:
        return None
    kinds = ", ".join(f"{errors.count(kind)} × {kind}" for kind in sorted(set(errors)))
    return f"{len(errors)} of {len(round_.requests)} requests failed: {kinds}"


def workloads(options: Options) -> Sequence[Workload]:
    """The one workload: so many requests at once to each endpoint."""
    parameters = {"seconds": options.classic_seconds, "requests": options.classic_requests}
    return [Workload(f"{options.classic_requests} × {options.classic_seconds:g} s", parameters)]


def measure(context: MeasurementContext, workload: Workload) -> Reading:
    """A round, its ideal beside it."""
    seconds, requests = workload.parameters["seconds"], workload.parameters["requests"]
    ideal = ideal_s(context.contestant.model, seconds, requests)
    round_ = measure_round(context.server, seconds, requests, context.on_answer)
    reason = problem(round_)
    return Reading(
        figures={"python_s": round_.python_s, "database_s": round_.database_s, "sum_s": round_.sum_s,
                "ideal_s": sum(ideal)},
        judgement=Judgement("ERRORS", reason) if reason else VALID,
        raw={"answers": [asdict(answer) for answer in round_.requests]},
        window_s=round_.sum_s,
    )  # fmt: skip


def finding(cells: Sequence[Cell]) -> str:
    """Which models wait for everything at once, and which do not, by what was measured."""
    together = [cell.model for cell in cells if cell.judgement.valid and overlaps(cell)]
    others = [cell.model for cell in cells if cell.judgement.valid and not overlaps(cell)]
    if not together or not others:
        return ""
    return f"Waits in Python and in the database overlap with {', '.join(together)}; not with {', '.join(others)}."


def overlaps(cell: Cell) -> bool:
    """Whether both bursts took less than half of what they take one request after the other."""
    serial_s: float = cell.workload["seconds"] * cell.workload["requests"]
    return max(*cell.values("python_s"), *cell.values("database_s")) < serial_s / 2


SCENARIO = Scenario(
    name="classic",
    question="Do requests that wait, in Python or in the database, wait together or one after the other?",
    workloads=workloads,
    measure=measure,
    columns=(
        Column("python s", "python_s", decimals=2),
        Column("database s", "database_s", decimals=2),
        Column("sum s", "sum_s", decimals=2),
        Column("ideal s", "ideal_s", decimals=2),
    ),
    finding=finding,
    figure="sum_s",
    wide=True,
    expected_s=lambda options, model: sum(ideal_s(model, options.classic_seconds, options.classic_requests)),
)
