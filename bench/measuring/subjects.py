"""What does a results file say of its scenarios and models, so that it can be judged by itself?"""

from collections.abc import Iterable

from bench.models import Model, group, is_floor
from bench.results import ModelFacts, Question
from bench.scenarios.base import Options, Scenario


def questions(scenarios: Iterable[Scenario], options: Options) -> dict[str, Question]:
    """What was asked, scenario by scenario in the run's order."""
    return {
        scenario.name: Question(
            text=scenario.question,
            figure=scenario.figure,
            where_idle=scenario.where_idle,
            compared=scenario.compared,
            workloads=tuple(workload.name for workload in scenario.workloads(options)),
            kinds={workload.name: workload.kind for workload in scenario.workloads(options) if workload.kind},
        )
        for scenario in scenarios
    }


def model_facts(models: Iterable[Model]) -> dict[str, ModelFacts]:
    """Who was asked, model by model in the run's order."""
    return {
        model.name: ModelFacts(
            framework=model.framework,
            app=model.app,
            group=group(model),
            situation=model.situation,
            python_waits_overlap=model.python_waits_overlap,
            database_waits_overlap=model.database_waits_overlap,
            trap="traps" in model.families,
            floor=is_floor(model),
            layer=model.layer,
            server_class=model.server_class,
        )
        for model in models
    }
