"""What does each layer of a request cost? Differences of CPU times a request, and whether they add up to the whole.

The machine's speed moves, so each cycle is put to the speed that the run usually had: its CPU times are divided by the
median, over all cells, of a cell's cost in this cycle ÷ its cost over the run. A single baseline would bring its own
noise and its pauses into every figure; the median over some thirty cells brings next to none.

A cell's cost is then the trimmed mean of its cycles, as everywhere (bench/judging/statistics.py), and a layer is a sum
of such costs, some of them subtracted. The trimming comes before the subtraction. Nearly every cycle has a pause in one
of its cells, so that a difference of six cells would be spoilt in more cycles than a trimmed mean leaves out; and only
differences of means add up, as stacked bars must. The interval is that of the same sum in resamples of whole
generations, drawn alike for all cells: what cells have in common within a generation stays paired and cancels.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from bench.judging.cells import JudgedCell, observed
from bench.judging.statistics import AmountInterval, Numbers, amount_interval, resampled_means, trimmed_mean
from bench.judging.workload import JudgedScenario
from bench.words import join

CPU = "cpu_per_request_s"
FEWEST = 2  # generations that an interval can be made of
# By how much the sum of the layers may differ from the whole. What is not explained beyond this is a layer by itself.
SUM_LIMIT = 0.10

Terms = Mapping[tuple[str, str], float]
"""By model and workload, how often a cell's cost is in the sum; negative: subtracted."""


@dataclass(frozen=True)
class Layer:
    """What a layer costs, as a sum of cells."""

    name: str
    terms: Terms
    part: str = ""
    """What sentences count it among."""


@dataclass(frozen=True)
class Ladder:
    """The layers of one stack, from the server up."""

    side: str
    """What it shows: `gevent` or `asyncio`."""
    layers: Sequence[Layer]
    """Those whose sum should be the whole."""
    whole: Layer
    """What the sum is held against; no layer has it among its terms."""
    beside: Sequence[Layer]
    """What is not in the sum."""
    matched: Layer
    """What is left without server and data layer."""
    wait: Layer
    """What one more wait costs."""


class Costs:
    """The costs of a scenario's cells at the usual speed of the run, in seconds of CPU time a request."""

    def __init__(self, scenario: JudgedScenario) -> None:
        self.seed = scenario.workloads[0].seed if scenario.workloads else 0
        cycles = {(cell.model, cell.workload["name"]): sound_cycles(cell) for cell in scenario.cells}
        known = {key: found for key, found in cycles.items() if found}
        common = sorted(set.intersection(*map(set, known.values()))) if known else []
        self.generations = len(common)
        length = min((len(found[each]) for found in known.values() for each in common), default=0)
        tables = {key: np.array([found[each][:length] for each in common]) for key, found in known.items()}
        self.tables = at_usual_speed(tables) if self.generations >= FEWEST else {}

    @cached_property
    def means(self) -> Mapping[tuple[str, str], tuple[float, Numbers]]:
        """By cell, its cost, and what it is in each resample."""
        return {key: (float(trimmed_mean(table.ravel())), resampled_means(table, self.seed))
                for key, table in self.tables.items()}  # fmt: skip

    def of(self, *layers: Layer) -> AmountInterval | None:
        """What the layers cost together; None if one of their cells was not measured, or is not valid."""
        terms = [(key, weight) for layer in layers for key, weight in layer.terms.items()]
        if any(key not in self.tables for key, _ in terms):
            return None
        value = sum(weight * self.means[key][0] for key, weight in terms)
        resampled = np.sum([weight * self.means[key][1] for key, weight in terms], axis=0)
        return amount_interval(value, resampled, self.generations)


def sound_cycles(cell: JudgedCell) -> Mapping[int, Sequence[float]]:
    """By generation, CPU time a request in each cycle; it needs no steady state. Empty for a cell that failed."""
    if cell.judgement.state not in ("VALID", "UNSTABLE"):
        return {}
    found = {one.round: observed(one, CPU) for one in cell.observations}
    return {generation: values for generation, values in found.items() if values}


def at_usual_speed(tables: Mapping[tuple[str, str], Numbers]) -> dict[tuple[str, str], Numbers]:
    """The costs of every cell, a row for each generation, as they would be if all cycles had been equally fast."""
    relative = [table / trimmed_mean(table.ravel()) for table in tables.values()]
    speed = np.median(relative, axis=0)
    return {key: table / speed for key, table in tables.items()}


@dataclass(frozen=True)
class Sum:
    """Whether a ladder's layers add up."""

    side: str
    layers_s: float
    whole_s: float

    @property
    def ratio(self) -> float:
        """The sum of the layers ÷ the whole."""
        return self.layers_s / self.whole_s

    @property
    def holds(self) -> bool:
        """Whether they differ by no more than the limit."""
        return abs(self.ratio - 1) <= SUM_LIMIT

    def __str__(self) -> str:
        text = (f"{self.side}: the layers add up to {micro(self.layers_s)} µs, {self.ratio:.0%} of the "
                f"{micro(self.whole_s)} µs measured").replace("%", " %")  # fmt: skip
        return text if self.holds else f"{text}; they should be within {SUM_LIMIT * 100:.0f} %, so do not believe them"


def sums(costs: Costs, ladders: Sequence[Ladder]) -> list[Sum]:
    """The check of each ladder that was measured as a whole."""
    found = [(ladder.side, costs.of(*ladder.layers), costs.of(ladder.whole)) for ladder in ladders]
    return [Sum(side, layers.value, whole.value) for side, layers, whole in found if layers and whole]


def all_hold(costs: Costs, ladders: Sequence[Ladder]) -> bool:
    """Whether every ladder was measured, and adds up."""
    found = sums(costs, ladders)
    return len(found) == len(ladders) and all(one.holds for one in found)


def finding(costs: Costs, ladders: Sequence[Ladder]) -> str:
    """What the ladders say of the second stack beside the first, and whether they add up, in sentences."""
    said = [f"{one}." for one in sums(costs, ladders)]
    if len(said) < len(ladders):
        return " ".join([*said, "Not every layer was measured in the same cycles of at least two generations."])
    first, second = ladders
    return " ".join([saving(costs, first, second), model_itself(costs, first, second), *said])


def saving(costs: Costs, first: Ladder, second: Ladder) -> str:
    """`Of the 159 µs that asyncio saves on one read, 80 are HTTP server and parser, …`: who saves, and where."""
    cheap, dear = sorted((first, second), key=lambda ladder: cost(costs, ladder.whole))
    total = round_micro(cost(costs, dear.whole)) - round_micro(cost(costs, cheap.whole))
    parts = {part: round_micro(cost(costs, *of_part(dear, part)) - cost(costs, *of_part(cheap, part)))
             for part in parts_of((first, second))}  # fmt: skip
    less = [f"{saved} are {part}" for part, saved in parts.items() if saved > 0]
    more = [f"{-saved} more in {part}" for part, saved in parts.items() if saved < 0]
    rest = total - sum(parts.values())
    said = [f"Of the {total} µs that {cheap.side} saves on one read, {join(less) or 'none is in any layer'}"]
    if more:
        said.append(f"it takes {join(more)}")
    if rest:
        said.append(f"{abs(rest)} {'are in no layer' if rest > 0 else 'too many are in the layers'}")
    return "; ".join(said) + "."


def model_itself(costs: Costs, first: Ladder, second: Ladder) -> str:
    """What is left of the request without server and data layer, and what one more wait costs."""
    (one, other), (wait, its) = ([cost(costs, getattr(ladder, name)) for ladder in (second, first)]
                                 for name in ("matched", "wait"))  # fmt: skip
    return (
        f"The concurrency model itself: without HTTP server and data layer, one read takes {micro(one)} µs under "
        f"{second.side} and {micro(other)} under {first.side}, and one more wait {micro(wait)} µs and {micro(its)}."
    )


def cost(costs: Costs, *layers: Layer) -> float:
    """What layers cost together; 0 for what was not measured, or does not exist."""
    found = costs.of(*layers) if layers else None
    return found.value if found else 0.0


def parts_of(ladders: Sequence[Ladder]) -> list[str]:
    """What layers are counted among, in their order."""
    return list(dict.fromkeys(layer.part for ladder in ladders for layer in ladder.layers))


def of_part(ladder: Ladder, part: str) -> list[Layer]:
    """The layers of a ladder that are counted among this."""
    return [layer for layer in ladder.layers if layer.part == part]


def round_micro(seconds: float) -> int:
    """Whole microseconds."""
    return round(seconds * 1e6)


def micro(seconds: float) -> str:
    """`1,234`: whole microseconds."""
    return f"{round_micro(seconds):,}"
