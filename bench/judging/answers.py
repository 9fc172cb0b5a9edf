"""Who is best at each kind of work, by how much, and how sure is that?

Only Flask's models are ranked: the question is what to do with a Flask app. Traps never win.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from bench.judging.judged import NOT_FLASK, Field, family, field, models_of
from bench.judging.standings import is_twin
from bench.judging.statistics import RatioInterval
from bench.results import Cell, Run
from bench.scenarios import SCENARIOS, latency
from bench.scenarios.base import Options
from bench.words import join

# (scenario, workload): the kind of work in words. Shares of a server's own capacity are left out: each model has a rate
# of its own there.
WORK = {
    (scenario.name, workload.name): workload.kind
    for scenario in SCENARIOS.values()
    for workload in scenario.workloads(Options())
    if workload.kind
}
NAMES_SHOWN = 3


@dataclass(frozen=True)
class Row:
    """A kind of work: who is best, by how much, and whether that is sure."""

    work: str
    scenario: str
    figure: str
    best: tuple[str, ...]
    """The winner, or several that cannot be told apart; empty where none is named."""
    value: str
    """The best one's figure with its unit."""
    ahead: str
    """`1.31 (1.24–1.39) × gevent`."""
    note: str
    """`tie`, or why there is no winner; empty for a winner."""

    @property
    def winner(self) -> str:
        """`asyncio`, `tie: asyncio, gevent`, or the reason that nobody is named."""
        if not self.best:
            return self.note
        return f"{self.note}: {named(self.best)}" if self.note else named(self.best)


def ranked_fields(run: Run) -> list[Field]:
    """The kinds of work that a verdict is about, with Flask's models only."""
    flask = [name for name in models_of(run) if family(name) not in NOT_FLASK]
    found = []
    for scenario, workload in WORK:
        cells = [cell for cell in run.of(scenario) if cell.workload["name"] == workload]
        if any(cell.model in flask for cell in cells):
            found.append(field(run, cells, only=flask))
    return found


def row(rated: Field) -> Row:
    """A kind of work that models are ranked by."""
    standings = rated.standings
    assert standings is not None
    first = [name for name in rated.best_first(rated.cells) if standings.models[name].rank == 1]
    figure = f"{rated.shown(first[0])} {rated.column.heading}" if first else ""
    if not first:
        valid = max((len(values) for values in rated.values.values()), default=0)
        return Row(*place(rated), (), figure, "", f"no winner: {rounds(valid)}" if valid else "no valid cell")
    best = Row(*place(rated), tuple(first), figure, "", "tie" if len(first) > 1 else "")
    return best if is_level(rated, best) else replace(best, ahead=ahead(rated, first[0], first))


def place(rated: Field) -> tuple[str, str, str]:
    """The kind of work, its scenario, and what is compared."""
    return WORK[rated.scenario, rated.workload], rated.scenario, rated.column.heading


def ahead(rated: Field, best: str, level: Sequence[str]) -> str:
    """The best one's ratio to the baseline, or to the next one where the baseline is among the best."""
    base = rival(rated, level)
    interval = rated.interval(best, base) if base else None
    return f"{spread(interval)} × {base}" if interval else ""


def rival(rated: Field, level: Sequence[str]) -> str:
    """Whom the best are compared to; empty if nobody is left."""
    assert rated.standings is not None
    base = rated.standings.baseline
    if base in rated.values and base not in level:
        return base
    return next((name for name in rated.best_first(rated.values) if name not in level), "")


def spread(interval: RatioInterval) -> str:
    """`1.31 (1.24–1.39)`."""
    return f"{interval.ratio:.2f} ({interval.low:.2f}–{interval.high:.2f})"


def is_level(rated: Field, one: Row) -> bool:
    """Whether the baseline is among several best ones: then there is nobody to be ahead of."""
    return rated.standings is not None and rated.standings.baseline in one.best and len(one.best) > 1


def promise_rows(run: Run) -> list[Row]:
    """The highest rate at which p99 stayed below the limit, confirmed over all rounds."""
    cells = [cell for cell in flask_cells(run.of("latency")) if "slo_s" in cell.workload]
    kept = [(max(cell.values("promise_rps")), cell.model, share) for cell in cells if cell.values("promise_rps")
            and (share := latency.pooled_late_share(cell)) is not None and share <= latency.LATE_SHARE]  # fmt: skip
    if not cells:
        return []
    work = f"p99 below {cells[0].workload['slo_s'] * 1e3:g} ms"
    if not kept:
        return [Row(work, "latency", "req/s", (), "", "", "no rate was confirmed")]
    rate, name, share = max(kept)
    return [Row(work, "latency", "req/s", (name,), f"{rate:,.0f} req/s", f"{rate:,.0f} req/s, {share:.1%} late", "")]


def overlap_rows(run: Run) -> list[Row]:
    """Who has the most requests waiting at once."""
    cells = flask_cells(run.of("scale"))
    top = max((cell.workload["requests"] for cell in cells if cell.judgement.valid), default=0)
    kept = [cell.model for cell in cells if cell.workload["requests"] == top and cell.judgement.valid]
    if not kept:
        return []
    note = "all of" if len(kept) > 1 else ""
    return [Row(f"{top:,} requests waiting", "scale", "s", tuple(kept), "", "measured once", note)]


def flask_cells(cells: Iterable[Cell]) -> list[Cell]:
    """Those of Flask's models, without the A/A twin."""
    return [cell for cell in cells if not is_twin(cell.model) and family(cell.model) not in NOT_FLASK]


def named(names: Sequence[str], most: int = NAMES_SHOWN) -> str:
    """`a, b and c`; of many, the first ones and how many more."""
    shown = list(names) if len(names) <= most else [*names[: most - 1], f"{len(names) - most + 1} others"]
    return join(shown)


def rounds(count: int) -> str:
    """`1 round`, `2 rounds`."""
    return f"{count} round{'s' * (count != 1)}"
