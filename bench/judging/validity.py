"""Is this number to be believed? Every measurement gets one of five states, and the reason in a sentence."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from bench.load import LoadResult
from bench.results import State

# Above this share of its core a generator may be what limits the rate, and its own queueing distorts latencies.
GENERATOR_CPU = 0.80
# If an idle generator sends late, its figures are about itself. A millisecond is the granularity of epoll's timers.
START_LAG_P99_S = 0.005
# An open loop that delivers less than this share of what was asked has met the server's limit.
OFFERED_SHARE = 0.98
# By this share L = λW may be violated; requests in flight at the window's edges are allowed for in addition.
LITTLE_TOLERANCE = 0.10
# The range of the rounds ÷ their median, the highest and the lowest left out where there are five or more: a neighbour
# on the machine may spoil a round. Restarts alone move a server by 25 % either way; a cell beyond SPREAD is UNSTABLE.
SPREAD = 0.60
TRIMMED_FROM = 5
# With so many rounds one can be set aside and enough are left for a verdict (bench/judging/statistics.py, MIN_ROUNDS).
SPARE_FROM = 6
# Fewer requests in flight than this at the edges of a short window make Little's law too coarse to judge by.
LITTLE_MIN_REQUESTS = 200


@dataclass(frozen=True)
class Judgement:
    """A state and its reason; that of a VALID one is empty, or says which round was set aside."""

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
        return Judgement("GENERATOR-LIMITED", f"the generator used {load.cpu_share:.0%} of its core")
    lag_s = load.start_lag.p99_s if load.start_lag else None
    if lag_s is not None and lag_s > START_LAG_P99_S:
        return Judgement("GENERATOR-LIMITED", f"1 % of the requests started {lag_s * 1e3:.1f} ms late or more, "
                                              "the generator's own fault")  # fmt: skip
    if offered_rps is not None and (load.unsent or load.throughput_rps < offered_rps * OFFERED_SHARE - slack_rps(load)):
        return Judgement("SATURATED", f"{load.throughput_rps:.0f} answers/s of {offered_rps:.0f} asked for")
    if reason := little(load):
        return Judgement("UNSTABLE", reason)
    return VALID


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


def judge_rounds(
    judgements: Sequence[Judgement], figures: Sequence[float], spread_limit: float | None = SPREAD
) -> Judgement:
    """The state of a cell: that of its worst round, or UNSTABLE if its rounds disagree on the figure it is ranked by.

    `spread_limit` is how far they may be apart; None leaves that to the interval of the comparison. A neighbour on the
    machine may spoil a round: of six or more, a single one that is not valid, but has no errors, is set aside, and the
    reason of the VALID cell says so.
    """
    doubtful = [judgement for judgement in judgements if not judgement.valid]
    spare = len(doubtful) == 1 and doubtful[0].state != "ERRORS" and len(judgements) >= SPARE_FROM
    for state in ("ERRORS", "GENERATOR-LIMITED", "SATURATED", "UNSTABLE"):
        found = [judgement for judgement in doubtful if judgement.state == state]
        if found and not spare:
            share = f"{len(found)} of {len(judgements)} rounds: " if len(judgements) > 1 else ""
            return Judgement(found[0].state, share + found[0].reason)
    if spread_limit is not None and (wide := spread(figures)) > spread_limit:
        return Judgement("UNSTABLE", f"the rounds differ by {wide:.0%} of their median")
    aside = f"1 of {len(judgements)} rounds set aside, {doubtful[0].state}: {doubtful[0].reason}" if spare else ""
    return Judgement("VALID", aside)


def spread(figures: Sequence[float]) -> float:
    """The trimmed range of the rounds ÷ their median; 0 for a single round."""
    ordered = sorted(figures)[1:-1] if len(figures) >= TRIMMED_FROM else sorted(figures)
    return (ordered[-1] - ordered[0]) / median(ordered) if ordered and median(ordered) > 0 else 0.0
