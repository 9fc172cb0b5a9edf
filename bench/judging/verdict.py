"""What does a run say, and what does it not? Sentences, in the order of what decides, and a row for each kind of work.

If the machine was too noisy, that is said first. Then come whose waits overlap, what a request costs, how long users
wait, and how sure all that is. A sentence names a model as best only if nothing else is as good.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from bench.judging.cells import JudgedCell
from bench.judging.outcomes import percent, plural
from bench.judging.phrases import against, named, spread
from bench.judging.rows import Row, rival_of, row
from bench.judging.standings import outside
from bench.judging.statistics import MIN_ROUNDS, PRACTICAL_MARGIN
from bench.judging.waits import blocks, what_blocks
from bench.judging.workload import JudgedScenario, JudgedWorkload
from bench.results import ModelFacts, Run
from bench.words import join

# If the A/A pair differs by more than a tenth, no such difference between models can be seen, and a reader must know.
NOISY = 1.10
# What the best models do, by whether more of the figure is better: the words for one model, and for several.
MEANS = {
    True: ("answers most requests a second", "answer most requests a second"),
    False: ("is best", "are best"),
}


@dataclass(frozen=True)
class Verdict:
    """What a run says, and what it does not."""

    sentences: tuple[str, ...]
    not_said: tuple[str, ...]
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class Work:
    """A kind of work and its row."""

    workload: JudgedWorkload
    row: Row


def verdict(run: Run, models: Mapping[str, ModelFacts], scenarios: Sequence[JudgedScenario]) -> Verdict:
    """The verdict of a run, its models and its scenarios judged."""
    workloads = [workload for scenario in scenarios for workload in scenario.workloads]
    works = [Work(workload, found) for workload in workloads if workload.kind and (found := row(workload))]
    compared = [work for work in works if work.workload.compared]
    cells = [cell for workload in workloads for cell in workload.cells.values()]
    sentences = (noise(compared), waits(models), *speeds(compared), certainty(cells, compared))
    left_out = tuple(not_said(run, models, scenarios))
    return Verdict(tuple(filter(None, sentences)), left_out, tuple(work.row for work in works))


def noise(works: Sequence[Work]) -> str:
    """A sentence if the machine was too noisy, and what to do; empty if it was not, or no A/A pair tells."""
    told = [work.workload for work in works if work.workload.twin and work.workload.rounds >= MIN_ROUNDS]
    noisy = [workload for workload in told if workload.floor is None or workload.floor > NOISY]
    if not noisy or len(noisy) * 2 < len(told):
        return ""
    floors = sorted(workload.floor for workload in noisy if workload.floor)
    span = " to ".join(dict.fromkeys(map(percent, (floors[0], floors[-1])))) if floors else ""
    seen = f"seemed to differ by {span}" if floors else "did not even agree with themselves"
    return (f"This machine was too noisy for small differences: two names of the same model {seen} in "
            f"{len(noisy)} of {len(told)} kinds of work, and what is smaller cannot be seen there; end other programs, "
            "or measure more rounds.")  # fmt: skip


def waits(models: Mapping[str, ModelFacts]) -> str:
    """Whose waits overlap, and what blocks."""
    facts = {name: found for name, found in models.items() if outside(found) in ("", "blocks")}
    together = [name for name, found in facts.items() if not blocks(found)]
    places: dict[str, list[str]] = {}
    for name, found in facts.items():
        if blocks(found):
            places.setdefault(what_blocks(found), []).append(name)
    if not facts:
        return ""
    shared = f"Requests that wait are served at the same time with {named(together)}" if together else ""
    serial = [f"{named(names)} ({where})" for where, names in places.items()]
    if not serial:
        return f"{shared}."
    blocking = f"one after the other with {join(serial)}, which {'block and are' if many(places) else 'blocks and is'}"
    return f"{f'{shared}; ' if shared else 'Requests that wait are served '}{blocking} not ranked."


def many(places: Mapping[str, Sequence[str]]) -> bool:
    """Whether several models block."""
    return sum(map(len, places.values())) > 1


def speeds(works: Sequence[Work]) -> list[str]:
    """A sentence on answers a second, and one on waits."""
    return [speed([work for work in works if work.workload.higher_is_better is higher]) for higher in (True, False)]


def speed(works: Sequence[Work]) -> str:
    """A sentence with kinds of work grouped by outcome: who is ahead of whom, who is level, and what stays open."""
    if not works:
        return ""
    if (most := max(work.workload.rounds for work in works)) < MIN_ROUNDS:
        return (f"No model is named best: each load was measured in {plural(most, 'round')}, and {MIN_ROUNDS} are "
                f"needed; these figures are a first look.")  # fmt: skip
    text = "; ".join([*ahead(works), *level(works), *nothing(works)])
    return f"{capitalised(text)}."


def capitalised(text: str) -> str:
    """The text with a capital letter, unless it begins with a model's name."""
    return f"N{text[1:]}" if text.startswith(("no difference", "nothing can be said")) else text


def ahead(works: Sequence[Work]) -> Iterable[str]:
    """For each group of best models and whom they are ahead of, where, and by how much."""
    groups: dict[tuple[tuple[str, ...], str], list[Work]] = {}
    for work in works:
        rival = rival_of(work.workload) if work.row.best else None
        if rival:
            groups.setdefault((work.row.best, rival), []).append(work)
    for (best, rival), found in sorted(groups.items(), key=lambda item: -len(item[1])):
        doing = MEANS[found[0].workload.higher_is_better][len(best) > 1]
        among = f", {join(sorted({work.row.note for work in found}))} among themselves" if len(best) > 1 else ""
        yield f"{named(best)} {doing} {where(found, len(works))}{among}: {ratios(found, best[0], rival)}"


def where(found: Sequence[Work], of: int) -> str:
    """In how many kinds of work, or in which one."""
    if of == 1:
        return f"for {found[0].row.work}"
    if len(found) == of:
        return f"in all {of} kinds of work"
    kinds = f" ({found[0].row.work})" if len(found) == 1 else ""
    return f"in {len(found)} of {of} kinds of work{kinds}"


def ratios(found: Sequence[Work], best: str, rival: str) -> str:
    """The smallest and the largest ratio with its absolute figures."""
    workloads = [work.workload for work in found]
    known = [(interval.ratio, spread(interval), workload) for workload in workloads
             if (interval := workload.interval(best, rival))]  # fmt: skip
    known.sort(key=lambda one: one[0])
    ends = {text: f"{text} times {rival}'s ({against(workload, best, rival)})" for _, text, workload in known}
    texts = list(ends.values())
    return texts[0] if len(texts) == 1 else f"from {texts[0]} to {texts[-1]}"


def level(works: Sequence[Work]) -> Iterable[str]:
    """For each group of models with no difference between them, where they are equal and where not told apart."""
    groups: dict[tuple[str, ...], list[Row]] = {}
    for work in works:
        if len(work.row.best) > 1 and rival_of(work.workload) is None:
            groups.setdefault(work.row.best, []).append(work.row)
    for best, rows in sorted(groups.items(), key=lambda item: -len(item[1])):
        none = "no difference: " if any(row.kind == "equal" for row in rows) else ""
        said = [f"{note} {counted([row.work for row in rows if row.note == note])}"
                for note in sorted({row.note for row in rows})]  # fmt: skip
        yield f"{none}{named(best)} are {', '.join(said)}"


def counted(kinds: Sequence[str]) -> str:
    """`in 3 kinds of work`, or the one by its name."""
    return f"in {len(kinds)} kinds of work" if len(kinds) > 1 else f"for {kinds[0]}"


def nothing(works: Sequence[Work]) -> Iterable[str]:
    """Where nobody can be named, and why."""
    reasons: dict[str, list[str]] = {}
    for work in works:
        if not work.row.best:
            reasons.setdefault(work.row.note, []).append(work.row.work)
    for reason, kinds in reasons.items():
        yield f"nothing can be said of {named(kinds)} ({reason})"


def certainty(cells: Sequence[JudgedCell], works: Sequence[Work]) -> str:
    """What a difference had to exceed, and how many cells could not be judged."""
    if not cells:
        return ""
    states = Counter(cell.judgement.state for cell in cells)
    bad = ", ".join(f"{count} {state.lower()}" for state, count in states.items() if state != "VALID")
    told = f"{states['VALID']} of {len(cells)} cells could be judged" + (f" ({bad})" if bad else "")
    floors: dict[str, float] = {}
    for workload in (work.workload for work in works):
        if workload.floor:
            floors[workload.scenario] = max(workload.floor, floors.get(workload.scenario, 0.0))
    if not floors:
        return f"How sure: {told}; no A/A pair tells how noisy the machine was."
    noise = join([f"{percent(floor)} in {scenario}" for scenario, floor in floors.items()])
    return (f"How sure: a model is better only if the whole 95 % interval is beyond {percent(PRACTICAL_MARGIN)} and "
            f"beyond this machine's noise in that kind of work (up to {noise}); {told}.")  # fmt: skip


def not_said(run: Run, models: Mapping[str, ModelFacts], scenarios: Sequence[JudgedScenario]) -> Iterable[str]:
    """What nobody should read into the verdict."""
    cpu = run.environment.get("cpu") or "this machine"
    yield f"Each server had one core ({cpu}): other machines and databases move the figures, ratios less so."
    yield "Your waits, pool and rate are not in it; the page's calculator and `python -m bench decide` take them."
    if once := [scenario.name for scenario in scenarios if not scenario.compared]:
        yield f"Measured once, so about orders of magnitude: {join(once)}."
    others = [name for name, facts in models.items() if outside(facts) not in ("", "blocks", "trap")]
    if others:
        verb = "is" if len(others) == 1 else "are"
        yield f"Only models that serve a Flask app are ranked; {named(others)} {verb} in the tables."
