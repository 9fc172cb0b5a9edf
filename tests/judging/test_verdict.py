"""The verdict names a best model only where none is as good, starts with what decides, and says how sure it is."""

import random
from dataclasses import replace
from math import nan
from pathlib import Path

import pytest

from bench.judging import Judged, Verdict, judge
from bench.results import Cell
from tests.judged_runs import KINDS, LEVEL, ONE_READ, judged_of, rates, run_of, times
from tests.observations import facts, observations
from tests.report_runs import ODD, cell, sample_run

WIDE = (1000.0, 1300.0, 800.0, 1250.0, 790.0, 1100.0)
WAITS = {"name": "5 × 1 s", "seconds": 1.0, "requests": 5}


def of(measured: dict[str, tuple[float, ...]]) -> Verdict:
    """The verdict of a run that has one workload."""
    return judged_of(*(rates(model, values) for model, values in measured.items())).verdict


@pytest.mark.parametrize(
    ("measured", "winner", "ahead", "says"),
    [
        ({"gevent": LEVEL, "asyncio": times(2)}, "asyncio", "2.00 (2.00–2.00) × gevent",
         "asyncio answers most requests a second for one small database read: 2.00 (2.00–2.00) times gevent's "
         "(2,000 against 1,000 req/s)."),
        ({"gevent": LEVEL, "asyncio": LEVEL[::-1]}, "equal within 5 %: gevent and asyncio", "",
         "No difference: gevent and asyncio are equal within 5 % for one small database read."),
        ({"gevent": LEVEL, "asyncio": WIDE}, "not told apart: gevent and asyncio", "",
         "gevent and asyncio are not told apart for one small database read."),
        ({"gevent": LEVEL, "asyncio": times(0.5)}, "gevent", "2.00 (2.00–2.00) × asyncio",
         "gevent answers most requests a second for one small database read: 2.00 (2.00–2.00) times asyncio's"),
        ({"gevent": LEVEL, "asyncio": times(2), "asyncio-uvloop": times(2)},
         "equal within 5 %: asyncio and asyncio-uvloop", "2.00 (2.00–2.00) × gevent",
         "asyncio and asyncio-uvloop answer most requests a second for one small database read, equal within 5 % among "
         "themselves: 2.00"),
        ({"gevent": LEVEL}, "only gevent could be judged", "",
         "Nothing can be said of one small database read (only gevent could be judged)."),
        ({"gevent": LEVEL[:2], "asyncio": (5000.0, 5001.0)}, "2 rounds of both, and 5 are needed", "",
         "No model is named best: each load was measured in 2 rounds, and 5 are needed; these figures are a first "
         "look."),
        ({"gevent": (1000, 1010, nan, 1000, 1020, 990), "asyncio": (3000, 3010, 2990, 3000, nan, 3020)},
         "too few rounds in common", "", "Nothing can be said of one small database read (too few rounds in common)."),
        ({"gevent": (0.0,) * 6, "asyncio": (0.0,) * 6}, "0 rounds of both, and 5 are needed", "",
         "Nothing can be said of one small database read"),
    ],
)  # fmt: skip
def test_who_is_named_follows_from_the_rounds(
    measured: dict[str, tuple[float, ...]], winner: str, ahead: str, says: str
) -> None:
    found = of(measured)
    assert [(row.winner, row.ahead) for row in found.rows] == [(winner, ahead)]
    assert found.sentences[1].startswith(says)


def five_kinds(asyncio: dict[str, tuple[float, ...]]) -> Judged:
    """A run of all five kinds of work: gevent level in all of them, asyncio as given."""
    cells = [cell for name in KINDS for cell in (rates("gevent", LEVEL, name), rates("asyncio", asyncio[name], name))]
    return judged_of(*cells)


def test_a_tie_in_all_kinds_of_work_names_nobody_as_best() -> None:
    """The headline once said of such a run that asyncio answers most requests a second."""
    found = five_kinds({name: LEVEL[::-1] if place < 3 else WIDE for place, name in enumerate(KINDS)}).verdict
    assert found.sentences[1] == (
        "No difference: gevent and asyncio are equal within 5 % in 3 kinds of work, not told apart in 2 kinds of work."
    )
    assert not any("most" in sentence or "best" in sentence for sentence in found.sentences)
    assert {row.kind for row in found.rows} == {"equal", "not told apart"}


def test_each_models_wins_are_told_with_the_smallest_and_the_largest_ratio() -> None:
    factors = dict(zip(KINDS, (2.0, 1.5, 0.5, 1.0, 1.8), strict=True))
    said = five_kinds({name: times(factor) for name, factor in factors.items()}).verdict.sentences[1]
    assert said == (
        "asyncio answers most requests a second in 3 of 5 kinds of work: from 1.50 (1.50–1.50) times gevent's "
        "(1,500 against 1,000 req/s) to 2.00 (2.00–2.00) times gevent's (2,000 against 1,000 req/s); "
        "gevent answers most requests a second in 1 of 5 kinds of work (twenty database reads): 2.00 (2.00–2.00) times "
        "asyncio's (1,000 against 500 req/s); "
        "no difference: gevent and asyncio are equal within 5 % for a list of 50 rows."
    )


def test_a_blocking_model_is_called_that_and_wins_nothing() -> None:
    """It is fastest where nothing waits, which is no reason to deploy it."""
    found = of({"gevent": LEVEL, "asyncio": LEVEL[::-1], "asyncio-blocking-db": times(2)})
    assert found.rows[0].best == ("gevent", "asyncio")
    assert found.sentences[0] == (
        "Requests that wait are served at the same time with gevent and asyncio; one after the other with "
        "asyncio-blocking-db (in the database), which blocks and is not ranked."
    )


def test_traps_and_other_frameworks_never_win() -> None:
    found = of({"gevent": LEVEL, "asyncio": LEVEL[::-1], "quart": times(9), "asyncio-threads-leaking": times(9)})
    assert "quart" not in str(found.rows)
    assert any("quart is in the tables" in text for text in found.not_said)
    run = run_of(rates("gevent", LEVEL), rates("asyncio", LEVEL), rates("odd", times(9)))
    run.models["odd"] = facts("odd", trap=True)
    assert judge(run).verdict.rows[0].best == ("gevent", "asyncio")


def promise(model: str, rate_rps: float | None, late: int) -> Cell:
    """A promise as every round confirmed it, or not."""
    figures = {"promise_rps": rate_rps, "late": late, "requests": 1000}
    workload = {"name": "promise: p99 below 50 ms", "slo_s": 0.05}
    return Cell("latency", model, workload, "promise_rps", (), {}, None, observations(*[figures] * 6))


def test_a_rate_that_was_searched_once_is_shown_and_names_no_winner() -> None:
    """1,462 against 1,442 requests a second, of one search each, is no difference that anything shows."""
    (row,) = judged_of(promise("asyncio", 1462, 3), promise("gevent", 1442, 3), promise("sync", 1500, 90)).verdict.rows
    assert (row.best, row.kind) == ((), "shown")
    assert (row.value, row.note) == ("asyncio 1,462 req/s and gevent 1,442 req/s", "not compared: one search each")
    (none,) = judged_of(promise("asyncio", 1462, 90), promise("gevent", None, 0)).verdict.rows
    assert (none.best, none.note) == ((), "no rate was confirmed")
    (doubted,) = judged_of(promise("asyncio", 1775, 26), promise("gevent", 1014, 3)).verdict.rows
    assert doubted.value == "gevent 1,014 req/s; not confirmed: asyncio"


def test_noise_comes_first_and_says_what_to_do() -> None:
    noisy = {"gevent (again)": WIDE}
    assert (
        of({"gevent": LEVEL, "asyncio": times(2), **noisy})
        .sentences[0]
        .startswith(
            "This machine was too noisy for small differences: two names of the same model seemed to differ by "
        )
    )
    calm = of({"gevent": LEVEL, "asyncio": times(2), "gevent (again)": LEVEL[::-1]}).sentences
    assert "too noisy" not in " ".join(calm)
    unstable = of({"gevent": LEVEL, "asyncio": times(2), "gevent (again)": (100, 900, 100, 900, 100, 900)}).sentences
    disagreed = "This machine was too noisy for small differences: two names of the same model did not even agree with"
    assert unstable[0].startswith(disagreed)
    assert unstable[0].endswith("; end other programs, or measure more rounds.")


def test_the_sentences_say_waits_then_cost_then_how_sure(tmp_path: Path) -> None:
    waits, cost, times_, sure = judge(sample_run(tmp_path)).verdict.sentences
    assert waits == (
        f"Requests that wait are served at the same time with gevent, asyncio and {ODD}; one after the other with "
        "sync and asyncio-adapter (in Python and in the database) and gevent-blocking-db (in the database), which "
        "block and are not ranked."
    )
    assert cost.startswith(f"asyncio and {ODD} answer most requests a second in all 2 kinds of work")
    assert times_.startswith("asyncio is best for short waits at one rate: 0.69 (")
    assert "(p90 5.2 against 7.6 ms)" in times_
    assert "32 of 35 cells could be judged (2 errors, 1 saturated)" in sure


def test_waits_that_were_measured_are_believed_before_what_is_claimed() -> None:
    burst = cell("classic", "gevent", WAITS, "total_s", {"python_s": 1.0, "database_s": 5.0, "total_s": 6.0})
    said = judged_of(rates("gevent", LEVEL), rates("asyncio", LEVEL), burst).verdict.sentences[0]
    assert "one after the other with gevent (in the database), which blocks" in said


def test_the_same_run_gives_the_same_intervals_and_another_seed_others() -> None:
    rng = random.Random(1)
    measured = [rates(model, [rng.lognormvariate(7, 0.1) for _ in range(9)]) for model in ("gevent", "asyncio")]
    first, again, other = (
        judge(run_of(*measured, seed=seed)).workloads[0].interval("asyncio", "gevent") for seed in (1, 1, 2)
    )
    assert first == again != other


def test_a_cell_of_one_workload_says_nothing_of_another() -> None:
    judged = judged_of(rates("gevent", LEVEL), rates("asyncio", times(2), "GET /"))
    assert {workload.name: list(workload.cells) for workload in judged.workloads} == {
        "GET /": ["asyncio"], ONE_READ: ["gevent"],
    }  # fmt: skip
    assert replace(judged.workloads[0]).outcome("asyncio", "gevent").reason == "gevent was not measured"
