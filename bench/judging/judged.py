"""What does a run say? `judge(run)` is the one call that every report begins with, and the one that decides.

It holds the seed, the order of scenarios and workloads, who is compared to whom, and by which figure. It is a pure
function of the run: what it must know of scenarios and models stands there.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from bench.judging.cells import JudgedCell, judged_cell
from bench.judging.faults import JudgedFaults, judged_faults
from bench.judging.standings import TWIN_SUFFIX, baseline, is_twin, unranked
from bench.judging.tried import JudgedTrial, judged_trial
from bench.judging.verdict import Verdict, verdict, verdict_of_trial
from bench.judging.waits import as_measured
from bench.judging.workload import JudgedScenario, JudgedWorkload
from bench.results import ModelFacts, Question, Run
from bench.results.tried import SCENARIO as TRIED
from bench.words import join

# A server that leaves more of its core idle than this was not what limited the rate.
IDLE = 0.10


@dataclass(frozen=True)
class Judged:
    """A run, and what follows from it."""

    run: Run
    models: Mapping[str, ModelFacts]
    """Those that were measured, in the run's order; whether waits overlap is as measured where it was."""
    scenarios: tuple[JudgedScenario, ...]
    """Those that were measured, in the run's order."""

    @cached_property
    def verdict(self) -> Verdict:
        """The run in sentences and rows."""
        if self.trial:
            return verdict_of_trial(self.trial.recommendation, self.workloads)
        return verdict(self.run, self.models, self.scenarios, self.faults)

    @cached_property
    def faults(self) -> JudgedFaults:
        """What the faults of the run say; of a run without any, nothing."""
        return judged_faults(self.run.faults)

    @cached_property
    def trial(self) -> JudgedTrial | None:
        """What the trial of somebody's own application says; None for every other run."""
        loaded = self.scenario(TRIED)
        return judged_trial(self.run.tried, loaded.workloads if loaded else ()) if self.run.tried else None

    @property
    def workloads(self) -> list[JudgedWorkload]:
        """All of them."""
        return [workload for scenario in self.scenarios for workload in scenario.workloads]

    @property
    def cells(self) -> list[JudgedCell]:
        """All of them, without A/A twins."""
        return [cell for scenario in self.scenarios for cell in scenario.cells]

    @property
    def baseline(self) -> str:
        """The model that ratios are to; empty for a run without models."""
        return baseline(list(self.models)) if self.models else ""

    def scenario(self, name: str) -> JudgedScenario | None:
        """The scenario of that name; None if it was not measured."""
        return next((scenario for scenario in self.scenarios if scenario.name == name), None)


def judge(run: Run) -> Judged:
    """What a run says."""
    claimed = [judged_cell(run, cell) for cell in run.cells.values()]
    own = {name: [cell for cell in claimed if cell.model == name] for name in run.models}
    models = {name: as_measured(run.models[name], cells) for name, cells in own.items() if cells}
    cells = [JudgedCell(cell.cell, models.get(cell.model, cell.facts)) for cell in claimed]
    scenarios = [
        judged_scenario(run, name, question, [cell for cell in cells if cell.scenario == name])
        for name, question in run.scenarios.items()
    ]
    return Judged(run, models, tuple(scenario for scenario in scenarios if scenario.workloads))


def judged_scenario(run: Run, name: str, question: Question, cells: Sequence[JudgedCell]) -> JudgedScenario:
    """A scenario and its cells."""
    measured = dict.fromkeys(cell.workload["name"] for cell in cells if not is_twin(cell.model))
    names = [*(each for each in question.workloads if each in measured),
             *(each for each in measured if each not in question.workloads)]  # fmt: skip
    workloads = [judged_workload(run, question, [cell for cell in cells if cell.workload["name"] == each])
                 for each in names]  # fmt: skip
    return JudgedScenario(name, question.text, question.compared, tuple(workloads))


def judged_workload(run: Run, question: Question, cells: Sequence[JudgedCell]) -> JudgedWorkload:
    """The cells of one workload."""
    name = cells[0].workload["name"]
    own = {cell.model: cell for cell in cells}
    models = {model: own[model] for model in run.models if model in own}
    base = baseline(list(models))
    figure, beside, why = ranking(question, cells[0].figure, list(models.values()))
    return JudgedWorkload(
        scenario=cells[0].scenario,
        name=name,
        kind=question.kinds.get(name, ""),
        cells=models,
        twin=own.get(base + TWIN_SUFFIX),
        baseline=base,
        figure=figure,
        beside=beside,
        why=why,
        compared=question.compared,
        seed=run.seed,
    )


def ranking(question: Question, figure: str, cells: Sequence[JudgedCell]) -> tuple[str, str, str]:
    """The figure that models are ranked by, the one that stands beside it, and why it is this one.

    Where servers fill their core, CPU time says what answers a second say, with far less noise. Where one waits for
    something else, what it costs and how fast it is are two questions, and the second is the one that was asked.
    """
    if not question.where_idle or figure != question.figure:
        return figure, "", ""
    able = [cell for cell in cells if not unranked(cell)]
    if not able:
        return figure, question.where_idle, ""
    if not any(cell.median(figure) for cell in able):
        return question.where_idle, "", "this system does not tell CPU time"
    if not any(idle_share(cell) > IDLE for cell in able):
        return figure, question.where_idle, "every model filled its core"
    most = max(able, key=idle_share)
    left = f"{most.model} left {idle_share(most):.0%} of its core idle{meanwhile(most)}".replace("%", " %")
    return question.where_idle, figure, left


def idle_share(cell: JudgedCell) -> float:
    """The share of its core that a server left idle: what it did not use itself, where the system does not tell."""
    idle = cell.median("core_idle")
    return idle if idle is not None else 1 - (cell.median("core_use") or 0.0)


def meanwhile(cell: JudgedCell) -> str:
    """Where what was at work beside a server was busier than it, what that was; empty where nothing was.

    Database and load generator may share a core, so they count together.
    """
    database = (cell.median("database_cpu_per_request_s") or 0.0) * (cell.median("throughput_rps") or 0.0)
    uses = {"the database": database, "the load generator": cell.median("generator_use") or 0.0}
    if sum(uses.values()) <= 1 - idle_share(cell):
        return ""
    known = sorted(((use, name) for name, use in uses.items() if use), reverse=True)
    return f", while {join([f'{name} used {use:.0%} of one' for use, name in known])}"
