"""What is asked: paths, requests.toml with every mistake that can be made in it, and recorded browser sessions."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from bench.errors import BenchError
from bench.tryout.fields import LOGIN as LOGIN_FIELDS
from bench.tryout.fields import REQUEST as REQUEST_FIELDS
from bench.tryout.har import script_of_har
from bench.tryout.script import Capture, Ignored, Script, script_of_paths
from bench.tryout.script_file import script_of
from bench.tryout.sources import script_from
from bench.tryout.template import filled, literal, names_in

WHOLE = """\
# A shop that wants its customers to sign in.
[[login]]
path = "/sign-in"
capture = { csrf = { field = "csrf_token" } }

[[login]]
path = "/sign-in"
form = { name = "ann", password = "{env:SHOP_PASSWORD}", csrf_token = "{csrf}" }
status = 302

[[request]]
path = "/orders?token=abc&page=2"
weight = 3
ignore = { headers = ["X-Id"], fields = ["/orders/*/id"], patterns = ["[0-9]+ ms"] }

[[request]]
name = "the stock"
path = "/stock"
headers = { Accept = "application/json" }
"""
LOGIN = '[[login]]\npath = "/in"\ncapture = { csrf = { field = "csrf" } }\n\n'


def written(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "requests.toml"
    file.write_text(text, encoding="utf-8")
    return file


def test_a_whole_file_is_understood(tmp_path: Path) -> None:
    script = script_of(written(tmp_path, WHOLE), {"SHOP_PASSWORD": "very secret", "OTHER": "not asked for"})
    form, sign_in = script.login
    assert (form.method, form.captures) == ("GET", (Capture(name="csrf", source="field", what="csrf_token"),))
    assert (sign_in.method, sign_in.status) == ("POST", 302)
    orders, stock = script.requests
    assert (orders.weight, orders.ignored.headers) == (3.0, ("x-id",))
    assert orders.ignored == Ignored(headers=("x-id",), fields=("/orders/*/id",), patterns=("[0-9]+ ms",))
    assert (stock.name, stock.headers) == ("the stock", (("Accept", "application/json"),))
    assert script.values == {"env:SHOP_PASSWORD": "very secret"}


def test_neither_a_value_of_the_environment_nor_a_token_in_a_query_is_shown(tmp_path: Path) -> None:
    script = script_of(written(tmp_path, WHOLE), {"SHOP_PASSWORD": "very secret"})
    assert "very secret" not in repr(script)
    assert script.requests[0].name == "GET /orders?token=…&page=2"


MISTAKES: list[tuple[str, str, str]] = [
    ("no TOML", "[[request]]\npath = /orders\n", "is not TOML: Invalid value (at line 2, column 8)"),
    ("nothing asked", "# nothing\n", "has neither a [[login]] nor a [[request]]"),
    ("another table", '[settings]\nname = "x"\n',
     "settings: there is no such table; those are [[login]] and [[request]]"),
    ("one bracket", '[request]\npath = "/"\n', "request is written with two brackets on each side, as [[request]]"),
    ("no path", '[[request]]\nname = "x"\n', "line 1, [[request]] 1: path: is missing"),
    ("a misspelt field", '[[request]]\npath = "/"\n\n[[request]]\npath = "/b"\nfrom = { a = "b" }\n',
     "line 6, [[request]] 2: from: there is no such field; a [[request]] has path, method, form"),
    ("a URL", '[[request]]\npath = "http://example.org/"\n',
     "line 2, [[request]] 1: path: 'http://example.org/' is no path"),
    ("another host", '[[request]]\npath = "//example.org/"\n', "it begins with one slash"),
    ("a fragment", '[[request]]\npath = "/a#b"\n', "what follows a # is never sent"),
    ("a space", '[[request]]\npath = "/a b"\n', "write %20 for a space"),
    ("a method", '[[request]]\npath = "/"\nmethod = "BREW"\n',
     "line 3, [[request]] 1: method: 'BREW' is none of GET, POST"),
    ("HEAD", '[[request]]\npath = "/"\nmethod = "HEAD"\n', "method: 'HEAD' is none of"),
    ("a status of text", '[[request]]\npath = "/"\nstatus = "200"\n', "status: must be a status from 200 to 599"),
    ("a weight of none", '[[request]]\npath = "/"\nweight = 0\n', "weight: must be a number above 0"),
    ("an empty name", '[[request]]\npath = "/"\nname = " "\n', "name: must be a text that is not empty"),
    ("two contents", LOGIN + '[[login]]\npath = "/in"\njson = { a = 1 }\nbody = "x"\n',
     "line 8, [[login]] 2: body: a request has one of form, json and body, not json and body"),
    ("a GET with content", '[[login]]\nmethod = "GET"\npath = "/"\nbody = "x"\n', "body: a GET has no content"),
    ("a form of a text", '[[login]]\npath = "/"\nform = "a=b"\n', 'form: must be a table that is not empty'),
    ("a date in JSON", '[[login]]\npath = "/"\njson = { at = 2026-01-01 }\n', "json: holds a date or a time"),
    ("a number that JSON lacks", '[[login]]\npath = "/"\njson = { a = [nan] }\n',
     "json: holds a number that JSON does not"),
    ("a form's field of a table", '[[login]]\npath = "/"\nform = { a = { b = 1 } }\n',
     "form: a must be a text or a number"),
    ("a header of two lines", '[[request]]\npath = "/"\nheaders = { A = "b\\r\\nc" }\n', "headers: 'A' is no header"),
    ("a header of the client", '[[request]]\npath = "/"\nheaders = { Content-Length = "3" }\n',
     "headers: Content-Length is set by the client itself"),
    ("a capture in a request", '[[request]]\npath = "/"\ncapture = { a = { field = "b" } }\n',
     "line 3, [[request]] 1: capture: a [[request]] captures nothing"),
    ("a capture without a source", '[[login]]\npath = "/"\ncapture = { a = "b" }\n',
     "capture: a must be a table with one of field, regex, pointer, header and cookie"),
    ("a capture's name", '[[login]]\npath = "/"\ncapture = { a-b = { field = "b" } }\n', "capture: 'a-b' is no name"),
    ("a capture's expression", '[[login]]\npath = "/"\ncapture = { a = { regex = "(" } }\n',
     "is no regular expression"),
    ("a capture's pointer", '[[login]]\npath = "/"\ncapture = { a = { pointer = "b" } }\n', "'b' is no JSON pointer"),
    ("something else ignored", '[[request]]\npath = "/"\nignore = { bodies = ["x"] }\n',
     "ignore: 'bodies' is none of headers, fields and patterns"),
    ("an ignored text", '[[request]]\npath = "/"\nignore = { headers = "x" }\n', "ignore: must be a list of texts"),
    ("a name that nothing captures", LOGIN + '[[request]]\npath = "/o/{order}"\n',
     "line 6, [[request]] 1: path: {order} is captured by no [[login]] before it (captured are csrf)"),
    ("a name that is captured too late", '[[login]]\npath = "/{csrf}"\ncapture = { csrf = { field = "csrf" } }\n',
     "line 2, [[login]] 1: path: {csrf} is captured by no [[login]] before it (nothing is)"),
    ("a variable that is not set", '[[request]]\npath = "/"\nheaders = { A = "{env:NO_SUCH}" }\n',
     "line 3, [[request]] 1: headers: the variable NO_SUCH is not set; set it, or pass --env-file or --env"),
    ("a table of its own", '[[request]]\npath = "/"\n[request.headers]\n"a b" = "c"\n',
     "line 3, [[request]] 1: headers:"),
    ("a head in a text", '[[login]]\npath = "/"\nbody = """\n[[request]]\n"""\n[[request]]\npath = "x"\n',
     "line 7, [[request]] 1: path:"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "message"), [(text, message) for _, text, message in MISTAKES],
                         ids=[name for name, _, _ in MISTAKES])  # fmt: skip
def test_a_mistake_is_named_with_its_line_and_field(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(BenchError) as raised:
        script_of(written(tmp_path, text), {})
    assert message in str(raised.value)
    assert str(tmp_path / "requests.toml") in str(raised.value)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(BenchError, match=r"cannot read .*none\.toml: No such file"):
        script_of(tmp_path / "none.toml", {})
    (tmp_path / "latin.toml").write_bytes(b"# \xe9\n")
    with pytest.raises(BenchError, match=r"latin\.toml is not UTF-8"):
        script_of(tmp_path / "latin.toml", {})


WRITES = '[[request]]\npath = "/orders"\njson = { a = 1 }\n[[request]]\npath = "/orders/1"\nmethod = "delete"\n'


def test_requests_that_may_change_something_need_a_permission_and_login_steps_do_not(tmp_path: Path) -> None:
    file = written(tmp_path, '[[login]]\npath = "/in"\nform = { a = "b" }\n' + WRITES)
    with pytest.raises(BenchError, match=r"POST /orders and DELETE /orders/1 may change what .* --allow-writes"):
        script_of(file, {})
    assert [asked.method for asked in script_of(file, {}, allow_writes=True).requests] == ["POST", "DELETE"]


def test_requests_of_one_path_have_names_of_their_own(tmp_path: Path) -> None:
    file = written(tmp_path, '[[request]]\npath = "/"\n[[request]]\npath = "/"\nheaders = { A = "b" }\n')
    assert [asked.name for asked in script_of(file, {}).requests] == ["GET /", "GET / (2)"]


def test_a_path_is_asked_once_and_must_be_one() -> None:
    assert [asked.name for asked in script_of_paths(["/a", "/b?x=1", "/a"]).requests] == ["GET /a", "GET /b?x=1"]
    with pytest.raises(BenchError, match="'orders' is no path to ask for: it begins with one slash"):
        script_of_paths(["orders"])
    with pytest.raises(BenchError, match="it has more than 8000 characters"):
        script_of_paths(["/" + "a" * 8_000])


FILLED: list[tuple[Any, Any]] = [
    ("/orders/{id}", "/orders/7"),
    ({"a": ["{id}", 3], "b": {"c": "{env:P}"}}, {"a": ["7", 3], "b": {"c": "secret"}}),
    ('{"a": 1, "b": {}}', '{"a": 1, "b": {}}'),
    ("{{id}} {id}", "{id} 7"),
    (None, None),
]


@pytest.mark.parametrize(("content", "result"), FILLED)
def test_names_in_braces_stand_for_values(content: Any, result: Any) -> None:
    assert filled(content, {"id": "7", "env:P": "secret"}) == result


def test_a_literal_text_stays_as_it_is() -> None:
    for text in ("{id}", "{{id}}", "{ id }", "plain"):
        assert filled(literal(text), {}) == ("{id}" if text == "{{id}}" else text)
    assert names_in(literal("{id}")) == []


def entry(url: str, method: str = "GET", kind: str = "text/html", **headers: str) -> dict[str, Any]:
    """An entry of a HAR file."""
    pairs = [{"name": name.replace("_", "-"), "value": value} for name, value in headers.items()]
    response = {"status": 200, "content": {"mimeType": kind}}
    return {"request": {"method": method, "url": url, "headers": pairs}, "response": response}


SESSION = [
    entry("http://shop.test/orders?page=1", Cookie="session=stolen", Authorization="Bearer stolen", Accept="text/html"),
    entry("http://shop.test/static/shop.css", kind="text/css"),
    entry("http://shop.test/orders", "POST"),
    entry("https://fonts.test/a.woff2", kind="font/woff2"),
    entry("http://other.test/api"),
    entry("data:text/html,hello"),
    entry("http://shop.test/orders?page=1"),
    entry("http://shop.test/api/stock#top", kind="application/json", HX_Request="true"),
    entry("http://shop.test/t/{id}"),
    {**entry("http://shop.test/socket"), "response": {"status": 101, "content": {}}},
]


def test_a_recorded_session_gives_its_gets_without_what_was_secret(tmp_path: Path) -> None:
    file = tmp_path / "shop.har"
    file.write_text(json.dumps({"log": {"entries": SESSION}}), encoding="utf-8")
    script = script_of_har(file)
    assert [asked.path for asked in script.requests] == ["/orders?page=1", "/api/stock", "/t/{{id}}"]
    assert [asked.headers for asked in script.requests] == [(("Accept", "text/html"),), (("HX-Request", "true"),), ()]
    assert "stolen" not in repr(script)


NO_HARS = [
    "",
    "[]",
    '{"log": {}}',
    '{"log": {"entries": 3}}',
    '{"log": {"entries": [1]}}',
    '{"log": {"entries": [{}]}}',
]


@pytest.mark.parametrize("text", NO_HARS)
def test_a_file_of_another_kind_is_no_har_file(tmp_path: Path, text: str) -> None:
    file = tmp_path / "shop.har"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(BenchError, match=r"shop\.har is no HAR file; save one"):
        script_of_har(file)


def test_a_session_without_a_get_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "shop.har"
    odd = [entry("http://a/x", "POST"), entry("http://[", "GET"), {"request": {"url": 3}}]
    file.write_text(json.dumps({"log": {"entries": odd}}), encoding="utf-8")
    with pytest.raises(BenchError, match=r"shop\.har holds no GET of a "):
        script_of_har(file)
    with pytest.raises(BenchError, match=r"cannot read .*none\.har"):
        script_of_har(tmp_path / "none.har")


def test_paths_file_and_recording_go_together_with_the_headers(tmp_path: Path) -> None:
    har = tmp_path / "shop.har"
    har.write_text(json.dumps({"log": {"entries": SESSION}}), encoding="utf-8")
    file = written(tmp_path, LOGIN + '[[request]]\npath = "/stock"\nheaders = { x-a = "own" }\n')
    script = script_from(["/stock", "/o/{csrf}"], file, har, (("X-A", "{all}"), ("X-B", "b")), {})
    assert [asked.path for asked in script.requests] == [
        "/stock",
        "/o/{csrf}",
        "/orders?page=1",
        "/api/stock",
        "/t/{{id}}",
    ]
    assert script.requests[0].headers == (("x-a", "own"), ("X-B", "b"))
    assert script.login[0].headers == (("X-A", "{{all}}"), ("X-B", "b"))


def test_without_any_request_the_root_is_asked(tmp_path: Path) -> None:
    assert [asked.name for asked in script_from([], None, None, (), {}).requests] == ["GET /"]
    login_only = script_from([], written(tmp_path, LOGIN), None, (), {})
    assert (len(login_only.login), [asked.name for asked in login_only.requests]) == (1, ["GET /"])


def test_a_typed_path_with_a_name_that_nothing_captures_is_refused() -> None:
    with pytest.raises(BenchError, match=r"--path /o/\{id\}: \{id\} is captured by no \[\[login\]\]"):
        script_from(["/o/{id}"], None, None, (), {})


def test_headers_that_the_client_sets_are_refused() -> None:
    with pytest.raises(BenchError, match="--header Content-Length: the client sets it by itself"):
        script_from([], None, None, (("Content-Length", "3"),), {})


def test_the_examples_of_the_documentation_are_understood(tmp_path: Path) -> None:
    text = (Path(__file__).parents[2] / "docs" / "requests.md").read_text(encoding="utf-8")
    examples = re.findall(r"```toml\n(.*?)```", text, re.DOTALL)
    environment = {"SHOP_PASSWORD": "a", "API_PASSWORD": "b"}
    scripts = [script_of(written(tmp_path, example), environment, allow_writes=True) for example in examples]
    assert len(scripts) >= 3
    assert {field for one in (LOGIN_FIELDS, REQUEST_FIELDS) for field in one if f"`{field}`" not in text} == set()


def test_an_empty_script_is_one() -> None:
    assert Script().with_headers((("A", "b"),)) == Script()
