"""Is this number to be believed? Every measurement gets one of five states, and the reason in a sentence."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest
from statistics import median

from bench.judging.slices import Columns, is_open, total
from bench.load import LATE_SEND_NS, LoadResult
from bench.results import State

# Above this share of its core a generator may be what limits the rate, and its own queueing distorts latencies.
GENERATOR_CPU = 0.80
# With a larger share of late sends the high percentiles are about the generator. A share can be told of any number of
# requests, the p99 of the lag only of a thousand.
LATE_SEND_SHARE = 0.01
# By this share of the window several generators may begin apart: for so long there is less load than was asked for.
START_SPREAD = 0.01
# An open loop that delivers less than this share of what was asked has met the server's limit.
OFFERED_SHARE = 0.98
# By this share L = λW may be violated; requests in flight at the window's edges are allowed for in addition.
LITTLE_TOLERANCE = 0.10
# In an open loop of slices: by how much longer than the requests came the server may have worked.
FALLEN_BEHIND = 1.1
# By how much the rates of a slice's halves may differ, and so many answers each connection must have had to tell.
DRIFT, ENOUGH_ANSWERS = 1.33, 4
# A server that has nothing to do may use this share of a core.
IDLE_USE = 0.005
# States that say something about the server; others are about the machine or the generator.
FAILURES = ("ERRORS", "SATURATED")
# Fewer requests in flight than this at the edges of a short window make Little's law too coarse to judge by.
LITTLE_MIN_REQUESTS = 200


@dataclass(frozen=True)
class Judgement:
    """A state and its reason; that of a VALID one is empty."""

    state: State
    reason: str = ""

    @property
    def valid(self) -> bool:
        """Whether the measurement may be ranked."""
        return self.state == "VALID"


VALID = Judgement("VALID")


def judge_load(load: LoadResult, offered_rps: float | None = None) -> Judgement:
    """The state of one load. Errors come first: what is wrong with answers matters more than how fast they were.

    `offered_rps` is the rate of an open loop, None for a closed one.
    """
    if failed := load.errors.total:
        example = f", for instance {load.error_example}" if load.error_example else ""
        return Judgement("ERRORS", f"{failed} of {load.requests} requests failed{example}")
    if load.too_short:
        return Judgement("UNSTABLE", f"no request could begin in a window of {load.window_s:g} s, those of the warm-up "
                                     "took longer; give more --duration or fewer --connections")  # fmt: skip
    if load.good == 0:
        return Judgement("ERRORS", "no request was answered")
    if load.cpu_share > GENERATOR_CPU:
        return Judgement("GENERATOR-LIMITED", overworked(load.cpu_share, len(load.generators)))
    for lag in [share.start_lag for share in load.generators] or [load.start_lag]:
        if lag and (reason := lateness(lag.late_sends, lag.count, lag.max_s)):
            return Judgement("GENERATOR-LIMITED", reason)
    if offered_rps is not None and (load.unsent or load.throughput_rps < offered_rps * OFFERED_SHARE - slack_rps(load)):
        return Judgement("SATURATED", f"{load.throughput_rps:.0f} answers/s of {offered_rps:.0f} asked for")
    if reason := apart(load.start_spread_s, load.window_s) or little(load):
        return Judgement("UNSTABLE", reason)
    return VALID


def overworked(cpu_share: float, generators: int = 1) -> str:
    """How busy the generator was, or the busiest of several."""
    who = f"the busiest of {generators} generators" if generators > 1 else "the generator"
    return f"{who} used {cpu_share:.0%} of its core"


def apart(spread_s: float, window_s: float) -> str:
    """By how much several generators began apart; empty if that is next to nothing."""
    if spread_s <= window_s * START_SPREAD:
        return ""
    return (f"the generators began {spread_s * 1e3:.1f} ms apart, more than {START_SPREAD:.0%} of the window of "
            f"{window_s:.3g} s: they have too few cores, or somebody else uses them")  # fmt: skip


def lateness(late_sends: int, requests: int, longest_s: float | None) -> str:
    """How late the generator itself was, in an open loop; empty if it kept to its schedule."""
    if longest_s is None or late_sends <= requests * LATE_SEND_SHARE:
        return ""
    return (f"{late_sends / requests * 100:.1f} % of the requests were sent more than {LATE_SEND_NS / 1e6:g} ms "
            f"late, up to {longest_s * 1e3:.0f} ms: the generator's own fault")  # fmt: skip


def slack_rps(load: LoadResult) -> float:
    """By how much a rate over this window varies by chance: three standard deviations of a Poisson count."""
    return 3 * math.sqrt(max(1, load.good)) / load.window_s


def little(load: LoadResult) -> str:
    """How Little's law (L = λW) is violated; empty if it holds or there is too little to tell.

    Requests that are in flight at an edge of the window count on one side of the equation only, each with at most the
    longest response: a window must be long against that for the law to say anything.
    """
    if load.time_in_system_mean_s is None or load.requests < LITTLE_MIN_REQUESTS:
        return ""
    expected = load.arrival_rps * load.time_in_system_mean_s
    edges = load.in_flight_mean * (load.response.max_s or 0.0) / load.window_s
    if abs(load.in_flight_mean - expected) <= expected * LITTLE_TOLERANCE + edges:
        return ""
    return (f"no steady state: {load.in_flight_mean:.1f} requests were in flight, {expected:.1f} by Little's law "
            "from those that were answered")  # fmt: skip


def judge_slices(parts: Sequence[Columns]) -> Judgement:
    """The state of a server's slices: those of one generation, or of all of them together.

    A neighbour on the machine may spoil slices, and none is left out: what is judged is their sum.
    """
    every = merged(parts)
    wall_s, good, errors = (total(every, name) for name in ("wall_s", "good", "errors"))
    example = f", for instance {every['error']}" if every["error"] else ""
    if errors:
        return Judgement("ERRORS", f"{errors:.0f} of {good + errors:.0f} requests failed{example}")
    if not good:
        return Judgement("ERRORS", f"no request was answered{example}")
    if (used := total(every, "generator_cpu_s") / wall_s) > GENERATOR_CPU:
        return Judgement("GENERATOR-LIMITED", overworked(used, generators_of(parts)))
    if reason := busy_idlers(parts):  # first, because it explains whatever else is found
        return Judgement("UNSTABLE", reason)
    if is_open(every):
        if reason := late_slices(parts):
            return Judgement("GENERATOR-LIMITED", reason)
        if reason := next(filter(None, map(saturation, parts)), ""):
            return Judgement("SATURATED", reason)
    elif reason := drift(every):
        return Judgement("UNSTABLE", reason)
    if reason := began_apart(parts):
        return Judgement("UNSTABLE", reason)
    return VALID


def generators_of(parts: Sequence[Columns]) -> int:
    """How many generators have sent these slices, at most."""
    return max((len(shares) for part in parts for shares in part.get("shares_offered", ())), default=1)


def late_slices(parts: Sequence[Columns]) -> str:
    """How late the generator was in an open loop, or the latest of several; empty if they kept to the schedule."""
    longest_s = max(lag_s for part in parts for lag_s in part["lag_max_s"] if lag_s is not None)
    late, due = (by_generator(parts, name) for name in ("late_sends", "offered"))
    return next(filter(None, (lateness(*counts, longest_s) for counts in zip(late, due, strict=True))), "")


def by_generator(parts: Sequence[Columns], name: str) -> list[int]:
    """A count of each generator, over all slices; a generation by one generator is the first's."""
    rows = (row for part in parts for row in part.get(f"shares_{name}", [[count] for count in part[name]]))
    return [sum(counts) for counts in zip_longest(*rows, fillvalue=0)]


def began_apart(parts: Sequence[Columns]) -> str:
    """By how much several generators began a slice apart, as a rule; empty if that is next to nothing."""
    several = [part for part in parts if "start_spread_s" in part]
    if not several:
        return ""
    spread_s, wall_s = (median(value for part in several for value in part[name])
                        for name in ("start_spread_s", "wall_s"))  # fmt: skip
    return apart(spread_s, wall_s)


def merged(parts: Sequence[Columns]) -> Columns:
    """Slices of several generations as those of one.

    What only some generations have is left out: later ones may have been sent by more generators than the first.
    """
    names = [name for name in parts[0] if all(name in part for part in parts)]
    first = {name: parts[0][name] for name in names}
    lists = {name: [value for part in parts for value in part[name]] for name in first if isinstance(first[name], list)}
    return {**first, **lists, "error": next((part["error"] for part in parts if part["error"]), "")}


def saturation(columns: Columns) -> str:
    """How much longer than the requests came a server of an open loop had to work; empty if it kept up."""
    sent_s, took_s = len(columns["good"]) * columns["slice_s"], total(columns, "wall_s")
    if took_s <= sent_s * FALLEN_BEHIND:
        return ""
    return f"what came within {sent_s:.1f} s was answered after {took_s:.1f} s"


def drift(columns: Columns) -> str:
    """By how much a server's rate changes inside a slice; empty if it does not, or if a slice has too few requests.

    A slice's first half has the start of all requests and its second half their end. A server that works at all of them
    at once has half done those that are under way in the middle, one that takes them in turn has not begun them: the
    rate has changed only if it has by both counts. And every connection must have been answered several times.
    """
    connections, good = columns["connections"], total(columns, "good")
    if good < ENOUGH_ANSWERS * connections * len(columns["good"]):
        return ""
    halves_s = columns["slice_s"] / 2 * len(columns["good"])
    rest_s, answered = total(columns, "wall_s") - halves_s, total(columns, "first_half_good")
    under_way = connections * len(columns["good"]) / 2
    in_turn, at_once = ((good - done) / rest_s / (done / halves_s) if done else math.inf
                        for done in (answered, answered + under_way))  # fmt: skip
    change = in_turn if in_turn < 1 else max(1.0, at_once)
    if 1 / DRIFT <= change <= DRIFT:
        return ""
    return f"in the second half of a slice it answered {change:.2f} times as many requests a second as in the first"


def busy_idlers(parts: Sequence[Columns]) -> str:
    """What the servers used that had nothing to do; empty if that is next to nothing.

    Generations may have different numbers of servers.
    """
    idle_s = sum(total(part, "wall_s") * (part["servers"] - 1) for part in parts)
    each = sum(total(part, "others_cpu_s") for part in parts) / idle_s if idle_s else 0.0
    if each <= IDLE_USE:
        return ""
    return f"the other servers, which had nothing to do, used {each:.1%} of a core each".replace("%", " %")


def worst(judgements: Sequence[Judgement]) -> Judgement:
    """The state of a cell: that of its worst observation, with how many of them are so."""
    for state in ("ERRORS", "GENERATOR-LIMITED", "SATURATED", "UNSTABLE"):
        found = [judgement for judgement in judgements if judgement.state == state]
        if found:
            share = f"{len(found)} of {len(judgements)} generations: " if len(judgements) > 1 else ""
            return Judgement(found[0].state, share + found[0].reason)
    return VALID
