"""What does the concurrency model itself cost? Two models on one data layer and one class of server, compared.

And the other way round: what does a data layer cost, under one concurrency model?
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from bench.judging.outcomes import Outcome
from bench.judging.phrases import figures, spread
from bench.judging.statistics import RatioInterval
from bench.judging.workload import JudgedScenario, JudgedWorkload
from bench.words import join

SCENARIO = "pairs"
# The endpoints in words.
READS = {
    "GET /queries/?count=1": "one read",
    "GET /queries/?count=20": "twenty reads",
    "GET /todos/": "a list of 50 rows",
}


@dataclass(frozen=True)
class MatchedPair:
    """Two models that differ in the concurrency model alone, in one workload."""

    layer: str
    workload: JudgedWorkload
    one: str
    """The one that stands later in the run, asyncio's in the registry's order."""
    base: str
    """The one that it is held against, gevent's."""

    @property
    def interval(self) -> RatioInterval | None:
        """The ratio of their figures; None without one."""
        return self.workload.interval(self.one, self.base)

    @property
    def outcome(self) -> Outcome:
        """How the one compares to the base."""
        return self.workload.outcome(self.one, self.base)

    @property
    def figures(self) -> str:
        """`295 against 330 µs`; empty unless both were measured."""
        known = {self.one, self.base} <= self.workload.medians.keys()
        return figures(self.workload, self.one, self.base) if known else ""


def matched_pairs(workload: JudgedWorkload) -> list[MatchedPair]:
    """The pairs among the models of a workload."""
    sides: dict[tuple[str, str], list[str]] = {}
    for name, cell in workload.cells.items():
        if cell.facts.layer:
            sides.setdefault((cell.facts.layer, cell.facts.server_class), []).append(name)
    return [MatchedPair(layer, workload, names[1], names[0]) for (layer, _), names in sides.items() if len(names) == 2]


def finding(scenario: JudgedScenario) -> str:
    """What the pairs of a scenario say, in sentences; empty without any that can be compared."""
    told = [workload for workload in scenario.workloads if not workload.method_failed]
    found = [pair for workload in told for pair in matched_pairs(workload) if pair.interval]
    if not found:
        return ""
    least, most = min(found, key=ratio_of), max(found, key=ratio_of)
    layers = list(dict.fromkeys(pair.layer for pair in found))
    return (
        f"With the same data layer on both sides ({join(layers)}), asyncio takes {said(least)} to {said(most)} times "
        f"gevent's CPU time a request; {counted([pair.outcome for pair in found])}."
    )


def ratio_of(pair: MatchedPair) -> float:
    """Of a pair that has an interval."""
    assert pair.interval
    return pair.interval.ratio


def said(pair: MatchedPair) -> str:
    """`0.90 (0.88–0.92; one read, raw driver: 295 against 330 µs)`."""
    assert pair.interval
    spans = f"{pair.interval.low:.2f}–{pair.interval.high:.2f}"
    return f"{pair.interval.ratio:.2f} ({spans}; {in_words(pair.workload)}, {pair.layer}: {pair.figures})"


def in_words(workload: JudgedWorkload) -> str:
    """What is read."""
    return READS.get(workload.name, workload.name)


def counted(outcomes: Sequence[Outcome]) -> str:
    """`of 9 comparisons it is less in 3, more in 5 and equal within 5 % in 1`."""
    kinds = Counter(outcome.kind for outcome in outcomes)
    counts = {
        "less in": kinds["better"],
        "more in": kinds["worse"],
        "equal within 5 % in": kinds["equal"],
        "not told apart in": kinds["not told apart"] + kinds["not comparable"],
    }
    parts = [f"{text} {count}" for text, count in counts.items() if count]
    return f"of {len(outcomes)} comparisons it is {join(parts)}"


def layers_alone(scenario: JudgedScenario, stacks: Sequence[str]) -> str:
    """What another data layer alone would give each of these models, for the smallest read; empty if nothing tells."""
    workload = scenario.workloads[0]
    if workload.method_failed:
        return ""
    parts = [f"{stack} ({layer_of(workload, stack)}) would take {other}" for stack in stacks
             if stack in workload.cells and (other := others_of(workload, stack))]  # fmt: skip
    return f"Changing the data layer alone, for {in_words(workload)}: {'; '.join(parts)}." if parts else ""


def layer_of(workload: JudgedWorkload, model: str) -> str:
    """The data layer of a model."""
    return workload.cells[model].facts.layer


def others_of(workload: JudgedWorkload, stack: str) -> str:
    """`0.63 times its CPU time with raw driver, 0.80 with SQLAlchemy Core`: the layers on the side of this model."""
    found = [(name, interval) for name in same_side(workload, stack) if (interval := workload.interval(name, stack))]
    ratios = [f"{interval.ratio:.2f} with {layer_of(workload, name)}" for name, interval in found]
    return ", ".join(ratios).replace(" with", " times its CPU time with", 1)


def same_side(workload: JudgedWorkload, stack: str) -> list[str]:
    """The other models of the workload under the concurrency model of this one, by what is on both sides of a pair.

    The baseline is on the side that pairs are held against.
    """
    pairs = matched_pairs(workload)
    side = [pair.base if stack == workload.baseline else pair.one for pair in pairs]
    app = workload.cells[stack].facts.app
    return [*side, *(name for name, cell in workload.cells.items() if name != stack and cell.facts.app == app)]


def matched_table(scenario: JudgedScenario) -> list[tuple[str, ...]]:
    """A row for each data layer, with asyncio's figure ÷ gevent's for each read; the first row has the headings."""
    rows: dict[str, list[str]] = {}
    for workload in scenario.workloads:
        for pair in matched_pairs(workload):
            interval, kind = pair.interval, pair.outcome.kind
            words = {"better": "less", "worse": "more"}.get(kind, kind)
            rows.setdefault(pair.layer, []).append(f"{spread(interval)}, {words}" if interval else "–")
    heads = ("asyncio ÷ gevent, CPU time", *(in_words(workload) for workload in scenario.workloads))
    return [heads, *((layer, *cells) for layer, cells in rows.items())] if rows else []
