"""What people would pick instead is the same application: the same views, errors and settings, in its own way."""

import ast
import re
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import text

from bench.judging.validity import VALID
from bench.load.burst import send_at_once
from bench.measuring.checks import check_contract
from bench.models import Model, find_models
from bench.testbed.databases import Database, seed
from bench.testbed.processes.local_http import local_client
from bench.testbed.servers.life import Server, serving
from bench.testbed.testbed import TestBed

ROOT = Path(__file__).parents[2]
MODELS = find_models("references,pairs")
# Those of a file of their own; the data layers share theirs, which tests/models/test_models_pairs.py reads.
APPS = sorted({model.app.removeprefix("reference_apps.") for model in find_models("references")
               if model.app.startswith("reference_apps.") and ".layers." not in model.app})  # fmt: skip
JSON = {"content-type": "application/json"}
# A little more than the limit of 64 KiB, and so little that no server minds it unread.
LARGE = b'{"title": "' + b"x" * 65_536 + b'"}'
REFUSED = (
    ("GET", "/nowhere", {}),
    ("GET", "/todos/51000", {}),
    ("GET", "/todos/2147483648", {}),
    ("POST", "/", {}),
    ("PUT", "/todos/1", {}),
    ("GET", "/sleep/python/?seconds=61", {}),
    ("GET", "/queries/?count=x", {}),
    ("GET", "/cpu/?milliseconds=", {}),
    ("GET", "/fanout/", {}),  # its upstream is away
    ("GET", "/mixed/", {}),
    ("GET", "/mixed/?seconds=61", {}),
    ("POST", "/todos/", {"content": b"title=a"}),
    ("POST", "/todos/", {"content": LARGE, "headers": JSON}),
    ("POST", "/todos/", {"content": b"{", "headers": JSON}),
    ("POST", "/todos/", {"content": '{"title": "é", "size": 1}'.encode(), "headers": JSON}),
    ("PATCH", "/todos/1", {"content": b"{}", "headers": JSON}),
    ("PATCH", "/todos/51000", {"content": b'{"done": true}', "headers": JSON}),
    ("DELETE", "/todos/51000", {}),
)


@pytest.fixture(scope="module")
def schema(test_bed: TestBed) -> Iterator[Database]:
    """A schema beside the default one, with 50 todos of its own, of which the first says where it is."""
    database = replace(test_bed.databases["postgres"], schema="elsewhere")
    with database.connect() as connection:
        connection.execute(text("CREATE SCHEMA elsewhere"))
        seed(database, test_bed.logs)
        connection.execute(text("UPDATE elsewhere.todos SET title = 'elsewhere' WHERE id = 1"))
        yield database
        connection.execute(text("DROP SCHEMA elsewhere CASCADE"))


def start(model: Model, testbed: TestBed, schema: Database) -> AbstractContextManager[Server]:
    """The model's server in that schema, its upstream away."""
    away = {"UPSTREAM_URL": "http://127.0.0.1:1/"}
    return serving(model, testbed.environment(model) | schema.environment(model.driver) | away, testbed.logs)


@pytest.fixture(scope="module")
def usual(test_bed: TestBed, schema: Database) -> list[tuple[int, bytes]]:
    """What asyncio_app answers to each of `REFUSED`."""
    (model,) = find_models("asyncio-bridge")
    with start(model, test_bed, schema) as server:
        return answers(server)


def answers(server: Server) -> list[tuple[int, bytes]]:
    """Status and body of each answer, without the HTTP client's own name for what is wrong with the upstream."""
    with local_client(server.url) as client:
        found = [client.request(method, path, **more) for method, path, more in REFUSED]
    return [(answer.status_code, re.sub(rb"failed: \w+", b"failed", answer.content)) for answer in found]


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
def test_it_says_no_in_the_same_words_and_keeps_to_its_schema(
    model: Model, test_bed: TestBed, schema: Database, usual: list[tuple[int, bytes]]
) -> None:
    with start(model, test_bed, schema) as server:
        assert check_contract(server) == VALID
        assert answers(server) == usual
        with local_client(server.url) as client:
            assert client.get("/todos/1").json()["title"] == client.get("/todos/").json()[0]["title"] == "elsewhere"
            key = client.post("/todos/", json={"title": "here"}).json()["id"]
            client.patch(f"/todos/{key}", json={"done": True})
            with schema.connect() as connection:
                row = connection.execute(text(f"SELECT title, done FROM elsewhere.todos WHERE id = {key}")).one()
            assert tuple(row) == ("here", True)
            assert client.delete(f"/todos/{key}").status_code == 204
            assert client.get(f"/todos/{key}").status_code == 404


def test_what_is_implicit_overlaps_in_the_database_and_nowhere_else(test_bed: TestBed) -> None:
    """Requests of the unchanged synchronous app: four waits at once take one in PostgreSQL and four in Python."""
    (model,) = find_models("implicit-asyncio")
    with serving(model, test_bed.environment(model), test_bed.logs) as server:
        waits = {}
        for endpoint in ("/sleep/postgres/", "/sleep/python/"):
            burst = send_at_once(server.url, f"{endpoint}?seconds=0.4", 4, 30.0, lambda _: None)
            assert [answer.error for answer in burst] == [None] * 4
            waits[endpoint] = max(answer.end_s for answer in burst) / 0.4
    assert waits["/sleep/python/"] > 3.9
    assert waits["/sleep/postgres/"] < 3


def test_every_reference_app_has_the_views_of_the_two_in_their_order() -> None:
    views = functions(ROOT / "gevent_app" / "views.py")
    for app in APPS:
        found = functions(ROOT / "reference_apps" / f"{app}.py")
        assert [name for name in found if name in views] == [name for name in views if name in found]
        missing = set(views) - set(found)
        assert missing <= {"sleep_mysql"}, (app, missing)


def functions(path: Path) -> list[str]:
    """Functions at the top level, in order."""
    nodes = ast.parse(path.read_text()).body
    return [node.name for node in nodes if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]


def test_they_take_nothing_of_the_two_apps_but_the_cache() -> None:
    # bare_wsgi.py is a floor, which serves all but one path with gevent_app itself.
    paths = [path for path in (ROOT / "reference_apps").glob("*.py") if path.name != "bare_wsgi.py"]
    assert len(paths) > len(APPS) >= 4
    for path in paths:
        for node in ast.walk(ast.parse(path.read_text())):
            modules = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            modules += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            others = {module for module in modules if module.startswith(("gevent_app", "asyncio_app", "bench"))}
            assert others <= {"asyncio_app.statements"}, path
