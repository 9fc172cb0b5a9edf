"""Every model serves the whole contract of the design, and all of them with the same bytes."""

from importlib.metadata import version

import httpx
import pytest

from bench.judging.validity import VALID
from bench.measuring.checks import check_overlap, judge_info
from bench.models import find_models
from bench.testbed.processes.local_http import local_client, local_get
from bench.testbed.processes.ports import free_port
from bench.testbed.servers.life import Server, serving
from bench.testbed.testbed import TestBed

READS = (
    "/",
    "/sleep/python/?seconds=0.01",
    "{database_sleep}?seconds=0.01",
    "{database_sleep}?seconds=0",
    "/queries/",
    "/queries/?count=7",
    "/queries/?count=500",
    "/todos/",
    "/todos/1",
    "/fanout/?count=3&seconds=0.01",
    "/mixed/?seconds=0.01",
    "/cpu/?milliseconds=1",
    "/cpu/?milliseconds=0",
    "/stream/?count=3&seconds=0.01",
)

NO_NUMBERS = ("nan", "inf", "-inf", "-1", "-0.5", "1e9", "10001", "", "x", "1_0", "٣", "0x1", "1,5", "None")
NO_COUNTS = ("0", "501", "1.5", "1e1", "²", "9" * 400)
BAD_PARAMETERS = (
    ("/sleep/python/", "seconds", "0 to 60", NO_NUMBERS),
    ("{database_sleep}", "seconds", "0 to 60", NO_NUMBERS),
    ("/queries/", "count", "1 to 500", NO_NUMBERS + NO_COUNTS),
    ("/fanout/", "count", "1 to 500", NO_NUMBERS),
    ("/fanout/", "seconds", "0 to 60", NO_NUMBERS),
    ("/mixed/", "seconds", "0 to 60", NO_NUMBERS),
    ("/cpu/", "milliseconds", "0 to 10000", NO_NUMBERS),
    ("/stream/", "count", "1 to 500", NO_NUMBERS),
    ("/stream/", "seconds", "0 to 60", NO_NUMBERS),
)

BAD_BODIES = (
    (b"", 400, "JSON"),
    (b"{", 400, "JSON"),
    (b"\xff", 400, "JSON"),
    (b"[]", 400, "object"),
    (b"null", 400, "object"),
    (b'"title"', 400, "object"),
    (b'{"title": 1}', 400, "title"),
    (b'{"title": ""}', 400, "title"),
    (b'{"title": null}', 400, "title"),
    (b'{"title": "a\\u0000b"}', 400, "title"),
    (b'{"title": "\\ud800"}', 400, "title"),
    (b'{"title": "' + b"x" * 201 + b'"}', 400, "title"),
    (b'{"title": "a", "done": 1}', 400, "done"),
    (b'{"title": "a", "priority": true}', 400, "priority"),
    (b'{"title": "a", "priority": 10}', 400, "priority"),
    (b'{"title": "a", "priority": 1.0}', 400, "priority"),
    (b'{"title": "a", "id": 7}', 400, "id"),
    (b'{"title": "a", "colour": "red"}', 400, "colour"),
    (b'{"title": []}', 400, "without objects or lists"),
    (b'{"title": ' + b"[" * 1_000 + b"]" * 1_000 + b"}", 400, "without objects or lists"),
    (b'{"title": ' * 5_000 + b"1" + b"}" * 5_000, 400, "without objects or lists"),
    (b"[" * 30_000 + b"]" * 30_000, 400, "without objects or lists"),
    (b"[" * 60_000, 400, "without objects or lists"),
)
JSON = {"content-type": "application/json"}
NOT_THERE = (
    ("GET", "/nowhere", 404),
    ("GET", "/todos/51000", 404),
    ("GET", "/todos/99999999999", 404),
    ("GET", "/todos/-1", 404),
    ("GET", "/todos/x", 404),
    ("DELETE", "/todos/51000", 404),
    ("DELETE", "/todos/1x", 404),
    ("POST", "/", 405),
    ("DELETE", "/todos/", 405),
    ("PUT", "/todos/1", 405),
    ("POST", "/sleep/python/", 405),
)


def test_every_model_answers_reads_with_the_same_bytes(server: Server, client: httpx.Client, expected: dict) -> None:
    for read in READS:
        path = read.format(database_sleep=server.model.database_sleep)
        answer = client.get(path)
        kind = "text/event-stream" if path.startswith("/stream/") else "application/json"
        assert answer.status_code == 200, (path, answer.text)
        assert answer.headers["content-type"].partition(";")[0] == kind, path
        assert answer.content == expected.setdefault(read, answer.content), path


@pytest.fixture(scope="module")
def expected() -> dict[str, bytes]:
    """The first model's body for each read: what all the others must answer."""
    return {}


def test_the_50_todos_are_there(server: Server, client: httpx.Client) -> None:
    todos = client.get("/todos/").json()
    assert [todo["id"] for todo in todos] == list(range(1, 51))
    assert todos[2] == {"id": 3, "title": "Todo 3", "done": True, "priority": 3}
    assert client.get("/sleep/python/?seconds=0").json() == todos
    assert client.get(f"{server.model.database_sleep}?seconds=0").json() == todos


def test_queries_answers_that_many_rows_of_various_todos(client: httpx.Client) -> None:
    todos = {todo["id"]: todo for todo in client.get("/todos/").json()}
    rows = client.get("/queries/?count=100").json()
    assert len(rows) == 100
    assert all(row == todos[row["id"]] for row in rows)
    assert len({row["id"] for row in rows}) > 25


def test_fanout_calls_the_upstream_that_often_and_at_once(client: httpx.Client) -> None:
    answer = client.get("/fanout/?count=20&seconds=0.2")
    assert answer.json() == [{"seconds": 0.2}] * 20
    assert answer.elapsed.total_seconds() < 0.2 * 20 / 2


def test_mixed_reads_a_todo_and_calls_the_upstream_once(client: httpx.Client) -> None:
    answer = client.get("/mixed/?seconds=0.2")
    assert answer.json() == {"todo": client.get("/todos/1").json(), "upstream": {"seconds": 0.2}}
    assert answer.elapsed.total_seconds() >= 0.2


def test_stream_sends_its_first_event_long_before_its_last(client: httpx.Client) -> None:
    with client.stream("GET", "/stream/?count=3&seconds=0.15") as answer:
        chunks = answer.iter_text()
        assert next(chunks) == "data: 1 of 3\n\n"
        assert "".join(chunks) == "data: 2 of 3\n\ndata: 3 of 3\n\n"


@pytest.fixture(scope="module")
def kinds() -> set[tuple[str, str]]:
    """Apps under servers that have been asked everything: neither driver nor loop sees a bad parameter or body."""
    return set()


@pytest.fixture(scope="module")
def first_of_kind(server: Server, kinds: set[tuple[str, str]]) -> bool:
    """Whether no model before had this app under this server; one that had is asked a sample."""
    kind = server.model.app, server.model.distribution
    first = kind not in kinds
    kinds.add(kind)
    return first


def test_a_bad_parameter_is_400_and_named(server: Server, client: httpx.Client, first_of_kind: bool) -> None:
    for where, name, limits, values in BAD_PARAMETERS:
        path = where.format(database_sleep=server.model.database_sleep)
        for value in values if first_of_kind else values[-1:]:
            answer = client.get(path, params={name: value})
            assert answer.status_code == 400, (path, value)
            error = answer.json()["error"]
            assert error.startswith(f"{name} is {value!r}; it must be a "), (path, value)
            assert error.endswith(f"number from {limits}"), (path, value)


@pytest.mark.parametrize(("method", "path"), [("POST", "/todos/"), ("PATCH", "/todos/1")])
def test_a_bad_body_changes_nothing_and_says_why(
    client: httpx.Client, method: str, path: str, first_of_kind: bool
) -> None:
    before = client.get("/todos/").content
    for body, status, names in BAD_BODIES if first_of_kind else BAD_BODIES[::5]:
        answer = client.request(method, path, content=body, headers=JSON)
        assert answer.status_code == status, body[:80]
        assert names in answer.json()["error"], body[:80]
    assert client.get("/todos/").content == before


@pytest.mark.parametrize(("method", "path"), [("POST", "/todos/"), ("PATCH", "/todos/1")])
def test_a_body_that_is_too_large_is_413(server: Server, client: httpx.Client, method: str, path: str) -> None:
    """On a connection of its own: gunicorn's gthread closes one on which more than 64 KiB of a body were not read."""
    before, body = client.get("/todos/").content, b'{"title": "' + b"x" * 70_000 + b'"}'
    with local_client(server.url) as own:
        answer = own.request(method, path, content=body, headers=JSON)
    assert answer.status_code == 413
    assert "exceeds" in answer.json()["error"]
    assert client.get("/todos/").content == before


def test_what_is_not_there_is_a_json_error(client: httpx.Client) -> None:
    for method, path, status in NOT_THERE:
        answer = client.request(method, path)
        assert answer.status_code == status, (method, path)
        assert set(answer.json()) == {"error"}, (method, path)
        assert ("allow" in answer.headers) == (status == 405), (method, path)


def test_a_patch_without_fields_and_a_post_without_title_are_400(client: httpx.Client) -> None:
    assert client.patch("/todos/1", json={}).status_code == 400
    assert client.post("/todos/", json={"done": True}).json() == {"error": "title is missing"}
    assert client.patch("/todos/51000", json={"done": True}).status_code == 404


def test_a_body_that_is_not_json_is_415(client: httpx.Client) -> None:
    for method, path in (("POST", "/todos/"), ("PATCH", "/todos/1")):
        assert client.request(method, path, data={"title": "a"}).status_code == 415
        assert set(client.request(method, path).json()) == {"error"}


def test_a_todo_lives_from_post_to_delete(client: httpx.Client) -> None:
    created = client.post("/todos/", json={"title": "Überprüfen ✓", "priority": 9})
    assert created.status_code == 201
    todo = created.json()
    assert todo == {"id": todo["id"], "title": "Überprüfen ✓", "done": False, "priority": 9}
    path = f"/todos/{todo['id']}"
    assert client.get(path).json() == todo
    assert client.patch(path, json={"done": True, "title": "x" * 200}).json() == {
        **todo,
        "done": True,
        "title": "x" * 200,
    }
    assert client.get(path).json()["done"] is True
    assert client.delete(path).status_code == 204
    assert client.delete(path).status_code == 404
    assert client.get(path).status_code == 404


def test_head_has_the_headers_of_get_and_no_body(client: httpx.Client) -> None:
    answer = client.head("/todos/1")
    assert answer.status_code == 200
    assert answer.content == b""
    assert answer.headers["content-length"] == client.get("/todos/1").headers["content-length"]


def test_info_says_what_runs(server: Server, client: httpx.Client) -> None:
    model, info = server.model, client.get("/info").json()
    assert judge_info(server, model.pool) == VALID
    assert info["server"] == f"{model.distribution} {version(model.distribution)}"
    assert info["processes"] == model.workers
    assert info["pool_total"] == info["pool"] * model.workers
    assert info["threads"] >= 1
    assert info["driver"] == (model.driver or info["driver"])
    greenlets = model.loop in ("gevent", "eventlet")
    assert not greenlets or "socket" in info["patched"]
    if model.loop is None:
        assert info["patched"] == []
    hooked = greenlets and model.database_waits_overlap and info["driver"] == "psycopg2"
    assert ("psycopg2" in info["patched"]) == hooked


def test_waits_overlap_as_the_registry_says(server: Server) -> None:
    judgement, _ = check_overlap(server)
    assert judgement == VALID


def test_an_upstream_that_is_away_is_502_in_the_same_words(test_bed: TestBed) -> None:
    bodies = set()
    url = f"http://127.0.0.1:{free_port()}/"
    for model in find_models("gevent,asyncio-bridge"):
        environment = {**test_bed.environment(model), "UPSTREAM_URL": url}
        with serving(model, environment, test_bed.logs) as server:
            for path in ("/fanout/", "/mixed/"):
                answer = local_get(f"{server.url}{path}")
                assert answer.status_code == 502
                bodies.add(answer.content)
    assert len(bodies) == 1
