"""A visitor asks real servers: it logs in, sends what the script says, and takes what comes back, or does not."""

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from served import served

from bench.errors import BenchError
from bench.load import run
from bench.scenarios.base import describe
from bench.testbed.processes.ports import free_port
from bench.tryout import exchange
from bench.tryout.asking import Visitor, ask, at_once, first_answer, job, repeatedly, together
from bench.tryout.login import LoginFailed, NotAsExpected, check, visit
from bench.tryout.script import Asked, Script, Sent, asked_of, script_of_paths
from bench.tryout.script_file import script_of

SECRET = "a secret of the tests"
TIMEOUT_S = 20.0
SIGN_IN = """
[[login]]
path = "/sign-in"
capture = { csrf = { field = "csrf_token" } }
[[login]]
path = "/sign-in"
form = { name = "ann", password = "{env:SHOP_PASSWORD}", csrf_token = "{csrf}" }
[[request]]
path = "/private"
"""
TOKEN = """
[[login]]
path = "/api/token"
json = { password = "{env:SHOP_PASSWORD}" }
contains = "token"
[login.capture]
token = { pointer = "/user/token" }
id = { regex = '"id": *(\\d+)' }
next = { header = "X-Next" }
cookie = { cookie = "csrf_access" }
[[request]]
path = "/api/me?id={id}&token={token}"
headers = { Authorization = "Bearer {token}" }
"""


@pytest.fixture(scope="module")
def sync(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with served("sync", tmp_path_factory.mktemp("logs")) as url:
        yield url


def script(tmp_path: Path, text: str, password: str = SECRET, *, allow_writes: bool = False) -> Script:
    file = tmp_path / "requests.toml"
    file.write_text(text, encoding="utf-8")
    return script_of(file, {"SHOP_PASSWORD": password}, allow_writes=allow_writes)


def anonymous(url: str, *paths: str, timeout_s: float = TIMEOUT_S) -> Visitor:
    return visit(url, script_of_paths(paths or ("/",)), timeout_s)


def test_a_page_behind_a_login_is_answered_with_200(sync: str, tmp_path: Path) -> None:
    """The session's cookie is marked Secure, and belongs to another domain than the address that is asked."""
    visitor = visit(sync, script(tmp_path, SIGN_IN), TIMEOUT_S)
    answer = ask(visitor, visitor.script.requests[0])
    assert (answer.status, answer.body) == (200, b"<html>Orders of ann</html>")
    assert [one.status for one in at_once(visitor, visitor.script.requests[0], 3)] == [200] * 3


def test_a_server_is_ready_when_the_first_request_that_needs_no_login_is_answered(sync: str, tmp_path: Path) -> None:
    asked = script(tmp_path, SIGN_IN + '[[request]]\npath = "/{csrf}"\n')
    first_answer(asked, TIMEOUT_S)(sync)
    first_answer(script(tmp_path, TOKEN), TIMEOUT_S)(sync)  # everything needs the token, so that the root is asked
    with pytest.raises(httpx.RequestError, match="the connection was refused"):
        first_answer(asked, TIMEOUT_S)(f"http://127.0.0.1:{free_port()}")


def test_a_wrong_password_ends_the_login_though_it_is_answered_with_200(sync: str, tmp_path: Path) -> None:
    with pytest.raises(LoginFailed) as raised:
        visit(sync, script(tmp_path, SIGN_IN, "wrong and secret"), TIMEOUT_S)
    assert str(raised.value).startswith(
        "login step 2, POST /sign-in, was answered with status 200, and asks for a password again; check name and"
    )
    assert "secret" not in str(raised.value)


def test_values_are_captured_from_json_text_headers_and_cookies(sync: str, tmp_path: Path) -> None:
    """A token with slash, plus and equals sign arrives as it is, in a header and in a query."""
    visitor = visit(sync, script(tmp_path, TOKEN), TIMEOUT_S)
    answer = ask(visitor, visitor.script.requests[0])
    assert json.loads(answer.body) == {"csrf": "from a cookie", "id": "17"}
    assert visitor.values["next"] == "/api/me"
    assert "t/o+k=en" not in repr(visitor)


ENDED = "\n[[request]]"
FAILED_LOGINS: list[tuple[str, str, tuple[str, str], str]] = [
    ("an error", SIGN_IN, ('csrf_token = "{csrf}"', 'csrf_token = "x"'),
     "POST /sign-in, was answered with status 400, not one below 400; check what the step sends"),
    ("another status", SIGN_IN, (ENDED, "\nstatus = 200" + ENDED), "with status 302, not 200; check"),
    ("a text that is missing", SIGN_IN, (ENDED, '\ncontains = "Welcome"' + ENDED),
     "with status 302, and does not contain the text that it must"),
    ("no field", SIGN_IN, ('"csrf_token" }', '"csrf" }'),
     "login step 1, GET /sign-in: nothing was captured for {csrf}: the answer, of status 200 and"),
    ("no such place", TOKEN, ("/user/token", "/user/0/x"), "has no pointer '/user/0/x' with a value"),
    ("no cookie", TOKEN, ('"csrf_access"', '"other"'), "has no cookie 'other' with a value"),
    ("no JSON at all", SIGN_IN, ('field = "csrf_token"', 'pointer = "/a"'), "has no pointer '/a' with a value"),
    ("a body that cannot be decoded", SIGN_IN, ('"/sign-in"', '"/broken-gzip"'),
     "GET /broken-gzip: the body of the answer cannot be decoded"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "other", "message"), [case[1:] for case in FAILED_LOGINS],
                         ids=[case[0] for case in FAILED_LOGINS])  # fmt: skip
def test_a_login_that_fails_says_at_which_step_and_why(
    sync: str, tmp_path: Path, text: str, other: tuple[str, str], message: str
) -> None:
    asked = script(tmp_path, text.replace(*other, 1))
    with pytest.raises(LoginFailed) as raised:
        visit(sync, asked, TIMEOUT_S)
    assert message in str(raised.value)
    assert SECRET not in str(raised.value)


def test_a_login_at_a_server_that_is_not_there_says_so(tmp_path: Path) -> None:
    with pytest.raises(LoginFailed, match="login step 1, GET /sign-in: the connection was refused"):
        visit(f"http://127.0.0.1:{free_port()}", script(tmp_path, SIGN_IN), TIMEOUT_S)


def test_a_redirect_to_the_login_after_the_login_is_a_failed_one(sync: str, tmp_path: Path) -> None:
    asked = script(tmp_path, SIGN_IN)
    stranger = anonymous(sync, "/private")
    answer = ask(stranger, asked.requests[0])
    with pytest.raises(LoginFailed, match="GET /private was answered with status 302 and a redirect to the login"):
        check(asked, asked.requests[0], answer)
    check(asked, asked_of(Sent(path="/private", status=302)), answer)


def test_a_status_that_the_script_does_not_expect_is_named(sync: str) -> None:
    (asked,) = (asked_of(Sent(path="/status/404", status=200)),)
    with pytest.raises(NotAsExpected, match="GET /status/404: status 404, not status 200 as the script says"):
        check(Script(), asked, ask(anonymous(sync), asked))


def test_a_secret_with_a_line_break_is_not_sent_as_a_header(sync: str, tmp_path: Path) -> None:
    text = '[[request]]\npath = "/"\nheaders = { A = "{env:SHOP_PASSWORD}" }\n'
    visitor = visit(sync, script(tmp_path, text, "two\nlines"), TIMEOUT_S)
    with pytest.raises(BenchError, match="the value for the header A is not one line of ASCII") as raised:
        ask(visitor, visitor.script.requests[0])
    assert "lines" not in str(raised.value)


def sent(url: str, asked: Sent) -> dict[str, object]:
    """What the application got."""
    found: dict[str, object] = json.loads(ask(anonymous(url), asked_of(asked)).body)
    return found


def test_forms_json_and_bodies_arrive_as_they_were_written(sync: str) -> None:
    form = sent(sync, Sent(path="/echo", method="POST", form={"a": "ä b", "c": ["1", "2"]}))
    assert (form["type"], form["form"]) == ("application/x-www-form-urlencoded", {"a": ["ä b"], "c": ["1", "2"]})
    assert json.loads(str(sent(sync, Sent(path="/echo", method="POST", json={"a": [1, None]}))["body"])) == {
        "a": [1, None]
    }
    plain = sent(sync, Sent(path="/echo", method="POST", body="ä {} {{x}}", headers=(("Content-Type", "text/x"),)))
    assert (plain["type"], plain["body"]) == ("text/x", "ä {} {x}")


def test_a_redirect_is_recorded_and_not_followed_and_has_no_address(sync: str) -> None:
    answer = ask(anonymous(sync), asked_of(Sent(path="/moved")))
    assert answer.status == 302
    assert answer.header("location").startswith("http://{server}/?token=")


def test_a_body_that_cannot_be_decoded_is_no_answer(sync: str) -> None:
    answer = ask(anonymous(sync), asked_of(Sent(path="/broken-gzip")))
    assert (answer.status, answer.failure, answer.body) == (200, "the body cannot be decoded", b"")


def test_requests_together_are_on_their_way_before_the_first_is_answered(tmp_path: Path) -> None:
    with served("gthread", tmp_path) as url:
        answers = at_once(anonymous(url), asked_of(Sent(path="/wait?seconds=0.2")), 8)
    assert [answer.status for answer in answers] == [200] * 8
    assert max(answer.sent_s for answer in answers) < min(answer.done_s for answer in answers)


def test_different_requests_together_get_each_their_own_answer(sync: str) -> None:
    requests = script_of_paths(["/", "/status/404", "/hello?name=a", "/hello?name=b"]).requests
    answers = together(anonymous(sync), requests)
    assert [answer.body for answer in answers] == [b"always the same", b"status 404", b"Hello a", b"Hello b"]


def test_a_server_that_takes_one_at_a_time_may_take_longer_than_the_time_out_for_all(sync: str) -> None:
    answers = at_once(anonymous(sync, timeout_s=2.0), asked_of(Sent(path="/wait?seconds=0.5")), 6)
    assert [answer.failure for answer in answers] == [""] * 6
    assert max(answer.took_s for answer in answers) > 2.5


def test_what_hangs_is_given_up_and_not_asked_again(tmp_path: Path) -> None:
    with served("gthread", tmp_path) as url:
        rounds = list(repeatedly(anonymous(url, timeout_s=1.0), [[asked_of(Sent(path="/hangs"))] * 3] * 5))
    assert len(rounds) == 1
    assert sorted(answer.failure for answer in rounds[0]) == ["", "no answer within 1 s", "no answer within 1 s"]


Behaviour = Callable[[socket.socket], None]


def answering(data: bytes) -> Behaviour:
    def behave(connection: socket.socket) -> None:
        connection.recv(65_536)
        connection.sendall(data)

    return behave


def resetting(connection: socket.socket) -> None:
    connection.recv(65_536)
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc")
    time.sleep(0.1)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")


HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"
ODD: list[tuple[str, Behaviour, str]] = [
    ("nothing", answering(b""), "the server closed the connection without an answer"),
    ("half a head", answering(b"HTTP/1.1 200 OK\r\nContent-"), "the server closed the connection without an answer"),
    ("half a body", answering(HEAD + b"half"), "the connection was closed before the answer was complete"),
    ("no HTTP", answering(b"hello, a secret\r\n\r\n"), "no valid HTTP came"),
    ("a reset", resetting, "the connection was reset before the answer was complete"),
    ("too much", answering(b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 3_000_000), "the answer has more than 1 MiB"),
    ("a head without an end", answering(b"HTTP/1.1 200 OK\r\nA: " + b"a" * 100_000), "no valid HTTP came"),
    ("an interim answer", answering(b"HTTP/1.1 103 Early Hints\r\n\r\n" + HEAD + b"123456789"), ""),
    ("until it is closed", answering(b"HTTP/1.0 200 OK\r\n\r\nabc"), ""),
]


@pytest.mark.parametrize(("behave", "failure"), [case[1:] for case in ODD], ids=[case[0] for case in ODD])
def test_an_answer_that_is_none_says_so_without_a_word_of_it(
    behave: Behaviour, failure: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exchange, "BODY_LIMIT_BYTES", 2**20)
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                try:
                    behave(connection)
                    connection.shutdown(socket.SHUT_WR) if behave is not resetting else None
                    connection.recv(65_536) if behave is not resetting else None
                except OSError:
                    pass

        thread = threading.Thread(target=serve)
        thread.start()
        answer = ask(anonymous(f"http://127.0.0.1:{listener.getsockname()[1]}"), asked_of(Sent(path="/")))
        thread.join(TIMEOUT_S)
    assert answer.failure == failure


def test_nothing_that_accepts_no_connection_is_waited_for_longer_than_the_time_out() -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener:
        port = listener.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT_S):
            answers = at_once(anonymous(f"http://127.0.0.1:{port}", timeout_s=0.5), asked_of(Sent(path="/")), 3)
    assert {answer.failure for answer in answers} <= {"no connection within 0.5 s", "no answer within 0.5 s"}
    assert "no connection within 0.5 s" in {answer.failure for answer in answers}


def test_the_load_sends_what_the_visitor_sends(sync: str, tmp_path: Path) -> None:
    """With the cookies of the login, so that it is answered as the visitor was: with 200."""
    visitor = visit(sync, script(tmp_path, SIGN_IN), TIMEOUT_S)
    load = job(visitor, visitor.script.requests[0], connections=2, status=200, duration_s=0.3, warmup_s=0.1)
    result = run(load)
    assert result.errors.total == 0
    assert result.good > 0


def test_a_cookie_of_other_characters_is_sent_as_it_came(sync: str) -> None:
    visitor = anonymous(sync)
    visitor.cookies.set("name", "Jürgen €")
    assert ask(visitor, asked_of(Sent(path="/"))).status == 200
    load = job(visitor, asked_of(Sent(path="/")), connections=1, status=200, duration_s=0.2, warmup_s=0)
    assert dict(load.headers)["cookie"].encode("latin-1") == "name=Jürgen €".encode()
    assert run(load).errors.total == 0


def test_the_load_sends_bodies_and_a_host_of_its_own(sync: str) -> None:
    asked: Asked = asked_of(Sent(path="/echo?a=ä", method="POST", json={"a": 1}, headers=(("Host", "shop.test"),)))
    load = job(anonymous(sync), asked, connections=1, status=200)
    assert (load.path, load.method, json.loads(load.body or b"")) == ("/echo?a=%C3%A4", "POST", {"a": 1})
    headers = dict(load.headers)
    assert (headers["host"], headers["content-type"]) == ("shop.test", "application/json")
    assert "content-length" not in headers
    assert run(job(anonymous(sync), asked, connections=1, status=200, duration_s=0.2, warmup_s=0)).errors.total == 0
    assert "shop.test" in str(describe(load))  # so a job of a visitor is not for the results as it is
