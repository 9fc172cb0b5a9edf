"""How many processes of which model would serve somebody's own application, and what would bind?

A trial has measured what `decide` otherwise asks for: the CPU time of each request under load, how long it waits, and
for how much of that it holds up others (bench/judging/tried_waits.py). They are weighted as the requests are, and put
into the same formulas. Two assumptions, both on the safe side: an application that was seen with connections to a
database keeps one from the beginning to the end of every request, as a session does; and waits too short to tell hold
up others for as long as they left the core idle under load.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from bench.errors import BenchError
from bench.judging import Judged, judge
from bench.judging.cells import JudgedCell
from bench.judging.tried_choice import Candidate, candidates
from bench.judging.tried_waits import JudgedWaits
from bench.prediction.costs import Costs, Measured, Unmeasured
from bench.prediction.figures import CONCURRENCY, RATE, Demand
from bench.prediction.layers import CPU
from bench.prediction.predict import Prediction, predicted
from bench.prediction.rank import Decision
from bench.prediction.sentences import LIMITS, say
from bench.prediction.station import Station
from bench.prediction.verdict import Row, Verdict, keeps, needs
from bench.results import Run
from bench.results.tried import SCENARIO, Tried, TriedModel

ASKED = (RATE, CONCURRENCY, "db_connections", "cores", "memory_mb", "slo_ms")
"""What a trial does not know of the reader's requests and machine."""
THREAD_FLAGS = ("--threads", "--blocking-threads")
# Requests that one process serves at the same time, where that is in no command line: loopbridge's pool has 40 threads.
AT_ONCE = {"sync": 1, "bridge-threads": 40}
# A smaller share of a wait that seems to hold up others is what switching and sending eight requests takes; and nobody
# needs more processes than cores for waits that are a smaller share of the CPU time.
NOISE = 0.1
# What the other fields of a model are in a prediction that does not read them.
NO_COSTS = Costs(0.0, 0.0, 0.0, 0.0)


@dataclass(frozen=True)
class AppCosts:
    """What a model makes of the application's requests, in the middle of all requests."""

    model: Measured
    station: Station


@dataclass(frozen=True)
class Request:
    """A request under a model."""

    weight: float
    cpu_s: float
    wait_s: float
    blocked_s: float
    """How much of the wait holds up others."""


def app_costs(run: Run) -> tuple[list[AppCosts], list[Unmeasured]]:
    """The models that a prediction can be made for, and why not for the others. Raises BenchError for no trial."""
    judged = judge(run)
    if run.tried is None:
        raise BenchError(f"{run.path} is no trial of an application; python -m bench try makes one")
    database = any(model.database_connections for model in run.tried.models)
    loaded = judged.scenario(SCENARIO)
    known, unknown = [], []
    every = candidates(run.tried, loaded.workloads if loaded else ())
    least_s = least_waits([one for one in every if one.eligible])
    for one in every:
        reason = one.verdict
        requests = [] if reason else requests_of(judged, run.tried, one.model, least_s)
        if not reason and (not requests or not one.model.memory_bytes):
            reason = "not measured under load"
        if reason:
            unknown.append(Unmeasured(one.name, reason, f"python -m bench try {run.tried.app.target}"))
        else:
            mean = station(requests, database=database)
            known.append(AppCosts(measured_of(run.tried, one.model, mean), mean))
    return known, unknown


def decide_for_app(run: Run, demand: Demand) -> tuple[Decision, list[Unmeasured]]:
    """Predict every model that may be taken, with the application's own requests; which to take the trial has said."""
    known, unknown = app_costs(run)
    if not known:
        reasons = "; ".join(f"{one.name}: {one.reason}" for one in unknown)
        raise BenchError(f"{run.path} has nothing to predict from ({reasons})")
    predictions = [predicted(one.model, one.station, demand) for one in known]
    rows = tuple(Row(one, None, None) for one in sorted(predictions, key=lambda one: -one.capacity_rps))
    trial = judge(run).trial
    advised = next((one for one in predictions if trial and one.model == trial.recommendation.model), None)
    return Decision(rows, verdict(advised, demand)), unknown


def verdict(advised: Prediction | None, demand: Demand) -> Verdict:
    """What the model that the trial recommends would do, and what it needs."""
    if advised is None:
        return Verdict("none", (), None, (say("trial_none"),))
    done = say("trial", model=advised.model, rate=advised.capacity_rps, limit=LIMITS[advised.limit])
    late = demand.rate_rps is not None and not keeps(advised, demand)
    missed = [say("trial_late", rate=demand.rate_rps, slo_ms=demand.slo_s * 1e3)] if late else []
    return Verdict("winner", (advised.model,), advised.model, (done, *missed, needs(advised)))


def demand_of_trial(run: Run, values: Mapping[str, float]) -> Demand:
    """What the reader says of the machine and of how many requests there are; the rest was measured."""
    uses_database = run.tried is not None and any(model.database_connections for model in run.tried.models)
    return Demand(
        db_wait_s=0.0,
        queries=int(uses_database),
        cpu_s=0.0,
        rate_rps=values.get(RATE),
        concurrency=None if RATE in values else int(values[CONCURRENCY]),
        db_connections=int(values["db_connections"]),
        cores=int(values["cores"]),
        memory_bytes=values["memory_mb"] * 1e6,
        slo_s=values["slo_ms"] / 1e3,
    )


def least_waits(able: Sequence[Candidate]) -> dict[str, float]:
    """By request, the shortest wait under any model.

    A wait is the application's own. What is beyond the shortest was spent waiting for a core that other programs had.
    """
    found: dict[str, float] = {}
    for waits in (waits for one in able for waits in one.waits.values()):
        found[waits.request] = min(waits.wait_s, found.get(waits.request, waits.wait_s))
    return found


def requests_of(judged: Judged, tried: Tried, model: TriedModel, least_s: Mapping[str, float]) -> list[Request]:
    """Each request under that model; none at all if of one of them too little is known."""
    found = []
    for one in tried.requests:
        waits = JudgedWaits(one.name, model.waits[one.name]) if one.name in model.waits else None
        scenario = judged.scenario(SCENARIO)
        workload = scenario.workload(one.name) if scenario else None
        cell = workload.cells.get(model.name) if workload else None
        request = request_of(one.weight, waits, cell, least_s.get(one.name, math.inf))
        if request is None:
            return []
        found.append(request)
    return found


def request_of(weight: float, waits: JudgedWaits | None, cell: JudgedCell | None, most_s: float) -> Request | None:
    """What its load and its waits say of a request that waits for `most_s` at most; None without its CPU time."""
    found = [value for value in cell.values(CPU) if value > 0] if cell and not failed(cell) else []
    cpu_s = median(found) * (1 + cell.pauses) if cell and found else waits.waits.cpu_s if waits else None
    if not cpu_s:
        return None
    if waits is None:
        return Request(weight, cpu_s, idle(cell), idle(cell))
    wait_s = min(waits.wait_s, most_s)
    blocked_s = min(wait_s, idle(cell) if waits.kind == "too short to say" else waits.blocked_s)
    return Request(weight, cpu_s, wait_s, blocked_s if blocked_s > NOISE * wait_s else 0.0)


def failed(cell: JudgedCell) -> bool:
    """Whether its figures are not to be believed even for a prediction."""
    return cell.judgement.state not in ("VALID", "UNSTABLE")


def idle(cell: JudgedCell | None) -> float:
    """For how long a request left the server's core idle under load; 0 where that is not known."""
    share, rps = (cell.median("core_idle"), cell.median("throughput_rps")) if cell else (None, None)
    return share / rps if share and rps else 0.0


def station(requests: Sequence[Request], *, database: bool) -> Station:
    """The mean of the requests, as they are weighted."""

    def mean(values: Sequence[float]) -> float:
        return sum(value * one.weight for value, one in zip(values, requests, strict=True)) / weights

    weights = sum(one.weight for one in requests)
    busy_s, blocked_s = mean([one.cpu_s for one in requests]), mean([one.blocked_s for one in requests])
    overlapping_s = mean([one.wait_s - one.blocked_s for one in requests])
    waits = (overlapping_s, 0.0) if database else (0.0, overlapping_s)
    return Station(busy_s, blocked_s if blocked_s > NOISE * busy_s else 0.0, *waits)


def measured_of(tried: Tried, model: TriedModel, mean: Station) -> Measured:
    """What the formulas know of a model beside its requests."""
    return Measured(
        name=model.name,
        app=tried.app.target,
        python_overlaps=not mean.blocked_s,
        database_overlaps=not mean.blocked_s,
        threads=served_at_once(model),
        loop=None,
        trap=False,
        generations=(NO_COSTS,),
        calls_s=None,
        memory_bytes=float(model.memory_bytes or 0),
        request_bytes=None,
        streams=None,
        local_waits_s=(0.0, 0.0),
        framework=tried.app.framework,
    )


def served_at_once(model: TriedModel) -> int | None:
    """How many requests one process serves at the same time; None for any number."""
    for flag, value in zip(model.command, model.command[1:], strict=False):
        if flag in THREAD_FLAGS and value.isdecimal() and int(value):
            return int(value)
    return AT_ONCE.get(model.name)
