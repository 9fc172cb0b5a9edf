"""What a trial of somebody's own application says: whose waits overlap, who may be taken, and who is."""

from dataclasses import replace
from pathlib import Path

import pytest

from bench.judging import judge
from bench.judging.tried import JudgedTrial, Line
from bench.judging.tried_waits import JudgedWaits, Kind
from bench.results import Cell
from bench.results.tried import Confirmed, Difference, Tried, TriedModel, Waits
from tests.judged_runs import LEVEL, times
from tests.trials import (
    CONNECT,
    GEVENT,
    GTHREAD,
    HUNG,
    ORDERS,
    REPORT,
    SAME_ONCE,
    SYNC,
    load,
    trial_of,
    tried,
    tried_model,
    waits,
)

NO_START = tried_model("gevent", {}, state="failed", reason="Traceback\nImportError: no gevent", start_s=None)
NOT_TRIED = tried_model("gevent-psycogreen", {}, state="not tried", reason="psycopg2 is not loaded", start_s=None)


def judged(*models: TriedModel, cells: tuple[Cell, ...] = (), **more: object) -> JudgedTrial:
    """What a trial of these models says."""
    return judged_of(tried(*models, **more), *cells)  # type: ignore[arg-type]


def judged_of(found: Tried, *cells: Cell) -> JudgedTrial:
    """What a trial says."""
    trial = judge(trial_of(found, *cells)).trial
    assert trial is not None
    return trial


def confirmed_as(model: str, *differences: Difference, reason: str = "") -> Confirmed:
    """What became of the printed command."""
    return Confirmed(model=model, differences=differences, reason=reason)


def lines(trial: JudgedTrial) -> dict[str, Line]:
    """By model."""
    return {line.model: line for line in trial.lines}


@pytest.mark.parametrize(
    ("measured", "kind", "text"),
    [
        (waits(8.0), "blocks", "×8.0 blocks"),
        (waits(1.3), "overlap", "×1.3 overlap"),
        (waits(4.5), "in part", "×4.5 in part"),
        (waits(8.0, cpu_s=0.05), "computes", "×8.0 computes"),
        # Half of its time is computing: eight at once cannot take less than 4.5 times as long, and do not block.
        (waits(4.6, cpu_s=0.025), "overlap", "×4.6 overlap"),
        (waits(8.0, cpu_s=0.025), "blocks", "×8.0 blocks"),
        (waits(8.0, wall_s=0.0049), "too short to say", "too short to say"),
        (Waits(alone_s=0.05, wall_s=None, cpu_s=None, at_once=8, together_s=0.4), "blocks", "×8.0 blocks"),
        # A client that is slower than the application: what the process itself takes is what counts.
        (Waits(alone_s=0.006, wall_s=0.004, cpu_s=0.0, at_once=8, together_s=0.05), "too short to say",
         "too short to say"),
        (waits(0.9), "overlap", "×0.9 overlap"),
        (waits(1.0, at_once=1), "blocks", "×1.0 blocks"),
    ],
)  # fmt: skip
def test_waits_get_the_word_for_what_computing_does_not_explain(measured: Waits, kind: Kind, text: str) -> None:
    found = JudgedWaits(ORDERS, measured)
    assert (found.kind, found.text) == (kind, text)


def test_a_request_in_part_blocked_says_for_how_long() -> None:
    half = JudgedWaits(ORDERS, waits(1 + 7 * 0.52, wall_s=0.05, cpu_s=0.001))
    assert half.blocked_s == pytest.approx(0.025)
    assert half.wait_s == pytest.approx(0.049)


@pytest.mark.parametrize(
    ("models", "taken", "says"),
    [
        ([SYNC, GTHREAD, GEVENT], "gthread", "8 × GET /orders at once took 65 ms with gthread, and 0.40 s with sync."),
        ([SYNC, GEVENT], "gevent", "gevent answered every request as sync does, alone and at once."),
        # Whatever its order in the trial, the simplest of equals is taken.
        ([SYNC, GEVENT, GTHREAD], "gthread", "Of the models that are less simple, gevent, none was shown"),
        ([SYNC, replace(GTHREAD, differences=(SAME_ONCE,)), GEVENT], "gevent", "0.40 s with sync."),
        ([SYNC, replace(GTHREAD, differences=(HUNG,)), GEVENT], "gevent", "0.40 s with sync."),
        ([SYNC, NO_START, NOT_TRIED], "sync", "sync is the simplest model that can be taken."),
        ([SYNC, tried_model("gevent", 7.9)], "sync", "and gevent was not shown to be better."),
        ([SYNC, tried_model("gevent", 7.9)], "sync", "One process of it serves one GET /orders after the other, 50 ms"),
        ([SYNC, tried_model("gevent", 7.9), tried_model("gevent-psycogreen", 1.7)], "gevent-psycogreen", "85 ms with"),
        ([SYNC, tried_model("gthread", 5.6)], "sync", "gthread was not shown to be better"),
        ([tried_model("uvicorn", 1.1)], "uvicorn", "uvicorn is the simplest model that can be taken."),
        ([SYNC, tried_model("mine", 1.1), tried_model("bridge-inline", 1.1)], "bridge-inline", "8 × GET /orders"),
    ],
)  # fmt: skip
def test_the_simplest_model_is_taken_that_answers_alike_and_that_none_is_shown_to_exceed(
    models: list[TriedModel], taken: str, says: str
) -> None:
    found = judged(*models).recommendation
    assert found.model == taken
    assert says in " ".join(found.reasons)
    assert found.reasons[-1] == "This is about GET /orders, at most 8 at once, and one process; nothing else was tried."


COMPUTING = waits(8.0, wall_s=0.02, cpu_s=0.02)
DEAR, EVEN, CHEAP = times(0.8), LEVEL, times(1.25)


@pytest.mark.parametrize(
    ("speeds", "taken", "words"),
    [
        ((EVEN, CHEAP, EVEN), "gthread", ("costs more", "recommended", "costs more")),
        ((EVEN, EVEN, CHEAP), "gevent", ("costs more", "costs more", "recommended")),
        ((EVEN, EVEN, EVEN), "sync", ("recommended", "not told apart", "not told apart")),
        ((EVEN, DEAR, EVEN), "sync", ("recommended", "costs more", "not told apart")),
        # gthread is better than sync, and gevent than sync, but gevent not than gthread.
        ((DEAR, EVEN, EVEN), "gthread", ("costs more", "recommended", "not told apart")),
    ],
)
def test_where_nothing_waits_cpu_time_decides_and_the_simpler_of_equals_is_taken(
    speeds: tuple[tuple[float, ...], ...], taken: str, words: tuple[str, ...]
) -> None:
    names = ("sync", "gthread", "gevent")
    models = [tried_model(name, {ORDERS: COMPUTING}) for name in names]
    trial = judged(*models, cells=tuple(load(name, speed) for name, speed in zip(names, speeds, strict=True)))
    assert trial.recommendation.model == taken
    assert tuple(line.verdict for line in trial.lines) == words
    assert "GET /orders computes for nearly all of its time, which no concurrency model changes" in " ".join(
        trial.recommendation.reasons
    )


def test_a_model_that_is_better_than_the_one_taken_but_not_than_a_simpler_one_is_named_with_that_one() -> None:
    noisy = tuple(value * (0.5, 2.0)[place % 2] for place, value in enumerate(LEVEL))
    models = [tried_model(name, {ORDERS: COMPUTING}) for name in ("sync", "gthread", "gevent")]
    trial = judged(*models, cells=(load("sync"), load("gthread", noisy), load("gevent", CHEAP)))
    assert trial.recommendation.model == "sync"
    assert trial.recommendation.reasons[:2] == (
        "sync is the simplest model that can be taken, and gthread was not shown to be better.",
        "gevent does better than sync, but was not told apart from gthread, which is simpler than gevent.",
    )


def test_cpu_time_is_told_with_its_interval() -> None:
    models = [tried_model(name, {ORDERS: COMPUTING}) for name in ("sync", "gevent")]
    (said,) = [one for one in judged(*models, cells=(load("sync"), load("gevent", CHEAP))).recommendation.reasons
               if "CPU time" in one]  # fmt: skip
    assert said.startswith("For GET /orders, CPU time a request with gevent was 0.80 (0.")


def test_less_waiting_counts_more_than_less_cpu_time() -> None:
    trial = judged(SYNC, GEVENT, cells=(load("sync", CHEAP, idle=0.5), load("gevent", DEAR, idle=0.5)))
    assert trial.recommendation.model == "gevent"
    assert lines(trial)["sync"].verdict == "waits longer"


def test_a_model_that_is_better_for_one_request_and_worse_for_another_is_not_told_apart() -> None:
    mixed = {ORDERS: waits(1.2), REPORT: waits(8.0)}
    other = {ORDERS: waits(8.0), REPORT: waits(1.2)}
    neither = dict.fromkeys(mixed, waits(8.0))
    models = [tried_model("sync", neither), tried_model("gthread", other), tried_model("gevent", mixed)]
    trial = judged(*models, statuses={ORDERS: 200, REPORT: 200})
    assert trial.recommendation.model == "gthread"
    assert lines(trial)["gevent"].verdict == "not told apart"


def test_a_request_that_computes_under_one_model_waits_under_none() -> None:
    """Under two of the models something else had the core for most of the time."""
    disturbed, quiet = waits(2.0, wall_s=0.02, cpu_s=0.006), waits(8.0, wall_s=0.007, cpu_s=0.006)
    asked = {"sync": replace(disturbed, together_s=0.16), "gthread": quiet, "gevent": disturbed}
    models = [tried_model(name, {ORDERS: one}) for name, one in asked.items()]
    assert judged(*models).recommendation.model == "sync"
    assert judged(models[0], models[2]).recommendation.model == "gevent"


def test_requests_that_were_answered_with_an_error_decide_nothing() -> None:
    both = {ORDERS: waits(8.0), REPORT: waits(8.0)}
    models = (tried_model("sync", both), tried_model("gevent", {**both, REPORT: waits(1.1)}))
    cells = (load("sync", workload=REPORT), load("gevent", CHEAP, workload=REPORT))
    found = {status: judged(*models, cells=cells, statuses={ORDERS: 200, REPORT: status}) for status in (200, 404)}
    assert {status: trial.recommendation.model for status, trial in found.items()} == {200: "gevent", 404: "sync"}
    assert lines(found[404])["gevent"].waits == "×8.0 blocks"


def test_an_application_that_was_written_anew_is_the_least_simple() -> None:
    found = judged(SYNC, tried_model("uvicorn (shop_async:app)", 1.1), tried_model("bridge-inline", 1.1))
    assert found.recommendation.model == "bridge-inline"


def test_a_model_that_fails_under_load_is_not_taken_and_the_reason_is_said() -> None:
    failing = load("gthread", errors=2, error="timeout: no complete answer within 10.0 s")
    trial = judged(SYNC, GTHREAD, cells=(load("sync"), failing))
    assert trial.recommendation.model == "sync"
    assert lines(trial)["gthread"].verdict == "fails under load"
    assert not lines(trial)["gthread"].eligible
    (said,) = [one for one in trial.recommendation.next if one.startswith("gthread cannot be taken while it fails")]
    assert "timeout: no complete answer" in said


@pytest.mark.parametrize(
    ("statuses", "model", "says"),
    [
        ({ORDERS: 401, REPORT: 401}, "", "Every request was answered with status 401, by all models alike, which"),
        ({ORDERS: 500, REPORT: 404}, "", "Every request was answered with status 404 and 500, by all"),
        ({ORDERS: 200, REPORT: 500}, "gthread", "GET /report was answered with an error, which proves nothing"),
        ({ORDERS: 302, REPORT: 200}, "gthread", "This is about GET /orders and GET /report"),
    ],
)
def test_errors_that_all_models_give_alike_prove_nothing(statuses: dict[str, int], model: str, says: str) -> None:
    trial = judged(SYNC, GTHREAD, statuses=statuses)
    assert trial.recommendation.model == model
    assert says in " ".join(trial.recommendation.reasons)
    assert {line.verdict for line in trial.lines} == ({"recommended", "waits longer"} if model else {""})
    assert lines(trial)["sync"].alone == ("same" if model else "same errors")


def test_each_model_has_a_line_with_a_word_for_everything() -> None:
    alone = replace(SAME_ONCE, when="alone", count=1, of=1)
    hanging = replace(GTHREAD, differences=(HUNG,))
    differing = tried_model("asgiref", 7.9, differences=(alone, SAME_ONCE))
    trial = judged(SYNC, hanging, differing, NO_START, NOT_TRIED, tried_model("bridge-threads", {}))
    assert trial.lines == (
        Line("sync", "0.8 s", "same", "same", "×8.0 blocks", "recommended", eligible=True),
        Line("gthread", "0.8 s", "same", "1 of 1 differ", "×1.3 overlap", "hangs", eligible=False),
        Line("asgiref", "0.8 s", "1 of 1 differ", "1 of 1 differ", "×7.9 blocks", "answers differ", eligible=False),
        Line("gevent", "failed", "–", "–", "–", "does not start", eligible=False),
        Line("gevent-psycogreen", "not tried", "–", "–", "–", "not tried", eligible=False),
        Line("bridge-threads", "0.8 s", "same", "same", "–", "not told apart", eligible=True),
    )


def test_what_blocks_and_what_differs_is_what_would_have_to_change() -> None:
    stalls = (CONNECT, replace(CONNECT, line=50, call=""), replace(CONNECT, line=51), replace(CONNECT, line=52))
    differing = replace(GTHREAD, differences=(SAME_ONCE, HUNG))
    trial = judged(SYNC, differing, tried_model("gevent", 7.9, stalls=stalls))
    assert trial.recommendation.next == (
        "gevent would serve more requests at once if shop/orders.py:42 (psycopg2.connect), shop/orders.py:50, "
        "shop/orders.py:51 (psycopg2.connect) and 1 more did not hold up the others.",
        "gthread cannot be taken while it answers in another way: GET /orders at once: status 500, not 200 (3 of 40), "
        "and 1 further difference.",
    )


@pytest.mark.parametrize(
    ("confirmed", "says"),
    [
        (
            confirmed_as("gthread", reason="Traceback\nKeyError: 'DATABASE_URL'\n"),
            "command did not start: KeyError: 'DATABA",
        ),
        (confirmed_as("gthread", SAME_ONCE), "it answered in another way: GET /orders at once: status 500, not 200 (3"),
        (confirmed_as("gthread"), ""),
        (confirmed_as("gevent", SAME_ONCE), ""),
    ],
)
def test_a_command_that_did_not_hold_when_started_once_more_is_not_recommended(confirmed: Confirmed, says: str) -> None:
    found = judged(SYNC, GTHREAD, confirmed=confirmed).recommendation
    assert found.model == ("" if says else "gthread")
    assert says in " ".join(found.reasons)


@pytest.mark.parametrize(
    ("found", "says"),
    [
        (tried(NO_START), "No model could be started"),
        (replace(tried(SYNC), requests=()), "No request was answered by the first model"),
        (tried(replace(SYNC, differences=(HUNG,))), "No model answered as it must"),
    ],
)
def test_where_nothing_is_known_nothing_is_recommended(found: Tried, says: str) -> None:
    assert judged_of(found).recommendation.model == ""
    assert says in " ".join(judged_of(found).recommendation.reasons)


def test_the_verdict_of_a_trial_is_its_recommendation(tmp_path: Path) -> None:
    verdict = judge(trial_of(tried(SYNC, GTHREAD), load("sync"), load("gthread"), folder=tmp_path)).verdict
    assert verdict.sentences[:2] == ("Take gthread.", "gthread answered every request as sync does, alone and at once.")
    assert [row.work for row in verdict.rows] == [ORDERS]


def test_models_of_a_trial_are_ranked_whatever_framework_the_application_has() -> None:
    run = trial_of(tried(SYNC, GTHREAD), load("sync"), load("gthread", CHEAP))
    run.models = {name: replace(facts, framework="Bottle") for name, facts in run.models.items()}
    (workload,) = judge(run).workloads
    assert workload.ranks == {"gthread": 1, "sync": 2}
