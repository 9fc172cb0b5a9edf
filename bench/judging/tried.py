"""What does a trial of somebody's application say: of each model in a line, and which of them to take?

Only what was tried is claimed: these requests, at most so many at once, one process each.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from bench.judging.tried_choice import Candidate, candidates, chosen, compare, telling
from bench.judging.tried_sentences import all_errors, changes, claimed, some_errors, unconfirmed, why, why_none
from bench.judging.tried_waits import most_telling
from bench.judging.workload import JudgedWorkload
from bench.results.tried import Tried, When

NOTHING = "–"


@dataclass(frozen=True)
class Line:
    """What a table says of a model."""

    model: str
    starts: str
    """`0.8 s`, `failed`, `not tried`."""
    alone: str
    """`same`, `1 of 3 differ`."""
    at_once: str
    waits: str
    """`×7.9 blocks`, of the request that says most; `too short to say`."""
    verdict: str
    """`recommended`, `answers differ`, `not told apart`, `costs more`; empty where nothing is recommended."""
    eligible: bool
    """Whether it could be taken: whether it answers as the first model does, and fails under no load."""


@dataclass(frozen=True)
class Recommendation:
    """Which model to take."""

    model: str
    """Empty if none can be recommended."""
    reasons: tuple[str, ...]
    """Why, or why none, in whole sentences."""
    next: tuple[str, ...] = ()
    """What would have to change in the application for more to be possible, a sentence each."""


@dataclass(frozen=True)
class JudgedTrial:
    """A trial, judged."""

    lines: tuple[Line, ...]
    """In the order of the trial."""
    recommendation: Recommendation


def judged_trial(tried: Tried, workloads: Sequence[JudgedWorkload]) -> JudgedTrial:
    """What a trial says; the workloads are those of its scenario."""
    every = candidates(tried, workloads)
    workloads = [workload for workload in workloads if workload.name in telling(tried)]
    able = [one for one in every if one.eligible]
    best = chosen(able, workloads) if able and not all_errors(tried) else None
    found = recommendation(tried, every, best, workloads)
    lines = {one.name: line(tried, one, best if found.model else None, workloads) for one in every}
    return JudgedTrial(tuple(lines[model.name] for model in tried.models), found)


def line(tried: Tried, one: Candidate, best: Candidate | None, workloads: Sequence[JudgedWorkload]) -> Line:
    """The line of a model."""
    if one.model.state != "answers":
        return Line(one.name, one.model.state, NOTHING, NOTHING, NOTHING, one.verdict, eligible=False)
    starts = "yes" if one.model.start_s is None else f"{one.model.start_s:.1f} s"
    telling = most_telling(list(one.waits.values()))
    return Line(
        model=one.name,
        starts=starts,
        alone=answers(tried, one, "alone"),
        at_once=answers(tried, one, "at once"),
        waits=telling.text if telling else NOTHING,
        verdict=one.verdict or place(one, best, workloads),
        eligible=one.eligible,
    )


def answers(tried: Tried, one: Candidate, when: When) -> str:
    """`same`, or how many requests were answered in another way."""
    differing = {difference.request for difference in one.model.differences if difference.when == when}
    same = "same errors" if all_errors(tried) else "same"
    return f"{len(differing)} of {len(tried.requests)} differ" if differing else same


def place(one: Candidate, best: Candidate | None, workloads: Sequence[JudgedWorkload]) -> str:
    """How a model that could be taken stands to the one that is; empty where none is."""
    if best is None:
        return ""
    return "recommended" if one == best else compare(one, best, workloads).word


def recommendation(
    tried: Tried, every: Sequence[Candidate], best: Candidate | None, workloads: Sequence[JudgedWorkload]
) -> Recommendation:
    """Which model to take."""
    if reason := why_none(tried, every):
        return Recommendation("", (reason,))
    if best is None:
        return Recommendation("", ("No model answered as it must, so none can be taken.",), tuple(changes(every, None)))
    reasons = [*why(tried, every, best, workloads), some_errors(tried), claimed(tried, every)]
    found = Recommendation(best.name, tuple(filter(None, reasons)), tuple(changes(every, best)))
    broken = unconfirmed(tried.confirmed, best)
    return replace(found, model="", reasons=(broken,)) if broken else found
