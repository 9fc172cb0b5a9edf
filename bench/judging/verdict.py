"""What does a run say, and what does it not? Sentences, in the order of what decides, and a row for each kind of work.

If the method failed or the machine was too noisy, that is said first. Then come three steps: whose waits overlap; what
the concurrency model itself costs, with the same data layer on both sides; and whole stacks, with what a request costs,
how long users wait, and what changing the data layer or the server's parts alone would give. Then what hurts either
side when something goes wrong, and at last, how sure all that is.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from bench.judging.cells import JudgedCell
from bench.judging.faults import JudgedFaults, bad_days
from bench.judging.matched import SCENARIO as PAIRS
from bench.judging.matched import finding, layers_alone, matched_table
from bench.judging.matched import in_words as in_words_of
from bench.judging.outcomes import percent, plural
from bench.judging.phrases import figures, named, spread
from bench.judging.rows import Row, row
from bench.judging.sentences import Work, said
from bench.judging.standings import BASELINE, outside
from bench.judging.statistics import PRACTICAL_MARGIN
from bench.judging.tried import Recommendation
from bench.judging.units import in_words
from bench.judging.waits import blocks, what_blocks
from bench.judging.workload import JudgedScenario, JudgedWorkload
from bench.results import ModelFacts, Run
from bench.words import join

# An interval that reaches farther than this to either side is called too wide for what a team would act on.
WIDE = 0.05
# A 95 % interval lies wholly beyond the margin on one side, by chance, in so many cases at most.
BY_CHANCE = 0.025
# asyncio's model, Flask's documented way onto an ASGI server, and what ends the name of a model on faster servers.
BRIDGE, ADAPTER, BEST = "asyncio-bridge", "asyncio-adapter", "-best"
CLASSIC, NO_DATABASE, PLAIN = "classic", "GET /", "plain"


@dataclass(frozen=True)
class Verdict:
    """What a run says, and what it does not."""

    sentences: tuple[str, ...]
    not_said: tuple[str, ...]
    rows: tuple[Row, ...]
    matched: tuple[tuple[str, ...], ...] = ()
    """The concurrency model alone: headings, then a row for each data layer; empty where no pairs were measured."""
    noise: str = ""
    """To be said before all else: that the method failed or the machine was too noisy. Empty if neither."""


def verdict(
    run: Run, models: Mapping[str, ModelFacts], scenarios: Sequence[JudgedScenario], faults: JudgedFaults
) -> Verdict:
    """The verdict of a run, its models, its scenarios and its faults judged."""
    workloads = [workload for scenario in scenarios for workload in scenario.workloads]
    works = [Work(workload, found) for workload in workloads if workload.kind and (found := row(workload))]
    compared = [work for work in works if work.workload.compared]
    cells = [cell for workload in workloads for cell in workload.cells.values()]
    pairs = next((scenario for scenario in scenarios if scenario.name == PAIRS), None)
    sentences = (
        documented(models),
        f"{waits(models)} {worth(cells)}".strip(),
        finding(pairs) if pairs else "",
        stacks(models) if compared else "",
        *speeds(compared),
        layers_alone(pairs, (BASELINE, BRIDGE)) if pairs else "",
        *(servers(work) for work in compared if work.workload.name == NO_DATABASE),
        bad_days(faults, sides(faults)),
        certainty(cells, compared),
    )
    left_out = tuple(not_said(run, models, scenarios))
    rows, table = tuple(work.row for work in works), matched_table(pairs) if pairs else []
    return Verdict(tuple(filter(None, sentences)), left_out, rows, tuple(table), noise(compared, pairs))


def sides(faults: JudgedFaults) -> list[str]:
    """The models that a verdict names the faults of: one for each app, or if there are none, the first two."""
    return [name for name in (BASELINE, BRIDGE) if name in faults.models] or faults.models[:2]


def verdict_of_trial(found: Recommendation, workloads: Sequence[JudgedWorkload]) -> Verdict:
    """The verdict of a trial of somebody's own application: which model to take for it."""
    first = f"Take {found.model}." if found.model else "No model is recommended."
    rows = [made for workload in workloads if workload.kind and (made := row(workload))]
    return Verdict((first, *found.reasons), found.next, tuple(rows))


def noise(works: Sequence[Work], pairs: JudgedScenario | None) -> str:
    """What to do if the method failed, or if the machine was too noisy; empty if neither."""
    remedy = "end other programs and measure again, or longer (--budget-s, --generations)"
    judged = [*(work.workload for work in works), *(pairs.workloads if pairs else ())]
    if failed := [workload for workload in judged if workload.method_failed]:
        kinds = join([workload.kind or f"matched pairs ({in_words_of(workload)})" for workload in failed])
        return (f"The method failed here for {kinds}: {failed[0].method_failed}. Nothing is said of that; "
                f"{remedy}.")  # fmt: skip
    told = [work for work in works if work.row.kind != "not comparable"]
    wide = [work for work in told if work.row.kind == "not told apart" and widest(work) > WIDE]
    if not wide or len(wide) * 2 < len(told):
        return ""
    return (f"This machine was too noisy: in {len(wide)} of {len(told)} kinds of work the intervals reach more than "
            f"{percent(1 + WIDE)} to either side; {remedy}.")  # fmt: skip


def widest(work: Work) -> float:
    """Half the width of the widest interval between those that are not told apart."""
    first, *rest = work.row.best
    found = [interval.half_width for name in rest if (interval := work.workload.interval(first, name))]
    return max(found, default=0.0)


def documented(models: Mapping[str, ModelFacts]) -> str:
    """What a reader who knows Flask's documentation has to know first; empty unless it was measured."""
    if ADAPTER not in models or not blocks(models[ADAPTER]):
        return ""
    return (f"Flask's documented way onto an ASGI server (asgiref's WsgiToAsgi under uvicorn: {ADAPTER}) serves one "
            f"request at a time; asyncio's figures need this repository's bridge ({BRIDGE}).")  # fmt: skip


def worth(cells: Sequence[JudgedCell]) -> str:
    """What it is worth that waits overlap, by the classic; empty where it was not measured."""
    bursts = {cell.model: total_s for cell in cells
              if cell.scenario == CLASSIC and cell.valid and outside(cell.facts) in ("", "blocks") and
              (total_s := cell.median("total_s"))}  # fmt: skip
    slowest, fastest = max(bursts, key=bursts.__getitem__, default=""), min(bursts, key=bursts.__getitem__, default="")
    if not slowest or bursts[slowest] < 2 * bursts[fastest]:
        return ""
    waits_for = next(cell.workload for cell in cells if cell.scenario == CLASSIC)
    return (f"That is worth most: {2 * waits_for['requests']} waits of {waits_for['seconds']:g} s took "
            f"{bursts[slowest]:.1f} s with {slowest} and {bursts[fastest]:.1f} s with {fastest}.")  # fmt: skip


def stacks(models: Mapping[str, ModelFacts]) -> str:
    """What is compared as a whole: the class of the servers, and the data layers; empty unless there are both sides."""
    sides = [(name, models[name]) for name in (BASELINE, BRIDGE) if name in models and models[name].layer]
    classes = {facts.server_class for _, facts in sides}
    if len(sides) < 2 or classes != {PLAIN}:
        return ""
    layers = "; ".join(f"{name} has {facts.layer}" for name, facts in sides)
    return f"Whole stacks, on plain servers (HTTP parsers in Python, asyncio's own event loop): {layers}."


def servers(work: Work) -> str:
    """What a faster HTTP parser and event loop give by themselves, beside the same model without; empty if unknown."""
    workload = work.workload
    found = [(name, interval) for name in workload.cells if name.endswith(BEST)
             if (interval := workload.interval(name, name.removesuffix(BEST)))]  # fmt: skip
    parts = [f"{name} takes {spread(interval)} times the CPU time of {name.removesuffix(BEST)} "
             f"({figures(workload, name, name.removesuffix(BEST))})" for name, interval in found]  # fmt: skip
    return f"HTTP parser and event loop in C, for {work.row.work}: {join(parts)}." if parts else ""


def waits(models: Mapping[str, ModelFacts]) -> str:
    """Whose waits overlap, and what blocks."""
    facts = {name: found for name, found in models.items() if outside(found) in ("", "blocks") and found.group != PAIRS}
    together = [name for name, found in facts.items() if not blocks(found)]
    places: dict[str, list[str]] = {}
    for name, found in facts.items():
        if blocks(found):
            places.setdefault(what_blocks(found), []).append(name)
    subject, sentences = "Requests", []
    if together:
        sentences.append(f"{subject} wait at the same time with {named(together)}.")
        subject = "They"
    if places:
        serial = join([f"{named(names)} ({where})" for where, names in places.items()])
        which = "block and are" if many(places) else "blocks and is"
        sentences.append(f"{subject} wait one after the other with {serial}, which {which} not ranked.")
    return " ".join(sentences)


def many(places: Mapping[str, Sequence[str]]) -> bool:
    """Whether several models block."""
    return sum(map(len, places.values())) > 1


def speeds(works: Sequence[Work]) -> list[str]:
    """What is said of each scenario and figure that models are ranked by."""
    told = [work for work in works if not work.workload.method_failed]
    kinds = Counter(work.workload.scenario for work in works)
    groups: dict[tuple[str, str], list[Work]] = {}
    for work in told:
        groups.setdefault((work.workload.scenario, work.workload.figure), []).append(work)
    return [said(group, kinds[scenario]) for (scenario, _), group in groups.items()]


def certainty(cells: Sequence[JudgedCell], works: Sequence[Work]) -> str:
    """What a difference had to exceed, how often chance names a better one, and whether the method worked here."""
    if not cells:
        return ""
    states = Counter(cell.judgement.state for cell in cells)
    bad = ", ".join(f"{count} {state.lower()}" for state, count in states.items() if state != "VALID")
    told = f"{states['VALID']} of {len(cells)} cells could be judged" + (f" ({bad})" if bad else "")
    if not works:
        return f"How sure: {told}."
    compared = sum(len(work.workload.ranks) * (len(work.workload.ranks) - 1) // 2 for work in works)
    parts = (
        f"How sure: a model is better only if the whole 95 % interval is beyond {percent(PRACTICAL_MARGIN)}.",
        f"Chance decides at most {BY_CHANCE * compared:.2g} of {plural(compared, 'comparison')}." if compared else "",
        check(works),
        rare(works),
        f"{told}.",
    )  # fmt: skip
    return " ".join(filter(None, parts))


def check(works: Sequence[Work]) -> str:
    """How far two servers of the same model seemed apart, which shows what the method cannot see."""
    away: dict[str, float] = {}
    for workload in (work.workload for work in works):
        if interval := workload.aa_interval():
            farther = max(interval.ratio, 1 / interval.ratio)
            away[workload.figure] = max(farther, away.get(workload.figure, 1.0))
    if not away:
        return "No A/A pair checked the method."
    differed = join([f"{percent(ratio)} in {in_words(figure)}" for figure, ratio in away.items()])
    return f"Two servers of one model differed by at most {differed}."


def rare(works: Sequence[Work]) -> str:
    """What is not in the ratios of CPU time, because a run sees too little of it."""
    costs = [work.workload for work in works if work.workload.figure == "cpu_per_request_s"]
    ranked = dict.fromkeys(name for workload in costs for name in workload.ranks)
    added = {name: fmean(workload.cells[name].pauses for workload in costs if name in workload.cells)
             for name in ranked}  # fmt: skip
    if not any(added.values()):
        return ""
    least, most = min(added, key=added.__getitem__), max(added, key=added.__getitem__)
    return ("Rare pauses, mostly garbage collections, are not in these ratios: they add "
            f"{percent(1 + added[least])} to a request ({least}) to {percent(1 + added[most])} ({most}).")  # fmt: skip


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
