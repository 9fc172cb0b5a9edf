"""Is a cell to be believed, and what are its figures? A cell of a run, judged."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from statistics import median
from typing import Any

from bench.judging.validity import Judgement, judge_rounds
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
        """Its measurements, one for each round."""
        return self.cell.observations

    @cached_property
    def judgement(self) -> Judgement:
        """Whether it may be compared, and why not."""
        judgements = [Judgement(one.state, one.reason) for one in self.observations]
        return judge_rounds(judgements, self.values(self.figure), self.cell.spread_limit)

    @property
    def valid(self) -> bool:
        """Whether it may be compared."""
        return self.judgement.valid

    @property
    def reason(self) -> str:
        """The first line of why it may not be compared; a server's log may stand beneath that line."""
        return (self.judgement.reason.splitlines() or [""])[0]

    def values(self, name: str) -> list[float]:
        """A figure in every observation that has it."""
        return self.cell.values(name)

    def median(self, name: str) -> float | None:
        """The median of a figure over the rounds, whatever the cell's state; None without any."""
        values = self.values(name)
        return median(values) if values else None

    @cached_property
    def rounds(self) -> Mapping[int, float]:
        """By round, the figure that it is judged by, if the observation is valid and the figure is above 0."""
        if not self.valid:
            return {}
        figures = {one.round: one.figures.get(self.figure) for one in self.observations if one.state == "VALID"}
        return {number: value for number, value in figures.items() if value is not None and value > 0}


def judged_cell(run: Run, cell: Cell) -> JudgedCell:
    """A cell of a run."""
    return JudgedCell(cell, run.models[cell.model.removesuffix(TWIN_SUFFIX)])
