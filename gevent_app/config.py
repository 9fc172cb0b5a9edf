"""What differs from one deployment to the next; all of it comes from the environment."""

import os
import sys
from typing import Any, NoReturn

from sqlalchemy import URL, NullPool, make_url
from sqlalchemy.exc import ArgumentError

# What a database URL means that names no driver.
DRIVERS = {
    "postgresql": "postgresql+psycopg2",
    "postgres": "postgresql+psycopg2",
    "mysql": "mysql+pymysql",
    "mariadb": "mysql+pymysql",
}


def refuse(message: str) -> NoReturn:
    """End the process with one line that says what to change."""
    print(f"gevent_app: {message}", file=sys.stderr)
    raise SystemExit(2)


def database_url() -> URL:
    """DATABASE_URL as SQLAlchemy takes it; without a driver in its name it means psycopg2 or PyMySQL."""
    text = os.environ.get("DATABASE_URL", "")
    if not text:
        refuse("DATABASE_URL is not set; give it as postgresql://user:password@host/database, or mysql://…")
    try:
        url = make_url(text)
    except ArgumentError:
        refuse("DATABASE_URL is not a database URL; give it as postgresql://user:password@host/database, or mysql://…")
    return url.set(drivername=DRIVERS.get(url.drivername, url.drivername))


def whole_number(name: str, default: int, at_least: int) -> int:
    """An integer from the environment."""
    text = os.environ.get(name, str(default))
    if not (text.isascii() and text.isdigit() and int(text) >= at_least):
        refuse(f"{name} is {text!r}; it must be a whole number of at least {at_least}")
    return int(text)


DATABASE_URL = database_url()
# As the endpoints call it.
DATABASE = "mysql" if DATABASE_URL.get_backend_name() == "mysql" else "postgres"
DATABASE_SCHEMA = os.environ.get("DATABASE_SCHEMA")
# The same 15 connections for both applications. All of them are kept open: SQLAlchemy closes an overflow
# connection when it comes back, so its default of 5 + 10 would make one application pay for new connections.
POOL_SIZE = whole_number("POOL_SIZE", 15, at_least=0)
MAX_OVERFLOW = whole_number("MAX_OVERFLOW", 0, at_least=0)
# Longer than the longest allowed sleep, so that a full pool makes requests wait in both applications.
POOL_TIMEOUT_S = whole_number("POOL_TIMEOUT_S", 300, at_least=1)
# 1 has each connection asked before each use whether it is still there, which costs a round trip and a little CPU time.
POOL_PRE_PING = whole_number("POOL_PRE_PING", 0, at_least=0)
# PostgreSQL ends a statement that takes longer; 0 is no limit.
STATEMENT_TIMEOUT_MS = whole_number("STATEMENT_TIMEOUT_MS", 0, at_least=0)
# POOL_SIZE=0 is no pool: every request opens a connection of its own and closes it, as many as the database lets it.
NO_POOL: dict[str, Any] = {"poolclass": NullPool}
# MySQL ends a connection after eight idle hours. asyncmy's pool replaces one after an hour, SQLAlchemy's must be told.
KEPT: dict[str, Any] = {
    "pool_size": POOL_SIZE,
    "max_overflow": MAX_OVERFLOW,
    "pool_timeout": POOL_TIMEOUT_S,
    "pool_recycle": 3600,
    "pool_pre_ping": bool(POOL_PRE_PING),
}
POOL = KEPT if POOL_SIZE else NO_POOL
if STATEMENT_TIMEOUT_MS:
    POOL |= {"connect_args": {"options": f"-c statement_timeout={STATEMENT_TIMEOUT_MS}"}}
UPSTREAM_URL = os.environ.get("UPSTREAM_URL", "http://127.0.0.1:9000/")
# Above the longest sleep that may be asked of the upstream.
UPSTREAM_TIMEOUT_S = whole_number("UPSTREAM_TIMEOUT_MS", 90_000, at_least=1) / 1000
MAX_BODY_BYTES = 64 * 1024
