"""What is to be said of one kind of work: a winner and by how much, a tie, figures without a winner, or nothing?"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from bench.judging.outcomes import Outcome, too_few
from bench.judging.phrases import NAMES_SHOWN, against, named, spread, tie
from bench.judging.standings import outside
from bench.judging.statistics import FEWEST_GENERATIONS
from bench.judging.units import amount, heading, number, unit_of
from bench.judging.workload import JudgedWorkload
from bench.words import join

# `shown`: figures that no interval compares.
RowKind = Literal["better", "equal", "not told apart", "not comparable", "shown"]


@dataclass(frozen=True)
class Row:
    """What the verdict's table says of a kind of work."""

    work: str
    scenario: str
    figure: str
    """What is compared, with its unit."""
    kind: RowKind
    best: tuple[str, ...]
    """The winner, or several of which none is better; empty where nobody is named."""
    value: str
    """`1,903 against 1,520 req/s`, or the figures of those that nothing compares."""
    ahead: str
    """`1.31 (1.24–1.39) × gevent`."""
    note: str
    """What the best have in common, or why nobody is named; empty for a winner."""

    @property
    def winner(self) -> str:
        """`asyncio`, `equal within 5 %: asyncio and gevent`, or the reason that nobody is named."""
        if not self.best:
            return self.note
        return f"{self.note}: {named(self.best)}" if self.note else named(self.best)


def row(workload: JudgedWorkload) -> Row | None:
    """The row of a kind of work; None if no model that may be ranked was measured."""
    if all(outside(cell.facts) for cell in workload.cells.values()):
        return None
    return compared_row(workload) if workload.compared else shown_row(workload)


def compared_row(workload: JudgedWorkload) -> Row:
    """The row of a kind of work that models are ranked by."""
    first = workload.first
    if not first:
        return new_row(workload, "not comparable", note=why_nobody(workload))
    outcomes = [workload.outcome(first[0], name) for name in first[1:]]
    kind: RowKind = "better" if not outcomes else kind_of(outcomes)
    note = tie(outcomes) if outcomes else ""
    rival = rival_of(workload)
    interval = workload.interval(first[0], rival) if rival else None
    if rival is None or interval is None:
        return new_row(workload, kind, first, level(workload, first), note=note)
    return new_row(workload, kind, first, against(workload, first[0], rival), f"{spread(interval)} × {rival}", note)


def level(workload: JudgedWorkload, first: Sequence[str]) -> str:
    """The figures of the best models: `1,903 and 1,890 req/s`, of many the highest and the lowest."""
    values = [workload.medians[name] for name in first]
    shown = [number(value, workload.figure) for value in values]
    if len(shown) > NAMES_SHOWN:
        shown = [f"{number(min(values), workload.figure)} to {number(max(values), workload.figure)}"]
    return f"{join(shown)} {unit_of(workload.figure).name}".rstrip()


def kind_of(outcomes: list[Outcome]) -> RowKind:
    """How several models that share the first place stand to each other."""
    return "equal" if all(outcome.kind == "equal" for outcome in outcomes) else "not told apart"


def why_nobody(workload: JudgedWorkload) -> str:
    """The reason that no model is ranked."""
    able = [cell for cell in workload.cells.values() if not workload.unranked(cell)]
    if len(able) < 2:
        return f"only {able[0].model} could be judged" if able else "no model could be judged"
    if workload.method_failed:
        return f"the A/A check failed, {workload.method_failed}"
    fewest = min(len(cell.cycles(workload.figure)) for cell in able)
    return too_few(fewest) if fewest < FEWEST_GENERATIONS else "too few generations in common"


def rival_of(workload: JudgedWorkload) -> str | None:
    """Whom the best are ahead of: the baseline, or the next model if that leads or has no rank; None if it is tied."""
    first, base = workload.first, workload.baseline
    if base in first and len(first) > 1:
        return None
    if base in workload.ranks and base not in first:
        return base
    return next((name for name in workload.best_first(workload.ranks) if name not in first), None)


def shown_row(workload: JudgedWorkload) -> Row:
    """The row of a kind of work whose figures are shown and not compared."""
    able = [name for name in workload.best_first() if not workload.unranked(workload.cells[name])]
    kept = [name for name in able if name in workload.medians]
    if not kept:
        return new_row(workload, "not comparable", note="no valid cell")
    figures = [f"{name} {amount(workload.medians[name], workload.figure)}" for name in kept]
    shown = [*figures[:NAMES_SHOWN], *([f"{len(figures) - NAMES_SHOWN} more"] if len(figures) > NAMES_SHOWN else [])]
    return new_row(workload, "shown", value=join(shown), note="not compared: measured once")


def new_row(
    workload: JudgedWorkload,
    kind: RowKind,
    best: tuple[str, ...] = (),
    value: str = "",
    ahead: str = "",
    note: str = "",
) -> Row:
    """The row of a workload."""
    return Row(workload.kind, workload.scenario, heading(workload.figure), kind, best, value, ahead, note)
