"""Do the waits of several requests overlap? That decides more between models than any speed.

A run says what is claimed of each model, and before each of its measurements four waits at once have confirmed it.
Where the classic was measured, its own figures show it instead.
"""

from collections.abc import Iterable
from dataclasses import replace

from bench.judging.cells import JudgedCell
from bench.results import ModelFacts

# What a burst takes at most, as a share of its waits one after the other, to count as waits that overlap.
TOGETHER = 0.5


def overlap(cell: JudgedCell) -> tuple[bool, bool] | None:
    """Whether waits in Python and in the database overlapped in a cell of the classic; None if it cannot tell."""
    python_s, database_s = cell.values("python_s"), cell.values("database_s")
    if not cell.valid or not python_s or not database_s or cell.workload.get("requests", 0) < 2:
        return None
    together_s = TOGETHER * cell.workload["seconds"] * cell.workload["requests"]
    return max(python_s) < together_s, max(database_s) < together_s


def as_measured(facts: ModelFacts, cells: Iterable[JudgedCell]) -> ModelFacts:
    """What is claimed of a model's waits, replaced by what its cells show."""
    for found in filter(None, map(overlap, cells)):
        facts = replace(facts, python_waits_overlap=found[0], database_waits_overlap=found[1])
    return facts


def blocks(facts: ModelFacts) -> bool:
    """Whether one request waits after the other, in Python or in the database."""
    return not (facts.python_waits_overlap and facts.database_waits_overlap)


def what_blocks(facts: ModelFacts) -> str:
    """Where one request waits after the other: `in Python and in the database`; empty if nowhere."""
    where = [("in Python", facts.python_waits_overlap), ("in the database", facts.database_waits_overlap)]
    return " and ".join(place for place, together in where if not together)
