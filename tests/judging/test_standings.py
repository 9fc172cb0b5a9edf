"""Who is ranked, against whom, and what the sentence beneath a table may say."""

from dataclasses import replace
from math import nan

import pytest

from bench.judging import judge
from bench.judging.phrases import sentence
from tests.judged_runs import LEVEL, ONE_READ, judged_of, rates, run_of, times, workload_of
from tests.observations import facts

BASE = (100, 102, 98, 101, 99, 100)
TWIN = (101, 100, 99, 102, 98, 101)
FAST = (200, 205, 199, 201, 198, 202)
NEAR = (101, 103, 99, 100, 100, 101)
BOTH = {"gevent": BASE, "gevent (again)": TWIN}


def test_models_that_cannot_be_told_apart_share_a_rank_and_the_twin_has_none() -> None:
    found = workload_of({**BOTH, "asyncio": FAST, "other": NEAR})
    assert found.ranks == {"gevent": 2, "asyncio": 1, "other": 2}
    assert found.twin is not None
    assert found.place(found.twin) == "A/A"


def test_too_few_rounds_in_common_are_not_comparable_and_never_a_tie() -> None:
    """Four of six rounds are in both: the models are 1 to 3, and nobody may call that a tie."""
    found = workload_of({"slow": [100, 101, nan, 100, 102, 99], "fast": [300, 301, 299, 300, nan, 302]})
    assert found.ranks == {}
    outcome = found.outcome("fast", "slow")
    assert (outcome.kind, outcome.reason) == ("not comparable", "4 rounds of both, and 5 are needed")
    assert {found.place(cell) for cell in found.cells.values()} == {"–"}


def test_one_model_that_cannot_be_compared_costs_the_others_nothing() -> None:
    found = workload_of({"slow": BASE, "fast": FAST, "gaps": [nan, 300, 301, 299, 300, 302][:5]})
    assert found.ranks == {"fast": 1, "slow": 2}


def test_a_model_with_nothing_to_compare_it_to_is_not_best() -> None:
    assert workload_of({"gevent": LEVEL}).ranks == {}
    assert workload_of({"gevent": LEVEL, "quart": times(2)}).ranks == {}


def test_a_round_that_is_set_aside_is_in_no_ratio() -> None:
    found = workload_of({**BOTH, "asyncio": [*FAST[:2], nan, *FAST[3:]]})
    assert found.ranks["asyncio"] == 1
    interval = found.interval("asyncio", "gevent")
    assert interval is not None
    assert (interval.rounds, interval.ratio) == (5, pytest.approx(2, rel=0.02))


def test_an_invalid_cell_is_never_ranked_whatever_its_figures() -> None:
    errors = rates("broken", [9000] * 6, state="ERRORS")
    wild = rates("wild", [100, 500, 100, 500, 100, 500])
    (found,) = judged_of(rates("gevent", BASE), rates("asyncio", NEAR), errors, wild).workloads
    assert set(found.ranks) == {"gevent", "asyncio"}
    assert found.outcome("broken", "gevent").reason == "broken is not valid: errors"
    assert found.cells["wild"].judgement.state == "UNSTABLE"


def test_few_rounds_give_ratios_and_no_winner() -> None:
    found = workload_of({name: values[:2] for name, values in {**BOTH, "asyncio": FAST}.items()})
    assert (found.floor, found.ranks) == (None, {})
    assert found.interval("asyncio", "gevent") is not None
    assert found.outcome("asyncio", "gevent").kind == "not comparable"
    assert "no model is named best" in sentence(found, "answers")


def test_a_noisy_aa_pair_widens_the_margin_of_all() -> None:
    assert workload_of({**BOTH, "asyncio": FAST}).margin == 1.05
    unstable = workload_of({"gevent": BASE, "gevent (again)": (150, 60, 150, 60, 150, 60), "asyncio": FAST})
    assert unstable.floor is None
    restless = workload_of(
        {"gevent": BASE, "gevent (again)": (120, 95, 120, 95, 120, 95), "near": (112, 114, 110, 113, 111, 112)}
    )
    assert restless.margin > 1.05
    outcome = restless.outcome("near", "gevent")
    assert outcome.kind == "not told apart"
    assert outcome.reason.startswith("the A/A pair differs by")


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"framework": "Quart"}, "Quart"),
        ({"framework": ""}, "no framework"),
        ({"trap": True}, "trap"),
        ({"database_waits_overlap": False}, "blocks"),
        ({"python_waits_overlap": False}, "blocks"),
        ({}, "1"),
    ],
)
def test_other_frameworks_traps_and_what_blocks_are_shown_and_not_ranked(
    changes: dict[str, object], place: str
) -> None:
    run = run_of(rates("gevent", BASE), rates("asyncio", NEAR), rates("fastest", FAST))
    run.models["fastest"] = facts("fastest", **changes)
    (found,) = judge(run).workloads
    assert found.place(found.cells["fastest"]) == place
    assert found.outcome("fastest", "gevent").kind == "better"
    assert [found.ranks[name] for name in ("gevent", "asyncio")] == ([2, 2] if place == "1" else [1, 1])


def test_a_flask_app_on_another_stack_is_ranked_like_any_other() -> None:
    """Of the registry, not made up: these two serve Flask in the bridge, and only their files lie elsewhere."""
    for name in ("asyncio-asyncpg", "asyncio-sqlalchemy"):
        assert workload_of({"gevent": BASE, name: FAST}).ranks == {name: 1, "gevent": 2}


def test_what_the_classic_measured_of_waits_counts_and_not_what_is_claimed() -> None:
    waits = replace(
        rates("gevent", [1.0], "5 × 1 s", scenario="classic"),
        workload={"name": "5 × 1 s", "seconds": 1.0, "requests": 5},
        observations=tuple(
            replace(one, figures={"python_s": 1.0, "database_s": 5.0, "total_s": 6.0})
            for one in rates("gevent", [1.0]).observations
        ),
    )
    found = judged_of(rates("gevent", FAST), rates("asyncio", BASE), rates("third", BASE), waits)
    (workload,) = [one for one in found.workloads if one.name == ONE_READ]
    assert workload.place(workload.cells["gevent"]) == "blocks"


def test_the_sentence_names_the_winner_the_ratio_and_absolute_figures() -> None:
    said = sentence(workload_of({**BOTH, "asyncio": FAST}), "answers")
    assert said.startswith("GET /queries/?count=1: asyncio leads in answers; asyncio has 2.0")
    assert said.endswith("times those of gevent, 200 against 100 req/s.")
    tie = sentence(workload_of({**BOTH, "other": NEAR}), "answers")
    assert tie.startswith("GET /queries/?count=1: gevent and other lead, equal within 5 %, in answers")


def test_workloads_and_scenarios_stand_in_the_runs_order_however_rounds_were_shuffled() -> None:
    names = ("POST /todos/", "GET /", "GET /todos/", ONE_READ)
    run = run_of(*(rates("gevent", LEVEL, name) for name in names), rates("asyncio", LEVEL, "something new"))
    found = [workload.name for workload in judge(run).workloads]
    assert found == ["GET /", ONE_READ, "GET /todos/", "POST /todos/", "something new"]
