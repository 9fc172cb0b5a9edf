"""Which faults is a recommended model weak at, and what cures them? From the newest run that has faults."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import RenderableType

from bench.commands.results import newest_run, sound_run
from bench.errors import BenchError
from bench.judging import judge
from bench.judging.faults import WeakPoint
from bench.report.terminal import faults as report
from bench.results import Run

# Where published runs lie beside the code.
PUBLISHED = Path("docs/results")
# How a reader's own application is served, by the model whose server is the same. What depends on the application or on
# its database says nothing of theirs.
SERVED_AS = {"bridge-threads": "asyncio-bridge", "bridge-inline": "asyncio-bridge", "uvicorn": "asyncio-bridge"}
OF_THE_SERVER = ("deploy", "reload", "crash", "slow-heads", "computing")


@dataclass(frozen=True)
class Weakness:
    """What a run says of the faults that hurt a model."""

    model: str
    """The model that the run has: the recommended one, or the one that is served alike."""
    points: tuple[WeakPoint, ...]
    tried: int
    run: Run


def weakness_of(model: str, own: Run | None = None, faults: Sequence[str] = ()) -> Weakness | None:
    """What hurts a model, of these faults or of all; None if no run has faults of it or of one that is served alike.

    `own` is the run that recommends it, which is taken if it has faults.
    """
    run = own if own and own.faults else newest_run(lambda run: run.faults) or published()
    if run is None:
        return None
    judged = judge(run).faults
    known = served_alike(model, judged.models)
    if not known:
        return None
    points = tuple(one for one in judged.weak_points(known) if not faults or one.fault.name in faults)
    cells = [one for one in judged.cells if one.cell.model == known and not one.cell.cure]
    tried = [one for one in cells if one.cell.state == "measured" and (not faults or one.cell.fault in faults)]
    return Weakness(known, points, len(tried), run)


def served_alike(model: str, known: Sequence[str]) -> str:
    """The model itself, or the one of which it is a variant; empty if neither is known."""
    name = SERVED_AS.get(model, model)
    return max((each for each in known if name == each or name.startswith(f"{each}-")), key=len, default="")


def published() -> Run | None:
    """The published run that has faults; None without one."""
    for path in sorted(PUBLISHED.glob("*.json.xz")):
        with suppress(BenchError):
            run = sound_run(path)
            if run.faults:
                return run
    return None


def weak_values(weakness: Weakness | None) -> dict[str, Any] | None:
    """What hurts the advised model, for programs; None if no run says."""
    if weakness is None:
        return None
    return {"results": str(weakness.run.path), "model": weakness.model, "tried": weakness.tried,
            "hurt_by": [one.sentence for one in weakness.points]}  # fmt: skip


def weak_lines(model: str, weakness: Weakness | None) -> RenderableType:
    """The same for a reader; how to find out if no run says."""
    if weakness is None:
        return report.unknown(model)
    where = f"{weakness.run.path}, {weakness.run.started_utc}"
    return report.weak_points(model, weakness.model, weakness.points, weakness.tried, where)
