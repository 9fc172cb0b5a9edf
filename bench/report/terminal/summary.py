"""What does a run say, and what does it not? Sentences and one table of 80 columns, the same in terminal and page."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from bench.judging.answers import (
    Row,
    flask_cells,
    is_level,
    named,
    overlap_rows,
    promise_rows,
    ranked_fields,
    rival,
    rounds,
    row,
    spread,
)
from bench.judging.judged import Field, family, models_of
from bench.judging.standings import is_twin
from bench.judging.statistics import MIN_ROUNDS, PRACTICAL_MARGIN, RatioInterval
from bench.results import Cell, Run
from bench.scenarios import classic
from bench.words import join


@dataclass(frozen=True)
class Verdict:
    """What a run says, and what it does not."""

    sentences: tuple[str, ...]
    not_said: tuple[str, ...]
    rows: tuple[Row, ...]


def verdict(run: Run) -> Verdict:
    """The verdict of a run, in the order: who answers most, who waits best, how sure that is."""
    found = [rated for rated in ranked_fields(run) if rated.medians]
    rows = [row(rated) for rated in found]
    sentences = [leaders(found, rows), waiting(run, found, rows), certainty(run, found)]
    others = [*promise_rows(run), *overlap_rows(run)]
    return Verdict(tuple(filter(None, sentences)), tuple(not_said(run, rows)), (*rows, *others))


def leaders(found: Sequence[Field], rows: Sequence[Row]) -> str:
    """Who answers most requests a second, for how many kinds of work, and by how much."""
    works = [(rated, one) for rated, one in zip(found, rows, strict=True) if rated.scenario == "throughput"]
    if not works:
        return ""
    if (most := max(rated.rounds for rated, _ in works)) < MIN_ROUNDS:
        return (f"This run names no winner: it has {rounds(most)} of each load, and at least {MIN_ROUNDS} are needed; "
                f"its figures are a first look.")  # fmt: skip
    firsts = Counter(name for _, one in works for name in one.best)
    if not firsts:
        return "Nothing can be said of who answers most requests a second: too few valid rounds."
    top, count = firsts.most_common(1)[0]
    mine = [(rated, one) for rated, one in works if top in one.best]
    others = [f"{named(one.best)} for {one.work}" for _, one in works if one.best and top not in one.best]
    none = [one.work for _, one in works if not one.best]
    among = f"{count} of {len(works)} kinds of work"
    first = f"{top} answers most requests a second, alone or level with others, in {among}"
    parts = [
        ": ".join([first, *by_rival(mine, top)[:1]]),
        *by_rival(mine, top)[1:],
        f"ahead of it: {'; '.join(others)}" if others else "",
        f"nothing can be said of {named(none)}" if none else "",
    ]
    return "; ".join(filter(None, parts)) + "."


def by_rival(works: Sequence[tuple[Field, Row]], top: str) -> list[str]:
    """`1.39 (1.31–1.47) to 1.42 (1.38–1.46) times gevent's in 4 of them`, and from whom it cannot be told apart."""
    ratios: dict[str, list[RatioInterval]] = {}
    level: dict[str, list[str]] = {}
    for rated, one in works:
        base = rival(rated, one.best)
        if interval := rated.interval(top, base) if base and not is_level(rated, one) else None:
            ratios.setdefault(base, []).append(interval)
        for name in one.best:
            level.setdefault(name, []).append(one.work)
    level.pop(top)
    closest = sorted(level.items(), key=lambda item: -len(item[1]))
    ties = [f"from {name} {'in ' + str(len(tied)) if len(tied) > 1 else 'for ' + tied[0]}" for name, tied in closest]
    return [
        *(f"{span(intervals)} times {base}'s in {len(intervals)}" for base, intervals in ratios.items()),
        *([f"not told apart {named(ties)}"] if ties else []),
    ]


def span(intervals: Sequence[RatioInterval]) -> str:
    """The smallest and the largest ratio, each with its interval."""
    ordered = sorted(intervals, key=lambda interval: interval.ratio)
    return " to ".join(dict.fromkeys((spread(ordered[0]), spread(ordered[-1]))))


def waiting(run: Run, found: Sequence[Field], rows: Sequence[Row]) -> str:
    """Whose waits overlap, and whose users wait least at the same rate."""
    others = one_by_one(run)
    together = [cell.model for cell in judged_classic(run) if cell.model not in others]
    parts = []
    if together:
        parts.append(f"Requests that wait, in Python or in the database, wait together with {named(together)}")
    if others:
        parts.append(f"{'' if together else 'Requests wait '}one after the other with {named(others)}")
    parts += [shortest(one) for rated, one in zip(found, rows, strict=True) if rated.scenario == "latency"]
    text = "; ".join(filter(None, parts))
    return f"{text[:1].upper()}{text[1:]}." if text else ""


def one_by_one(run: Run) -> list[str]:
    """Models in which one request waits after the other, in Python or in the database."""
    return [cell.model for cell in judged_classic(run) if not classic.overlaps(cell)]


def judged_classic(run: Run) -> list[Cell]:
    """The valid cells of the classic, of Flask's models."""
    return [cell for cell in flask_cells(run.of("classic")) if cell.judgement.valid]


def shortest(one: Row) -> str:
    """Who keeps users waiting least, from a row of the table."""
    if not one.best:
        return f"which model keeps users waiting least at one rate is not said ({one.note})"
    compared = f" ({one.ahead}'s wait)" if one.ahead else ""
    if len(one.best) > 1:
        return f"at one rate for all, {named(one.best)} keep users waiting least, not told apart{compared}"
    return f"at one rate for all, users wait least with {one.best[0]}{compared}"


def certainty(run: Run, found: Sequence[Field]) -> str:
    """What a difference had to clear, and how many cells could not be judged."""
    cells = [cell for cell in run.cells.values() if not is_twin(cell.model)]
    states = Counter(cell.judgement.state for cell in cells)
    bad = ", ".join(f"{count} {state.lower()}" for state, count in states.items() if state != "VALID")
    judged = f"{states['VALID']} of {len(cells)} cells could be judged" + (f" ({bad})" if bad else "")
    floors: dict[str, float] = {}
    for rated in found:
        if rated.floor:
            floors[rated.scenario] = max(rated.floor, floors.get(rated.scenario, 0.0))
    if not floors:
        return f"{judged}; no A/A pair tells how noisy the machine was."
    noise = join([f"{floor - 1:.0%} in {scenario}" for scenario, floor in floors.items()])
    return (f"A difference counts if its whole 95 % interval is beyond {PRACTICAL_MARGIN - 1:.0%}, and beyond what two "
            f"names of the same model differed by here (up to {noise}); {judged}.")  # fmt: skip


def not_said(run: Run, rows: Sequence[Row]) -> list[str]:
    """What nobody should read into the verdict."""
    cpu = run.environment.get("cpu") or "this machine"
    said = [
        f"Each server had one core ({cpu}): other machines and databases move the figures, ratios less so.",
        "Your waits, pool and rate are not in it; the page's calculator and `python -m bench decide` take them.",
    ]
    once = [name for name in dict.fromkeys(cell.scenario for cell in run.cells.values())
            if all(len(cell.observations) < 2 for cell in run.of(name))]  # fmt: skip
    if once:
        said.append(f"Measured once, so about orders of magnitude: {join(once)}.")
    best = {name for one in rows for name in one.best}
    if blocking := [name for name in one_by_one(run) if name in best]:
        said.append(f"Among the best only where next to nothing waits: {join(blocking)}; "
                    "where something does, one request waits after the other.")  # fmt: skip
    outside = [name for name in models_of(run) if family(name) == "references"]
    if outside:
        said.append(f"Flask's models only are ranked here; {named(outside)} are in the matrix.")
    return said


def in_terminal(found: Verdict) -> RenderableType:
    """The sentences, the table, and what is not said; at most 80 columns wide."""
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False)
    table.add_column("kind of work", no_wrap=True)
    table.add_column("best")
    table.add_column("by how much")
    for one in found.rows:
        table.add_row(one.work, one.winner, one.ahead)
    sentences = [Text(sentence, "bold") for sentence in found.sentences]
    title = Rule(Text("verdict", "bold"), align="left", style="dim")
    return Group("", title, *sentences, "", table, *(Text(f"– {text}", "dim") for text in found.not_said))
