"""What comes of an application under one model? Three servers of it, one after the other.

The first is what a reader would start: its answers are compared. The second notes in its process what each request
takes. The third is watched for what keeps all other requests waiting; it is never timed.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from bench.judging.tried_choice import hung
from bench.results.tried import Difference, Stall, TriedModel, Waits
from bench.tryout.app import App
from bench.tryout.asking import Visitor, ask, at_once, first_answer
from bench.tryout.comparing import Comparison
from bench.tryout.login import LoginFailed, visit
from bench.tryout.script import Script
from bench.tryout.serving import Served, StartFailed, serving
from bench.tryout.stalls import Asked, probed, read, stalls
from bench.tryout.waits import overlap
from bench.tryout.ways import Watch, Way

# What a server is given for its very first answer, which often opens connections and makes tables.
START_PATIENCE_S = 30.0
# While stalls are looked for, so many of a request at once, so often: enough to hold each other up.
WATCHED_AT_ONCE, WATCHED_TIMES = 4, 2


@dataclass(frozen=True)
class Asking:
    """How often a model is asked."""

    at_once: int = 8
    repeat: int = 5
    timeout_s: float = 30.0
    """For an answer. A server that answers nothing for so long hangs."""


@dataclass(frozen=True)
class Trying:
    """An application under one model, and what is asked of it."""

    app: App
    way: Way
    script: Script
    asking: Asking
    logs: Path
    now: Callable[[str], None]
    """Hears what is done."""

    @contextmanager
    def served(self, name: str, watch: Watch | None = None) -> Iterator[tuple[Served, Visitor]]:
        """A server whose log has that name, and a visitor who is logged in. Raises StartFailed and LoginFailed."""
        with serving(
            self.app, self.way, self.logs, ready=first_answer(self.script, START_PATIENCE_S), watch=watch, name=name
        ) as server:
            yield server, visit(server.url, self.script, self.asking.timeout_s)


def tried(trying: Trying, comparison: Comparison) -> TriedModel:
    """Everything but what it costs."""
    record = not_tried(trying.app, trying.way)
    if record.reason:
        return record
    try:
        record = compared(trying, comparison, record)
        if hangs(record.differences):
            return record
        record = replace(record, waits=timed(trying))
        if trying.way.name == "sync":  # it serves one request at a time, so that there is nobody to be kept waiting
            return record
        found, looked = watched(trying)
        return replace(record, stalls=found, watched=looked)
    except (StartFailed, LoginFailed) as error:
        return replace(record, state="failed", reason=str(error))


def not_tried(app: App, way: Way) -> TriedModel:
    """What is known of a model before its server starts; `reason` says why it cannot, and is empty if it can."""
    return TriedModel(
        name=way.name,
        state="not tried",
        reason=way.unavailable(app),
        command=(),
        typed=way.typed(app),
        files=way.files(app),
        install=way.install(app),
    )


def compared(trying: Trying, comparison: Comparison, record: TriedModel) -> TriedModel:
    """Its answers, alone and several at once."""
    trying.now("its answers")
    with trying.served(trying.way.name) as (server, visitor):
        found = comparison.alone_and_at_once(visitor, trying.asking.at_once, trying.asking.repeat)
        return replace(
            record, state="answers", command=server.process.command, start_s=server.start_s, differences=found
        )


def hangs(differences: Sequence[Difference]) -> bool:
    """Whether a request was left without an answer: every further one would cost the time-out."""
    return any(map(hung, differences))


def timed(trying: Trying) -> dict[str, Waits]:
    """How long each request takes, alone and several at once."""
    trying.now("how long its requests take")
    asking, name = trying.asking, f"{trying.way.name}-timed"
    timings = trying.logs / f"{name}.jsonl"
    found = {}
    with trying.served(name, Watch(timings=timings)) as (_, visitor):
        for asked in trying.script.requests:
            at_once(visitor, asked, asking.at_once)  # what is imported or connected late is no part of a request
            waits = overlap(visitor, asked, asking.at_once, asking.repeat, timings)
            if waits:
                found[asked.name] = waits
    return found


def watched(trying: Trying) -> tuple[tuple[Stall, ...], bool]:
    """What keeps all other requests waiting, and whether the probe has looked for it."""
    trying.now("what blocks in it")
    name = f"{trying.way.name}-watched"
    file = trying.logs / f"{name}.jsonl"
    with trying.served(name, Watch(stalls=file)) as (_, visitor):
        for asked in trying.script.requests:
            ask(visitor, asked)  # what the first request loads is no finding
        times = []
        for asked in trying.script.requests:
            began_s, how_many = time.monotonic(), min(WATCHED_AT_ONCE, trying.asking.at_once)
            for _ in range(WATCHED_TIMES):
                at_once(visitor, asked, how_many)
            times.append(Asked(asked.name, began_s, time.monotonic(), WATCHED_TIMES * how_many))
    found = stalls(read(file), times, trying.app.roots, trying.app.folder)
    own = f"as {trying.way.name},"  # what is seen under a model is not cured by that model
    return tuple(replace(one, advice="" if own in one.advice else one.advice) for one in found), probed(file)
