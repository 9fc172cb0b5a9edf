"""The plan is a pure function of its arguments: fresh servers, interleaved rounds, one A/A twin."""

from dataclasses import replace

import pytest

from bench.judging.standings import baseline
from bench.measuring.plan import Step, make_plan
from bench.models import MODELS, find_models
from bench.scenarios import SCENARIOS
from bench.scenarios.base import Options
from bench.scenarios.pool_setups import SETUPS
from bench.scenarios.schedule import Once, Rounds
from bench.scenarios.throughput import SCENARIO as THROUGHPUT

OPTIONS = Options(rounds=6, seed=42)
PREPARED = replace(THROUGHPUT, name="prepared", schedule=Rounds(prepare=lambda context: {}))
CLASSIC = SCENARIOS["classic"]


def rounds_of(plan: list[Step]) -> dict[int, list[str]]:
    """The contestants of each round, in order."""
    rounds: dict[int, list[str]] = {}
    for step in plan:
        rounds.setdefault(step.round, []).append(step.contestant.name)
    return rounds


def test_every_round_has_every_model_and_the_twin_of_the_baseline_once() -> None:
    rounds = rounds_of(make_plan([THROUGHPUT], MODELS, OPTIONS))
    assert list(rounds) == [0, 1, 2, 3, 4, 5]
    for contestants in rounds.values():
        assert sorted(contestants) == sorted([*(model.name for model in MODELS), "gevent (again)"])


def test_every_round_has_an_order_of_its_own_drawn_from_the_seed() -> None:
    plan = make_plan([THROUGHPUT], MODELS, OPTIONS)
    orders = {tuple(contestants) for contestants in rounds_of(plan).values()}
    assert len(orders) >= 5
    assert make_plan([THROUGHPUT], MODELS, OPTIONS) == plan
    assert make_plan([THROUGHPUT], MODELS, replace(OPTIONS, seed=43)) != plan


def test_compared_scenarios_share_their_servers_and_others_have_their_own() -> None:
    plan = make_plan([CLASSIC, THROUGHPUT, PREPARED], find_models("sync,asyncio"), OPTIONS)
    kinds = [tuple(scenario.name for scenario in step.scenarios) for step in plan]
    assert kinds.count(("throughput", "prepared")) == 3 * 6
    assert kinds.count(("classic",)) == 2
    assert kinds.count(("prepared",)) == 2
    assert kinds.index(("prepared",)) < kinds.index(("throughput", "prepared"))


def test_a_brief_plan_asks_only_wide_scenarios_of_models_beside_the_classic_six() -> None:
    beside = replace(find_models("asyncio")[0], name="beside", families=())
    models = [*find_models("gevent,asyncio"), beside]
    narrow = replace(THROUGHPUT, name="narrow", wide=False)
    plan = make_plan([THROUGHPUT, narrow], models, replace(OPTIONS, brief=True))
    asked = {(step.contestant.name, scenario.name) for step in plan for scenario in step.scenarios}
    assert asked >= {("gevent", "throughput"), ("gevent", "narrow"), ("beside", "throughput")}
    assert ("beside", "narrow") not in asked
    assert all(len(step.scenarios) == 2 for step in make_plan([THROUGHPUT, narrow], models, OPTIONS))


def test_a_quick_and_brief_plan_has_the_classic_six_only() -> None:
    beside = replace(find_models("asyncio")[0], name="beside", families=())
    plan = make_plan([THROUGHPUT], [beside, *find_models("gevent")], replace(OPTIONS, brief=True, quick=True))
    assert {step.contestant.name for step in plan} == {"gevent"}


def test_a_quick_plan_prepares_nothing_and_has_no_twin() -> None:
    plan = make_plan([THROUGHPUT, PREPARED], find_models("gevent,asyncio"), replace(OPTIONS, quick=True))
    assert not any(step.preparing for step in plan)
    assert {step.contestant.name for step in plan} == {"gevent", "asyncio"}


def test_every_step_has_an_id_of_its_own() -> None:
    plan = make_plan([CLASSIC, THROUGHPUT, PREPARED], MODELS, OPTIONS)
    assert len({step.id for step in plan}) == len(plan)


@pytest.mark.parametrize(
    ("names", "expected"), [("sync,gevent", "gevent"), ("asyncio,sync", "asyncio"), ("gevent", "gevent")]
)
def test_the_baseline_is_gevent_or_the_first(names: str, expected: str) -> None:
    assert baseline(names.split(",")) == expected


def test_a_scenario_only_has_steps_for_models_it_applies_to_and_one_for_each_setup() -> None:
    scenario = replace(CLASSIC, name="x", asks=lambda model, workload: model.name != "sync", schedule=Once(SETUPS[:2]))
    plan = make_plan([scenario], find_models("sync,gevent"), OPTIONS)
    assert [(step.contestant.name, step.setup) for step in plan] == [("gevent", setup) for setup in SETUPS[:2]]
