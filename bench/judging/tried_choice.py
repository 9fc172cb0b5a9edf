"""Which of the models that were tried should serve the application, and why?

Only a model is taken that answered everything as the first one does, alone and at once, and that no load made fail. Of
these the simplest is taken unless another one is shown to be better: requests that mostly wait took much less time at
once, or, where that does not tell, the load was served better: more requests a second where they mostly wait, else by
the rule of every scenario (bench/judging/judged.py).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from bench.judging.phrases import spread
from bench.judging.tried_waits import JudgedWaits
from bench.judging.units import in_words
from bench.judging.workload import JudgedWorkload
from bench.results.tried import Difference, Tried, TriedModel

# From the one that asks least of code, libraries and whoever runs it: processes, threads, patches, event loops; at the
# end an application that was written anew for an event loop. Models that are not named here come behind these, in the
# order of the trial.
SIMPLE_FIRST = ("sync", "gthread", "gevent", "gevent-psycogreen", "granian", "asgiref", "bridge-threads",
                "bridge-inline", "uvicorn", "gunicorn-asgi", "granian-asgi")  # fmt: skip
# The time that requests take at once is the shortest of a few: from this ratio on, two of them differ.
MUCH = 1.5
ERROR = 400
NO_ANSWER = "no answer within"

CPU, RATE = "cpu_per_request_s", "throughput_rps"

Kind = Literal["better", "worse", "not told apart"]
# Whether it waits for a shorter time, and by whether CPU time was compared, what a table says of a model.
WAITING: Mapping[bool, tuple[Kind, str]] = {True: ("better", "waits less"), False: ("worse", "waits longer")}
LOADED = {True: {"better": "costs less", "worse": "costs more"}, False: {"better": "faster", "worse": "slower"}}


@dataclass(frozen=True)
class Candidate:
    """A model that was tried, and what decides about it."""

    model: TriedModel
    waits: Mapping[str, JudgedWaits]
    """By request."""
    failed: str
    """What went wrong under load; empty if nothing did."""
    waiting: frozenset[str] = frozenset()
    """The requests that mostly wait, whatever serves them."""

    @property
    def name(self) -> str:
        """Of the model."""
        return self.model.name

    @property
    def hangs(self) -> bool:
        """Whether some request got no answer in time."""
        return any(hung(one) for one in self.model.differences)

    @property
    def verdict(self) -> str:
        """Why it is never taken, in two or three words; empty if it may be."""
        if self.model.state != "answers":
            return {"failed": "does not start"}.get(self.model.state, self.model.state)
        if self.hangs:
            return "hangs"
        return "answers differ" if self.model.differences else "fails under load" if self.failed else ""

    @property
    def eligible(self) -> bool:
        """Whether it may be taken."""
        return not self.verdict


@dataclass(frozen=True)
class Comparison:
    """How a candidate stands to another."""

    kind: Kind
    word: str = "not told apart"
    """The same in a table: `waits longer`, `costs more`."""
    reason: str = ""
    """The clause that shows it: `8 × GET /orders at once take 0.06 s with it, and 0.41 s with sync`."""


def hung(difference: Difference) -> bool:
    """Whether the difference is that there was no answer."""
    return difference.what.startswith(NO_ANSWER)


def candidates(tried: Tried, workloads: Sequence[JudgedWorkload]) -> list[Candidate]:
    """All models, the simplest first."""
    order = {name: place for place, name in enumerate(SIMPLE_FIRST)}
    told = telling(tried)
    waits = {model.name: waits_of(model, told) for model in tried.models}
    waiting = mostly_waiting([waits[model.name] for model in tried.models if model.same])
    found = [Candidate(one, waits[one.name], failure(one.name, workloads), waiting) for one in tried.models]
    return sorted(found, key=lambda one: order.get(one.name.partition(" (")[0], len(order)))


def waits_of(model: TriedModel, requests: Sequence[str]) -> dict[str, JudgedWaits]:
    """By request, how the waits of these are under that model."""
    return {name: JudgedWaits(name, model.waits[name]) for name in requests if name in model.waits}


def mostly_waiting(every: Sequence[Mapping[str, JudgedWaits]]) -> frozenset[str]:
    """The requests that mostly wait under every model that answered as it must.

    A request that computes seems to wait while other programs have the core, but hardly under every model.
    """
    found: dict[str, bool] = {}
    for waits in every:
        for name, one in waits.items():
            found[name] = found.get(name, True) and one.waits_mostly
    return frozenset(name for name, waiting in found.items() if waiting)


def errors(tried: Tried) -> list[str]:
    """The requests that were answered with an error, which proves nothing of the application."""
    return [one.name for one in tried.requests if one.status >= ERROR or not one.status]


def telling(tried: Tried) -> list[str]:
    """The requests that models are compared by: those without an error, or all of them where none is without."""
    wrong = errors(tried)
    return [one.name for one in tried.requests if one.name not in wrong] or wrong


def failure(model: str, workloads: Sequence[JudgedWorkload]) -> str:
    """How the first load failed of those that did; empty if none did."""
    cells = [(workload.name, workload.cells[model]) for workload in workloads if model in workload.cells]
    return next((f"{name}: {cell.reason}" for name, cell in cells if cell.judgement.state == "ERRORS"), "")


def compare(one: Candidate, other: Candidate, workloads: Sequence[JudgedWorkload]) -> Comparison:
    """What is known of one candidate beside another. Waits decide before what the load shows."""
    for votes in (by_waits(one, other), by_load(one, other, workloads)):
        better, worse = ([vote for vote in votes if vote.kind == kind] for kind in ("better", "worse"))
        if better and worse:
            return Comparison("not told apart", reason="one is better for some requests, and the other for others")
        if better or worse:
            return (better or worse)[0]
    return Comparison("not told apart")


def by_waits(one: Candidate, other: Candidate) -> list[Comparison]:
    """What requests that mostly wait say, those that differ most first."""
    found = []
    for name, mine in one.waits.items():
        its = other.waits.get(name)
        if its is None or name not in one.waiting or mine.waits.at_once != its.waits.at_once:
            continue
        times = its.waits.together_s / mine.waits.together_s
        if max(times, 1 / times) >= MUCH:
            reason = (f"{mine.waits.at_once} × {name} at once took {seconds(mine.waits.together_s)} with {one.name}, "
                      f"and {seconds(its.waits.together_s)} with {other.name}")  # fmt: skip
            found.append((max(times, 1 / times), Comparison(*WAITING[times > 1], reason)))
    return [comparison for _, comparison in sorted(found, key=lambda each: -each[0])]


def by_load(one: Candidate, other: Candidate, workloads: Sequence[JudgedWorkload]) -> list[Comparison]:
    """What the loads say."""
    found = []
    for workload in (compared_by(workload, one.waiting) for workload in workloads):
        outcome = workload.outcome(one.name, other.name)
        if outcome.interval and (outcome.kind == "better" or outcome.kind == "worse"):
            figure, ratio = in_words(workload.figure), spread(outcome.interval)
            reason = f"for {workload.name}, {figure} with {one.name} was {ratio} times that with {other.name}"
            found.append(Comparison(outcome.kind, LOADED[workload.figure == CPU][outcome.kind], reason))
    return found


def compared_by(workload: JudgedWorkload, waiting: frozenset[str]) -> JudgedWorkload:
    """The workload, by requests a second where its request mostly waits: what counts then is how many wait together.

    Whether a server left its core idle does not tell that, because what else runs on the machine may have filled it.
    """
    return replace(workload, figure=RATE) if workload.name in waiting else workload


def chosen(able: Sequence[Candidate], workloads: Sequence[JudgedWorkload]) -> Candidate:
    """The least simple one that is better than every simpler one: the simplest, where none is."""

    def better_than_all(place: int) -> bool:
        return all(compare(able[place], other, workloads).kind == "better" for other in able[:place])

    return able[max(place for place in range(len(able)) if better_than_all(place))]


def seconds(value_s: float) -> str:
    """`0.41 s`, `62 ms`."""
    return f"{value_s:.2f} s" if value_s >= 0.1 else f"{value_s * 1e3:.0f} ms"
