"""What do kinds of work say in sentences? Who is ahead of whom, who is level, and what stays open.

A sentence names a model as best only if nothing else is as good, and its words follow from the figure.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bench.judging.outcomes import plural
from bench.judging.phrases import figures, named, spread
from bench.judging.rows import Row, rival_of, row
from bench.judging.standings import outside
from bench.judging.statistics import FEWEST_GENERATIONS
from bench.judging.units import in_words
from bench.judging.workload import JudgedWorkload
from bench.words import join

# What the best models do, by the figure they are ranked by: the words for one model, and for several.
MEANS = {
    "cpu_per_request_s": ("takes least CPU time a request", "take least CPU time a request"),
    "throughput_rps": ("answers most requests a second", "answer most requests a second"),
    "p90_s": ("keeps users waiting least (p90)", "keep users waiting least (p90)"),
    "promise_rps": ("can promise the highest rate", "can promise the highest rates"),
}
BEST = ("is best", "are best")


@dataclass(frozen=True)
class Work:
    """A kind of work and its row."""

    workload: JudgedWorkload
    row: Row


def sentence(workload: JudgedWorkload) -> str:
    """What is to be said of one workload; empty if no model that may be ranked was measured."""
    found = row(workload)
    return said([Work(workload, found)], 1) if found else ""


def said(works: Sequence[Work], of: int) -> str:
    """What is to be said of kinds of work that models are ranked in by one figure, out of so many."""
    if (most := max(work.workload.generations for work in works)) < FEWEST_GENERATIONS:
        return (f"No model is named best: each load was measured on {plural(most, 'generation')} of servers, and "
                f"{FEWEST_GENERATIONS} are needed. These figures are a first look.")  # fmt: skip
    return " ".join([*decides(works), *ahead(works, of), *level(works), *nothing(works)])


def decides(works: Sequence[Work]) -> Iterable[str]:
    """Why models are ranked by another figure here than elsewhere."""
    kinds = [work.row.work for work in works if work.workload.where_idle]
    if kinds:
        workload = works[0].workload
        yield f"For {join(kinds)}, {in_words(workload.figure)} decide: {workload.why}."


def ahead(works: Sequence[Work], of: int) -> Iterable[str]:
    """For each group of best models and whom they are ahead of, where, and by how much."""
    groups: dict[tuple[tuple[str, ...], str], list[Work]] = {}
    for work in works:
        rival = rival_of(work.workload) if work.row.best else None
        if rival:
            groups.setdefault((work.row.best, rival), []).append(work)
    for (best, rival), found in sorted(groups.items(), key=lambda item: -len(item[1])):
        doing = MEANS.get(found[0].workload.figure, BEST)[len(best) > 1]
        notes = " or ".join(sorted({work.row.note for work in found}))
        among = f", {notes}" if len(best) > 1 else ""
        yield f"{named(best)} {doing} {where(found, of)}{among}: {ratios(found, best, rival)}"


def where(found: Sequence[Work], of: int) -> str:
    """In how many kinds of work, or in which one."""
    if len(found) == 1:
        return f"for {found[0].row.work}"
    return f"in all {of} kinds of work" if len(found) == of else f"in {len(found)} of {of} kinds of work"


def ratios(found: Sequence[Work], best: Sequence[str], rival: str) -> str:
    """By how much the first of the best is ahead, with its figures; of several kinds of work most and least."""
    intervals = [(interval, work) for work in found if (interval := work.workload.interval(best[0], rival))]
    intervals.sort(key=lambda one: abs(math.log(one[0].ratio)))
    whose = f"{best[0]} " if len(best) > 1 else ""
    (least, small), (most, large) = intervals[0], intervals[-1]
    if len(found) == 1:
        return f"{whose}{figures(large.workload, best[0], rival)}, {spread(most)} times {rival}'s."
    return (f"{whose}from {spread(most)} times {rival}'s for {end(large, best[0], rival)} "
            f"to {spread(least)} for {end(small, best[0], rival)}.")  # fmt: skip


def end(work: Work, best: str, rival: str) -> str:
    """`a write (123 against 195 µs)`."""
    return f"{work.row.work} ({figures(work.workload, best, rival)})"


def level(works: Sequence[Work]) -> Iterable[str]:
    """For each group of models with no difference between them, where they are equal and where not told apart."""
    groups: dict[tuple[str, ...], list[Row]] = {}
    for work in works:
        if len(work.row.best) > 1 and rival_of(work.workload) is None:
            groups.setdefault(work.row.best, []).append(work.row)
    for best, rows in sorted(groups.items(), key=lambda item: -len(item[1])):
        none = "No difference: " if any(row.kind == "equal" for row in rows) else ""
        kinds = {note: [row.work for row in rows if row.note == note] for note in sorted({row.note for row in rows})}
        texts = [f"{note} {counted(found, first=not place)}" for place, (note, found) in enumerate(kinds.items())]
        yield f"{none}{named(best)} are {', '.join(texts)}."


def counted(kinds: Sequence[str], *, first: bool) -> str:
    """`in 3 kinds of work`, or `in 3` where that was said before; the one by its name."""
    if len(kinds) == 1:
        return f"for {kinds[0]}"
    return f"in {len(kinds)} kinds of work" if first else f"in {len(kinds)}"


def nothing(works: Sequence[Work]) -> Iterable[str]:
    """Where nobody can be named, and why."""
    reasons: dict[str, list[str]] = {}
    for work in works:
        if not work.row.best:
            reasons.setdefault(f"{work.row.note}{spoilt(work.workload)}", []).append(work.row.work)
    for reason, kinds in reasons.items():
        yield f"Nothing can be said of {named(kinds)}: {reason}."


def spoilt(workload: JudgedWorkload) -> str:
    """The first model that could have been ranked if its figures were valid, and why they are not."""
    bad = next((cell for cell in workload.cells.values() if not (outside(cell.facts) or cell.valid)), None)
    return f" ({bad.model}: {bad.reason})" if bad else ""
