"""`python -m bench bridge`: what is measured for whom, when a target is met, and its exit code.

The floor is a model of its own; where only names matter here, it need not be there.
"""

import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner
from generators import OneOff

from bench.cli import cli
from bench.commands import bridge as command
from bench.errors import BenchError
from bench.judging.statistics import RatioInterval
from bench.judging.validity import VALID
from bench.measuring.plan import make_plan
from bench.models import Model, find_models
from bench.results import Cell, Run
from bench.scenarios import SCENARIOS, scale
from bench.scenarios.base import Contestant, MeasurementContext, Options, Workload
from bench.scenarios.bridge import (
    BRIDGE,
    CPU,
    EMPTY,
    LOADS,
    MEMORY_SCENARIO,
    MODELS,
    SCENARIO,
    SLEEPERS,
    TARGETS,
    WAITING,
    Comparison,
    Target,
    all_met,
    comparisons,
    measure_waiting,
    threads,
)
from bench.scenarios.throughput import ONE_READ
from bench.testbed.servers.life import Server
from bench.testbed.testbed import TestBed
from tests.judged_runs import judged_of, run_of
from tests.observations import closed_slices, loaded, observations

FLOOR = "asyncio-floor-best"
GENERATIONS = 3


def model(name: str) -> Model:
    """One that is asked as if it had that name."""
    return replace(find_models(BRIDGE)[0], name=name)


def asked(name: str) -> list[str]:
    """The workloads that are put to a model."""
    return [
        workload.name
        for scenario in (SCENARIO, MEMORY_SCENARIO)
        for workload in scenario.workloads(Options())
        if scenario.asks(model(name), workload)
    ]


def cells(ratio: float, many_threads: int = 1) -> list[Cell]:
    """A cell for each workload and model; the bridge has so many times the others' figures."""
    return [cell(workload, name, ratio, many_threads) for name in MODELS for workload in asked(name)]


def cell(workload: str, name: str, ratio: float, many_threads: int) -> Cell:
    """Slices in each of three generations, or memory that was measured once."""
    factor = ratio if name == BRIDGE else 1.0
    if workload == WAITING.name:
        once = observations({scale.MEMORY: 18_000.0 * factor, "threads": many_threads})
        return Cell(MEMORY_SCENARIO.name, name, {"name": workload}, scale.MEMORY, (), {}, once)
    measured = loaded(closed_slices(1000.0, 0.000_111_1 * factor), threads=1)
    return Cell(SCENARIO.name, name, {"name": workload}, CPU, (), {}, observations(*[measured] * GENERATIONS))


def test_the_models_are_the_bridge_and_what_it_is_compared_to() -> None:
    assert sorted(MODELS) == sorted((BRIDGE, FLOOR, "gevent", "quart-best", "fastapi-best"))
    assert MODELS[0] == BRIDGE
    assert not {SCENARIO.name, MEMORY_SCENARIO.name} & SCENARIOS.keys()


def test_a_model_is_asked_what_it_has_a_target_for() -> None:
    assert asked(BRIDGE) == asked("gevent") == [*LOADS, WAITING.name]
    assert asked("quart-best") == asked("fastapi-best") == list(LOADS)
    assert asked(FLOOR) == [EMPTY]


def test_all_are_up_at_once_and_memory_is_measured_once_on_fresh_servers() -> None:
    plan = make_plan([SCENARIO, MEMORY_SCENARIO], [model(name) for name in MODELS], Options(generations=GENERATIONS))
    *generations, first, second = plan
    assert [{each.name for each in step.contestants} for step in generations] == [set(MODELS)] * GENERATIONS
    assert [step.contestants[0].name for step in (first, second)] == [BRIDGE, "gevent"]


@pytest.mark.parametrize(
    ("ratio", "unmet"),
    [
        (0.69, set()),
        (0.71, {("gevent", EMPTY), ("gevent", ONE_READ), ("gevent", SLEEPERS.name)}),
        (0.81, {("gevent", name) for name in LOADS}),
        (1.06, {(other, name) for other in ("gevent", "quart-best") for name in LOADS} | {("gevent", WAITING.name)}),
        (
            1.41,
            {(other, name) for other in ("gevent", "quart-best") for name in LOADS}
            | {("gevent", WAITING.name), (FLOOR, EMPTY)},
        ),
    ],
)
def test_a_target_is_met_up_to_its_ratio(ratio: float, unmet: set[tuple[str, str]]) -> None:
    judged = judged_of(*cells(ratio)).cells
    found = comparisons(judged, 1)
    assert {(row.target.other, row.target.workload) for row in found if row.met is False} == unmet
    assert [row.target.other for row in found if row.met is None] == ["fastapi-best"] * len(LOADS), (
        "shown, and no target"
    )
    assert all(row.ratio == pytest.approx(ratio) for row in found)
    assert [row.interval is None for row in found] == [row.target.workload == WAITING.name for row in found]
    assert all_met(judged, 1) == (not unmet)


@pytest.mark.parametrize(
    ("ratio", "low", "high", "met", "is_open"),
    [(0.69, 0.66, 0.72, True, False), (0.71, 0.69, 0.73, True, True), (0.73, 0.71, 0.75, False, False)],
)
def test_a_target_is_missed_only_if_the_whole_interval_is_above_it(
    ratio: float, low: float, high: float, met: bool, is_open: bool
) -> None:
    row = Comparison(
        Target(EMPTY, "gevent", 0.70), ratio, 1.0, RatioInterval(ratio=ratio, low=low, high=high, generations=3)
    )
    assert (row.met, row.open) == (met, is_open)


def test_threads_may_not_grow() -> None:
    assert threads(judged_of(*cells(0.3, many_threads=2)).cells) == (1, 2)
    assert not all_met(judged_of(*cells(0.3, many_threads=2)).cells, 1)


@pytest.mark.parametrize(("state", "unmet"), [("ERRORS", {"quart-best", FLOOR}), ("UNSTABLE", {FLOOR})])
def test_what_failed_or_is_missing_is_not_met(state: str, unmet: set[str]) -> None:
    """A load that was not steady still says what a request cost."""
    every = {one.key: one for one in cells(0.3) if one.model != FLOOR}
    for key, one in every.items():
        if one.model == "quart-best":
            spoilt = tuple(replace(each, state=state, reason="why", raw={}) for each in one.observations)
            every[key] = replace(one, observations=spoilt)
    found = judged_of(*every.values()).cells
    assert {row.target.other for row in comparisons(found, 1) if row.met is False} == unmet
    assert not all_met(found, 1)
    assert not all_met([], 1)


def test_comparisons_stand_in_the_order_of_the_loads() -> None:
    found = [row.target.workload for row in comparisons(judged_of(*cells(0.5)).cells, 1)]
    order = (*LOADS, WAITING.name)
    assert found == sorted(found, key=order.index)
    assert len(found) == len(TARGETS)


def test_memory_is_that_of_requests_that_wait(serve: Callable[[str], Server], test_bed: TestBed) -> None:
    server = serve("asyncio-bridge")
    context = MeasurementContext(
        Contestant("asyncio-bridge", server.model),
        server,
        test_bed,
        Options(),
        random.Random(1),
        OneOff(),
        lambda _: None,
    )
    reading = measure_waiting(context, Workload("some sleepers", {"requests": 100, "seconds": 0.5}))
    assert reading.judgement == VALID, reading.judgement.reason
    assert reading.figures["threads"] >= 1
    assert scale.MEMORY in reading.figures


@pytest.mark.parametrize(("ratio", "code"), [(0.5, 0), (0.9, 1)])
def test_the_exit_code_follows_the_targets(
    ratio: float, code: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    given: list[str] = []

    def measured(name: str, scenarios: object, options: dict[str, object], conclude: object) -> Run:
        given.append(str(options["models"]))
        return run_of(*cells(ratio), folder=tmp_path)

    monkeypatch.setattr(command, "measure", measured)
    assert CliRunner().invoke(cli, ["bridge"]).exit_code == code
    assert given == [",".join(MODELS)]


@pytest.mark.parametrize(
    "arguments", [["--generations", "0"], ["--slice-s", "nan"], ["--models", "sync"], ["--rounds", "6"], ["x"]]
)
def test_bad_input_is_refused(arguments: list[str]) -> None:
    done = CliRunner().invoke(cli, ["bridge", *arguments])
    assert done.exit_code == 2
    assert not isinstance(done.exception, BenchError)
