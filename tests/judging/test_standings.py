"""Who is ranked, against whom, and what the sentence beneath a table may say."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from bench.judging.standings import sentence, standings
from bench.results import Cell
from tests.observations import observations

WORKLOAD = "GET /"


def cell(model: str, values: Sequence[float], state: str = "VALID") -> Cell:
    """A cell of one figure."""
    rounds = tuple({"round": n, "state": state, "reason": "", "rate": value} for n, value in enumerate(values))
    return Cell("s", model, {"name": WORKLOAD}, "rate", (), {}, 0.6, observations(*rounds))


BASE = cell("gevent", [100, 102, 98, 101, 99, 100])
TWIN = cell("gevent (again)", [101, 100, 99, 102, 98, 101])
FAST = cell("asyncio", [200, 205, 199, 201, 198, 202])
NEAR = cell("other", [101, 103, 99, 100, 100, 101])


def of(*cells: Cell) -> dict[str, int | None]:
    """Ranks by model."""
    found = standings(cells, WORKLOAD, "rate", higher_is_better=True)
    return {name: standing.rank for name, standing in found.models.items()}


def test_models_that_cannot_be_told_apart_share_a_rank_and_the_twin_has_none() -> None:
    assert of(BASE, TWIN, FAST, NEAR) == {"gevent": 2, "gevent (again)": None, "asyncio": 1, "other": 2}


def test_a_round_that_is_set_aside_is_in_no_ratio() -> None:
    before, after = FAST.observations[:2], FAST.observations[3:]
    saturated = replace(FAST.observations[2], state="SATURATED", figures={"rate": 1})
    spoilt = replace(FAST, observations=(*before, saturated, *after))
    found = standings([BASE, TWIN, spoilt], WORKLOAD, "rate", higher_is_better=True).models["asyncio"]
    assert found.rank == 1
    assert found.comparison is not None
    assert found.comparison.interval.rounds == 5
    assert found.comparison.interval.ratio == pytest.approx(2, rel=0.02)


def test_an_invalid_cell_is_never_ranked_whatever_its_figures() -> None:
    errors = cell("broken", [9000, 9000, 9000, 9000, 9000, 9000], state="ERRORS")
    assert of(BASE, TWIN, errors)["broken"] is None
    assert of(BASE, TWIN, errors)["gevent"] == 1
    unstable = cell("wild", [100, 500, 100, 500, 100, 500])
    assert of(BASE, TWIN, unstable)["wild"] is None


def test_few_rounds_give_ratios_and_no_winner() -> None:
    few = [replace(one, observations=one.observations[:2]) for one in (BASE, TWIN, FAST)]
    found = standings(few, WORKLOAD, "rate", higher_is_better=True)
    assert found.floor is None
    assert {standing.rank for standing in found.models.values()} == {None}
    comparison = found.models["asyncio"].comparison
    assert comparison is not None
    assert not comparison.differs
    assert "too few valid rounds" in sentence(few, WORKLOAD, "rate", higher_is_better=True, what="answers")


def test_a_noisy_aa_pair_widens_the_margin_of_all() -> None:
    noisy = cell("gevent (again)", [150, 60, 150, 60, 150, 60][:6])
    calm = standings([BASE, TWIN, FAST], WORKLOAD, "rate", higher_is_better=True)
    assert calm.margin == 1.05
    assert standings([BASE, noisy, FAST], WORKLOAD, "rate", higher_is_better=True).floor is None  # UNSTABLE: no pair
    restless = cell("gevent (again)", [120, 95, 120, 95, 120, 95])
    found = standings([BASE, restless, FAST, cell("near", [112, 114, 110, 113, 111, 112])], WORKLOAD, "rate",
                      higher_is_better=True)  # fmt: skip
    assert found.margin > 1.05
    assert found.models["near"].comparison is not None
    assert not found.models["near"].comparison.differs


def test_a_round_that_failed_takes_its_model_out_and_not_the_others() -> None:
    short = cell("short", [300, 300, 300])
    assert of(BASE, TWIN, FAST, short)["short"] is None
    assert of(BASE, TWIN, FAST, short)["asyncio"] == 1


def test_the_sentence_names_the_winner_the_ratio_and_its_interval() -> None:
    said = sentence([BASE, TWIN, FAST], WORKLOAD, "rate", higher_is_better=True, what="answers")
    assert said.startswith("GET /: asyncio leads in answers; asyncio has 2.0")
    assert "times those of gevent (" in said
    tie = sentence([BASE, TWIN, NEAR], WORKLOAD, "rate", higher_is_better=True, what="answers")
    assert tie.startswith("GET /: gevent and other lead, not told apart, in answers")
