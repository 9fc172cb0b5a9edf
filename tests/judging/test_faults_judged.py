"""What is said of a fault follows from states and counts alone: the same words on a slow day as on a fast one."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bench.faults.known import FAULTS
from bench.judging import judge
from bench.judging.fault_rules import RULES, found
from bench.judging.faults import bad_days, judged_faults
from bench.judging.found import Found, better
from bench.judging.watched import watched
from bench.results.faults import FaultCell, Requests
from tests.fault_runs import cell, eight, failing, fault_run, faults_of, requests

QUERY = "/sleep/postgres/?seconds=2"
TODO = "/todos/1"
HEALTH = "GET /health"
FOUR = {"workers_before": 4, "workers_after": 4}
# Two requests that were under way when a process was killed, and were lost.
IN_FLIGHT = Requests(endpoint=QUERY, sent_s=(-0.5, -0.4), took_s=(0.6, 0.5), outcome=("empty", "empty"))


@pytest.mark.parametrize(
    ("one", "text", "severity"),
    [
        (cell("deploy", "m", requests()), "none lost", "fine"),
        (cell("deploy", "m", requests(*failing("reset", 0.0, 0.2))), "loses 4", "hurts"),
        (cell("deploy", "m", requests(*failing("500", -0.2, 0.0))), "loses 4", "hurts"),
        (cell("deploy", "m", requests(*failing("refused", 0.0, 3.9))), "retry 78, away 3.9 s", "noticed"),
        (cell("deploy", "m", requests((0.0, "stale"))), "none lost, retry 1", "fine"),
        (cell("reload", "m", requests(*failing("stale", 0.0, 1.0))), "retry 20, away 1.0 s", "noticed"),
        (
            cell("deploy", "m", requests(*failing("refused", 0.0, 3.9), (3.95, "reset"))),
            "retry 78, loses 1, away 3.9 s",
            "noticed",
        ),
        (cell("deploy", "m", requests((0.0, "stale"), (0.05, "empty"))), "loses 1", "hurts"),
        (cell("deploy", "m", requests(*failing("refused", 0.0, 6.5))), "not back within 4.0 s", "dead"),
        (cell("deploy", "m", requests(*failing("refused", 0.0, 9)), facts={"alive": False, "exit_code": 3}),
         "never, exits 3", "dead"),
        (cell("deploy", "m", requests(), facts={"workers_before": 4, "workers_after": 3}),
         "none lost with 3 of 4 workers", "fine"),
        (cell("deploy", "m", requests(waits=(0.0, 3.1))), "none lost, away 3.1 s", "fine"),
        (cell("deploy", "m", requests(waits=(0.0, 5.0))), "none lost, away 5.0 s", "fine"),
        (cell("crash", "m", requests((0.0, "reset")), lasted_s=0.0), "loses 1", "hurts"),
        (cell("crash", "m", requests((0.0, "reset")), lasted_s=0.0, facts=FOUR), "goes on, loses 1", "noticed"),
        (cell("crash", "m", requests(), lasted_s=0.0, facts=FOUR), "goes on", "noticed"),
        (cell("crash", "m", requests(), IN_FLIGHT, lasted_s=0.0, facts=FOUR), "goes on, loses 2", "noticed"),
        (cell("crash", "m", requests(), lasted_s=0.0), "none lost", "fine"),
        (cell("reload", "m", requests(), facts={"reloaded": False}), "not done within 3.0 s", "hurts"),
        (cell("reload", "m", requests(), facts={"reloaded": True}), "none lost", "fine"),
        (cell("database-restart", "m", requests(*failing("500", 0.0, 3.0))), "recovers", "fine"),
        (cell("database-restart", "m", requests(*failing("500", 0.0, 3.3))), "fails 5 after it, back at once", "hurts"),
        (cell("connections-ended", "m", requests(*failing("500", 0.1, 0.45), lasts_s=0.0), lasted_s=0.0),
         "fails 7 after it, back in 0.4 s", "hurts"),
        (cell("start-without-database", "m", requests(), facts={"alive": False, "exit_code": 0}),
         "never, exits 0", "dead"),
        (cell("database-hangs", "m", requests(), requests(endpoint=TODO, waits=(0.0, 3.0))), "serves", "fine"),
        (cell("database-hangs", "m", requests(waits=(0.6, 3.0))), "starves 2.1 s", "hurts"),
        (cell("database-hangs", "m", requests(waits=(0.0, 0.9))), "serves", "fine"),
        (cell("computing", "m", requests(endpoint=HEALTH, waits=(0.6, 3.0)), requests(), bystander=HEALTH),
         "starves 2.1 s", "hurts"),
        (cell("deploy", "m", requests(*failing("refused", 0.0, 3.9), endpoint=HEALTH), bystander=HEALTH),
         "retry 78, away 3.9 s", "noticed"),
        (cell("clients-leave", "m", requests(endpoint=HEALTH, waits=(0.5, 6.0)), lasted_s=0.5, bystander=HEALTH),
         "starves 4.0 s", "hurts"),
        (cell("database-hangs", "m", requests((1.0, "timeout"))), "serves 1 of 31 wait", "noticed"),
        (cell("pool-exhausted", "m", requests(), requests(endpoint=TODO, waits=(0.0, 3.0))), "blocks 2.1 s", "hurts"),
        (cell("pool-exhausted", "m", requests(waits=(0.0, 3.0)), requests(endpoint=TODO)), "starves 2.1 s", "hurts"),
        (cell("upstream-hangs", "m", requests(), requests(endpoint=TODO)), "serves", "fine"),
        (cell("slow-heads", "m", requests(*failing("timeout", 0.0, 3.0))), "starves 0.0 s", "hurts"),
        (cell("slow-readers", "m", requests(), facts={"held_bytes": 530_000_000}), "holds 530 MB", "hurts"),
        (cell("slow-readers", "m", requests(), facts={"held_bytes": 3_000_000}), "serves, holds 3 MB", "fine"),
        (cell("slow-readers", "m", requests(waits=(0.0, 3.0)), facts={"held_bytes": 3_000_000}),
         "starves 2.1 s", "hurts"),
        (cell("clients-leave", "m", requests(), facts={"queries": 15, "query_s": 3, "orphans_s": 0.1}),
         "stops in 0.1 s", "fine"),
        (cell("clients-leave", "m", requests(), facts={"queries": 15, "query_s": 3, "orphans_s": 5.0}),
         "runs on", "noticed"),
        (cell("clients-leave", "m", requests(), requests(endpoint=TODO, waits=(3.0, 5.5)),
              facts={"queries": 15, "query_s": 3, "orphans_s": 5.0}), "blocks 2.5 s", "hurts"),
        (cell("clients-leave", "m", requests(waits=(3.0, 5.5)), requests(endpoint=TODO),
              facts={"queries": 4, "query_s": 3, "orphans_s": 5.0}), "starves 2.5 s", "hurts"),
        (cell("clients-leave", "m", requests()), "serves", "fine"),
        (cell("leaks", "m", facts={"rss_before_bytes": 80e6, "rss_after_bytes": 85e6}), "keeps none", "fine"),
        (cell("leaks", "m", facts={"rss_before_bytes": 80e6, "rss_after_bytes": 180e6}), "grows +100 MB", "noticed"),
        (cell("leaks", "m", facts={"descriptors_before": 20, "descriptors_after": 120}),
         "leaks +0 MB, +100 descriptors", "hurts"),
        (cell("leaks", "m", facts={"in_transaction": 1}), "leaks +0 MB, +1 transactions", "hurts"),
        (cell("leaks", "m", facts={"requests": 2_500, "unexpected": 200}), "fails 200 of 2,500", "hurts"),
        (cell("a fault that nobody knows", "m", requests((0.0, "reset"))), "loses 1", "hurts"),
        (cell("deploy", "m", state="failed", reason="it did not start"), "failed", "unknown"),
    ],
)  # fmt: skip
def test_a_word_and_a_figure_follow_from_what_was_seen(one: FaultCell, text: str, severity: str) -> None:
    seen = found(one)
    assert (seen.text, seen.severity) == (text, severity)
    assert seen.sentence.endswith(".")


@pytest.mark.parametrize("slow", [1.0, 2.0])
def test_a_word_does_not_depend_on_how_fast_the_machine_is(slow: float) -> None:
    """Times twice as long, of fault and answers, change figures and no word."""
    words = {one.key: found(one).word for one in eight()}
    assert {one.key: found(slowed(one, slow)).word for one in eight()} == words


def slowed(one: FaultCell, factor: float) -> FaultCell:
    """The same on a machine that is slower by that."""
    kinds = tuple(
        replace(
            kind,
            sent_s=tuple(at * factor for at in kind.sent_s),
            took_s=tuple(took and took * factor for took in kind.took_s),
        )
        for kind in one.requests
    )
    return replace(one, requests=kinds, lasted_s=one.lasted_s * factor, watched_s=one.watched_s * factor)


def test_a_request_that_had_just_been_sent_when_the_watch_ended_says_nothing() -> None:
    """One that had waited for long is a failure."""
    late = Requests(endpoint="/", sent_s=(-1.0, 6.9), took_s=(0.01, None), outcome=("ok", "unanswered"))
    early = Requests(endpoint="/", sent_s=(-1.0, 3.5), took_s=(0.01, None), outcome=("ok", "unanswered"))
    slow = Requests(endpoint=QUERY, sent_s=(-3.0, 3.5), took_s=(2.0, None), outcome=("ok", "unanswered"))
    assert [len(watched(cell("deploy", "m", kind)).failed) for kind in (late, early, slow)] == [0, 1, 0]


def test_an_endpoint_that_is_slow_by_itself_does_not_make_the_server_late() -> None:
    kind = Requests(endpoint=QUERY, sent_s=(-3.0, 3.1, 3.2), took_s=(2.0, 2.0, 2.0), outcome=("ok",) * 3)
    back_s = watched(cell("deploy", "m", kind)).back_s
    assert back_s is not None
    assert back_s < 0.2


def test_requests_to_other_endpoints_do_not_hide_that_nobody_is_served() -> None:
    one = cell("computing", "m", requests(waits=(0.0, 3.0)), requests(endpoint=TODO))
    assert found(one).word == "starves"


@pytest.mark.parametrize(
    ("plain", "cured", "cures"),
    [
        (cell("deploy", "m", requests((0.0, "reset"))), requests(), True),
        (cell("deploy", "m", requests()), requests(), None),
        (cell("deploy", "m", requests(*failing("stale", 0.0, 1.0))), requests((0.0, "reset")), False),
        (cell("deploy", "m", facts={"alive": False}), requests((0.0, "reset")), True),
        (cell("deploy", "m", state="failed", reason="why"), requests(), None),
    ],
)
def test_a_cure_cures_if_the_model_is_better_off_with_it(plain: FaultCell, cured: Requests, cures: bool | None) -> None:
    with_it = cell("deploy", "m", cured, cure="a socket", setting="--bind fd://3")
    judged = judged_faults(faults_of([plain, with_it]))
    assert [one.cures for one in judged.cells] == [None, cures]


def test_it_is_better_if_only_those_wait_who_need_what_is_away() -> None:
    starves, blocks, serves = (Found(word, "", severity, "") for word, severity in
                               (("starves", "hurts"), ("blocks", "hurts"), ("serves", "fine")))  # fmt: skip
    assert [better(blocks, starves), better(starves, blocks), better(serves, blocks), better(blocks, blocks)] == [
        True, False, True, False,
    ]  # fmt: skip


def test_a_weak_point_says_what_happens_and_which_setting_cures_it() -> None:
    cells = [cell("deploy", "m", requests((0.0, "reset"))), cell("crash", "m", facts={"alive": False}),
             cell("deploy", "m", requests(), cure="a socket", setting="--bind fd://3"),
             cell("reload", "m", requests()), cell("crash", "n", facts={"alive": False}),
             cell("crash", "n", cure="two of it", setting="--workers 2", facts={"alive": False})]  # fmt: skip
    judged = judged_faults(faults_of(cells))
    assert [one.fault.name for one in judged.weak_points("m")] == ["crash", "deploy"]
    assert [one.sentence for one in judged.weak_points("m")] == [
        "crash: what crash is; never, exits.",
        "deploy: what deploy is; loses 1. Cured by a socket (--bind fd://3): none lost.",
    ]
    assert [one.sentence for one in judged.weak_points("n")] == [
        "crash: what crash is; never, exits. No setting that was tried cures it.",
    ]
    assert judged.tried("m") == 3


def test_the_verdict_has_a_sentence_on_faults_and_none_without(tmp_path: Path) -> None:
    run = fault_run(tmp_path, eight())
    (sentence,) = (one for one in judge(run).verdict.sentences if one.startswith("Faults"))
    assert sentence == (
        "Faults, as in production: gevent is hurt by 2 of 4 (deploy and crash) and asyncio-bridge is hurt by 1 of 4 "
        "(crash); a setting cures 2 of these 3."
    )
    run.faults = None
    assert not [one for one in judge(run).verdict.sentences if one.startswith("Faults")]
    assert bad_days(judged_faults(None), ["gevent"]) == ""


def test_every_fault_has_a_rule() -> None:
    assert {fault.name for fault in FAULTS} <= RULES.keys()


def test_what_was_measured_of_a_fault_may_be_anything() -> None:
    """Facts that are missing or of another kind, and no requests at all, are no reason to fail."""
    facts: dict[str, Any] = {"held_bytes": "much", "queries": None, "workers_after": "two", "rss_after_bytes": True}
    for name in RULES:
        for one in (cell(name, "m"), cell(name, "m", requests(), facts=facts), cell(name, "m", lasted_s=0.0)):
            assert found(one).sentence
