"""Made-up faults, for tests of what is said and shown of them."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.results import ModelFacts, Run
from bench.results.faults import FaultCell, FaultFacts, Faults, Requests

EVERY_S, ANSWER_S = 0.05, 0.01
FACTS = ModelFacts("Flask", "classic", "nothing blocks", True, True, False, "gevent_app")
EIGHT = ("sync", "gthread", "gevent", "gevent-4-workers", "asyncio-bridge", "asyncio-bridge-4-workers", "quart",
         "fastapi")  # fmt: skip


def requests(
    *failed: tuple[float, str], endpoint: str = "/", lasts_s: float = 3.0, after_s: float = 4.0,
    waits: tuple[float, float] | None = None,
) -> Requests:  # fmt: skip
    """Twenty requests a second from a second before the fault, all answered but those that are sent at these times.

    `waits`: what is sent between these times is answered at the second of them.
    """
    times = [round(place * EVERY_S - 1.0, 3) for place in range(int((1.0 + lasts_s + after_s) / EVERY_S))]
    wrong = dict(failed)
    took = [waits[1] - at if waits and waits[0] <= at < waits[1] else ANSWER_S for at in times]
    return Requests(endpoint=endpoint, sent_s=tuple(times), took_s=tuple(took),
                    outcome=tuple(wrong.get(at, "ok") for at in times))  # fmt: skip


def failing(outcome: str, first_s: float, last_s: float) -> list[tuple[float, str]]:
    """All requests between these times fail."""
    return [(at, outcome) for place in range(200) if first_s <= (at := round(place * EVERY_S - 1.0, 3)) < last_s]


def cell(
    fault: str = "deploy", model: str = "gevent", *kinds: Requests, lasted_s: float = 3.0, **more: Any
) -> FaultCell:
    """A cell that was watched for four seconds after the fault."""
    alive = {"alive": True, "workers_before": 1, "workers_after": 1}
    facts = {**alive, **more.pop("facts", {})}
    return FaultCell(fault=fault, model=model, lasted_s=lasted_s, watched_s=4.0, requests=kinds, facts=facts, **more)


def fault(name: str, **more: Any) -> FaultFacts:
    """What is said of a fault."""
    texts = {"title": f"what {name} is", "done": "It is done to all servers.", "asked": "Who is served?",
             "sources": (f"https://example.org/{name}",)}  # fmt: skip
    return FaultFacts(name=name, **{**texts, **more})


def faults_of(cells: Sequence[FaultCell]) -> Faults:
    """These cells, and what is said of their faults."""
    names = dict.fromkeys(one.fault for one in cells)
    return Faults(faults={name: fault(name) for name in names}, cells={one.key: one for one in cells})


def fault_run(folder: Path, cells: Sequence[FaultCell], more: Mapping[str, Any] | None = None) -> Run:
    """A run of the command `faults`, saved."""
    folder.mkdir(exist_ok=True)
    run = Run(folder, "2026-11-22T12:00:00Z", {"cpu": "A processor"}, {"command": "faults", **(more or {})}, seed=7)
    run.models = {one.model: FACTS for one in cells}
    run.faults = faults_of(cells)
    run.save()
    return run


def eight(names: Sequence[str] = ("deploy", "crash", "database-hangs", "slow-readers")) -> list[FaultCell]:
    """These faults on eight models, with a cure for two of them; one was not tried and one failed."""
    cells = []
    for place, name in enumerate(names):
        for number, model in enumerate(EIGHT):
            kinds = [requests(*failing("reset", 0.0, 0.1 * ((place + number) % 4)),
                              waits=(0.2, 3.0) if number == 0 and "hang" in name else None),
                     requests(endpoint="/sleep/postgres/?seconds=2")]  # fmt: skip
            cells.append(cell(name, model, *kinds))
            if model in ("gevent", "sync"):
                cure = {"cure": "socket that outlives the server", "setting": f"gunicorn --bind fd://3 {'x' * 40}"}
                cells.append(cell(name, model, requests(), **cure))
    cells[-1] = cell(names[-1], EIGHT[-1], state="failed", reason="it did not start")
    cells[0] = cell(names[0], EIGHT[0], state="not tried", reason="it has no workers")
    return cells
