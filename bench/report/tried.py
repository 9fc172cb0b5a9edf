"""What of a trial is shown in the terminal and on the page alike? Its judgement, the places that block, the waits."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bench.judging import Judged, JudgedScenario
from bench.judging.tried import JudgedTrial
from bench.judging.tried_sentences import last_line, told
from bench.judging.tried_waits import JudgedWaits
from bench.results.tried import SCENARIO, Confirmed, Doing, Stall, Tried, TriedModel
from bench.words import join


@dataclass(frozen=True)
class Trial:
    """A trial, judged, and its load."""

    tried: Tried
    judged: JudgedTrial
    load: JudgedScenario | None
    """None where nothing was loaded."""

    @property
    def recommended(self) -> TriedModel | None:
        """The model to take; None if there is none."""
        return next((one for one in self.tried.models if one.name == self.judged.recommendation.model), None)


def trial_of(judged: Judged) -> Trial | None:
    """The trial of a run; None for every other run."""
    found = judged.run.tried
    return Trial(found, judged.trial, judged.scenario(SCENARIO)) if found and judged.trial else None


@dataclass(frozen=True)
class Held:
    """How long a place held up all other requests under one model."""

    model: str
    count: int
    total_s: float
    longest_s: float


@dataclass(frozen=True)
class Place:
    """A line of the application that blocks, under one model or several."""

    where: str
    """`shop/db.py:12`."""
    function: str
    source: str
    call: str
    """The library's function below it; empty if the line itself was busy."""
    doing: Doing
    requests: tuple[str, ...]
    held: tuple[Held, ...]
    """By model, the longest total first."""
    advice: tuple[tuple[tuple[str, ...], str], ...]
    """The models, and what helps under them."""

    @property
    def what(self) -> str:
        """`waits in psycopg2.connect`, or `computes`."""
        verb = "waits" if self.doing == "waiting" else "computes"
        return f"{verb} in {self.call}" if self.call else verb


def places(models: Iterable[TriedModel]) -> list[Place]:
    """Every line that blocks, each once, the one that held others up longest first."""
    found: dict[tuple[str, ...], list[tuple[str, Stall]]] = {}
    for model in models:
        for stall in model.stalls:
            key = stall.file, str(stall.line), stall.function, stall.call, stall.doing
            found.setdefault(key, []).append((model.name, stall))
    return sorted(map(place, found.values()), key=lambda one: -one.held[0].total_s)


def place(seen: Sequence[tuple[str, Stall]]) -> Place:
    """A line, from what each model saw of it."""
    first = seen[0][1]
    advice: dict[str, list[str]] = {}
    for model, stall in seen:
        if stall.advice and model not in advice.setdefault(stall.advice, []):
            advice[stall.advice].append(model)
    return Place(
        where=first.where,
        function=first.function,
        source=first.source.strip(),
        call=first.call,
        doing=first.doing,
        requests=tuple(dict.fromkeys(stall.request for _, stall in seen)),
        held=tuple(sorted(held(seen), key=lambda one: -one.total_s)),
        advice=tuple((tuple(models), text) for text, models in advice.items()),
    )


def held(seen: Sequence[tuple[str, Stall]]) -> list[Held]:
    """How long it held others up, by model: a model may have met the line in several requests."""
    names = dict.fromkeys(model for model, _ in seen)
    own = {name: [stall for model, stall in seen if model == name] for name in names}
    return [
        Held(name, sum(one.count for one in stalls), sum(one.total_s for one in stalls),
             max(one.longest_s for one in stalls))
        for name, stalls in own.items()
    ]  # fmt: skip


def watched(tried: Tried) -> str:
    """Under which models the application was watched, and where nothing blocked; empty if it was not watched."""
    names = [model.name for model in tried.models if model.watched]
    if not names:
        return ""
    still = [model.name for model in tried.models if model.watched and not model.stalls]
    nothing = f" Nothing blocked under {join(still)}." if still and len(still) < len(names) else ""
    return f"Watched under {join(names)}, in a pass that was not timed.{nothing}"


def waits_of(tried: Tried, request: str) -> list[tuple[str, JudgedWaits]]:
    """The models that answered a request, and how its waits were."""
    return [
        (model.name, JudgedWaits(request, model.waits[request])) for model in tried.models if request in model.waits
    ]


def reasons(tried: Tried) -> list[tuple[TriedModel, str]]:
    """The models that do not answer, and why: of a long log the last line."""
    return [(model, last_line(model.reason)) for model in tried.models if model.state != "answers" and model.reason]


def confirmed(found: Confirmed) -> str:
    """What came of starting the printed command."""
    if found.reason:
        return f"Started once more, as it is printed here, it failed: {last_line(found.reason)}"
    if found.differences:
        return f"Started once more, as it is printed here, it differed: {'; '.join(map(told, found.differences))}"
    return "Started once more, as it is printed here, it answered the same."
