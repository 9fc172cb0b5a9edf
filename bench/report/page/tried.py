"""What does the page show of a trial? The same as the terminal, with a bar for each request and model."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from bench.judging import Judged
from bench.judging.tried_sentences import told
from bench.judging.tried_waits import JudgedWaits, Kind
from bench.report.page.code_view import highlighted
from bench.report.terminal.load import duration
from bench.report.terminal.tried import held_by
from bench.report.tried import Place, confirmed, places, reasons, trial_of, waits_of, watched
from bench.results.tried import Tried, TriedRequest

# The shortest bar that can be seen, as a percentage of the longest.
SHORTEST = 0.5


@dataclass(frozen=True)
class Bar:
    """A model's time for one request, and for several at once: both as percentages of the longest in the figure."""

    model: str
    kind: Kind
    alone: float
    together: float
    text: str
    """`105 ms → 840 ms, ×8.0 blocks`."""


@dataclass(frozen=True)
class Bars:
    """A request, with a bar for each model."""

    request: str
    status: int
    at_once: int
    bars: tuple[Bar, ...]

    @property
    def in_words(self) -> str:
        """What the bars show."""
        return "; ".join(f"{one.model} {one.text}" for one in self.bars)


@dataclass(frozen=True)
class ShownPlace:
    """A place that blocks, and its line as code."""

    place: Place
    source: Markup
    known: bool
    """Whether what helps is what helps at a place above it."""


def values(judged: Judged) -> dict[str, Any] | None:
    """What the section's template needs; None for a run without a trial."""
    trial = trial_of(judged)
    if trial is None:
        return None
    tried = trial.tried
    return {
        "tried": tried,
        "lines": trial.judged.lines,
        "recommendation": trial.judged.recommendation,
        "model": trial.recommended,
        "bars": [found for one in tried.requests if (found := bars(tried, one)).bars],
        "watched": watched(tried),
        "places": shown_places(places(tried.models)),
        "differing": [(model.name, told(one)) for model in tried.models for one in model.differences],
        "reasons": [(model.name, model.state, reason) for model, reason in reasons(tried)],
        "held": [(model.name, held_by(model)) for model in tried.models if model.memory_bytes is not None],
        "confirmed": confirmed(tried.confirmed) if tried.confirmed else "",
        "duration": duration,
    }


def shown_places(found: Sequence[Place]) -> list[ShownPlace]:
    """The places, their lines as code."""
    return [
        ShownPlace(one, Markup("\n").join(highlighted([one.source])),
                   bool(one.advice) and one.advice in [each.advice for each in found[:number]])
        for number, one in enumerate(found)
    ]  # fmt: skip


def bars(tried: Tried, request: TriedRequest) -> Bars:
    """The bars of a request, the longest as wide as there is room."""
    found = waits_of(tried, request.name)
    longest_s = max((max(one.waits.together_s, one.waits.alone_s) for _, one in found), default=0.0)
    at_once = max((one.waits.at_once for _, one in found), default=0)
    return Bars(request.name, request.status, at_once, tuple(bar(name, one, longest_s) for name, one in found))


def bar(model: str, one: JudgedWaits, longest_s: float) -> Bar:
    """A model's bar."""
    times_s = one.waits.alone_s, one.waits.together_s
    alone, together = (max(SHORTEST, round(100 * each_s / longest_s, 2)) for each_s in times_s)
    return Bar(model, one.kind, alone, together, f"{' → '.join(map(duration, times_s))}, {one.text}")
