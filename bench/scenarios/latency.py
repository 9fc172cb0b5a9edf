"""How long do users wait at a given rate, and which rate can be promised?

Open loop: requests arrive as those of users who do not know of each other (Poisson, seeded), whether or not the server
keeps up, and response time counts from the intended send time. Every load is on one small database read:

- at 20, 50 and 80 % of the server's own capacity, measured by a short closed loop when it has just started, because a
  restart alone moves it by 25 % either way;
- at one rate for all models, half of the slowest one's capacity;
- at the promised rate of the model: a search beforehand finds the highest at which p99 stays below `--slo-ms` on one
  server, and three quarters of that are promised, for a promise must outlive a restart. The rounds, each on a fresh
  server, confirm it or do not.

A load at a low rate lasts until it has the samples for a p90, the figure that models are ranked by. A p99 needs a
thousand and is shown where there are as many (`--duration 3`). The promise does without: "p99 is below the limit" and
"at most 1 % of the requests were late" are the same statement, and counts of late requests add up over the rounds.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from math import inf
from typing import Any

from bench.judging.standings import is_twin, sentence
from bench.judging.validity import Judgement
from bench.models import Model
from bench.results import Cell
from bench.scenarios.base import Column, MeasurementContext, Options, Reading, Scenario, Workload, run_load
from bench.scenarios.open_loop import P90_SAMPLES, WARMUP_S, open_loop, open_reading

PATH = "/queries/?count=1"
CAPACITY_SHARES = (0.2, 0.5, 0.8)
COMMON_SHARE = 0.5
COMMON = "one rate for all"
LATE_SHARE = 0.01  # of which p99 is the other side
UPPER_SHARE = 1.2  # a closed loop of 32 may stay below what an open one gets out of a server
PROBES = 5  # find the limit to 1.2 / 2 ** 5, 4 % of the capacity
RETRIES = 2  # of a search: a neighbour on the machine may spoil a probe, but the search must end
RESTART_MARGIN = 0.75  # restarting the same server moves its capacity by 25 % either way; a promise outlives a restart
P99_SAMPLES = 1_001
CAPACITY_S = 0.3
# Times the run's duration: the shortest and the longest load for a p90, for one that models are ranked by (in which a
# hiccup of 30 ms must not be a tenth of all there is), and for the promise.
P90_BOUNDS = (0.4, 2.5)
RANKED_BOUNDS = (1.6, 2.5)
P99_BOUNDS = (0.7, 1.0)


@dataclass(frozen=True)
class Capacity:
    """What a server answers in a closed loop, and how long that took to measure."""

    rps: float
    judgement: Judgement
    window_s: float


@dataclass(frozen=True)
class Probe:
    """One rate tried in the search, and whether p99 stayed below the limit at it."""

    rate_rps: float
    kept: bool
    late: int
    requests: int
    p99_s: float | None
    state: str
    reason: str
    window_s: float


def workloads(options: Options) -> Sequence[Workload]:
    """Shares of the own capacity; unless in a hurry, what takes a preparation too: a rate for all, and the promise."""
    shares = [
        Workload(f"{share:.0%} of its capacity".replace("%", " %"), {"path": PATH, "capacity_share": share})
        for share in CAPACITY_SHARES
    ]
    if options.quick:
        return shares
    return [*shares, Workload(COMMON, {"path": PATH, "slowest_share": COMMON_SHARE}), promised(options)]


def promised(options: Options) -> Workload:
    """The rate found by the search."""
    return Workload(f"promise: p99 below {options.slo_s * 1e3:g} ms", {"path": PATH, "slo_s": options.slo_s})


def measure(context: MeasurementContext, workload: Workload) -> Reading:
    """One load, after the capacity where this is the server's first."""
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
    """The workload's load, or why there is none."""
    if "slo_s" in workload.parameters:
        return measure_promise(context)
    if "capacity_share" in workload.parameters:
        rate_rps: float | None = capacity.rps * workload.parameters["capacity_share"]
        bounds = P90_BOUNDS
    else:
        rate_rps, bounds = common_rps(context.prepared), RANKED_BOUNDS
    if rate_rps is None:
        return Reading({}, Judgement("ERRORS", "no model's capacity was found beforehand"))
    reading = open_reading(context, open_loop(context, rate_rps, P90_SAMPLES, bounds, PATH))
    return replace(reading, figures={**reading.figures, "wait_s": reading.figures["p90_s"]})


def measure_promise(context: MeasurementContext) -> Reading:
    """The rate found beforehand for the model (a twin has its model's), on a server that the search has not seen."""
    found = context.prepared.get(context.contestant.model.name, {})
    if "promise_rps" not in found:
        reason = found.get("failure", "there was no preparation")
        return Reading({}, Judgement("ERRORS", f"no rate to promise was looked for: {reason}"))
    rate_rps = found["promise_rps"]
    if rate_rps is None:
        lowest_rps = min((probe["rate_rps"] for probe in found["probes"]), default=0.0)
        reason = (f"p99 was below {context.options.slo_s * 1e3:g} ms at no rate tried, the lowest {lowest_rps:.0f}/s; "
                  f"its capacity is {found['capacity_rps']:.0f}/s")  # fmt: skip
        return Reading({"promise_rps": None, "kept": 0}, Judgement("SATURATED", reason))
    reading = open_reading(context, open_loop(context, rate_rps, P99_SAMPLES, P99_BOUNDS, PATH))
    kept = keeps(reading.figures["late"], reading.figures["requests"], reading.judgement)
    return replace(reading, figures={**reading.figures, "promise_rps": rate_rps, "kept": int(kept)})


def prepare(context: MeasurementContext) -> Mapping[str, Any]:
    """A model's capacity, the highest rate that kept the promise (None: none did), and every probe of the search."""
    capacity = capacity_of(context)
    if capacity.judgement.state == "ERRORS":
        return {"failure": f"no capacity: {capacity.judgement.reason}"}
    probes: list[Probe] = []

    def kept_at(rate_rps: float) -> bool:
        probes.append(probe(context, rate_rps))
        if worth_a_retry(probes):
            probes.append(probe(context, rate_rps))
        return probes[-1].kept

    highest_rps = search(kept_at, capacity.rps * UPPER_SHARE)
    return {
        "capacity_rps": capacity.rps,
        "highest_rps": highest_rps,
        "promise_rps": highest_rps and highest_rps * RESTART_MARGIN,
        "probes": [asdict(one) for one in probes],
        "window_s": capacity.window_s + sum(one.window_s for one in probes),
    }


def worth_a_retry(probes: Sequence[Probe]) -> bool:
    """Whether the last probe missed without the server falling far behind, and retries are left."""
    retries = len(probes) - len({one.rate_rps for one in probes})
    return not probes[-1].kept and probes[-1].state != "SATURATED" and retries < RETRIES


def search(kept_at: Callable[[float], bool], upper_rps: float, probes: int = PROBES) -> float | None:
    """The highest rate known to be kept after so many halvings of what lies between 0 and `upper_rps`; None: none is.

    It is below the true limit by at most `upper_rps / 2 ** probes`, and never above it if `kept_at` is never wrong.
    """
    low_rps, high_rps = 0.0, upper_rps
    for _ in range(probes):
        middle_rps = (low_rps + high_rps) / 2
        if kept_at(middle_rps):
            low_rps = middle_rps
        else:
            high_rps = middle_rps
    return low_rps or None


def probe(context: MeasurementContext, rate_rps: float) -> Probe:
    """Try a rate."""
    reading = open_reading(context, open_loop(context, rate_rps, P99_SAMPLES, P99_BOUNDS, PATH))
    values, judgement = reading.figures, reading.judgement
    kept = keeps(values["late"], values["requests"], judgement)
    counts = values["late"], values["requests"], values["p99_s"]
    return Probe(rate_rps, kept, *counts, judgement.state, judgement.reason, reading.window_s)


def keeps(late: int, requests: int, judgement: Judgement) -> bool:
    """Whether p99 was below the limit, on a server that kept up and answered rightly.

    A generator that was late itself only makes responses longer: what is kept in spite of it is kept.
    """
    return requests > 0 and late <= requests * LATE_SHARE and judgement.state in ("VALID", "GENERATOR-LIMITED")


def common_rps(prepared: Mapping[str, Mapping[str, Any]]) -> float | None:
    """Half of the slowest model's capacity; None without any."""
    capacities = [found["capacity_rps"] for found in prepared.values() if "capacity_rps" in found]
    return min(capacities) * COMMON_SHARE if capacities else None


def capacity_of(context: MeasurementContext) -> Capacity:
    """Answers/s in a closed loop."""
    result, _, judgement = run_load(context, context.job(PATH, duration_s=CAPACITY_S))
    return Capacity(result.throughput_rps, judgement, result.window_s)


def finding(cells: Sequence[Cell]) -> str:
    """Who keeps users waiting least at the same rate, and what each model can promise."""
    common = sentence(cells, COMMON, SCENARIO.figure, higher_is_better=False, what="short waits (p90)")
    return " ".join(filter(None, (common, unranked(cells), promises(cells))))


def unranked(cells: Sequence[Cell]) -> str:
    """Who was left out of that, lest a leader among two look like one among six."""
    names = [cell.model for cell in cells if cell.workload["name"] == COMMON and not cell.judgement.valid]
    models = [name for name in names if not is_twin(name)]
    return f"Not ranked there, as not valid: {', '.join(models)}." if models else ""


def promises(cells: Sequence[Cell]) -> str:
    """What rates were promised and kept, over all rounds of each model together."""
    asked = [cell for cell in cells if "slo_s" in cell.workload and not is_twin(cell.model)]
    if not asked:
        return ""
    best_first = sorted(asked, key=lambda cell: -max(cell.values("promise_rps"), default=-inf))
    rated = [(cell, share) for cell in best_first if (share := pooled_late_share(cell)) is not None]
    kept = [promise(cell, share) for cell, share in rated if share <= LATE_SHARE]
    broken = [promise(cell, share) for cell, share in rated if share > LATE_SHARE]
    none = [cell.model for cell in asked if cell.values("kept") and not cell.values("promise_rps")]
    parts = [
        f"with {', '.join(kept)}" if kept else "",
        f"the rate found was not confirmed with {', '.join(broken)}" if broken else "",
        f"it stays there at no rate with {', '.join(none)}" if none else "",
    ]
    said = "; ".join(filter(None, parts))
    limit = f"p99 stays below {asked[0].workload['slo_s'] * 1e3:g} ms"
    return f"{limit}: {said}." if said else ""


def promise(cell: Cell, late_share: float) -> str:
    """A model's rate and its late requests."""
    return f"{cell.model} at {max(cell.values('promise_rps')):,.0f}/s ({late_share:.1%} late)"


def pooled_late_share(cell: Cell) -> float | None:
    """Of all rounds' requests at the promised rate, the share that was late; None without any.

    A round whose generator was late itself is no witness against the server.
    """
    witnesses = [one.figures for one in cell.observations
                 if one.figures.get("promise_rps") and one.state != "GENERATOR-LIMITED"]  # fmt: skip
    requests = sum(one["requests"] for one in witnesses)
    return sum(one["late"] for one in witnesses) / requests if requests else None


def expected_s(options: Options, model: Model) -> float:
    """About the same for all models: the slow ones need longer for their samples and get no longer for a p99."""
    return options.warmup_s + CAPACITY_S + 5 * (WARMUP_S + 0.1) + options.duration_s * 4.2


SCENARIO = Scenario(
    name="latency",
    question="How long do users wait at a given rate, and which rate can be promised?",
    workloads=workloads,
    measure=measure,
    columns=(
        Column("req/s", "offered_rps"),
        Column("p50 ms", "p50_s", 1e3, 1),
        Column("p90 ms", "p90_s", 1e3, 1),
        Column("p99 ms", "p99_s", 1e3, 1),
        Column("late %", "late_share", 1e2, 1),
    ),
    finding=finding,
    # The p90 of a load at which models may be compared; a promise has none, for every model is at a rate of its own.
    figure="wait_s",
    compared=True,
    spread_limit=None,
    prepare=prepare,
    expected_s=expected_s,
)
