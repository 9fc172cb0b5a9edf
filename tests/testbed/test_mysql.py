"""MariaDB as PostgreSQL: the bench's own or the user's, nothing of the user's touched; and the apps on it."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest
from processes import wait_until
from sqlalchemy import make_url
from sqlalchemy.exc import OperationalError

from bench.errors import BenchError
from bench.models import MODELS, POOL, Model, find_models
from bench.models.model import MYSQL_URL
from bench.testbed.databases import seeded_database
from bench.testbed.databases.connections import MAX_CONNECTIONS, ConnectionMeter, connections, headroom
from bench.testbed.databases.database import Database
from bench.testbed.processes.local_http import local_client, local_get
from bench.testbed.processes.ports import free_port
from bench.testbed.servers.life import Server
from bench.testbed.testbed import TestBed
from tests.in_process import Bench

ROOT = Path(__file__).parents[2]
ON_MYSQL = [model for model in MODELS if model.database == "mysql"]
MISSING = next((model.unavailable for model in ON_MYSQL if model.unavailable), "")
pytestmark = pytest.mark.skipif(bool(MISSING), reason=MISSING)


@pytest.fixture(scope="module")
def server_url(test_bed: TestBed) -> str:
    """A MariaDB as a user may have one; its administrator's URL, without a database."""
    return rendered(test_bed.databases["mysql"].url, database=None)


def rendered(url: str, **changes: Any) -> str:
    """The URL with other parts, its password shown."""
    parts = make_url(url)
    parts = parts._replace(database=None) if changes.get("database", "") is None else parts
    return parts.set(**{name: value for name, value in changes.items() if value is not None}).render_as_string(False)


def query(url: str, text: str) -> list[tuple[Any, ...]]:
    """The rows of one statement."""
    with Database(url, None, "mariadb", "", "own").connect() as connection:
        result = connection.exec_driver_sql(text)
        return [tuple(row) for row in result] if result.returns_rows else []


def inventory(url: str) -> list[tuple[Any, ...]]:
    """Every database, and every table."""
    return [
        *query(url, "SHOW DATABASES"),
        *query(url, "SELECT table_schema, table_name FROM information_schema.tables ORDER BY 1, 2"),
    ]


@pytest.fixture
def users_own(server_url: str) -> Iterator[str]:
    """A database with a `todos` table of the user's."""
    query(server_url, "CREATE DATABASE users_own")
    url = rendered(server_url, database="users_own")
    query(url, "CREATE TABLE todos (name text)")
    query(url, "INSERT INTO todos VALUES ('precious')")
    yield url
    query(server_url, "DROP DATABASE users_own")


@pytest.fixture
def plain(users_own: str) -> Iterator[str]:
    """An ordinary user who may use that database only; their URL."""
    query(users_own, "CREATE USER plain@'%%' IDENTIFIED BY 'secret'")
    query(users_own, "GRANT ALL ON users_own.* TO plain@'%%'")
    yield rendered(users_own, username="plain", password="secret")
    query(users_own, "DROP USER plain@'%%'")


def test_the_embedded_server_lets_nobody_in_but_the_bench(test_bed: TestBed) -> None:
    url = test_bed.databases["mysql"].url
    assert test_bed.databases["mysql"].product == "mariadb"
    for stranger in ({"password": "guess"}, {"username": "root", "password": ""}, {"username": "", "password": ""}):
        with pytest.raises(OperationalError, match="Access denied"):
            query(rendered(url, **stranger), "SELECT 1")


def test_two_benches_at_once_have_two_servers_and_each_is_gone_afterwards(test_bed: TestBed, tmp_path: Path) -> None:
    own = test_bed.databases["mysql"]
    with seeded_database(None, tmp_path, "mysql") as other:
        assert make_url(other.url).port != make_url(own.url).port
        query(other.url, "DELETE FROM todos")
        assert query(own.url, "SELECT count(*) FROM todos WHERE id <= 50") == [(50,)]
        ((folder,),) = query(other.url, "SELECT @@datadir")
        assert Path(folder).parent.stat().st_mode & 0o077 == 0
    assert not Path(folder).parent.exists()
    with pytest.raises(OperationalError):
        query(other.url, "SELECT 1")


@contextmanager
def serving_bench(*options: str) -> Iterator[psutil.Process]:
    """`bench serve asyncio-mysql`, serving."""
    command = [sys.executable, "-m", "bench", "serve", "asyncio-mysql", "--port", str(free_port()), *options]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert any("/sleep/mysql/" in line for line in iter(process.stdout.readline, ""))
        yield psutil.Process(process.pid)


def test_kill_9_of_the_bench_leaves_neither_server_nor_folder() -> None:
    with serving_bench() as process:
        (mariadb,) = (child for child in process.children(recursive=True) if child.name() == "mariadbd")
        (folder,) = (part[10:] for part in mariadb.cmdline() if part.startswith("--datadir="))
        left = process.children(recursive=True)
        process.send_signal(signal.SIGKILL)
    wait_until(lambda: not any(child.is_running() for child in left), "every process has ended")
    wait_until(lambda: not Path(folder).parent.exists(), "the folder is gone")


def test_kill_9_leaves_nothing_in_the_users_server(users_own: str) -> None:
    before = inventory(users_own)
    with serving_bench("--mysql-url", users_own) as process:
        assert inventory(users_own) != before
        process.send_signal(signal.SIGKILL)
    wait_until(lambda: inventory(users_own) == before, "the user's server is as it was")


def test_in_the_users_server_the_bench_has_a_database_of_its_own(users_own: str, tmp_path: Path) -> None:
    before = inventory(users_own)
    with seeded_database(rendered(users_own, drivername="mariadb+mysqldb"), tmp_path, "mysql") as database:
        assert make_url(database.url).database not in (None, "users_own", "mysql")
        assert (database.product, database.origin) == ("mariadb", "own")
        assert query(database.url, "SELECT count(*) FROM todos") == [(50,)]
    assert inventory(users_own) == before
    assert query(users_own, "SELECT name FROM todos") == [("precious",)]


def test_a_user_without_rights_is_told_what_to_grant_and_then_may(plain: str, users_own: str, tmp_path: Path) -> None:
    before = inventory(users_own)
    where = f"127.0.0.1:{make_url(plain).port}"
    with pytest.raises(BenchError) as refused, seeded_database(plain, tmp_path, "mysql"):
        pass
    problem, _, statement = str(refused.value).partition("; run: ")
    assert problem == f"plain may not create a database at {where}"
    query(users_own, statement.replace("%", "%%"))
    with seeded_database(plain, tmp_path, "mysql") as database:
        assert query(database.url, "SELECT count(*) FROM todos") == [(50,)]
    assert inventory(users_own) == before


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"password": "wrong-secret"}, "the MySQL server at 127.0.0.1:{port} refused user 'bench'; correct user and"),
        ({"database": "absent"}, "the MySQL server at 127.0.0.1:{port}: Unknown database 'absent'; correct the MySQL"),
        ({"port": 1}, "no MySQL server answers at 127.0.0.1:1; start it, or correct host and port in the MySQL URL"),
        ({"drivername": "postgresql"}, "the MySQL URL is of postgresql; give one of MariaDB or MySQL: mysql://…"),
    ],
)
def test_a_url_that_is_wrong_is_one_line(changes: dict[str, Any], says: str, server_url: str, tmp_path: Path) -> None:
    with (
        pytest.raises(BenchError) as refused,
        seeded_database(rendered(server_url, **changes), tmp_path, "mysql"),
    ):
        pass
    assert str(refused.value).startswith(says.format(port=make_url(server_url).port))
    assert "\n" not in str(refused.value)
    assert "secret" not in str(refused.value)


def test_the_command_line_ends_with_2_on_a_url_that_is_wrong(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(MYSQL_URL, "no url at all")
    refused = bench("classic", "--models", "mysql", "--out", str(tmp_path))
    assert refused.returncode == 2
    assert refused.stderr == "bench: the MySQL URL cannot be read; write it as mysql://user:password@host/db\n"


def test_the_classic_on_mysql_has_three_situations_and_needs_no_postgres(bench: Bench, tmp_path: Path) -> None:
    done = bench("classic", "--models", "mysql", "--seconds", "0.2", "--out", str(tmp_path))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "overlap with gevent-mysql, asyncio-mysql; not with sync-mysql" in " ".join(done.stdout.split())
    results = json.loads((tmp_path / "results.json").read_text())
    assert "MariaDB" in results["environment"]["mariadb"]
    assert "postgres" not in results["environment"]
    assert not (tmp_path / "logs" / "postgres.log").exists()


@pytest.mark.parametrize("model", ON_MYSQL, ids=lambda model: model.name)
def test_without_mariadb_a_model_is_unavailable_unless_there_is_a_url(
    model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bench.models.model.program", lambda name: None)
    assert "apt-get install mariadb-server-core mariadb-client-core" in model.unavailable
    monkeypatch.setenv(MYSQL_URL, "mysql://user:password@host/db")
    assert model.unavailable == ""


@pytest.mark.parametrize("app", ["gevent_app", "asyncio_app"])
def test_create_twice_does_no_harm_and_never_touches_another_table(app: str, users_own: str) -> None:
    refused = create(app, users_own)
    assert refused.returncode == 2
    assert refused.stderr == (f"{app}: nothing was created: table todos has other columns (name); check DATABASE_URL\n")
    query(users_own, "RENAME TABLE todos TO kept")
    assert create(app, users_own).stdout == "created table todos with 50 rows\n"
    query(users_own, "DELETE FROM todos WHERE id = 7")
    assert create(app, users_own).stdout == "table todos is there; nothing changed\n"
    assert query(users_own, "SELECT count(*) FROM todos") == [(49,)]
    assert query(users_own, "SELECT name FROM kept") == [("precious",)]


@pytest.mark.parametrize("app", ["gevent_app", "asyncio_app"])
def test_create_without_a_server_is_one_line(app: str) -> None:
    refused = create(app, "mysql://u:secret@127.0.0.1:1/d")
    assert refused.returncode == 2
    assert refused.stderr.startswith(f"{app}: nothing was created: ")
    assert refused.stderr.count("\n") == 1
    assert "secret" not in refused.stderr


def create(app: str, url: str) -> "subprocess.CompletedProcess[str]":
    """`python -m APP -c`."""
    command = [sys.executable, "-m", app, "-c"]
    environment = {**os.environ, "DATABASE_URL": url}
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60)


@pytest.fixture(params=["gevent-mysql", "asyncio-mysql"])
def mysql_server(request: pytest.FixtureRequest, serve: Callable[[str], Server]) -> Server:
    """A server of each app."""
    return serve(request.param)


def test_any_text_that_the_contract_allows_comes_back(mysql_server: Server) -> None:
    """Four-byte characters, what a driver that writes values into the statement must escape, and case and spaces."""
    with local_client(mysql_server.url) as client:
        for title in ("😀𝄞", "e\u0301", "%s %(title)s %%", "'\"\\`;-- \n\t", " both ends ", "ß" * 200, "😀" * 200):
            todo = client.post("/todos/", json={"title": title, "done": True}).json()
            assert todo["title"] == title
            assert client.get(f"/todos/{todo['id']}").json() == todo
            assert client.patch(f"/todos/{todo['id']}", json={"title": title, "done": True}).json() == todo
            assert client.delete(f"/todos/{todo['id']}").status_code == 204


def test_every_connection_of_the_pool_sees_what_another_has_written(mysql_server: Server) -> None:
    """MySQL's default isolation shows a transaction what was there when it began: none may outlive its request."""
    with local_client(mysql_server.url) as client:
        for priority in range(2 * POOL):
            client.patch("/todos/7", json={"priority": priority % 10})
            assert {client.get("/todos/7").json()["priority"] for _ in range(3)} == {priority % 10}
        client.patch("/todos/7", json={"priority": 2})


@pytest.mark.parametrize("name", ["gevent", "asyncio-bridge", "gevent-mysql", "asyncio-mysql"])
def test_the_endpoint_of_the_other_database_says_which_there_is(name: str, serve: Callable[[str], Server]) -> None:
    server = serve(name)
    here, other = ("mysql", "postgres") if name.endswith("mysql") else ("postgres", "mysql")
    answer = local_get(f"{server.url}/sleep/{other}/?seconds=0")
    assert answer.status_code == 404
    assert answer.json() == {"error": f"this server's database is {here}; the endpoint is /sleep/{here}/"}


def test_connections_are_counted_and_the_question_is_not_among_them(
    test_bed: TestBed, serve: Callable[[str], Server]
) -> None:
    (model,) = find_models("asyncio-mysql")
    serve(model.name)
    database = test_bed.database_of(model)
    there_are = connections(database)
    assert there_are >= POOL
    found = headroom(database)
    assert (found.max_connections, found.reserved, found.strangers) == (MAX_CONNECTIONS, 0, 0)
    assert (found.taken, found.free) == (there_are, MAX_CONNECTIONS - there_are)
    with ConnectionMeter(database) as meter:
        with database.connect(), database.connect():
            time.sleep(0.2)
        with pytest.raises(OperationalError):
            query(rendered(database.url, password="guess"), "SELECT 1")
    assert (meter.most, meter.opened) == (there_are + 2, 2)
