"""The embedded PostgreSQL and the user's own: nothing shared between benches, nothing of the user's touched."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import psycopg2
import pytest
from sqlalchemy import make_url

from bench.errors import BenchError
from bench.testbed.databases import Database, databases, seeded_database
from bench.testbed.databases.folder import cache_folder, database_folder, unprivileged_account
from bench.testbed.processes.ports import free_port
from bench.testbed.testbed import TestBed
from tests.in_process import Bench

ROOT = Path(__file__).parents[2]
Refusal = Callable[[str], str]


def query(url: str, text: str, *, fetch: bool = True) -> list[tuple[Any, ...]]:
    """Run one statement as that URL's user."""
    with closing(psycopg2.connect(url)) as connection, connection.cursor() as cursor:
        connection.autocommit = True
        cursor.execute(text)
        return cursor.fetchall() if fetch else []


def inventory(url: str) -> list[tuple[Any, ...]]:
    """Every database, and every schema and table of this one."""
    return query(
        url,
        "SELECT 'database', datname FROM pg_database UNION "
        "SELECT 'schema', nspname FROM pg_namespace WHERE nspname NOT LIKE 'pg_t%' UNION "
        "SELECT 'table', schemaname || '.' || tablename FROM pg_tables ORDER BY 1, 2",
    )


@pytest.fixture(scope="module")
def users_server(test_bed: TestBed) -> Iterator[str]:
    """A PostgreSQL as a user may have one: a database with a `todos` table of theirs; its administrator's URL."""
    url = make_url(test_bed.databases["postgres"].url).render_as_string(hide_password=False)
    query(url, "CREATE DATABASE users_own", fetch=False)
    own = make_url(url).set(database="users_own").render_as_string(hide_password=False)
    query(own, "CREATE TABLE todos (name text, due date)", fetch=False)
    query(own, "INSERT INTO todos VALUES ('precious', '2013-01-01')", fetch=False)
    yield own
    query(url, "DROP DATABASE users_own WITH (FORCE)", fetch=False)


@pytest.fixture
def role(users_server: str, request: pytest.FixtureRequest) -> Iterator[str]:
    """An ordinary role with the rights that the test's parameter grants it; its URL."""
    query(users_server, "CREATE ROLE plain LOGIN PASSWORD 'secret'", fetch=False)
    for grant in getattr(request, "param", ()):
        query(users_server, grant, fetch=False)
    yield make_url(users_server).set(username="plain", password="secret").render_as_string(hide_password=False)
    query(users_server, "DROP OWNED BY plain; DROP ROLE plain", fetch=False)


def test_two_benches_at_once_have_two_databases(test_bed: TestBed, tmp_path: Path) -> None:
    with seeded_database(None, tmp_path) as other:
        assert make_url(other.url).port != make_url(test_bed.databases["postgres"].url).port
        query(other.url, "DELETE FROM todos", fetch=False)
        assert query(other.url, "SELECT count(*) FROM todos") == [(0,)]
        assert query(test_bed.databases["postgres"].url, "SELECT count(*) FROM todos WHERE id <= 50") == [(50,)]
    with pytest.raises(psycopg2.OperationalError):
        query(other.url, "SELECT 1")


def test_servers_that_start_at_the_same_time_share_one_database(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    started: list[str] = []

    @contextmanager
    def slowly(url: str | None, logs: Path, kind: str) -> Iterator[Database]:
        started.append(kind)
        time.sleep(0.1)  # so long as it takes the others to ask
        yield Database("postgresql://", None, kind, "18", "embedded")

    monkeypatch.setattr("bench.testbed.databases.seeded_database", slowly)
    with databases({}, tmp_path) as found, ThreadPoolExecutor(8) as pool:
        assert len({id(one) for one in pool.map(lambda _: found["postgres"], range(8))}) == 1
    assert started == ["postgres"]


def test_the_embedded_database_wants_its_password(test_bed: TestBed) -> None:
    """It listens on loopback, where other users of the machine can reach it."""
    guess = make_url(test_bed.databases["postgres"].url).set(password="guess")
    with pytest.raises(psycopg2.OperationalError, match="password"):
        query(guess.render_as_string(hide_password=False), "SELECT 1")


def test_folders_of_killed_benches_are_removed_and_those_of_running_ones_kept(tmp_path: Path) -> None:
    killed, sooner = tmp_path / "database-killed", tmp_path / "database-killed-sooner"
    killed.mkdir()
    (killed / "lock").touch()
    sooner.mkdir()
    with database_folder(tmp_path, None) as first:
        assert not killed.exists()
        assert not sooner.exists()
        with database_folder(tmp_path, None) as second:
            assert first.path.exists()
            assert second.path != first.path
    assert [path.name for path in tmp_path.iterdir()] == ["lock"]


def test_root_and_an_ordinary_user_each_have_a_usable_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder(None).is_relative_to(tmp_path)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert unprivileged_account() is None
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    uid, _ = unprivileged_account() or (0, 0)
    assert uid != 0


def test_a_cache_that_cannot_be_written_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    with pytest.raises(BenchError, match=r"cannot make the cache folder .*file.*; check its permissions"):
        cache_folder(None)


def test_a_role_that_may_create_databases_gets_one_of_its_own(users_server: str, tmp_path: Path) -> None:
    before = inventory(users_server)
    with seeded_database(users_server, tmp_path) as database:
        assert database.schema is None
        assert make_url(database.url).database not in (None, "users_own", "postgres")
        assert query(database.url, "SELECT count(*) FROM todos") == [(50,)]
    assert inventory(users_server) == before
    assert query(users_server, "SELECT name FROM todos") == [("precious",)]


@pytest.mark.parametrize("role", [["GRANT CREATE ON DATABASE users_own TO plain"]], indirect=True)
def test_a_role_that_may_only_create_schemas_gets_a_schema(role: str, users_server: str, tmp_path: Path) -> None:
    before = inventory(users_server)
    with seeded_database(role, tmp_path) as database:
        assert make_url(database.url).database == "users_own"
        assert query(role, f"SELECT count(*) FROM {database.schema}.todos") == [(50,)]
    assert inventory(users_server) == before
    assert query(users_server, "SELECT name FROM todos") == [("precious",)]


@pytest.mark.parametrize("role", [["GRANT CREATE ON DATABASE users_own TO plain"]], indirect=True)
def test_the_classic_runs_in_a_schema_of_the_users_database(
    role: str, users_server: str, bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = inventory(users_server)
    monkeypatch.setenv("BENCH_DATABASE_URL", role)
    done = bench("classic", "--seconds", "0.1", "--models", "gevent,asyncio-bridge", "--out", str(tmp_path / "out"))
    assert done.returncode == 0, done.stdout + done.stderr
    assert inventory(users_server) == before


@pytest.fixture
def refusal(bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Refusal:
    """The one line with which `bench all` ends on a URL, never with the password in it."""
    monkeypatch.chdir(tmp_path)

    def line(url: str) -> str:
        monkeypatch.setenv("BENCH_DATABASE_URL", url)
        done = bench("all")
        assert done.returncode == 2
        assert done.stderr.count("\n") == 1
        assert "secret" not in done.stderr
        return done.stderr.strip()

    return line


def test_a_role_without_rights_is_told_what_to_grant(role: str, users_server: str, refusal: Refusal) -> None:
    before = inventory(users_server)
    assert refusal(role) == (
        "bench: plain may create neither a database nor a schema in 'users_own' at "
        f"127.0.0.1:{make_url(role).port}; run: ALTER ROLE plain CREATEDB"
    )
    assert inventory(users_server) == before


def test_a_wrong_password_a_wrong_database_and_no_server_are_one_line_each(users_server: str, refusal: Refusal) -> None:
    url = make_url(users_server)
    where = f"127.0.0.1:{url.port}"
    wrong = url.set(password="wrong-secret")
    assert refusal(wrong.render_as_string(hide_password=False)) == (
        f"bench: PostgreSQL at {where} refused user 'bench'; correct user and password in the database URL"
    )
    absent = url.set(database="absent").render_as_string(hide_password=False)
    assert 'database "absent" does not exist; correct the database URL' in refusal(absent)
    port = free_port()
    nowhere = url.set(port=port).render_as_string(hide_password=False)
    assert refusal(nowhere) == (
        f"bench: no PostgreSQL answers at 127.0.0.1:{port}; start it, or correct host and port in the database URL"
    )
    assert "give one of PostgreSQL" in refusal("mysql://user:secret@127.0.0.1/db")
    assert "cannot be read" in refusal("no url at all")


def test_kill_9_leaves_nothing_in_the_users_server(users_server: str, tmp_path: Path) -> None:
    before = inventory(users_server)
    command = [sys.executable, "-m", "bench", "serve", "asyncio-bridge", "--port", str(free_port())]
    process = subprocess.Popen([*command, "--database-url", users_server], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert any("Ctrl-C ends it" in line for line in iter(process.stdout.readline, ""))
    assert inventory(users_server) != before
    process.send_signal(signal.SIGKILL)
    process.communicate()
    deadline = time.monotonic() + 60
    while inventory(users_server) != before:
        assert time.monotonic() < deadline
        time.sleep(0.1)


@pytest.mark.parametrize("app", ["gevent_app", "asyncio_app"])
def test_create_twice_does_no_harm_and_never_touches_another_table(app: str, users_server: str) -> None:
    name = f"fresh_{app}"
    query(users_server, f"CREATE DATABASE {name}", fetch=False)
    url = make_url(users_server).set(database=name).render_as_string(hide_password=False)
    try:
        assert create(app, url).stdout == "created table todos with 50 rows\n"
        query(url, "DELETE FROM todos WHERE id = 7", fetch=False)
        assert create(app, url).stdout == "table todos is there; nothing changed\n"
        assert query(url, "SELECT count(*) FROM todos") == [(49,)]
        query(url, "ALTER TABLE todos RENAME COLUMN done TO finished", fetch=False)
        refused = create(app, url)
        assert refused.returncode == 2
        assert refused.stderr == (
            f"{app}: nothing was created: table todos has other columns (finished, id, priority, title); "
            "check DATABASE_URL\n"
        )
    finally:
        query(users_server, f"DROP DATABASE {name} WITH (FORCE)", fetch=False)


@pytest.mark.parametrize("app", ["gevent_app", "asyncio_app"])
@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("", "DATABASE_URL is not set"),
        ("nonsense", "DATABASE_URL is not a database URL"),
        ("postgresql://u:secret@127.0.0.1:1/d", "nothing was created: "),
    ],
)
def test_create_without_a_database_is_one_line(app: str, url: str, says: str) -> None:
    refused = create(app, url)
    assert refused.returncode == 2
    assert refused.stderr.startswith(f"{app}: {says}")
    assert refused.stderr.count("\n") == 1
    assert "secret" not in refused.stderr


def create(app: str, url: str) -> "subprocess.CompletedProcess[str]":
    """`python -m APP -c`."""
    environment = {**os.environ, "DATABASE_URL": url}
    command = [sys.executable, "-m", app, "-c"]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60)
