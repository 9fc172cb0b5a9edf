"""How long do users wait at a given rate, and which rate can be promised?

Open loop: requests arrive as those of users who do not know of each other (Poisson, seeded), whether or not the server
keeps up, and response time counts from the intended send time. Every request is one small database read. The servers of
all models are up, and slices of half a second go round among them; in one cycle all of them get the very same arrivals.

- At one rate for all models: a third of what the slowest of them answers in a closed loop. The percentiles are those of
  all requests together.
- At the rate that can be promised for each model. In every generation of servers a search by halves, one step of it in
  each cycle, finds the highest rate at which no more than 1 % of the requests of a slice take longer than `--slo-ms`.
  Three quarters of it are promised, and a longer slice with other arrivals confirms the promise or does not: more
  than half of the servers must keep it (bench/judging/promises.py). A rate above what the closed loop found is not
  tried: half a second is too short to show how a queue grows without end.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from bench.judging import JudgedCell, JudgedScenario
from bench.judging.promises import keeps
from bench.judging.sentences import sentence
from bench.judging.slices import Columns, total
from bench.judging.standings import is_twin
from bench.judging.validity import VALID, Judgement
from bench.load import LoadJob
from bench.models import Model
from bench.scenarios.base import Options, Reading, Scenario, Workload
from bench.scenarios.generation import Generation, closed_s
from bench.scenarios.options import CONNECTIONS, Option
from bench.scenarios.rate_search import Search
from bench.scenarios.schedule import Slices
from bench.words import join

SLO_MS = Option("slo_ms", "--slo-ms", "What p99 must stay below for a rate to count as kept.", 50.0, 1, 60_000)

PATH = "/queries/?count=1"
COMMON = "one rate for all"
COMMON_SHARE = 0.3  # a neighbour halves what a server can do; it must not be at its limit then
SLICE_S = 0.5  # long enough for the waits of a queue that builds up and goes again
CYCLES = 4
CAPACITY_CYCLES = 5
PROBES = 5  # the limit is found to within 1 / 2 ** 5 of the capacity
PROMISED_SHARE = 0.75  # of the highest rate that was kept: a promise must hold when the machine is slower, too
CONFIRM_S = 1.0
# A server that falls behind by 20 % at 1,200/s for a second has 240 requests in flight; users do not share 32 sockets.
SOCKETS = 256


def workloads(options: Options) -> Sequence[Workload]:
    """One rate for all; a full run also looks for the rate that can be promised."""
    common = Workload(COMMON, {"path": PATH, "slowest_share": COMMON_SHARE}, kind="short waits at one rate")
    return [common] if options.quick else [common, promised(options)]


def promised(options: Options) -> Workload:
    """The highest rate that keeps the limit."""
    limit = f"p99 below {options[SLO_MS]:g} ms"
    return Workload(f"promise: {limit}", {"path": PATH, "slo_s": options[SLO_MS] / 1e3}, limit, "promise_rps")


def measure(generation: Generation, workload: Workload) -> Mapping[str, Reading]:
    """One workload on all servers of a generation, after a short closed loop that finds what each can do."""
    readings = generation.closed(lambda context: context.job(PATH), CAPACITY_CYCLES)
    capacities = {name: rps for name, reading in readings.items() if (rps := reading.figures.get("throughput_rps"))}
    if "slo_s" in workload.parameters:
        return {**readings, **promises(generation, capacities, workload.parameters["slo_s"])}
    return {**readings, **at_one_rate(generation, capacities)}


def at_one_rate(generation: Generation, capacities: Mapping[str, float]) -> Mapping[str, Reading]:
    """The rate that the run's first servers have found, put to all in every generation."""
    if not capacities:
        return {}
    ranked = {name: rps for name, rps in capacities.items() if not generation.contexts[name].contestant.model.blocks}
    rate_rps = generation.found.setdefault("rate_rps", COMMON_SHARE * min((ranked or capacities).values()))
    jobs = open_loops(generation, dict.fromkeys(capacities, rate_rps))
    readings = generation.readings(jobs, generation.slices(jobs, CYCLES, SLICE_S))
    return {name: with_figures(reading, capacity_rps=capacities[name]) for name, reading in readings.items()}


def promises(generation: Generation, capacities: Mapping[str, float], slo_s: float) -> Mapping[str, Reading]:
    """Search for every server's highest rate at the same time, then confirm what is promised."""
    searches = {name: Search(rps) for name, rps in capacities.items()}
    for _ in range(PROBES):
        rates = {name: search.next_rps for name, search in searches.items()}
        found = generation.slices(open_loops(generation, rates), 1, SLICE_S)
        for name, search in searches.items():
            search.note(kept=keeps(*late_requests(found[name], slo_s)))
    promised_rps = {name: PROMISED_SHARE * search.kept_rps for name, search in searches.items() if search.kept_rps}
    jobs = open_loops(generation, promised_rps)
    readings = generation.readings(jobs, generation.slices(jobs, 1, CONFIRM_S)) if jobs else {}
    return {
        name: confirmed(readings[name], promised_rps[name], capacities[name], slo_s) if name in promised_rps
        else not_kept(searches[name], capacities[name], slo_s)
        for name in capacities
    }  # fmt: skip


def open_loops(generation: Generation, rates: Mapping[str, float]) -> dict[str, LoadJob]:
    """Open loops at these rates; where the rate is the same, slices of one cycle have the same arrivals."""
    return {
        name: generation.contexts[name].job(PATH, rate_rps=rps, arrival="poisson", connections=SOCKETS)
        for name, rps in rates.items()
    }


def late_requests(columns: Columns, slo_s: float) -> tuple[int, int]:
    """How many took as long as the limit or longer, or failed; and of how many."""
    late = sum(us >= slo_s * 1e6 for slice_us in columns["responses_us"] for us in slice_us)
    return late + round(total(columns, "errors")), round(total(columns, "offered"))


def confirmed(reading: Reading, promise_rps: float, capacity_rps: float, slo_s: float) -> Reading:
    """A promise and how many requests were late at it; to fall behind is to be late, and no state of its own."""
    late, requests = late_requests(reading.raw["slices"], slo_s)
    share = late / requests if requests else None
    if reading.judgement.state == "SATURATED":
        reading = replace(reading, judgement=VALID)
    return with_figures(reading, promise_rps=promise_rps, capacity_rps=capacity_rps, late=late, requests=requests,
                        late_share=share)  # fmt: skip


def not_kept(search: Search, capacity_rps: float, slo_s: float) -> Reading:
    """What is said where even the lowest rate had too many late requests."""
    reason = (f"p99 was below {slo_s * 1e3:g} ms at no rate tried, the lowest {search.lowest_rps:.0f}/s; its capacity "
              f"is {capacity_rps:.0f}/s")  # fmt: skip
    return Reading({"promise_rps": None, "capacity_rps": capacity_rps}, Judgement("SATURATED", reason))


def with_figures(reading: Reading, **more: Any) -> Reading:
    """A reading with further figures."""
    return replace(reading, figures={**reading.figures, **more})


def finding(judged: JudgedScenario) -> str:
    """Who keeps users waiting least at the same rate, and who can promise most."""
    common = judged.workload(COMMON)
    waits = (sentence(common), unranked(list(common.cells.values()))) if common else ()
    asked = [workload for workload in judged.workloads if workload.figure == "promise_rps"]
    kept = [sentence(workload) for workload in asked]
    return " ".join(filter(None, (*waits, *kept)))


def unranked(cells: Sequence[JudgedCell]) -> str:
    """Who was not ranked. Without this a leader among two models would look like a leader among six."""
    models = [cell.model for cell in cells if not cell.valid and not is_twin(cell.model)]
    return f"Not ranked there, as not valid: {join(models)}." if models else ""


def expected_s(options: Options, model: Model) -> float:
    """About the same for all models, because slices are equally long for slow and for fast ones."""
    capacity_s = closed_s(options, CAPACITY_CYCLES)
    common_s = capacity_s + CYCLES * SLICE_S
    return common_s if options.quick else common_s + capacity_s + PROBES * SLICE_S + CONFIRM_S


SCENARIO = Scenario(
    name="latency",
    question="How long do users wait at a given rate, and which rate can be promised?",
    workloads=workloads,
    finding=finding,
    figure="p90_s",
    schedule=Slices(measure),
    options=(CONNECTIONS, SLO_MS),
    expected_s=expected_s,
)
