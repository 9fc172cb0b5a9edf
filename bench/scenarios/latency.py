"""How long do users wait at a given rate, and which rate can be promised?

Open loop: requests arrive as those of users who do not know of each other (Poisson, seeded), whether or not the server
keeps up, and response time counts from the intended send time. Every load is one small database read:

- at 20, 50 and 80 % of the server's own capacity, which a short closed loop measures when the server has just started,
  because a restart alone changes it by up to 25 %;
- at one rate for all models, half of the slowest one's capacity;
- at the rate that can be promised for the model. A search on one server finds the highest rate at which p99 stays below
  `--slo-ms`, and three quarters of it are promised, because a promise must still hold after a restart. The rounds, each
  on a fresh server, confirm the promise or do not.

A load at a low rate lasts until it has the samples for a p90, the figure that models are ranked by. A p99 needs a
thousand and is shown where there are as many (`--duration 3`). The promise does without: "p99 is below the limit" and
"at most 1 % of the requests were late" are the same statement, and counts of late requests add up over the rounds.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from math import inf
from typing import Any

from bench.judging import JudgedCell, JudgedScenario
from bench.judging.phrases import sentence
from bench.judging.promises import LATE_SHARE, confirmed, pooled_late_share
from bench.judging.validity import Judgement
from bench.load import LoadJob
from bench.models import Model
from bench.scenarios.base import MeasurementContext, Options, Reading, Scenario, Workload, run_load
from bench.scenarios.open_loop import P90_SAMPLES, WARMUP_S, open_loop, open_reading
from bench.scenarios.options import CONNECTIONS, Option
from bench.scenarios.rate_search import Probe, highest_kept
from bench.scenarios.schedule import Rounds

SLO_MS = Option("slo_ms", "--slo-ms", "What p99 must stay below for a rate to count as kept.", 50.0, 1, 60_000)

PATH = "/queries/?count=1"
CAPACITY_SHARES = (0.2, 0.5, 0.8)
COMMON_SHARE = 0.5
COMMON = "one rate for all"
UPPER_SHARE = 1.2  # a closed loop of 32 connections may get less out of a server than an open loop does
RESTART_MARGIN = 0.75  # restarting a server changes its capacity by up to 25 %, and the promise must hold all the same
P99_SAMPLES = 1_001
CAPACITY_S = 0.3
# The shortest and the longest load, in multiples of the run's duration: for a p90; for the p90 that models are ranked
# by, where a hiccup of 30 ms must not be a tenth of the load; and for the promise.
P90_BOUNDS = (0.4, 2.5)
RANKED_BOUNDS = (1.6, 2.5)
P99_BOUNDS = (0.7, 1.0)


@dataclass(frozen=True)
class Capacity:
    """What a server answers in a closed loop, and how long that took to measure."""

    rps: float
    judgement: Judgement
    window_s: float


def workloads(options: Options) -> Sequence[Workload]:
    """Shares of the server's own capacity; a full run also has one rate for all, and the promise."""
    shares = [
        Workload(f"{share:.0%} of its capacity".replace("%", " %"), {"path": PATH, "capacity_share": share})
        for share in CAPACITY_SHARES
    ]
    if options.quick:
        return shares
    common = Workload(COMMON, {"path": PATH, "slowest_share": COMMON_SHARE}, kind="short waits at one rate")
    return [*shares, common, promised(options)]


def promised(options: Options) -> Workload:
    """The rate that the search has found."""
    limit = f"p99 below {options[SLO_MS]:g} ms"
    parameters = {"path": PATH, "slo_s": options[SLO_MS] / 1e3}
    return Workload(f"promise: {limit}", parameters, kind=limit, found_once="promise_rps")


def measure(context: MeasurementContext, workload: Workload) -> Reading:
    """One load. The first one on a server is preceded by a closed loop that measures the server's capacity."""
    first = "capacity" not in context.memo
    if first:
        context.memo["capacity"] = capacity_of(context)
    capacity: Capacity = context.memo["capacity"]
    if capacity.judgement.state == "ERRORS":
        return Reading({}, Judgement("ERRORS", f"no capacity to take a share of: {capacity.judgement.reason}"))
    reading = measure_at(context, workload, capacity)
    spent_s = capacity.window_s if first else 0.0
    return replace(
        reading,
        figures={**reading.figures, "capacity_rps": capacity.rps},
        window_s=reading.window_s + spent_s,
    )


def measure_at(context: MeasurementContext, workload: Workload, capacity: Capacity) -> Reading:
    """The workload's load, or the reason why there is none."""
    if "slo_s" in workload.parameters:
        return measure_promise(context)
    if "capacity_share" in workload.parameters:
        rate_rps: float | None = capacity.rps * workload.parameters["capacity_share"]
        bounds = P90_BOUNDS
    else:
        rate_rps, bounds = common_rps(context.prepared), RANKED_BOUNDS
    if rate_rps is None:
        return Reading({}, Judgement("ERRORS", "no model's capacity was found beforehand"))
    return with_late(context, open_loop(context, rate_rps, P90_SAMPLES, bounds, PATH))


def with_late(context: MeasurementContext, job: LoadJob) -> Reading:
    """A load in which the requests that took longer than the limit are counted."""
    return open_reading(context, job, late_after_s=context.options[SLO_MS] / 1e3)


def measure_promise(context: MeasurementContext) -> Reading:
    """A load at the rate that the search found for the model (for a twin, its model's), on a server new to it."""
    found = context.prepared.get(context.contestant.model.name, {})
    if "promise_rps" not in found:
        reason = found.get("failure", "there was no preparation")
        return Reading({}, Judgement("ERRORS", f"no rate to promise was looked for: {reason}"))
    rate_rps = found["promise_rps"]
    if rate_rps is None:
        lowest_rps = min((probe["rate_rps"] for probe in found["probes"]), default=0.0)
        reason = (f"p99 was below {context.options[SLO_MS]:g} ms at no rate tried, the lowest {lowest_rps:.0f}/s; "
                  f"its capacity is {found['capacity_rps']:.0f}/s")  # fmt: skip
        return Reading({"promise_rps": None, "kept": 0}, Judgement("SATURATED", reason))
    reading = with_late(context, open_loop(context, rate_rps, P99_SAMPLES, P99_BOUNDS, PATH))
    kept = keeps(reading.figures["late"], reading.figures["requests"], reading.judgement)
    return replace(reading, figures={**reading.figures, "promise_rps": rate_rps, "kept": int(kept)})


def prepare(context: MeasurementContext) -> Mapping[str, Any]:
    """A model's capacity, the highest rate that kept the promise (None: none did), and every probe of the search."""
    capacity = capacity_of(context)
    if capacity.judgement.state == "ERRORS":
        return {"failure": f"no capacity: {capacity.judgement.reason}"}
    highest_rps, probes = highest_kept(lambda rate_rps: probe(context, rate_rps), capacity.rps * UPPER_SHARE)
    return {
        "capacity_rps": capacity.rps,
        "highest_rps": highest_rps,
        "promise_rps": highest_rps and highest_rps * RESTART_MARGIN,
        "probes": [asdict(one) for one in probes],
        "window_s": capacity.window_s + sum(one.window_s for one in probes),
    }


def probe(context: MeasurementContext, rate_rps: float) -> Probe:
    """Send a load at that rate, and look whether the promise was kept."""
    reading = with_late(context, open_loop(context, rate_rps, P99_SAMPLES, P99_BOUNDS, PATH))
    values, judgement = reading.figures, reading.judgement
    kept = keeps(values["late"], values["requests"], judgement)
    counts = values["late"], values["requests"], values["p99_s"]
    return Probe(rate_rps, kept, *counts, judgement.state, judgement.reason, reading.window_s)


def keeps(late: int, requests: int, judgement: Judgement) -> bool:
    """Whether p99 was below the limit, on a server that kept up and answered rightly.

    A generator that was late itself only makes responses longer. So a promise that is kept nevertheless counts as kept.
    """
    return requests > 0 and late <= requests * LATE_SHARE and judgement.state in ("VALID", "GENERATOR-LIMITED")


def common_rps(prepared: Mapping[str, Mapping[str, Any]]) -> float | None:
    """Half of the slowest model's capacity; None if no capacity is known."""
    capacities = [found["capacity_rps"] for found in prepared.values() if "capacity_rps" in found]
    return min(capacities) * COMMON_SHARE if capacities else None


def capacity_of(context: MeasurementContext) -> Capacity:
    """How many requests a second the server answers in a closed loop."""
    result, _, judgement = run_load(context, context.job(PATH, duration_s=CAPACITY_S))
    return Capacity(result.throughput_rps, judgement, result.window_s)


def finding(judged: JudgedScenario) -> str:
    """Who keeps users waiting least at the same rate, and what each model can promise."""
    common = judged.workload(COMMON)
    waits = (sentence(common, "short waits (p90)"), unranked(list(common.cells.values()))) if common else ()
    asked = [cell for cell in judged.cells if "slo_s" in cell.workload]
    return " ".join(filter(None, (*waits, promises(asked))))


def unranked(cells: Sequence[JudgedCell]) -> str:
    """Who was not ranked. Without this a leader among two models would look like a leader among six."""
    models = [cell.model for cell in cells if not cell.valid]
    return f"Not ranked there, as not valid: {', '.join(models)}." if models else ""


def promises(asked: Sequence[JudgedCell]) -> str:
    """Which rates were promised and kept, all rounds of a model taken together."""
    best_first = sorted(asked, key=lambda cell: -max(cell.values("promise_rps"), default=-inf))
    rated = [(cell, share) for cell in best_first if (share := pooled_late_share(cell)) is not None]
    kept = [promise(cell, share) for cell, share in rated if confirmed(cell)]
    broken = [promise(cell, share) for cell, share in rated if not confirmed(cell)]
    none = [cell.model for cell in asked if cell.values("kept") and not cell.values("promise_rps")]
    parts = [
        f"with {', '.join(kept)}" if kept else "",
        f"the rate found was not confirmed with {', '.join(broken)}" if broken else "",
        f"it stays there at no rate with {', '.join(none)}" if none else "",
    ]
    said = "; ".join(filter(None, parts))
    return f"p99 stays below {asked[0].workload['slo_s'] * 1e3:g} ms: {said}." if said else ""


def promise(cell: JudgedCell, late_share: float) -> str:
    """A model's rate and its late requests."""
    return f"{cell.model} at {max(cell.values('promise_rps')):,.0f}/s ({late_share:.1%} late)"


def expected_s(options: Options, model: Model) -> float:
    """About the same for all models, because the bounds of a load are the same for slow and for fast ones."""
    return options.warmup_s + CAPACITY_S + 5 * (WARMUP_S + 0.1) + options.duration_s * 4.2


SCENARIO = Scenario(
    name="latency",
    question="How long do users wait at a given rate, and which rate can be promised?",
    workloads=workloads,
    measure=measure,
    finding=finding,
    figure="p90_s",
    schedule=Rounds(prepare=prepare, spread_limit=None),
    options=(CONNECTIONS, SLO_MS),
    expected_s=expected_s,
)
