"""The table of what helps against a call that blocks: the right row, the right model, and where it is said."""

from typing import get_args

import pytest

from bench.results.tried import Doing
from bench.tryout.advice import REMEDIES, Kind, advice


@pytest.mark.parametrize(
    ("calls", "doing", "kind", "part"),
    [
        (["psycopg2:connect"], "waiting", "gevent", "gevent-psycogreen"),
        (["sqlalchemy.orm.scoping:scoped_session.scalars", "psycopg2.extensions:cursor.execute"], "waiting", "asyncio",
         "postgresql+asyncpg"),
        (["psycopg.connection:Connection.execute"], "waiting", "gevent", "3.1.14"),
        (["MySQLdb:connect"], "waiting", "gevent", "PyMySQL"),
        (["sqlite3:Connection.execute"], "waiting", "gevent", "threadpool"),
        (["sqlite3:Connection.execute"], "computing", "asyncio", "aiosqlite"),
        (["bcrypt:hashpw"], "computing", "gevent", "threadpool"),
        (["werkzeug.security:check_password_hash", "hashlib:scrypt"], "computing", "asyncio", "to_thread"),
        (["json:dumps", "json.encoder:JSONEncoder.encode"], "computing", "gevent", "more processes"),
        (["re:match"], "computing", "threads", "more processes"),
        (["requests.api:get", "_socket:socket.recv_into"], "waiting", "asyncio", "httpx.AsyncClient"),
        (["time:sleep"], "waiting", "asyncio", "asyncio.sleep"),
        (["fcntl:flock"], "waiting", "gevent", "LOCK_NB"),
        (["pathlib:Path.read_text", "io:open"], "waiting", "gevent", "files"),
        (["subprocess:run"], "waiting", "asyncio", "create_subprocess_exec"),
        (["grpc._channel:_UnaryUnaryMultiCallable.__call__"], "waiting", "gevent", "init_gevent"),
        (["pymysql.connections:Connection.__init__", "ssl:create_default_context"], "computing", "gevent", "keep it"),
        (["something.new:wait"], "waiting", "gevent", "threadpool"),
        (["something.new:wait"], "waiting", "asyncio", "to_thread"),
        ([], "computing", "gevent", "more processes"),
    ],
)  # fmt: skip
def test_what_helps(calls: list[str], doing: Doing, kind: Kind, part: str) -> None:
    assert part in advice(calls, doing, kind)


def test_a_wait_under_threads_needs_no_advice() -> None:
    assert advice(["psycopg2:connect"], "waiting", "threads") == ""


def test_a_name_that_only_begins_like_another_is_not_that_one() -> None:
    assert "PostgreSQL" not in advice(["psycopg2cffi_like:connect"], "waiting", "asyncio")


def test_a_driver_that_computes_is_not_told_to_wait_elsewhere() -> None:
    assert "psycogreen" not in advice(["psycopg2.extensions:cursor.fetchall"], "computing", "gevent")


@pytest.mark.parametrize("remedy", REMEDIES, ids=lambda remedy: remedy.calls[0])
def test_every_remedy_says_sentences_and_where_they_come_from(remedy: object) -> None:
    assert remedy.source.startswith("https://")  # type: ignore[attr-defined]
    for kind in get_args(Kind):
        sentence = getattr(remedy, kind)
        assert sentence == "" if kind == "threads" and not sentence else sentence.endswith(".") and sentence[0] != " "
