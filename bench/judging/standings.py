"""Whom are models compared to, who may be ranked, and in which order do they stand?"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from itertools import combinations

from bench.judging.cells import JudgedCell
from bench.judging.outcomes import Outcome
from bench.judging.statistics import grouped
from bench.judging.waits import blocks
from bench.results import TWIN_SUFFIX, ModelFacts
from bench.results.tried import GROUP as TRIED

__all__ = ["BASELINE", "FRAMEWORK", "TWIN_SUFFIX", "baseline", "is_twin", "outside", "ranks", "unranked"]

# The model that ratios are to, where it takes part: what most Flask teams with many waits run today.
BASELINE = "gevent"
FRAMEWORK = "Flask"


def baseline(models: Sequence[str]) -> str:
    """The model that ratios are to."""
    return BASELINE if BASELINE in models or not models else next(name for name in models if not is_twin(name))


def is_twin(name: str) -> bool:
    """Whether this is the A/A twin of a model."""
    return name.endswith(TWIN_SUFFIX)


def outside(facts: ModelFacts) -> str:
    """Why a model has no part in any ranking, in a word or two; empty for most.

    The question is how to serve a Flask app whose requests wait: models of another framework, floors, traps, and models
    in which one request waits after the other are measured and shown, and are never the answer. Models of a trial all
    serve the reader's own application, and bench/judging/tried.py says which of them may be taken.
    """
    if facts.group == TRIED:
        return ""
    if facts.floor:
        return "floor"
    if facts.framework != FRAMEWORK:
        return facts.framework or "no framework"
    if blocks(facts):
        return "blocks"
    return "trap" if facts.trap else ""


def unranked(cell: JudgedCell) -> str:
    """Why a cell has no place among the others of its workload; empty if it may have one."""
    if is_twin(cell.model):
        return "A/A"
    return outside(cell.facts) or ("" if cell.valid else cell.judgement.state.lower())


def ranks(best_first: Sequence[str], compare: Callable[[str, str], Outcome]) -> dict[str, int]:
    """The ranks of those models that can be compared with each other: 1 is best, and a tie shares a rank.

    A model that cannot be compared has none, and without two that can, nobody has one.
    """
    outcomes = {frozenset(pair): compare(*pair) for pair in combinations(best_first, 2)}
    names = comparable(best_first, outcomes)
    return grouped(names, lambda leader, name: outcomes[frozenset((leader, name))].differs)


def comparable(names: Sequence[str], outcomes: Mapping[frozenset[str], Outcome]) -> list[str]:
    """The models of which every two can be compared; those that fail with most others are left out first."""
    kept = list(names)
    while failing := failures(kept, outcomes):
        most = max(failing.values())
        kept = [name for name in kept if failing.get(name, 0) < most]
    return kept if len(kept) > 1 else []


def failures(names: Sequence[str], outcomes: Mapping[frozenset[str], Outcome]) -> Mapping[str, int]:
    """For each model that cannot be compared with some of the others, how many those are."""
    pairs = [pair for pair in combinations(names, 2) if outcomes[frozenset(pair)].kind == "not comparable"]
    return Counter(name for pair in pairs for name in pair)
