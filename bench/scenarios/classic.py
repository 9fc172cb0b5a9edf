"""Do five requests that each wait five seconds take five seconds, or twenty-five?

This is the original example's question, of 2013. It sends five requests at once to a view that sleeps in Python, then
five to a view that sleeps in the database. A server that serves one request at a time takes as long as all the waits
together.
"""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from bench.judging import JudgedScenario
from bench.judging.validity import VALID, Judgement
from bench.judging.waits import overlap
from bench.load.burst import Answer, OnAnswer, send_at_once
from bench.models import Model
from bench.scenarios.base import MeasurementContext, Options, Reading, Scenario, Workload
from bench.scenarios.options import Option
from bench.testbed.servers.life import Server

PYTHON = "/sleep/python/"
SECONDS_2013 = 5.0
REQUESTS_2013 = 5
SECONDS = Option("classic_seconds", "--seconds", "How long each request of the classic sleeps.", 0.5, 0, 60,
                 above_low=True, quick=0.3, alone=SECONDS_2013)  # fmt: skip
REQUESTS = Option("classic_requests", "--requests", "How many requests the classic sends at once.", 5, 1, 500)
# How much longer than its wait a request may take on a slow machine before it counts as lost.
PATIENCE_S = 30.0


@dataclass(frozen=True)
class Round:
    """Seconds from each burst's start to its last answer, both together, and every answer."""

    python_s: float
    database_s: float
    total_s: float
    requests: tuple[Answer, ...]


def at_once(model: Model, overlap: bool) -> float:
    """How many requests of the model can wait at once: one in each process or thread, or any number on a loop."""
    if not overlap:
        return model.workers
    return model.workers * model.threads if model.threads and model.threads > 1 else math.inf


def ideal_s(model: Model, seconds: float, requests: int) -> tuple[float, float]:
    """Seconds that each burst would take the model without any overhead, and with its processes evenly busy.

    So many requests at once sleep `seconds` each; in the database no more of them sleep at once than there are
    connections.
    """
    connections = model.workers * model.pool or math.inf
    python = math.ceil(requests / at_once(model, model.python_waits_overlap)) or 1
    database = math.ceil(requests / min(connections, at_once(model, model.database_waits_overlap))) or 1
    return python * seconds, database * seconds


def measure_round(server: Server, seconds: float, requests: int, on_answer: OnAnswer) -> Round:
    """Send both bursts to that server; `on_answer` is called with each answer as it arrives."""
    url, database_sleep = server.url, server.model.database_sleep
    timeout_s = requests * seconds * 1.5 + PATIENCE_S
    # Some models connect to the database only when the first request wants it. That is not to be measured, so one
    # request comes first, whatever its answer is.
    send_at_once(url, f"{database_sleep}?seconds=0", 1, PATIENCE_S, lambda _: None)
    bursts = [
        send_at_once(url, f"{endpoint}?seconds={seconds:g}", requests, timeout_s, on_answer)
        for endpoint in (PYTHON, database_sleep)
    ]
    python_s, database_s = (max(answer.end_s for answer in burst) for burst in bursts)
    return Round(python_s, database_s, python_s + database_s, (*bursts[0], *bursts[1]))


def problem(round_: Round) -> str | None:
    """Which requests failed, so that the round proves nothing; None if every answer was a 200."""
    errors = [answer.error for answer in round_.requests if answer.error]
    if not errors:
        return None
    kinds = ", ".join(f"{errors.count(kind)} × {kind}" for kind in sorted(set(errors)))
    return f"{len(errors)} of {len(round_.requests)} requests failed: {kinds}"


def workloads(options: Options) -> Sequence[Workload]:
    """The one workload: so many requests at once to each endpoint."""
    parameters = {"seconds": options[SECONDS], "requests": options[REQUESTS]}
    return [Workload(f"{options[REQUESTS]} × {options[SECONDS]:g} s", parameters)]


def measure(context: MeasurementContext, workload: Workload) -> Reading:
    """Both bursts, beside the ideal for the model."""
    seconds, requests = workload.parameters["seconds"], workload.parameters["requests"]
    ideal = ideal_s(context.contestant.model, seconds, requests)
    round_ = measure_round(context.server, seconds, requests, context.on_answer)
    reason = problem(round_)
    return Reading(
        figures={"python_s": round_.python_s, "database_s": round_.database_s, "total_s": round_.total_s,
                 "ideal_s": sum(ideal), "total_per_ideal": round_.total_s / sum(ideal)},
        judgement=Judgement("ERRORS", reason) if reason else VALID,
        raw={"answers": [asdict(answer) for answer in round_.requests]},
        window_s=round_.total_s,
    )  # fmt: skip


def finding(judged: JudgedScenario) -> str:
    """With which models waits were seen to overlap, and with which they were not."""
    measured = [(cell.model, found) for cell in judged.cells if (found := overlap(cell))]
    together = [model for model, found in measured if all(found)]
    others = [model for model, found in measured if not all(found)]
    if not together or not others:
        return ""
    return f"Waits in Python and in the database overlap with {', '.join(together)}; not with {', '.join(others)}."


SCENARIO = Scenario(
    name="classic",
    question="Do requests that wait, in Python or in the database, wait together or one after the other?",
    workloads=workloads,
    measure=measure,
    finding=finding,
    figure="total_s",
    options=(SECONDS, REQUESTS),
    wide=True,
    own_client=True,
    expected_s=lambda options, model: sum(ideal_s(model, options[SECONDS], options[REQUESTS])),
)
