"""Is this number to be believed? Every measurement gets one of five states, and the reason in a sentence."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Literal

from bench.load import LoadResult

State = Literal["VALID", "GENERATOR-LIMITED", "SATURATED", "ERRORS", "UNSTABLE"]

# Above this share of its core a generator may be what limits the rate, and its own queueing distorts latencies.
GENERATOR_CPU = 0.80
# A generator that is idle and still sends late measures itself. A millisecond is the granularity of epoll's timers.
START_LAG_P99_S = 0.005
# An open loop that delivers less than this share of what was asked has met the server's limit.
OFFERED_SHARE = 0.98
# L = λW holds exactly for a window that begins and ends empty; this much is left for what was in flight at its edges.
LITTLE_TOLERANCE = 0.10
# (max - min) / median of the rounds. Restarts alone move a server by 25 % either way; more than that is no figure.
SPREAD = 0.60
# Fewer requests in flight than this at the edges of a short window make Little's law too coarse to judge by.
LITTLE_MIN_REQUESTS = 200


@dataclass(frozen=True)
class Judgement:
    """A state and its reason; the reason of a VALID one is empty."""

    state: State
    reason: str = ""

    @property
    def valid(self) -> bool:
        """Whether the measurement may be ranked."""
        return self.state == "VALID"


VALID = Judgement("VALID")


def judge_load(load: LoadResult, offered_rps: float | None = None) -> Judgement:
    """One load. Errors first: what is wrong with the answers matters more than how fast they were.

    `offered_rps` is the rate of an open loop, None for a closed one.
    """
    if failed := load.errors.total:
        example = f", for instance {load.error_example}" if load.error_example else ""
        return Judgement("ERRORS", f"{failed} of {load.requests} requests failed{example}")
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
        return Judgement("GENERATOR-LIMITED", reason)
    return VALID


def slack_rps(load: LoadResult) -> float:
    """By how much a rate over this window varies by chance: three standard deviations of a Poisson count."""
    return 3 * math.sqrt(max(1, load.good)) / load.window_s


def little(load: LoadResult) -> str:
    """How Little's law (L = λW) is violated; empty if it holds or there is too little to tell."""
    if load.time_in_system_mean_s is None or load.requests < LITTLE_MIN_REQUESTS:
        return ""
    expected = load.arrival_rps * load.time_in_system_mean_s
    edges = load.in_flight_mean / load.requests  # what was in flight at an edge counts with part of its time only
    if abs(load.in_flight_mean - expected) <= expected * (LITTLE_TOLERANCE + edges):
        return ""
    return f"{load.in_flight_mean:.1f} requests were in flight where Little's law has {expected:.1f}"


def judge_rounds(judgements: Sequence[Judgement], figures: Sequence[float]) -> Judgement:
    """A cell: as bad as its worst round, and UNSTABLE if its rounds do not agree on the figure it is ranked by."""
    for state in ("ERRORS", "GENERATOR-LIMITED", "SATURATED", "UNSTABLE"):
        found = [judgement for judgement in judgements if judgement.state == state]
        if found:
            share = f"{len(found)} of {len(judgements)} rounds: " if len(judgements) > 1 else ""
            return Judgement(found[0].state, share + found[0].reason)
    if len(figures) > 1 and (middle := median(figures)) > 0 and (max(figures) - min(figures)) / middle > SPREAD:
        spread = (max(figures) - min(figures)) / middle
        return Judgement("UNSTABLE", f"the rounds differ by {spread:.0%} of their median")
    return VALID
