"""Every model serves the whole contract of the design, and all of them with the same bytes."""

import httpx
import pytest

from bench.bed import Bed
from bench.models import find_models
from bench.server.life import Server, serving
from bench.server.ports import free_port

READS = (
    "/",
    "/sleep/python/?seconds=0.01",
    "/sleep/postgres/?seconds=0.01",
    "/sleep/postgres/?seconds=0",
    "/queries/",
    "/queries/?count=7",
    "/queries/?count=500",
    "/todos/",
    "/todos/1",
    "/fanout/?count=3&seconds=0.01",
    "/cpu/?milliseconds=1",
    "/cpu/?milliseconds=0",
    "/stream/?count=3&seconds=0.01",
)

BAD_PARAMETERS = [
    (path, name, value, limits)
    for path, name, limits in (
        ("/sleep/python/", "seconds", "0 to 60"),
        ("/sleep/postgres/", "seconds", "0 to 60"),
        ("/queries/", "count", "1 to 500"),
        ("/fanout/", "count", "1 to 500"),
        ("/fanout/", "seconds", "0 to 60"),
        ("/cpu/", "milliseconds", "0 to 10000"),
        ("/stream/", "count", "1 to 500"),
        ("/stream/", "seconds", "0 to 60"),
    )
    for value in ("nan", "inf", "-inf", "-1", "-0.5", "1e9", "10001", "", "x", "1_0", "٣", "0x1", "1,5", "None")
] + [("/queries/", "count", value, "1 to 500") for value in ("0", "501", "1.5", "1e1", "²", "9" * 400)]

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
    (b'{"title": "' + b"x" * 70_000 + b'"}', 413, "exceeds"),
)
JSON = {"content-type": "application/json"}


@pytest.mark.parametrize("path", READS)
def test_every_model_answers_a_read_with_the_same_bytes(client: httpx.Client, path: str, expected: dict) -> None:
    answer = client.get(path)
    kind = "text/event-stream" if path.startswith("/stream/") else "application/json"
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].partition(";")[0] == kind
    assert answer.content == expected.setdefault(path, answer.content)


@pytest.fixture(scope="module")
def expected() -> dict[str, bytes]:
    """The first model's body for each path: what all the others must answer."""
    return {}


def test_the_50_todos_are_there(client: httpx.Client) -> None:
    todos = client.get("/todos/").json()
    assert [todo["id"] for todo in todos] == list(range(1, 51))
    assert todos[2] == {"id": 3, "title": "Todo 3", "done": True, "priority": 3}
    assert client.get("/sleep/python/?seconds=0").json() == todos
    assert client.get("/sleep/postgres/?seconds=0").json() == todos


def test_queries_answers_that_many_rows_of_various_todos(client: httpx.Client) -> None:
    todos = {todo["id"]: todo for todo in client.get("/todos/").json()}
    rows = client.get("/queries/?count=100").json()
    assert len(rows) == 100
    assert all(row == todos[row["id"]] for row in rows)
    assert len({row["id"] for row in rows}) > 25


def test_fanout_calls_the_upstream_that_often_and_at_once(client: httpx.Client) -> None:
    answer = client.get("/fanout/?count=20&seconds=0.4")
    assert answer.json() == [{"seconds": 0.4}] * 20
    assert answer.elapsed.total_seconds() < 0.4 * 20 / 2


def test_stream_sends_its_first_event_long_before_its_last(client: httpx.Client) -> None:
    with client.stream("GET", "/stream/?count=4&seconds=0.3") as answer:
        chunks = answer.iter_text()
        assert next(chunks) == "data: 1 of 4\n\n"
        assert "".join(chunks) == "data: 2 of 4\n\ndata: 3 of 4\n\ndata: 4 of 4\n\n"


@pytest.mark.parametrize(("path", "name", "value", "limits"), BAD_PARAMETERS)
def test_a_bad_parameter_is_400_and_named(client: httpx.Client, path: str, name: str, value: str, limits: str) -> None:
    answer = client.get(path, params={name: value})
    assert answer.status_code == 400
    error = answer.json()["error"]
    assert error.startswith(f"{name} is {value!r}; it must be a ")
    assert error.endswith(f"number from {limits}")


@pytest.mark.parametrize(("body", "status", "names"), BAD_BODIES)
@pytest.mark.parametrize(("method", "path"), [("POST", "/todos/"), ("PATCH", "/todos/1")])
def test_a_bad_body_changes_nothing_and_says_why(
    client: httpx.Client, method: str, path: str, body: bytes, status: int, names: str
) -> None:
    before = client.get("/todos/").content
    answer = client.request(method, path, content=body, headers=JSON)
    assert answer.status_code == status
    assert names in answer.json()["error"]
    assert client.get("/todos/").content == before


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
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
    ],
)
def test_what_is_not_there_is_a_json_error(client: httpx.Client, method: str, path: str, status: int) -> None:
    answer = client.request(method, path)
    assert answer.status_code == status
    assert set(answer.json()) == {"error"}
    assert ("allow" in answer.headers) == (status == 405)


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
    info = client.get("/info").json()
    assert info["app"] == server.model.app
    assert info["server"].split()[0] == server.model.arguments[1]
    assert info["pool"] == 15
    assert info["threads"] >= 1
    assert ("psycopg2" in info["patched"]) == (server.model.name == "gevent")
    assert ("socket" in info["patched"]) == ("gevent" in server.model.arguments)
    assert (info["loop"] is None) == (server.model.name == "sync")
    asyncpg = server.model.app == "asyncio_app" and server.model.name != "asyncio-blocking-db"
    assert info["driver"] == ("asyncpg" if asyncpg else "psycopg2")


def test_an_upstream_that_is_away_is_502_in_the_same_words(test_bed: Bed) -> None:
    bodies = set()
    url = f"http://127.0.0.1:{free_port()}/"
    for model in find_models("gevent,asyncio"):
        environment = {**test_bed.environment(model), "UPSTREAM_URL": url}
        with serving(model, environment, test_bed.logs) as server:
            answer = httpx.get(f"{server.url}/fanout/", trust_env=False)
            assert answer.status_code == 502
            bodies.add(answer.content)
    assert len(bodies) == 1
