"""Creates the bench's database in the user's PostgreSQL, and drops it when the pipe to the bench closes.

It is a process of its own so that the database goes even after `kill -9` of the bench. What it created is all that it
ever drops.
"""

import json
import os
import secrets
import sys
from contextlib import closing
from typing import Any

import psycopg2
from psycopg2 import errors, sql
from sqlalchemy import URL, make_url

CONNECT_TIMEOUT_S = 10


def keep(url: URL) -> None:
    """Create, say what was created, wait until the bench is gone, drop."""
    name = f"concurrency_bench_{secrets.token_hex(4)}"
    try:
        with closing(connect(url)) as connection:
            kind = create(connection, name)
            version = connection.get_parameter_status("server_version")
    except psycopg2.Error as error:
        print(json.dumps({"error": explain(error, url)}), flush=True)
        return
    made = {"database": None, "schema": None, "version": version, kind.lower(): name}
    print(json.dumps(made), flush=True)
    sys.stdin.buffer.read()
    end = {"DATABASE": "DROP DATABASE {} WITH (FORCE)", "SCHEMA": "DROP SCHEMA {} CASCADE"}[kind]
    with closing(connect(url)) as connection, connection.cursor() as cursor:
        cursor.execute(sql.SQL(end).format(sql.Identifier(name)))


def connect(url: URL) -> Any:
    """A connection outside any transaction, as CREATE DATABASE needs it."""
    connection = psycopg2.connect(url.render_as_string(hide_password=False), connect_timeout=CONNECT_TIMEOUT_S)
    connection.autocommit = True
    return connection


def create(connection: Any, name: str) -> str:
    """Create a database of that name or, without the right to, a schema; give which."""
    with connection.cursor() as cursor:
        try:
            # template0: template1 may hold tables of the user's own.
            cursor.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(name)))
            return "DATABASE"
        except errors.InsufficientPrivilege:
            cursor.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(name)))
            return "SCHEMA"


def explain(error: psycopg2.Error, url: URL) -> str:
    """One line: what went wrong, and what to do about it."""
    where = f"{url.host or 'the local socket'}:{url.port or 5432}"
    reason = (str(error).strip().splitlines() or [type(error).__name__])[-1].strip()
    if isinstance(error, errors.InsufficientPrivilege):
        role = url.username or "your role"
        return (f"{role} may create neither a database nor a schema in {url.database!r} at {where}; "
                f"run: ALTER ROLE {role} CREATEDB")  # fmt: skip
    if "password authentication failed" in reason or "no password supplied" in reason:
        return f"PostgreSQL at {where} refused user {url.username!r}; correct user and password in the database URL"
    if "does not exist" in reason:
        return f"PostgreSQL at {where}: {reason}; correct the database URL"
    if "could not translate" in reason or "refused" in reason or "timeout" in reason or "running" in reason:
        return f"no PostgreSQL answers at {where}; start it, or correct host and port in the database URL"
    return f"PostgreSQL at {where}: {reason}; correct the database URL"


if __name__ == "__main__":
    keep(make_url(os.environ["BENCH_DATABASE_URL"]))
