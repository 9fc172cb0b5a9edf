"""Is a cell to be believed, and what are its figures? A cell of a run, judged."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from statistics import fmean, median
from typing import Any

from bench.judging.promises import judge_promise
from bench.judging.slices import CYCLE_FIGURES, Columns, by_cycle
from bench.judging.validity import FAILURES, VALID, Judgement, judge_slices, worst
from bench.results import TWIN_SUFFIX, Cell, ModelFacts, Observation, Run


@dataclass(frozen=True)
class JudgedCell:
    """A cell with its state, and with what the run says of its model."""

    cell: Cell
    facts: ModelFacts

    @property
    def scenario(self) -> str:
        """The name of its scenario."""
        return self.cell.scenario

    @property
    def model(self) -> str:
        """The name in the run: of a model, or of the A/A twin of one."""
        return self.cell.model

    @property
    def workload(self) -> Mapping[str, Any]:
        """`name` and the scenario's own parameters."""
        return self.cell.workload

    @property
    def figure(self) -> str:
        """The figure that it is judged by."""
        return self.cell.figure

    @property
    def observations(self) -> Sequence[Observation]:
        """Its measurements, one for each generation of servers."""
        return self.cell.observations

    @property
    def generations(self) -> Sequence[int]:
        """The generations of servers that it was measured on; those of several groups have numbers of their own."""
        return [one.round for one in self.observations]

    @cached_property
    def judgement(self) -> Judgement:
        """Whether it may be compared, and why not.

        A server that failed in one generation, or was not loaded, is never set aside; what the machine or the generator
        did to it is judged over all generations together.
        """
        judgements = [Judgement(one.state, one.reason) for one in self.observations]
        if not self.slices:
            return worst(judgements)
        failed = worst([judgement if judgement.state in FAILURES or generation not in self.slices else VALID
                        for generation, judgement in zip(self.generations, judgements, strict=True)])  # fmt: skip
        if not failed.valid:
            return failed
        found = judge_slices(list(self.slices.values()))
        if "slo_s" in self.workload and found.state in ("VALID", "SATURATED"):
            return judge_promise(self.observations)  # what a server that fell behind has answered late is counted there
        return found

    @property
    def valid(self) -> bool:
        """Whether it may be compared."""
        return self.judgement.valid

    @property
    def reason(self) -> str:
        """The first line of why it may not be compared; a server's log may stand beneath that line."""
        return (self.judgement.reason.splitlines() or [""])[0]

    @property
    def pauses(self) -> float:
        """What rare pauses add to the CPU time of its requests, as a share, the mean of the generations; 0 without any.

        Each generation by itself says what is usual: the machine may have been half as fast in another.
        """
        return fmean(self.values("pauses") or [0.0])

    def values(self, name: str) -> list[float]:
        """A figure in every observation that has it."""
        return self.cell.values(name)

    def median(self, name: str) -> float | None:
        """The median of a figure over the generations, whatever the cell's state; None without any."""
        values = self.values(name)
        return median(values) if values else None

    @cached_property
    def slices(self) -> Mapping[int, Columns]:
        """By generation, its slices; empty if it was not loaded in slices."""
        return {one.round: one.raw["slices"] for one in self.observations if one.raw.get("slices")}

    def cycles(self, figure: str) -> Mapping[int, Sequence[float]]:
        """By generation, a figure in each of its cycles; one value where it was found once in a generation.

        Empty if the cell is not valid, without generations that do not have the figure.
        """
        if not self.valid:
            return {}
        found = {one.round: observed(one, figure) for one in self.observations}
        return {generation: values for generation, values in found.items() if values}


def observed(one: Observation, figure: str) -> Sequence[float]:
    """A figure cycle by cycle, or the one value of an observation without slices of it; empty without any above 0."""
    if figure in CYCLE_FIGURES and one.raw.get("slices"):
        return by_cycle(one.raw["slices"], figure)
    value = one.figures.get(figure)
    return [value] if value and value > 0 else []


def judged_cell(run: Run, cell: Cell) -> JudgedCell:
    """A cell of a run."""
    return JudgedCell(cell, run.models[cell.model.removesuffix(TWIN_SUFFIX)])
