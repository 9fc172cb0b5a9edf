"""What is a difference between bodies and headers, and what only differs from answer to answer?"""

import json
import random
import secrets
import string
import time
import uuid
from collections.abc import Callable
from typing import Any

import pytest

from bench.tryout.answer_headers import header_differences, unsteady_headers
from bench.tryout.bodies import Bodies
from bench.tryout.masks import LONG_CHARACTERS, pattern_of
from bench.tryout.script import Ignored

SEED = random.Random(4)


def page(body: str = "", *, user: str = "ann", extra: str = "") -> str:
    """A page with what differs from answer to answer."""
    today = time.strftime("%a, %d %b %Y")
    return (
        f'<html><meta name="csrf" content="{secrets.token_urlsafe(32)}"><p id="{uuid.uuid4()}">Hello {user}, it is '
        f"{today} {SEED.random() * 100:.3f}</p>{body}<i>{secrets.token_hex(8)}</i>{extra}</html>"
    )


def words(least: int, most: int) -> list[str]:
    """Some random words."""
    return ["".join(SEED.choices(string.ascii_lowercase, k=5)) for _ in range(SEED.randrange(least, most))]


SAME: dict[str, Callable[[], str]] = {
    "dates, ids and tokens": page,
    "a token alone": lambda: secrets.token_urlsafe(24),
    "base64 with padding": lambda: f"<b>{secrets.token_hex(5)}+/==</b>",
    "a URL": lambda: f'<a href="/o/{uuid.uuid4()}?t={secrets.token_hex(4)}&x=1">o</a>',
    "a number of 1 to 9 digits": lambda: f"took {SEED.randrange(10 ** SEED.randrange(1, 10))} ms",
    "words, more or fewer": lambda: f"<q>{' '.join(words(3, 6))}</q> end",
    "lines, more or fewer": lambda: "head\n" + "".join(f"<li>{word}</li>\n" for word in words(4, 8)),
}  # fmt: skip


@pytest.mark.parametrize("make", SAME.values(), ids=SAME)
def test_what_differs_among_two_answers_may_differ_in_others(make: Callable[[], str]) -> None:
    pattern = pattern_of([make() for _ in range(3)])
    assert [text for text in (make() for _ in range(100)) if pattern.misfit(text) is not None] == []


OTHERS: list[tuple[str, str, str]] = [
    ("another word", page(), page(user="bob")),
    ("a paragraph more", page(), page("<p>more</p>")),
    ("something at the end", page(), page(extra="<!-- 12 -->")),
    ("nothing", page(), ""),
    ("None where a token is", page(), page().split('content="')[0] + 'content="None"' + page().split('"', 4)[4]),
    ("an error within a token's place", page(), page().replace('content="', 'content="' + "x" * 400)),
    ("only its beginning", page(), page()[:-5]),
]


@pytest.mark.parametrize(("known", "found"), [case[1:] for case in OTHERS], ids=[case[0] for case in OTHERS])
def test_other_content_is_a_difference(known: str, found: str) -> None:
    assert pattern_of([known, page(), page()]).misfit(found) is not None


def test_more_than_twice_the_words_of_a_place_are_a_difference() -> None:
    pattern = pattern_of(["<a> b </a>", "<a> b c d </a>"])
    assert pattern.misfit("<a> b c d e </a>") is None
    assert pattern.misfit("<a> " + "b " * 40 + "</a>") is not None


def test_the_place_of_a_difference_is_its_first_character() -> None:
    assert pattern_of(["one two 17 three"]).misfit("one two 17 four") == 11
    assert pattern_of(["one 17 three", "one 18 three"]).misfit("one 19 four") == 7
    assert pattern_of(["one two"]).misfit("one") == 3


def test_one_text_alone_takes_itself_only() -> None:
    assert pattern_of(["id 17"]).misfit("id 17") is None
    assert pattern_of(["id 17"]).misfit("id 18") is not None


def long_page(rows: int, above: int = 0, *, ends: str = "</p>") -> str:
    """A page of so many rows, below some others; every fiftieth row has a token."""
    cells = [f"<td>{number} {secrets.token_hex(4) if number % 50 == 0 else 'x'}</td>" for number in range(rows)]
    return "<p>a row above</p>" * above + "".join(cells) + ends


def test_a_long_page_may_have_more_above_if_that_varies_and_not_below() -> None:
    """Long enough for alignment by chunks; a page that is one line."""
    pattern = pattern_of([long_page(2_000), long_page(2_000, above=2)])
    assert pattern.misfit(long_page(2_000, above=1)) is None
    assert pattern.misfit(long_page(2_000, above=1, ends="<b>error</b></p>")) is not None
    assert pattern.misfit(long_page(1_999)) is not None
    assert pattern.open_share < 0.2


def test_what_is_all_different_is_one_hole_however_long() -> None:
    one, two = ([secrets.token_hex(2) for _ in range(number)] for number in (9_000, 9_500))
    pattern = pattern_of([f"<b>{' '.join(one)}</b>", f"<b>{' '.join(two)}</b>"])
    assert pattern.misfit(f"<b>{' '.join(one[:8_800])}</b>") is None
    assert pattern.misfit(f"<b>{' '.join(one[:8_800])}</i>") is not None


def test_very_long_texts_are_compared_by_lines() -> None:
    def text() -> str:
        return "".join(f"line {number} {secrets.token_hex(40)}\n" for number in range(LONG_CHARACTERS // 80))

    pattern = pattern_of([text(), text()])
    assert pattern.misfit(text()) is None
    assert pattern.misfit(text() + "more\n") is not None


def json_bodies(*values: Any, **ignored: Any) -> Bodies:
    """What is known of a request that is answered with JSON."""
    return Bodies(tuple(json.dumps(value).encode() for value in values), "application/json", Ignored(**ignored))


JSON_SAME: list[tuple[str, list[Any], Any]] = [
    ("a random id", [{"id": "a1", "n": 1}, {"id": "b2", "n": 1}], {"id": "c3", "n": 1}),
    ("a date in a text", [{"at": "it is 12:01 now"}, {"at": "it is 12:02 now"}], {"at": "it is 13:07 now"}),
    ("a number that varies", [{"took": 0.1}, {"took": 0.25}], {"took": 3}),
    ("fields in another order", [{"a": 1, "b": 2}, {"b": 2, "a": 1}], {"b": 2, "a": 1}),
    ("elements in any order", [["a", "b", "c"], ["b", "c", "a"]], ["c", "a", "b"]),
    ("a list that grows", [[{"id": 1}], [{"id": 1}, {"id": 2}]], [{"id": 1}, {"id": 2}]),
    ("ids as names", [{"a1": {"n": 1}}, {"b2": {"n": 1}}], {"c3": {"n": 1}}),
    ("null or a text", [{"last": None}, {"last": "10:01"}], {"last": "10:02"}),
    ("numbers too long for one line", [[1.5] * 500, [1.5] * 500], [1.5] * 500),
]


@pytest.mark.parametrize(("known", "found"), [case[1:] for case in JSON_SAME], ids=[case[0] for case in JSON_SAME])
def test_json_may_differ_where_it_differs_anyway(known: list[Any], found: Any) -> None:
    assert json_bodies(*known).difference(json.dumps(found).encode()) == ""


JSON_OTHER: list[tuple[list[Any], Any, str]] = [
    ([{"total": 7, "id": "a1"}, {"total": 7, "id": "b2"}], {"total": 8, "id": "c3"}, "the JSON field /total differs"),
    ([{"a": {"b": [1, 2]}}], {"a": {"b": [1, 3]}}, "the JSON field /a/b/1 differs"),
    ([{"a": [1, 2]}], {"a": [1, 2, 3]}, "the JSON field /a has 3 elements, not 2"),
    ([{"user": "ann"}], {"user": None}, "the JSON field /user is null, not a text"),
    ([{"user": "ann"}], {}, "the JSON field /user is missing"),
    ([{"user": "ann"}], {"user": "ann", "debug": 1}, "the JSON body has a field that sync's has not"),
    ([{"ann@example.org": 1}], {"ann@example.org": 2}, "the JSON field /* differs"),
    ([[1], [1, 2]], [1] * 9, "the JSON body has 9 elements, not 2 at most"),
    ([["a", "b"], ["b", "a"]], ["a", "c"], "the JSON body has other elements"),
    ([{"a1": 1}, {"b2": 1}], {f"c{n}": 1 for n in range(9)}, "the JSON body has more fields than sync's"),
    ([{"at": "it is 12:01 now"}, {"at": "it is 12:02 now"}], {"at": "an error"}, "the JSON field /at differs"),
    ([True], 1, "the JSON body is a number, not true or false"),
    ([[]], {}, "the JSON body is an object, not a list"),
]


@pytest.mark.parametrize(("known", "found", "words"), JSON_OTHER)
def test_json_that_differs_is_named_by_its_field(known: list[Any], found: Any, words: str) -> None:
    assert json_bodies(*known).difference(json.dumps(found).encode()) == words


def test_json_that_is_none_is_a_difference_and_no_reference() -> None:
    assert json_bodies({"a": 1}).difference(b"<html>") == "the body is no JSON"
    broken = Bodies((b"{oops", b"{oops"), "application/json", Ignored())
    assert broken.difference(b"{oops") == ""
    assert broken.difference(b"{other") == "the body differs from character 2 on"


def test_what_is_ignored_is_not_compared() -> None:
    known = json_bodies({"a": 1, "rows": [{"id": 1, "n": 1}]}, fields=("/rows/*/id", "/none/x"))
    assert known.difference(b'{"a": 1, "rows": [{"id": 2, "n": 1}]}') == ""
    assert known.difference(b'{"a": 1, "rows": [{"id": 2, "n": 2}]}') == "the JSON field /rows/0/n differs"
    text = Bodies((b"took 12 ms",), "text/plain", Ignored(patterns=(r"\d+ ms",)))
    assert (text.difference(b"took 13 ms"), text.difference(b"takes 13 ms")) == (
        "",
        "the body differs from character 1 on",
    )


def test_bytes_are_alike_or_not_at_all() -> None:
    picture = Bodies((b"\x89PNG1",), "image/png", Ignored())
    assert (picture.difference(b"\x89PNG1"), picture.difference(b"\x89PNG2")) == ("", "the body differs")
    drawn = Bodies((b"\x89PNG1", b"\x89PNG2"), "image/png", Ignored())
    assert (drawn.difference(b"\x89PNG3"), drawn.volatile) == ("", "body")


def test_a_text_in_another_encoding_is_read_in_it() -> None:
    for charset in ("latin-1", "no-such-charset"):
        text = Bodies(("é 1".encode("latin-1"), "é 2".encode("latin-1")), f"text/plain; charset={charset}", Ignored())
        assert (text.difference("é 3".encode("latin-1")), text.difference("è 3".encode("latin-1"))) == (
            "", "the body differs from character 1 on")  # fmt: skip


VOLATILE: list[tuple[Bodies, str]] = [
    (json_bodies({"a": 1}, {"a": 1}), ""),
    (json_bodies({"a": 1, "b": 2, "c": 3}, {"a": 1, "b": 2, "c": 4}), "parts of the body"),
    (json_bodies({"a": 1, "b": 2, "c": 3}, {"a": 1, "b": 3, "c": 4}), "most of the body"),
    (json_bodies("a", "b"), "body"),
    (Bodies((b"a long text 1", b"a long text 2"), "text/plain", Ignored()), "parts of the body"),
    (Bodies((secrets.token_hex(9).encode(), secrets.token_hex(9).encode()), "text/plain", Ignored()), "body"),
]


@pytest.mark.parametrize(("bodies", "words"), VOLATILE)
def test_how_much_is_not_compared_is_said(bodies: Bodies, words: str) -> None:
    assert bodies.volatile == words


def test_no_word_of_a_body_is_in_what_is_said_of_it() -> None:
    secret = "s3cr3t-value"
    for known in ([{"a": "x"}], [{"a": ["x"]}], [{"a": 1}, {"b": 1}]):
        for found in ({"a": secret}, {secret: 1}, {"a": {secret: secret}}, [secret]):
            assert secret not in json_bodies(*known).difference(json.dumps(found).encode())


KNOWN = [
    ("content-type", "text/html; charset=utf-8"),
    ("vary", "Cookie, Accept"),
    ("date", "now"),
    ("x-id", "a1"),
    ("set-cookie", "session=abc; Expires=Mon; HttpOnly; Path=/"),
]
AGAIN = [("x-id", "b2") if pair[0] == "x-id" else pair for pair in KNOWN]
HEADERS: list[tuple[str, list[tuple[str, str]], list[str]]] = [
    ("date", [("date", "then")], []),
    ("x-id", [("x-id", "c3")], []),
    ("content-type", [("content-type", "text/html;charset=UTF-8")], []),
    ("content-type", [("content-type", "text/plain")],
     ["header content-type is text/plain, not text/html; charset=utf-8"]),
    ("content-type", [], ["header content-type is missing"]),
    ("vary", [("vary", "accept"), ("vary", "cookie")], []),
    ("vary", [("vary", "accept")], ["header vary is accept, not accept, cookie"]),
    ("none", [("location", "/secret")], ["header location is there, which sync's answer lacks"]),
    ("none", [("x-response-time", "12")], []),
    ("set-cookie", [("set-cookie", "session=xyz; expires=Tue; path=/; httponly")], []),
    ("set-cookie", [("set-cookie", "session=xyz; path=/")], ["cookie session has other attributes"]),
    ("set-cookie", [], ["cookie session is missing"]),
    ("none", [("set-cookie", "other=1")], ["cookie other is there, which sync's answer lacks"]),
]  # fmt: skip


@pytest.mark.parametrize(("left_out", "added", "words"), HEADERS)
def test_headers_that_matter_are_compared(left_out: str, added: list[tuple[str, str]], words: list[str]) -> None:
    found = [pair for pair in KNOWN if pair[0] != left_out] + added
    assert header_differences([KNOWN, AGAIN], found, ()) == words


def test_headers_that_are_ignored_are_not_compared() -> None:
    assert header_differences([KNOWN], [], ("content-type", "vary", "x-id", "set-cookie")) == []


def test_a_header_that_only_some_answers_have_is_no_difference() -> None:
    some = [pair for pair in KNOWN if pair[0] != "set-cookie"]
    assert header_differences([KNOWN, some], some, ()) == []
    assert header_differences([KNOWN, some], KNOWN, ()) == []
    assert unsteady_headers([KNOWN, AGAIN, some], ()) == ["cookie session", "header x-id"]


def test_a_header_with_a_secret_is_not_quoted() -> None:
    other = [("location", "/reset?token=s3cr3t")]
    assert header_differences([[("location", "/home")]], other, ()) == ["header location differs"]
