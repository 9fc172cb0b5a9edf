"""The plan is a pure function of its arguments: generations of servers that are up together, in groups that fit."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from bench.judging.standings import TWIN_SUFFIX, baseline
from bench.measuring.plan import FEWEST_GENERATIONS, UNRANKED_GENERATIONS, Step, expected_s, make_plan
from bench.models import MODELS, find_models
from bench.scenarios import SCENARIOS
from bench.scenarios.base import Options
from bench.scenarios.bridge import MEMORY_SCENARIO
from bench.scenarios.bridge import SCENARIO as BRIDGE
from bench.scenarios.pool_setups import SETUPS
from bench.scenarios.schedule import Once, Slices

OPTIONS = Options(generations=4, seed=42)
CLASSIC, THROUGHPUT, LATENCY = (SCENARIOS[name] for name in ("classic", "throughput", "latency"))
TWIN = f"gevent{TWIN_SUFFIX}"


def names(step: Step) -> list[str]:
    """Who is measured."""
    return [contestant.name for contestant in step.contestants]


def generation(plan: Sequence[Step], number: int) -> list[list[str]]:
    """The groups of a generation."""
    return [names(step) for step in plan if step.generation == number]


def test_a_generation_has_every_model_and_the_twin_of_the_baseline() -> None:
    plan = make_plan([THROUGHPUT], find_models("classic"), replace(OPTIONS, servers_at_once=100))
    assert [step.round for step in plan] == [0, 1, 2, 3]
    assert sorted(names(plan[0])) == sorted([*(model.name for model in find_models("classic")), TWIN])
    assert all(step.in_slices for step in plan)
    assert plan[1].title == "throughput, generation 2"


def test_models_that_block_are_only_in_the_first_generations() -> None:
    plan = make_plan([THROUGHPUT], find_models("classic"), OPTIONS)
    for step in plan:
        blocking = {each.name for each in step.contestants if each.model.blocks}
        wanted = {model.name for model in find_models("classic") if model.blocks}
        assert blocking == (wanted if step.generation < UNRANKED_GENERATIONS else set())
        assert {"gevent", TWIN, "asyncio-bridge"} <= set(names(step))


@pytest.mark.parametrize("asked", ["sync,asyncio-bridge", "sync,asyncio-adapter"])
def test_the_baseline_stays_even_if_it_blocks(asked: str) -> None:
    last = make_plan([THROUGHPUT], find_models(asked), OPTIONS)[-1]
    assert names(last)[:2] == ["sync", f"sync{TWIN_SUFFIX}"]


@pytest.mark.parametrize("most", [3, 4, 7, 12])
def test_groups_are_no_larger_than_asked_and_each_has_the_baseline_and_the_first_its_twin(most: int) -> None:
    models = find_models("default")
    plan = make_plan([THROUGHPUT], models, replace(OPTIONS, servers_at_once=most))
    groups = generation(plan, 0)
    assert all(len(group) <= most and group[0] == "gevent" for group in groups)
    assert [TWIN in group for group in groups] == [True, *[False] * (len(groups) - 1)]
    others = [name for group in groups for name in group if name not in ("gevent", TWIN)]
    assert sorted(others) == sorted(model.name for model in models if model.name != "gevent")
    assert len({step.round for step in plan}) == len(plan), "servers that were not up together share no round"
    assert len(groups) == 1 or plan[1].title == "throughput, generation 1, group 2"


def test_what_goes_beyond_three_generations_may_be_left_out() -> None:
    plan = make_plan([THROUGHPUT, CLASSIC], find_models("gevent,asyncio-bridge"), replace(OPTIONS, generations=5))
    assert [step.may_be_left_out for step in plan] == [False] * FEWEST_GENERATIONS + [True] * 2 + [False] * 2


def test_scenarios_in_slices_share_their_servers_and_others_have_their_own() -> None:
    plan = make_plan([CLASSIC, THROUGHPUT, LATENCY], find_models("sync,asyncio-bridge"), OPTIONS)
    kinds = [tuple(scenario.name for scenario in step.scenarios) for step in plan]
    assert kinds == [("classic",)] * 2 + [("throughput", "latency")] * 4


def test_scenarios_that_are_measured_once_on_one_server_share_it() -> None:
    plan = make_plan(
        [SCENARIOS[name] for name in ("fanout", "neighbour")], find_models("gevent,asyncio-bridge"), OPTIONS
    )
    assert [step.title for step in plan] == ["fanout, neighbour: gevent", "fanout, neighbour: asyncio-bridge"]


def test_a_brief_plan_asks_only_wide_scenarios_of_models_beside_the_classic_six() -> None:
    beside = replace(find_models("asyncio-bridge")[0], name="beside", families=())
    models = [*find_models("gevent,asyncio-bridge"), beside]
    brief = replace(OPTIONS, brief=True)
    assert all("beside" in names(step) for step in make_plan([THROUGHPUT, LATENCY], models, brief))
    assert not any("beside" in names(step) for step in make_plan([LATENCY], models, brief))
    assert all("beside" in names(step) for step in make_plan([LATENCY], models, OPTIONS))


def test_a_quick_and_brief_plan_has_the_classic_six_only() -> None:
    beside = replace(find_models("asyncio-bridge")[0], name="beside", families=())
    plan = make_plan([THROUGHPUT], [beside, *find_models("gevent")], replace(OPTIONS, brief=True, quick=True))
    assert {name for step in plan for name in names(step)} == {"gevent", TWIN}


def test_the_bridge_has_no_twin_and_its_memory_is_measured_once_on_servers_of_its_own() -> None:
    plan = make_plan([BRIDGE, MEMORY_SCENARIO], find_models("asyncio-bridge-best,gevent,quart-best"), OPTIONS)
    assert [names(step) for step in plan] == [["gevent", "asyncio-bridge-best", "quart-best"]] * 4 + [
        ["asyncio-bridge-best"],
        ["gevent"],
    ]


def test_every_step_has_an_id_of_its_own() -> None:
    plan = make_plan(list(SCENARIOS.values()), MODELS, OPTIONS)
    assert len({step.id for step in plan}) == len(plan)
    assert make_plan(list(SCENARIOS.values()), MODELS, OPTIONS) == plan


def test_a_step_is_expected_to_take_longer_with_more_servers_and_more_cycles() -> None:
    few, many = (
        make_plan([THROUGHPUT], find_models(asked), OPTIONS)[0] for asked in ("gevent", "gevent,asyncio-bridge")
    )
    assert 0 < expected_s(few, OPTIONS) < expected_s(many, OPTIONS) < expected_s(many, replace(OPTIONS, cycles=20))


@pytest.mark.parametrize(
    ("asked", "expected"), [("sync,gevent", "gevent"), ("asyncio-bridge,sync", "asyncio-bridge"), ("gevent", "gevent")]
)
def test_the_baseline_is_gevent_or_the_first(asked: str, expected: str) -> None:
    assert baseline(asked.split(",")) == expected


def test_a_scenario_only_has_steps_for_models_it_applies_to_and_one_for_each_setup() -> None:
    scenario = replace(CLASSIC, name="x", asks=lambda model, workload: model.name != "sync", schedule=Once(SETUPS[:2]))
    plan = make_plan([scenario], find_models("sync,gevent"), OPTIONS)
    assert [(names(step), step.setup) for step in plan] == [(["gevent"], setup) for setup in SETUPS[:2]]
    none = replace(THROUGHPUT, asks=lambda model, workload: False, schedule=Slices(lambda generation, workload: {}))
    assert make_plan([none], find_models("sync,gevent"), OPTIONS) == []


def test_matched_pairs_have_servers_of_their_own_and_their_generations_take_turns() -> None:
    brief = replace(OPTIONS, brief=True)
    plan = make_plan([THROUGHPUT, SCENARIOS["pairs"]], find_models("default"), brief)
    assert [step.scenarios[0].name for step in plan] == ["throughput", "pairs"] * OPTIONS.generations
    assert len({step.id for step in plan}) == len(plan)
    stacks, pairs = (set(names(step)) for step in plan[:2])
    assert {"gevent-raw", "asyncio-raw", "gevent", TWIN, "asyncio-bridge", "asyncio-databases"} <= pairs
    assert "gevent-raw" not in stacks
    assert {"sync", "gthread"} <= stacks
    assert not {"sync", "gthread"} & pairs


def test_a_quick_plan_has_no_pairs_unless_models_are_named() -> None:
    quick = replace(OPTIONS, brief=True, quick=True)
    assert make_plan([SCENARIOS["pairs"]], find_models("default"), quick) == []
    named = make_plan([SCENARIOS["pairs"]], find_models("gevent-raw,asyncio-raw"), replace(quick, brief=False))
    assert set(names(named[0])) == {"gevent-raw", f"gevent-raw{TWIN_SUFFIX}", "asyncio-raw"}
