"""What is created in the user's PostgreSQL, and dropped: a database, or where that is not allowed a schema."""

from contextlib import closing
from typing import Any

import psycopg2
from psycopg2 import errors, sql
from sqlalchemy import URL

from bench.errors import BenchError

CONNECT_TIMEOUT_S = 10


def create(url: URL, name: str) -> dict[str, str | None]:
    """Create something of that name; say what, and in which server. Raises BenchError, one line."""
    try:
        with closing(connect(url)) as connection:
            kind = create_database_or_schema(connection, name)
            version = connection.get_parameter_status("server_version")
    except psycopg2.Error as error:
        raise BenchError(explain(error, url)) from None
    return {"database": None, "schema": None, "product": "postgres", "version": version, kind.lower(): name}


def drop(url: URL, made: dict[str, str | None]) -> None:
    """Drop what was created, whoever is connected to it."""
    end = "DROP DATABASE {} WITH (FORCE)" if made["database"] else "DROP SCHEMA {} CASCADE"
    with closing(connect(url)) as connection, connection.cursor() as cursor:
        cursor.execute(sql.SQL(end).format(sql.Identifier(str(made["database"] or made["schema"]))))


def connect(url: URL) -> Any:
    """A connection outside any transaction, as CREATE DATABASE needs it."""
    connection = psycopg2.connect(url.render_as_string(hide_password=False), connect_timeout=CONNECT_TIMEOUT_S)
    connection.autocommit = True
    return connection


def create_database_or_schema(connection: Any, name: str) -> str:
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
