"""What was seen of faults, things that go wrong in production? For each fault and model, every request, and facts.

Times are seconds from the moment at which the fault began; what was before it has a negative time.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

FaultState = Literal["measured", "failed", "not tried"]
Fact = float | int | str | bool | None
NUMBERS = {int, float}
# What may become of a request, beside a status that was not expected.
OUTCOMES = ("ok", "refused", "reset", "empty", "stale", "timeout", "wrong", "unanswered")


@dataclass(frozen=True, kw_only=True)
class FaultFacts:
    """A fault, as far as a reader must know it."""

    name: str
    """`deploy`, `crash`, `database-restart`, …"""
    title: str
    """`the server is told to end (SIGTERM) while it serves`"""
    done: str
    """What is done to the server or around it, and under which load, in a sentence or two."""
    asked: str
    """What is asked of the models, as a question."""
    sources: tuple[str, ...]
    """Documentation pages and threads that report it, the best one first."""


@dataclass(frozen=True, kw_only=True)
class Requests:
    """All requests of one kind that a watch sent to one server, as columns in the order of sending."""

    endpoint: str
    sent_s: tuple[float, ...]
    took_s: tuple[float | None, ...]
    """Until its answer was complete or it failed; None if it was still waiting when the watch ended."""
    outcome: tuple[str, ...]
    """`ok`; `503` or whatever other status was not expected; `refused`: no connection; `reset`: the connection broke;
    `empty`: it was closed, new as it was, before any byte of the answer; `stale`: the same on a connection that had had
    an answer before, which a client may send again; `timeout`; `wrong`: not the expected body, or no HTTP;
    `unanswered`: neither answer nor end when the watch ended."""


@dataclass(frozen=True, kw_only=True)
class FaultCell:
    """A fault on a model, as it is or with a cure."""

    fault: str
    model: str
    cure: str = ""
    """The name of the cure; empty for the model as it is."""
    setting: str = ""
    """What one writes to have the cure, exactly; empty without one."""
    state: FaultState = "measured"
    reason: str = ""
    """Why it was not tried, or how the trial itself failed."""
    lasted_s: float = 0.0
    """How long the fault lasted; 0 for one that is over at once."""
    watched_s: float = 0.0
    """How long after its end requests went on."""
    requests: tuple[Requests, ...] = ()
    facts: Mapping[str, Fact] = field(default_factory=dict)
    """What else was seen, by names that end with their unit: `exit_code`, `exit_s`, `alive`, `workers`, `rss_bytes`."""

    @property
    def key(self) -> tuple[str, str, str]:
        """What tells it from every other cell of a run."""
        return self.fault, self.model, self.cure


@dataclass(kw_only=True)
class Faults:
    """The faults of a run."""

    faults: dict[str, FaultFacts] = field(default_factory=dict)
    """By name, in the order in which they are reported."""
    cells: dict[tuple[str, str, str], FaultCell] = field(default_factory=dict)

    def content(self) -> dict[str, Any]:
        """As it stands in the results file."""
        return {
            "faults": [asdict(fault) for fault in self.faults.values()],
            "cells": [asdict(cell) for cell in self.cells.values()],
        }


def faults_of(content: Mapping[str, Any]) -> Faults:
    """The faults from what stands in the file."""
    faults = [FaultFacts(**{**one, "sources": tuple(one["sources"])}) for one in content["faults"]]
    cells = [fault_cell_of(one) for one in content["cells"]]
    return Faults(faults={one.name: one for one in faults}, cells={cell.key: cell for cell in cells})


def fault_cell_of(content: Mapping[str, Any]) -> FaultCell:
    """A fault's cell from what stands in the file."""
    requests = tuple(
        Requests(endpoint=one["endpoint"], **{name: tuple(one[name]) for name in ("sent_s", "took_s", "outcome")})
        for one in content["requests"]
    )
    return FaultCell(**{**content, "requests": requests})


def odd_faults(content: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong with the faults in a file whose schema is right: names, and the columns of requests."""
    found = content.get("faults")
    if not found:
        return
    names = [one["name"] for one in found["faults"]]
    tried = (content.get("tried") or {}).get("models", ())
    models = {*content["models"], *(one["name"] for one in tried)}
    if len(set(names)) < len(names):
        yield "$.faults.faults: a name is there twice"
    seen = set()
    for place, cell in enumerate(found["cells"]):
        for problem in odd_cell(cell, names, models):
            yield f"$.faults.cells[{place}]: {problem}"
        key = cell["fault"], cell["model"], cell["cure"]
        if key in seen:
            yield f"$.faults.cells[{place}]: the cell is there twice"
        seen.add(key)


def odd_cell(cell: Mapping[str, Any], faults: Sequence[str], models: set[str]) -> Iterator[str]:
    """What is wrong with one of them."""
    if cell["fault"] not in faults:
        yield "nothing is said of its fault"
    if cell["model"] not in models:
        yield "nothing is said of its model"
    if not all(map(are_columns, cell["requests"])):
        yield "its requests do not fit together"


def are_columns(one: Mapping[str, Any]) -> bool:
    """Whether there are as many times as outcomes, each of the right kind: a schema would take seconds for that."""
    sent, took, outcomes = one["sent_s"], one["took_s"], one["outcome"]
    return (
        len(sent) == len(took) == len(outcomes)
        and set(map(type, sent)) <= NUMBERS
        and set(map(type, took)) <= NUMBERS | {type(None)}
        and min((each for each in took if each is not None), default=0) >= 0
        and set(map(type, outcomes)) <= {str}
        and all(map(is_outcome, set(outcomes)))
    )


def is_outcome(text: str) -> bool:
    """Whether it is one of the outcomes, or a status."""
    return text in OUTCOMES or bool(re.fullmatch(r"[1-5]\d\d", text))
