"""Real servers of one application answer alike or not; and the waits of its requests overlap or do not."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from served import served

from bench.results.tried import Difference
from bench.tryout.answers import Reference, confirmed
from bench.tryout.asking import Answer, Visitor, ask
from bench.tryout.comparing import Comparison, compare_with, merged, mixed
from bench.tryout.login import NotAsExpected, visit
from bench.tryout.script import Asked, Script, Sent, asked_of, script_of_paths
from bench.tryout.script_file import script_of
from bench.tryout.waits import overlap, read_timings

TIMEOUT_S = 20.0
AT_ONCE, REPEAT = 8, 3
Start = Callable[[str], str]


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Start]:
    """A function that starts a fresh server of that kind."""
    logs = tmp_path_factory.mktemp("logs")
    with ExitStack() as running:
        yield lambda kind: running.enter_context(served(kind, logs))


@pytest.fixture(scope="module")
def urls(fresh: Start) -> dict[str, str]:
    """Two fresh servers of sync, and one of each other kind."""
    return {name: fresh(name.split()[0]) for name in ("sync", "sync again", "gthread", "gevent")}


def comparison(urls: dict[str, str], script: Script) -> Comparison:
    return compare_with(*(visit(urls[name], script, TIMEOUT_S) for name in ("sync", "sync again")))


def found(urls: dict[str, str], kind: str, *paths: str, timeout_s: float = TIMEOUT_S) -> tuple[Difference, ...]:
    """The differences of a kind of server, alone and at once."""
    script = script_of_paths(paths)
    compared = comparison(urls, script)
    visitor = visit(urls[kind], script, timeout_s)
    return (*compared.alone(visitor), *compared.at_once(visitor, AT_ONCE, REPEAT))


def test_a_random_id_a_date_and_a_token_compressed_pass_ten_runs(urls: dict[str, str]) -> None:
    """Under every kind of server, with the absolute URL of each in its page."""
    for _ in range(10):
        for kind in ("gthread", "gevent"):
            assert found(urls, kind, "/volatile", "/json", "/moved") == ()


def test_what_is_not_compared_is_told(urls: dict[str, str]) -> None:
    compared = comparison(urls, script_of_paths(["/volatile", "/json", "/"]))
    page, json, root = (reference.tried for reference in compared.references.values())
    assert page.volatile == ("header x-request-id", "parts of the body") or "most of the body" in page.volatile
    assert json.volatile == ("parts of the body",)
    assert (root.name, root.status, root.body_bytes, root.volatile) == ("GET /", 200, 15, ())
    assert compared.notes == ()


@pytest.mark.parametrize("kind", ["gthread", "gevent"])
def test_a_view_that_bears_no_other_request_at_once_is_caught(urls: dict[str, str], kind: str) -> None:
    differences = found(urls, kind, "/alone-only")
    assert {(one.when, one.what) for one in differences} == {("at once", "the JSON field /others differs")}
    assert sum(one.of for one in differences) == AT_ONCE * REPEAT
    assert found(urls, "sync", "/alone-only") == ()


@pytest.mark.parametrize("kind", ["gthread", "gevent"])
def test_an_answer_that_belongs_to_another_request_is_caught(urls: dict[str, str], kind: str) -> None:
    """By different requests at once only: the same request is answered alike, whoever's answer it gets."""
    assert found(urls, kind, "/hello?name=ann") == ()
    differences = found(urls, kind, "/hello?name=ann", "/hello?name=bob")
    assert {one.what for one in differences} == {"the body differs from character 7 on"}
    assert {one.when for one in differences} == {"at once"}


def test_a_request_that_hangs_at_once_is_named_and_ends_the_questions(urls: dict[str, str]) -> None:
    differences = found(urls, "gthread", "/hangs", "/alone-only", timeout_s=1.0)
    assert [(one.request, one.when, one.what) for one in differences] == [
        ("GET /hangs", "at once", "no answer within 1 s")
    ]
    assert differences[0].of == AT_ONCE


def test_what_sync_answers_otherwise_too_when_it_is_asked_once_more_is_no_difference(fresh: Start) -> None:
    """The number of visits is 1 at both servers of sync, 2 at the model, and 2 once sync is asked again."""
    urls = {name: fresh("sync") for name in ("sync", "sync again", "model")}
    ask(visit(urls["model"], script_of_paths(["/visits"]), TIMEOUT_S), asked_of(Sent(path="/visits")))
    compared = comparison(urls, script_of_paths(["/visits"]))
    assert compared.references["GET /visits"].tried.volatile == ()
    assert compared.alone(visit(urls["model"], script_of_paths(["/visits"]), TIMEOUT_S)) == ()
    assert compared.references["GET /visits"].tried.volatile == ("parts of the body",)


def test_a_login_only_page_is_compared_as_200_everywhere(urls: dict[str, str], tmp_path: Path) -> None:
    file = tmp_path / "requests.toml"
    file.write_text(
        '[[login]]\npath = "/sign-in"\ncapture = { csrf = { field = "csrf_token" } }\n'
        '[[login]]\npath = "/sign-in"\nform = { name = "ann", password = "{env:P}", csrf_token = "{csrf}" }\n'
        '[[request]]\npath = "/private"\nstatus = 200\n',
        encoding="utf-8",
    )
    script = script_of(file, {"P": "a secret of the tests"})
    compared = comparison(urls, script)
    for kind in ("gthread", "gevent"):
        visitor = visit(urls[kind], script, TIMEOUT_S)
        assert compared.alone(visitor) + compared.at_once(visitor, AT_ONCE, 1) == ()
    assert compared.references["GET /private"].tried.status == 200
    assert [note[:25] for note in compared.notes] == ["One request alone cannot "]


NOTES = [
    ("/private", 302, "GET /private: sync answers 302, as to somebody who is not logged in."),
    ("/api/me", 401, "GET /api/me: sync answers 401, as to somebody who is not logged in."),
    ("/status/500", 500, "GET /status/500: sync itself answers 500. Equal errors prove nothing;"),
    ("/broken-gzip", 0, "GET /broken-gzip: sync gave no answer (the body cannot be decoded), so that no model can"),
]


@pytest.mark.parametrize(("path", "status", "note"), NOTES)
def test_equal_errors_are_alike_and_prove_nothing(urls: dict[str, str], path: str, status: int, note: str) -> None:
    script = script_of_paths([path])
    compared = comparison(urls, script)
    assert compared.alone(visit(urls["gevent"], script, TIMEOUT_S)) == ()
    (reference,) = compared.references.values()
    assert (reference.tried.status, reference.proves) == (status, False)
    assert compared.notes[0].startswith(note)


def test_a_status_that_varies_is_told_and_not_compared(fresh: Start) -> None:
    urls = {"sync": fresh("sync"), "sync again": fresh("sync")}
    script = script_of_paths(["/sometimes"])
    ask(visit(urls["sync"], script, TIMEOUT_S), script.requests[0])
    reference = comparison(urls, script).references["GET /sometimes"]
    assert (reference.statuses, reference.volatile[0]) == ([503, 200], "status")


def test_sync_must_answer_what_the_script_says(urls: dict[str, str]) -> None:
    with pytest.raises(NotAsExpected, match="GET /: status 200, not status 204 as the script says"):
        comparison(urls, Script(requests=(asked_of(Sent(path="/", status=204)),)))


def answer(status: int | None = 200, body: str = "same", failure: str = "", **headers: str) -> Answer:
    """An answer of text."""
    pairs = tuple({"content-type": "text/plain", **headers}.items())
    return Answer(status=status, headers=pairs, body=body.encode(), failure=failure, sent_s=0.0, done_s=1.0)


ASKED: Asked = asked_of(Sent(path="/"))
PACKED = {"content-encoding": "br"}
SAID: list[tuple[list[Answer], Answer, list[str]]] = [
    ([answer(body="1", **PACKED), answer(body="2", **PACKED)], answer(body="3 4 5", **PACKED), []),
    ([answer(body="1", **PACKED)], answer(body="2", **PACKED), ["the body differs"]),
    ([answer()], answer(), []),
    ([answer()], answer(500), ["status 500, not 200"]),
    ([answer(), answer(503)], answer(500), ["status 500, not 200 and 503"]),
    ([answer()], answer(None, failure="no answer within 30 s"), ["no answer within 30 s"]),
    ([answer(None, failure="no answer within 30 s")], answer(None, failure="no answer within 30 s"), []),
    ([answer(None, failure="no answer within 30 s")], answer(), ["status 200, not no answer within 30 s"]),
    ([answer()], answer(body="same and more"), ["the body differs from character 5 on"]),
    ([answer()], answer(body=""), ["the body differs from character 1 on"]),
    ([answer(location="/x")], answer(location="/y"), ["header location differs"]),
]  # fmt: skip


@pytest.mark.parametrize(("known", "other", "words"), SAID)
def test_a_difference_is_said_in_words(known: list[Answer], other: Answer, words: list[str]) -> None:
    assert Reference(ASKED, tuple(known)).difference(other) == words


def test_a_difference_that_sync_does_not_show_either_time_remains() -> None:
    reference = Reference(ASKED, (answer(), answer()))
    wider, differences = confirmed(reference, [answer(), answer(500), answer(500)], "at once", lambda: [answer()])
    assert [(one.what, one.count, one.of) for one in differences] == [("status 500, not 200", 2, 3)]
    assert len(wider.answers) == 3


def test_sync_is_not_asked_again_without_a_difference() -> None:
    def again() -> list[Answer]:
        raise AssertionError("asked")

    assert confirmed(Reference(ASKED, (answer(),)), [answer()], "alone", again)[1] == ()


def test_different_requests_are_mixed_and_none_is_left_out() -> None:
    asked = script_of_paths([f"/{number}" for number in range(11)]).requests
    rounds = mixed(asked, 4, 3)
    assert {len(one) for one in rounds} == {4}
    assert all(len({each.name for each in one}) == 4 for one in rounds)
    assert min(sum(each in one for one in rounds) for each in asked) >= 3
    assert [len(one) for one in mixed(asked[:2], 8, 1)] == [8]
    assert mixed(asked[:1], 8, 5) == []


def test_equal_differences_are_counted_together() -> None:
    one = Difference(request="GET /", when="at once", what="status 500, not 200", count=2, of=8)
    assert [(each.count, each.of) for each in merged([one, one])] == [(4, 16)]


def asked_overlap(url: str, path: str, **options: object) -> float:
    visitor = Visitor(url, Script(), TIMEOUT_S)
    waits = overlap(visitor, asked_of(Sent(path=path)), 4, 2, **options)  # type: ignore[arg-type]
    assert waits is not None
    return waits.times


def test_waits_overlap_under_gevent_and_follow_each_other_under_sync(urls: dict[str, str]) -> None:
    assert 3 < asked_overlap(urls["sync"], "/wait?seconds=0.2") < 12  # two seconds more for each that is not closed
    assert asked_overlap(urls["gevent"], "/wait?seconds=0.2") < 2.5


def test_waits_of_what_is_not_answered_are_none(urls: dict[str, str]) -> None:
    assert overlap(Visitor(urls["gthread"], Script(), 1.0), asked_of(Sent(path="/hangs")), 3, 3) is None


def test_a_request_that_takes_long_is_asked_less_often(urls: dict[str, str], tmp_path: Path) -> None:
    """Each once, when no time is left for more: 2 requests instead of 10."""
    script = script_of_paths(["/visits"])
    before = int(ask(visit(urls["sync"], script, TIMEOUT_S), script.requests[0]).body.split()[1])
    overlap(Visitor(urls["sync"], Script(), TIMEOUT_S), script.requests[0], 1, 5, budget_s=0.0)
    after = int(ask(visit(urls["sync"], script, TIMEOUT_S), script.requests[0]).body.split()[1])
    assert after - before == 3


def test_times_in_the_process_are_those_of_the_requests_alone(tmp_path: Path) -> None:
    """An application that notes them itself, as the one does that the bench puts around others."""
    noted = tmp_path / "timings.jsonl"
    (tmp_path / "noting.py").write_text(
        "import json, time\n"
        "def app(environ, start_response):\n"
        "    at_s, cpu_s = time.monotonic(), time.process_time()\n"
        "    time.sleep(0.1)\n"
        "    start_response('200 OK', [('Content-Length', '0')])\n"
        f"    with open({str(noted)!r}, 'a') as file:\n"
        "        line = {'at_s': at_s, 'wall_s': time.monotonic() - at_s, 'cpu_s': time.process_time() - cpu_s}\n"
        "        file.write(json.dumps(line) + '\\n')\n"
        "    return []\n",
        encoding="utf-8",
    )
    with served("sync", tmp_path, "noting:app", tmp_path) as url:
        started = len(read_timings(noted))
        waits = overlap(Visitor(url, Script(), TIMEOUT_S), asked_of(Sent(path="/")), 2, 3, noted)
    assert waits is not None
    assert waits.wall_s is not None
    assert waits.cpu_s is not None
    assert 0.1 <= waits.wall_s <= waits.alone_s
    assert waits.cpu_s < waits.wall_s
    assert len(read_timings(noted)) - started == 3 + 2 * 3


def test_a_line_that_is_not_whole_is_left_out(tmp_path: Path) -> None:
    noted = tmp_path / "timings.jsonl"
    assert read_timings(noted) == []
    noted.write_text(
        '{"at_s": 1, "wall_s": 2, "cpu_s": 3, "path": "/"}\n{"at_s": 1}\n[]\n{"at_s": 2, "wa', encoding="utf-8"
    )
    assert [(one.at_s, one.wall_s, one.cpu_s) for one in read_timings(noted)] == [(1.0, 2.0, 3.0)]


def test_times_that_are_never_noted_are_not_waited_for_long(urls: dict[str, str], tmp_path: Path) -> None:
    waits = overlap(Visitor(urls["sync"], Script(), TIMEOUT_S), ASKED, 1, 1, tmp_path / "none.jsonl")
    assert waits is not None
    assert (waits.wall_s, waits.cpu_s) == (None, None)
