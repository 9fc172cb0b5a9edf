"""Who is ranked, and against whom."""

import pytest

from bench.judging import judge
from bench.results import Cell
from tests.judged_runs import LEVEL, ONE_READ, judged_of, rates, run_of, times, workload_of
from tests.observations import facts, observations

BASE = (100, 102, 98, 101, 99, 100)
TWIN = (101, 100, 99, 102, 98, 101)
FAST = (200, 205, 199, 201, 198, 202)
NEAR = (101, 103, 99, 100, 100, 101)
BOTH = {"gevent": BASE, "gevent (again)": TWIN}


def test_models_that_cannot_be_told_apart_share_a_rank_and_the_twin_has_none() -> None:
    found = workload_of({**BOTH, "asyncio-bridge": FAST, "other": NEAR})
    assert found.ranks == {"gevent": 2, "asyncio-bridge": 1, "other": 2}
    assert found.twin is not None
    assert found.place(found.twin) == "A/A"


def test_too_few_generations_are_not_comparable_and_never_a_tie() -> None:
    """The models are 1 to 3, and nobody may call that a tie."""
    found = workload_of({"slow": [100, 101], "fast": [300, 301]})
    assert found.ranks == {}
    outcome = found.outcome("fast", "slow")
    assert (outcome.kind, outcome.reason) == ("not comparable", "2 generations of both, and 3 are needed")
    assert {found.place(cell) for cell in found.cells.values()} == {"–"}
    assert found.interval("fast", "slow") is not None


def test_one_model_that_cannot_be_compared_costs_the_others_nothing() -> None:
    found = workload_of({"slow": BASE, "fast": FAST, "late": [300, 301]})
    assert found.ranks == {"fast": 1, "slow": 2}


def test_a_model_with_nothing_to_compare_it_to_is_not_best() -> None:
    assert workload_of({"gevent": LEVEL}).ranks == {}
    assert workload_of({"gevent": LEVEL, "quart": times(2)}).ranks == {}


def test_an_invalid_cell_is_never_ranked_whatever_its_figures() -> None:
    broken, limited = rates("broken", [9000.0] * 6, errors=1), rates("limited", [8000.0] * 6, generator_use=0.9)
    (found,) = judged_of(rates("gevent", BASE), rates("asyncio-bridge", NEAR), broken, limited).workloads
    assert set(found.ranks) == {"gevent", "asyncio-bridge"}
    assert found.outcome("broken", "gevent").reason == "broken is not valid: errors"
    assert found.place(found.cells["limited"]) == "–"
    assert found.cells["limited"].judgement.state == "GENERATOR-LIMITED"


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"framework": "Quart"}, "Quart"),
        ({"framework": ""}, "no framework"),
        ({"trap": True}, "trap"),
        ({"floor": True}, "floor"),
        ({"database_waits_overlap": False}, "blocks"),
        ({"python_waits_overlap": False}, "blocks"),
        ({}, "1"),
    ],
)
def test_other_frameworks_traps_floors_and_what_blocks_are_shown_and_not_ranked(
    changes: dict[str, object], place: str
) -> None:
    run = run_of(rates("gevent", BASE), rates("asyncio-bridge", NEAR), rates("fastest", FAST))
    run.models["fastest"] = facts("fastest", **changes)
    (found,) = judge(run).workloads
    assert found.place(found.cells["fastest"]) == place
    assert found.outcome("fastest", "gevent").kind == "better"
    assert [found.ranks[name] for name in ("gevent", "asyncio-bridge")] == ([2, 2] if place == "1" else [1, 1])


def test_a_flask_app_on_another_stack_is_ranked_like_any_other() -> None:
    """Of the registry, not made up: these two serve Flask in the bridge, and only their files lie elsewhere."""
    for name in ("asyncio-asyncpg", "asyncio-sqlalchemy"):
        assert workload_of({"gevent": BASE, name: FAST}).ranks == {name: 1, "gevent": 2}


def test_what_the_classic_measured_of_waits_counts_and_not_what_is_claimed() -> None:
    burst = {"python_s": 1.0, "database_s": 5.0, "total_s": 6.0}
    classic = Cell("classic", "gevent", {"name": "5 × 1 s", "seconds": 1.0, "requests": 5}, "total_s", (), {},
                   observations(burst))  # fmt: skip
    found = judged_of(rates("gevent", FAST), rates("asyncio-bridge", BASE), rates("third", BASE), classic)
    (workload,) = [one for one in found.workloads if one.name == ONE_READ]
    assert workload.place(workload.cells["gevent"]) == "blocks"


def test_workloads_and_scenarios_stand_in_the_runs_order_however_they_were_shuffled() -> None:
    names = ("POST /todos/", "GET /", "GET /todos/", ONE_READ)
    run = run_of(*(rates("gevent", LEVEL, name) for name in names), rates("asyncio-bridge", LEVEL, "something new"))
    found = [workload.name for workload in judge(run).workloads]
    assert found == ["GET /", ONE_READ, "GET /todos/", "POST /todos/", "something new"]
