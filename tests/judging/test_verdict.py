"""The verdict names a best model only where none is as good, starts with what decides, and says how sure it is."""

import random
from dataclasses import replace
from pathlib import Path

from bench.judging import Judged, Verdict, judge
from bench.results import Cell
from tests.judged_runs import KINDS, LEVEL, ONE_READ, judged_of, promises, rates, run_of, times, waits
from tests.observations import facts, observations
from tests.report_runs import sample_run, without

WIDE = (1000.0, 1300.0, 800.0, 1250.0, 790.0, 1100.0)
AGAIN = "gevent (again)"


def of(measured: dict[str, tuple[float, ...]]) -> Verdict:
    """The verdict of a run that has one workload."""
    return judged_of(*(rates(model, values) for model, values in measured.items())).verdict


def five_kinds(asyncio: list[tuple[float, ...]], **others: list[tuple[float, ...]]) -> Judged:
    """A run of all five kinds of work: gevent level in all of them, asyncio and others as given."""
    models = {"gevent": [LEVEL] * 5, "asyncio-bridge": asyncio, **others}
    return judged_of(*(rates(model, values, name) for model, given in models.items()
                       for name, values in zip(KINDS, given, strict=True)))  # fmt: skip


def test_a_row_has_the_winner_the_ratio_and_the_figures() -> None:
    (row,) = of({"gevent": LEVEL, "asyncio-bridge": times(2)}).rows
    assert (row.work, row.winner, row.kind) == ("one small database read", "asyncio-bridge", "better")
    assert (row.ahead, row.value) == ("0.50 (0.50–0.50) × gevent", "CPU time a request 500 against 1,000 µs")
    (row,) = of({"gevent": LEVEL, "asyncio-bridge": LEVEL[::-1]}).rows
    assert (row.winner, row.ahead) == ("equal within 5 %: gevent and asyncio-bridge", "")
    assert row.value == "1,000 and 1,000 µs"
    (row,) = of({"gevent": LEVEL, "asyncio-bridge": WIDE}).rows
    assert (row.winner, row.kind) == ("not told apart: gevent and asyncio-bridge", "not told apart")
    (row,) = of({"gevent": LEVEL[:2], "asyncio-bridge": times(2)[:2]}).rows
    assert (row.winner, row.kind, row.value) == ("2 generations of both, and 3 are needed", "not comparable", "")
    (row,) = of({"gevent": LEVEL, AGAIN: times(1.2), "asyncio-bridge": times(2)}).rows
    assert row.winner == "the A/A check failed, gevent seemed to be 0.83 times itself"


def test_a_tie_in_all_kinds_of_work_names_nobody_as_best() -> None:
    """The headline once said of such a run that asyncio answers most requests a second."""
    found = five_kinds([LEVEL[::-1]] * 3 + [WIDE] * 2).verdict
    said = "No difference: gevent and asyncio-bridge are equal within 5 % in 3 kinds of work, not told apart in 2."
    assert said in found.sentences
    assert not any("most" in sentence.split("How sure")[0] or "best" in sentence for sentence in found.sentences)
    assert {row.kind for row in found.rows} == {"equal", "not told apart"}


def test_groups_of_tied_models_that_differ_by_kind_are_told_one_by_one() -> None:
    near, slow = LEVEL[::-1], times(0.5)
    said = five_kinds([near] * 5, gthread=[slow, slow, slow, WIDE, near]).verdict.sentences[2]
    assert said == (
        "No difference: gevent and asyncio-bridge are equal within 5 % in 3 kinds of work. "
        "No difference: gevent, asyncio-bridge and gthread are equal within 5 % for a write, not told apart for "
        "a list of "
        "50 rows."
    )
    said = five_kinds([near] * 3 + [WIDE] * 2, gthread=[slow] * 3 + [WIDE] * 2).verdict.sentences[2]
    assert said == (
        "No difference: gevent and asyncio-bridge are equal within 5 % in 3 kinds of work. "
        "gevent, asyncio-bridge and gthread are not told apart in 2 kinds of work."
    )


def test_each_models_wins_are_told_with_the_smallest_and_the_largest_difference() -> None:
    said = five_kinds([times(factor) for factor in (2.0, 1.5, 0.5, 1.0, 1.8)]).verdict.sentences[2]
    assert said == (
        "asyncio-bridge takes least CPU time a request in 3 of 5 kinds of work: from 0.50 (0.50–0.50) times "
        "gevent's for the "
        "framework alone (500 against 1,000 µs) to 0.67 (0.67–0.67) for one small database read (667 against 1,000 "
        "µs). "
        "gevent takes least CPU time a request for twenty database reads: 1,000 against 2,000 µs, 0.50 (0.50–0.50) "
        "times asyncio-bridge's. "
        "No difference: gevent and asyncio-bridge are equal within 5 % for a list of 50 rows."
    )


def test_kinds_of_work_that_requests_a_second_decide_are_told_apart_from_the_others() -> None:
    cells = [rates(model, times(factor), name, idle=0.3 if (model, name) == ("gevent", "POST /todos/") else 0.0)
             for model, factor in (("gevent", 1.0), ("asyncio-bridge", 2.0)) for name in KINDS]  # fmt: skip
    cost, rate = judged_of(*cells).verdict.sentences[2:4]
    assert cost.startswith("asyncio-bridge takes least CPU time a request in 4 of 5 kinds of work: from 0.50 (")
    assert rate.startswith(
        "For a write, requests a second decide: gevent left 30 % of its core idle. asyncio-bridge answers"
    )
    assert "asyncio-bridge answers most requests a second for a write: 2,000 against 1,000 req/s, 2.00" in rate


def test_a_blocking_model_is_called_that_and_wins_nothing() -> None:
    """It is fastest where nothing waits, which is no reason to deploy it."""
    found = of({"gevent": LEVEL, "asyncio-bridge": LEVEL[::-1], "asyncio-blocking-db": times(2)})
    assert found.rows[0].best == ("gevent", "asyncio-bridge")
    assert found.sentences[0] == (
        "Requests wait at the same time with gevent and asyncio-bridge. They wait one after the other "
        "with asyncio-blocking-db (in the database), which blocks and is not ranked."
    )
    alone = of({"sync": LEVEL, "asyncio-blocking-db": times(2)})
    assert alone.sentences[0] == (
        "Requests wait one after the other with sync (in Python and in the database) and "
        "asyncio-blocking-db (in the database), which block and are not ranked."
    )


def test_traps_and_other_frameworks_never_win() -> None:
    found = of({"gevent": LEVEL, "asyncio-bridge": LEVEL[::-1], "quart": times(9)})
    assert "quart" not in str(found.rows)
    assert any("quart is in the tables" in text for text in found.not_said)
    run = run_of(rates("gevent", LEVEL), rates("asyncio-bridge", LEVEL), rates("odd", times(9)))
    run.models["odd"] = facts("odd", trap=True)
    assert judge(run).verdict.rows[0].best == ("gevent", "asyncio-bridge")


def test_a_method_that_failed_is_said_first_with_what_to_do_and_only_once() -> None:
    good, bad = KINDS[0], KINDS[1]
    measured = {(good, "gevent"): LEVEL, (good, AGAIN): LEVEL[::-1], (good, "asyncio-bridge"): times(2),
                (bad, "gevent"): LEVEL, (bad, AGAIN): times(0.8), (bad, "asyncio-bridge"): times(2)}  # fmt: skip
    found = judged_of(*(rates(model, values, name) for (name, model), values in measured.items())).verdict
    assert found.noise == (
        "The method failed here for one small database read: gevent seemed to be 1.25 times itself. "
        "Nothing is said of that; end other programs and measure again, or longer (--budget-s, --generations)."
    )
    assert found.sentences[2].startswith("asyncio-bridge takes least CPU time a request for the framework alone")
    assert "database read" not in " ".join(found.sentences)


def test_a_machine_that_is_too_noisy_is_said_first_with_what_to_do() -> None:
    noisy = five_kinds([WIDE] * 3 + [times(2)] * 2).verdict
    assert noisy.noise == (
        "This machine was too noisy: in 3 of 5 kinds of work the intervals reach more than 5 % to either side; end "
        "other programs and measure again, or longer (--budget-s, --generations)."
    )
    assert not any("noisy" in sentence for sentence in noisy.sentences)
    assert five_kinds([WIDE] * 2 + [times(2)] * 3).verdict.noise == ""
    at_the_margin = [times(1.05, LEVEL[::-1])] * 5
    assert five_kinds(at_the_margin).verdict.noise == ""


def test_the_sentences_say_waits_then_cost_then_waiting_then_promise_then_how_sure() -> None:
    pairs = [
        *(rates(model, values, name) for name in KINDS
          for model, values in (("gevent", LEVEL), (AGAIN, times(1.02)), ("asyncio-bridge", times(1.5)),
                                ("sync", LEVEL))),
        waits("gevent", [0.0037] * 3), waits(AGAIN, [0.004] * 3), waits("asyncio-bridge", [0.0017] * 3),
        promises("gevent", [500] * 3), promises("asyncio-bridge", [800] * 3), promises("gthread", [700] * 3, late=90),
    ]  # fmt: skip
    together, stacks, cost, waiting, promise, sure = judged_of(*pairs).verdict.sentences
    assert together.startswith("Requests wait at the same time with")
    assert stacks.startswith("Whole stacks, on plain servers")
    assert cost.startswith("asyncio-bridge takes least CPU time a request in all 5 kinds of work: from 0.67 (")
    assert waiting.startswith(
        "asyncio-bridge keeps users waiting least (p90) for short waits at one rate: 1.7 against 3.7 ms"
    )
    assert promise.startswith(
        "asyncio-bridge can promise the highest rate for p99 below 50 ms: 800 against 500 req/s, 1.60"
    )
    assert sure == (
        "How sure: a model is better only if the whole 95 % interval is beyond 5 %. "
        "Chance decides at most 0.18 of 7 comparisons. "
        "Two servers of one model differed by at most 2 % in CPU time a request and 8 % in p90. "
        "19 of 20 cells could be judged (1 saturated)."
    )


def test_no_sentence_is_longer_than_a_reader_can_hold() -> None:
    near = LEVEL[::-1]
    verdicts = [five_kinds([times(factor) for factor in (2.0, 1.5, 0.5, 1.0, 1.8)], gthread=[near] * 5).verdict,
                five_kinds([WIDE] * 5, gthread=[WIDE] * 5, sync=[near] * 5).verdict]  # fmt: skip
    sentences = [part for verdict in verdicts for text in verdict.sentences for part in text.split(". ")]
    assert max(len(part.split()) for part in sentences) <= 40


def test_without_a_second_server_of_a_model_nothing_checked_the_method() -> None:
    sure = of({"gevent": LEVEL, "asyncio-bridge": times(2)}).sentences[-1]
    assert "Chance decides at most 0.025 of 1 comparison. No A/A pair checked the method." in sure
    burst = Cell("classic", "gevent", {"name": "5 × 1 s"}, "total_s", (), {}, observations({"total_s": 2.0}))
    assert judged_of(burst).verdict.sentences[-1] == "How sure: 1 of 1 cells could be judged."


def test_waits_that_were_measured_are_believed_before_what_is_claimed() -> None:
    bursts = observations({"python_s": 1.0, "database_s": 5.0, "total_s": 6.0})
    burst = Cell("classic", "gevent", {"name": "5 × 1 s", "seconds": 1.0, "requests": 5}, "total_s", (), {}, bursts)
    said = judged_of(rates("gevent", LEVEL), rates("asyncio-bridge", LEVEL), burst).verdict.sentences[0]
    assert "one after the other with gevent (in the database), which blocks" in said


def test_what_was_measured_once_is_said_and_has_rows_without_a_winner() -> None:
    once = Cell("once", "gevent", {"name": "w"}, "total_s", (), {}, observations({"total_s": 2.0}))
    found = judged_of(rates("gevent", LEVEL), rates("asyncio-bridge", LEVEL), once).verdict
    assert "Measured once, so about orders of magnitude: once." in found.not_said


def test_the_same_run_gives_the_same_intervals_and_another_seed_others() -> None:
    rng = random.Random(1)
    measured = [rates(model, [rng.lognormvariate(7, 0.1) for _ in range(9)]) for model in ("gevent", "asyncio-bridge")]
    first, again, other = (
        judge(run_of(*measured, seed=seed)).workloads[0].interval("asyncio-bridge", "gevent") for seed in (1, 1, 2)
    )
    assert first == again != other


def test_a_cell_of_one_workload_says_nothing_of_another() -> None:
    judged = judged_of(rates("gevent", LEVEL), rates("asyncio-bridge", times(2), "GET /"))
    assert {workload.name: list(workload.cells) for workload in judged.workloads} == {
        "GET /": ["asyncio-bridge"], ONE_READ: ["gevent"],
    }  # fmt: skip
    assert replace(judged.workloads[0]).outcome("asyncio-bridge", "gevent").reason == "gevent was not measured"


def test_what_overlap_is_worth_is_said_of_models_that_serve_a_flask_app(tmp_path: Path) -> None:
    said = judge(sample_run(tmp_path)).verdict.sentences[1]
    assert said.endswith("That is worth most: 10 waits of 1 s took 10.0 s with sync and 2.0 s with gevent.")
    assert "worth" not in judge(without(sample_run(tmp_path), "classic")).verdict.sentences[1]
