"""Made-up observations, for tests that judge or show what nobody has measured."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from bench.judging.slices import Columns, figures_of
from bench.judging.validity import judge_slices
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


def closed_slices(
    rps: float = 1000.0,
    cpu_per_request_s: float | None = None,
    *,
    cycles: int = 10,
    disturbance: Sequence[float] = (1.0,),
    idle: float = 0.0,
    second_half: float = 1.0,
    response_s: float = 0.03,
    longest_s: float | None = None,
    **same: Any,
) -> Columns:
    """Slices of 50 ms of a closed loop, at this rate but for what disturbs the machine.

    CPU time is what fills the core beside its idle share unless given; a slice takes so many times longer, and so much
    more CPU time, as the disturbance of its cycle says. The second half of a slice has so many times the answers of the
    first. `same` is as in `slices`.
    """
    good = round(rps * 0.05)
    cpu_s = good * ((1 - idle) / rps if cpu_per_request_s is None else cpu_per_request_s)
    slower = [disturbance[cycle % len(disturbance)] for cycle in range(cycles)]
    columns = {
        "good": [good] * cycles,
        "wall_s": [good / rps * factor for factor in slower],
        "cpu_s": [cpu_s * factor for factor in slower],
        "idle_s": [idle * good / rps * factor for factor in slower],
        "response_mean_s": [response_s * factor for factor in slower],
        "response_max_s": [(longest_s or 2 * response_s) * factor for factor in slower],
        "first_half_good": [round(good / (1 + second_half))] * cycles,
    }
    return slices(columns, slice_s=0.05, **same)


def open_slices(
    p90_s: float = 0.002,
    rate_rps: float = 200.0,
    *,
    cycles: int = 3,
    slice_s: float = 0.5,
    cpu_per_request_s: float = 0.0005,
    took: float = 1.0,
    late_sends: int = 0,
    lag_max_s: float = 0.0002,
    **same: Any,
) -> Columns:
    """Slices of an open loop whose response times are spread evenly, a tenth of them above p90.

    A slice's last answer comes after `took` times its length. Late sends are those of each slice.
    """
    offered = round(rate_rps * slice_s)
    responses_us = [round(p90_s * 1e6 * (place + 0.5) / offered / 0.9) for place in range(offered)]
    columns = {
        "good": [offered] * cycles,
        "wall_s": [slice_s * took] * cycles,
        "cpu_s": [offered * cpu_per_request_s] * cycles,
        "idle_s": [max(0.0, slice_s * took - offered * cpu_per_request_s)] * cycles,
        "response_mean_s": [sum(responses_us) / offered / 1e6] * cycles,
        "response_max_s": [max(responses_us) / 1e6] * cycles,
        "first_half_good": [offered // 2] * cycles,
        "offered": [offered] * cycles,
        "late_sends": [late_sends] * cycles,
        "lag_max_s": [lag_max_s] * cycles,
        "responses_us": [responses_us] * cycles,
        "services_us": [responses_us] * cycles,
    }
    return slices(columns, slice_s=slice_s, **same)


def slices(
    columns: Mapping[str, Any],
    *,
    slice_s: float,
    errors: int = 0,
    error: str = "",
    others_use: float = 0.0,
    database_cpu_per_request_s: float = 0.0,
    generator_use: float = 0.3,
    servers: int = 2,
    connections: int = 32,
) -> Columns:
    """Columns with all that slices have. `errors` are those of the first slice; uses are shares of a core.

    `others_use` is that of each other server, `generator_use` that of the load generator.
    """
    good, wall_s = columns["good"], columns["wall_s"]
    count = len(good)
    usual = {
        "errors": [errors] + [0] * (count - 1),
        "others_cpu_s": [others_use * (servers - 1) * each_s for each_s in wall_s],
        "database_cpu_s": [database_cpu_per_request_s * each for each in good],
        "generator_cpu_s": [generator_use * each_s for each_s in wall_s],
        "connects": [0] * count,
        "offered": [0] * count,
        "late_sends": [0] * count,
        "lag_max_s": [None] * count,
        "responses_us": [[]] * count,
        "services_us": [[]] * count,
    }
    same = {"slice_s": slice_s, "servers": servers, "cores": 1, "connections": connections, "error": error}
    return {**usual, **columns, **same}


def loaded(columns: Columns, **more: Any) -> Mapping[str, Any]:
    """What `observations` makes a generation of from its slices, judged as a real one; `more` is beside that, or else.

    A `round` among it is the generation's number.
    """
    judgement = judge_slices([columns])
    said = {"state": judgement.state, "reason": judgement.reason}
    return {**said, **figures_of(columns), "slices": columns, **more}


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
    return Question("?", cells[0].figure, several, workloads)


def facts(name: str, **changes: Any) -> ModelFacts:
    """Of a model of the bench, or of a Flask model that the bench does not have."""
    registered = [model for model in MODELS if model.name == name]
    found = model_facts(registered).get(name) or ModelFacts("Flask", "other", "nothing blocks", True, True, False)
    return replace(found, **changes)
