"""Made-up observations, for tests that judge or show what nobody has measured."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from bench.measuring.subjects import model_facts, questions
from bench.models import MODELS
from bench.results import TWIN_SUFFIX, ModelFacts, Observation, Question, Run
from bench.scenarios import SCENARIOS, bridge
from bench.scenarios.base import Options


def observations(*measured: Mapping[str, Any]) -> tuple[Observation, ...]:
    """An observation a round: valid unless it says otherwise, scalars as its figures, the rest as its raw results."""
    return tuple(observation({"round": number, **one}) for number, one in enumerate(measured))


def observation(measured: Mapping[str, Any]) -> Observation:
    """One, in round 0 unless it says otherwise."""
    known = {"round": 0, "state": "VALID", "reason": ""} | dict(measured)
    number, state, reason = (known.pop(name) for name in ("round", "state", "reason"))
    raw = {name: value for name, value in known.items() if isinstance(value, Mapping | list | tuple)}
    return Observation(number, state, reason, {name: known[name] for name in known.keys() - raw.keys()}, raw)


def described(run: Run) -> Run:
    """The run, with what it must say of its scenarios and models: as the bench has them, or next to nothing."""
    known = questions(SCENARIOS.values(), Options()) | questions([bridge.SCENARIO], Options())
    scenarios = dict.fromkeys(cell.scenario for cell in run.cells.values())
    run.scenarios = {name: known.get(name) or question(run, name) for name in [*known, *scenarios] if name in scenarios}
    models = {name.removesuffix(TWIN_SUFFIX): None for name in dict.fromkeys(cell.model for cell in run.cells.values())}
    run.models = {name: facts(name) for name in [*run.arguments.get("models", ()), *models] if name in models}
    return run


def question(run: Run, name: str) -> Question:
    """Of a scenario that the bench does not have."""
    cells = run.of(name)
    several = any(len(cell.observations) > 1 for cell in cells)
    workloads = tuple(dict.fromkeys(cell.workload["name"] for cell in cells))
    return Question("?", cells[0].figure, cells[0].figure.endswith("_rps"), several, workloads)


def facts(name: str, **changes: Any) -> ModelFacts:
    """Of a model of the bench, or of a Flask model that the bench does not have."""
    registered = [model for model in MODELS if model.name == name]
    found = model_facts(registered).get(name) or ModelFacts("Flask", "other", "nothing blocks", True, True, False)
    return replace(found, **changes)
