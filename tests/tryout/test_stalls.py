"""Stalls are given to requests, folded by the user's own lines, and read from a file that may have been cut off."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from bench.tryout.own_code import Frame, OwnCode
from bench.tryout.stalls import Asked, Seen, Span, probed, read, shown, stalls

SERVER = Frame("/env/lib/python3.11/site-packages/gunicorn/app.py", 1, "run", "gunicorn.app")
FLASK = Frame("/env/lib/python3.11/site-packages/flask/app.py", 900, "Flask.dispatch_request", "flask.app")
VIEW = Frame("/shop/views.py", 10, "orders", "views")
HELPER = Frame("/shop/queries.py", 5, "find", "queries")
REQUESTS = Frame("/env/lib/python3.11/site-packages/requests/api.py", 73, "get", "requests.api")
ORM = Frame("/env/lib/python3.11/site-packages/sqlalchemy/orm/scoping.py", 7, "scoped_session.scalars",
            "sqlalchemy.orm.scoping")  # fmt: skip
POOL = Frame("/env/lib/python3.11/site-packages/flask_sqlalchemy/extension.py", 9, "teardown",
             "flask_sqlalchemy.extension")  # fmt: skip
FOLDER = Path("/shop")


def stalled(*spans: tuple[Sequence[Frame], str, float, float], from_s: float = 0.0) -> Seen:
    """A stall of spans: the frames, the function in C, how long in all, and how long on a core."""
    made, until_s = [], from_s
    for frames, call, for_s, cpu_s in spans:
        made.append(Span((SERVER, FLASK, *frames), call, until_s, until_s + for_s, cpu_s, 0.0))
        until_s += for_s
    return Seen("gevent", from_s, until_s - from_s, 0.0, 0.0, 1, tuple(made))


def folded(*seen: Seen, requests: Sequence[Asked] = (Asked("GET /", 0.0, 100.0),)) -> list[tuple[object, ...]]:
    """What was found, shortly."""
    found = stalls(seen, requests, [FOLDER], FOLDER)
    return [(each.request, each.file, each.line, each.call, each.count, round(each.total_s, 3)) for each in found]


def test_a_stall_is_named_by_the_innermost_own_line_and_the_call_below_it() -> None:
    seen = stalled(([VIEW, HELPER, REQUESTS], "_socket:socket.recv_into", 0.1, 0.0))
    assert folded(seen) == [("GET /", "queries.py", 5, "requests.get", 1, 0.1)]


def test_the_driver_is_named_and_not_the_orm_above_it() -> None:
    seen = stalled(([VIEW, ORM], "psycopg2.extensions:cursor.execute", 0.1, 0.0))
    assert folded(seen) == [("GET /", "views.py", 10, "psycopg2.cursor.execute", 1, 0.1)]


def test_what_an_orm_computes_is_the_orms_though_a_driver_is_below() -> None:
    seen = stalled(([VIEW, ORM], "psycopg2.extensions:cursor.fetchall", 0.1, 0.09))
    assert folded(seen) == [("GET /", "views.py", 10, "sqlalchemy.scoped_session.scalars", 1, 0.1)]


def test_the_same_place_is_folded_and_the_longest_total_comes_first() -> None:
    short = stalled(([HELPER], "time:sleep", 0.05, 0.0))
    long = stalled(([VIEW], "time:sleep", 0.2, 0.0), from_s=1)
    again = stalled(([HELPER], "time:sleep", 0.03, 0.0), from_s=2)
    assert folded(short, long, again) == [
        ("GET /", "views.py", 10, "time.sleep", 1, 0.2),
        ("GET /", "queries.py", 5, "time.sleep", 2, 0.08),
    ]
    (_, twice) = stalls([short, long, again], [Asked("GET /", 0, 100)], [FOLDER], FOLDER)
    assert (twice.longest_s, twice.doing) == (0.05, "waiting")


def test_own_code_that_computes_is_folded_by_its_function_and_named_by_its_busiest_line() -> None:
    lines = [Frame("/shop/views.py", line, "total", "views") for line in (20, 21, 22)]
    seen = stalled(
        *[([VIEW, frame], "builtins:len", for_s, for_s) for frame, for_s in zip(lines, (1, 3, 2), strict=True)]
    )
    assert folded(seen) == [("GET /", "views.py", 21, "", 1, 6.0)]


def test_each_span_goes_to_the_request_that_it_was_in() -> None:
    seen = stalled(([VIEW], "time:sleep", 1, 0), ([HELPER], "time:sleep", 1, 0))
    requests = [Asked("GET /a", 0.0, 1.1), Asked("GET /b", 1.1, 2.0)]
    assert {row[:3] for row in folded(seen, requests=requests)} == {
        ("GET /a", "views.py", 10), ("GET /b", "queries.py", 5)
    }  # fmt: skip


def test_what_only_reaches_into_a_request_is_not_its_own() -> None:
    seen = stalled(([VIEW], "time:sleep", 1, 0))
    assert folded(seen, requests=[Asked("GET /", 0.9, 5.0)]) == []
    assert folded(seen, requests=[Asked("GET /", 5.0, 6.0)]) == []


def test_a_stall_that_outlasts_its_request_is_its_own() -> None:
    seen = stalled(([VIEW], "time:sleep", 100, 0))
    assert len(folded(seen, requests=[Asked("GET /", 1.0, 4.0)])) == 1


def test_a_place_that_was_hardly_seen_is_left_out() -> None:
    seen = stalled(([VIEW], "time:sleep", 0.1, 0), ([HELPER], "time:sleep", 0.005, 0))
    assert [row[1] for row in folded(seen)] == ["views.py"]


@pytest.mark.parametrize(
    ("stood_s", "requests", "blamed"),
    [
        ([0.022], [Asked("GET /", 0.0, 100.0)], True),  # it came with the only request
        ([0.022], [Asked("GET /", 0.0, 0.1), *[Asked("GET /", at_s, at_s + 0.1) for at_s in (1.0, 2.0, 3.0)]], False),
        ([0.022], [Asked("GET /", 0.0, 0.4, times=8)], False),
        ([0.022] * 6, [Asked("GET /", 0.0, 9.0, times=8)], True),  # it comes with three of four
        ([0.022] * 5, [Asked("GET /", 0.0, 9.0, times=8)], False),
        ([0.022, 0.005, 0.005, 0.005], [Asked("GET /", 0.0, 9.0, times=8)], False),
        ([0.09], [Asked("GET /", 0.0, 0.36, times=8)], True),  # it takes a quarter of their time
        ([0.1], [Asked("GET /", 0.0, 9.0, times=8)], True),  # no machine keeps a process for so long
        ([0.005] * 8, [Asked("GET /", 0.0, 0.05, times=8)], False),
        ([0.022], [Asked("GET /", 0.0, 0.1), Asked("GET /else", 5.0, 9.0, times=8)], True),
    ],
)
def test_a_moment_that_comes_now_and_then_is_the_machines(
    stood_s: Sequence[float], requests: Sequence[Asked], blamed: bool
) -> None:
    seen = [stalled(([VIEW], "time:sleep", one_s, 0.0), from_s=0.05 * number) for number, one_s in enumerate(stood_s)]
    assert bool(folded(*seen, requests=requests)) == blamed


def test_without_own_code_the_extension_is_named_and_with_servers_alone_nobody() -> None:
    assert folded(stalled(([POOL], "psycopg2.extensions:connection.rollback", 0.1, 0)), stalled(([], "", 0.1, 0))) == [
        ("GET /", POOL.file, 9, "psycopg2.connection.rollback", 1, 0.1)
    ]


@pytest.mark.parametrize(
    ("file", "root", "own"),
    [
        ("/shop/views.py", "/shop", True),
        ("views.py", "/shop", True),
        ("/shop/templates/orders.html", "/shop", True),
        ("/elsewhere/views.py", "/shop", False),
        ("/shopping/views.py", "/shop", False),
        ("/shop/.venv/lib/python3.11/site-packages/flask/app.py", "/shop", False),
        ("/shop/.venv/lib/python3/dist-packages/flask/app.py", "/shop", False),
        ("/shop/python/lib/python3.12/json/__init__.py", "/shop", False),
        ("/env/lib/python3.11/site-packages/isso/run.py", "/env/lib/python3.11/site-packages/isso", True),
        ("/env/lib/python3.11/site-packages/flask/app.py", "/env/lib/python3.11/site-packages/isso", False),
        ("<string>", "/shop/package", False),
    ],
)
def test_own_code_is_below_a_root_and_not_installed_there(file: str, root: str, own: bool) -> None:
    assert OwnCode([Path(root)], FOLDER).has(file) is own


@pytest.mark.parametrize(
    ("call", "said"),
    [
        ("requests.api:get", "requests.get"),
        ("psycopg2:connect", "psycopg2.connect"),
        ("_thread:lock.acquire", "threading.lock.acquire"),
        ("builtins:sorted", "sorted"),
        ("http.client:HTTPConnection.getresponse", "http.client.HTTPConnection.getresponse"),
        ("concurrent.futures._base:Future.result", "concurrent.futures.Future.result"),
        ("shop.tools:made.<locals>.inner", "shop.made.inner"),
    ],
)
def test_a_call_is_shown_as_one_imports_it(call: str, said: str) -> None:
    assert shown(call) == said


def line(late_s: float, *, from_s: float = 1.0) -> str:
    """What the probe writes of a stall."""
    stack = [["/shop/views.py", 10, "orders", "views"]]
    content = {"kind": "gevent", "pid": 7, "from_s": from_s, "late_s": late_s, "cpu_s": 0.5, "queued_s": 0.1,
               "stacks": [stack], "calls": ["time:sleep"], "spans": [[0, late_s, 0.5, 0.1]]}  # fmt: skip
    return json.dumps(content) + "\n"


def test_a_stall_that_was_told_again_and_again_is_read_once(tmp_path: Path) -> None:
    file = tmp_path / "stalls"
    file.write_text('{"started_s": 0, "kind": "gevent", "pid": 7}\n' + line(1) + line(2) + line(3, from_s=9))
    first, second = read(file)
    assert (first.late_s, second.late_s) == (2, 3)
    assert first.spans[0].stood_s == pytest.approx(1.9)
    assert probed(file)


def test_a_line_that_was_cut_off_is_left_out(tmp_path: Path) -> None:
    file = tmp_path / "stalls"
    file.write_text(line(1) + line(2)[:50])
    assert len(read(file)) == 1
    assert not probed(file)


def test_without_a_file_nothing_was_seen_and_nothing_was_probed(tmp_path: Path) -> None:
    assert read(tmp_path / "stalls") == []
    assert not probed(tmp_path / "stalls")
