"""What differs from one deployment to the next; all of it comes from the environment."""

import os
import sys
from typing import Any, NoReturn

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

# What a database URL means that names no driver.
DRIVERS = {
    "postgresql": "postgresql",
    "postgres": "postgresql",
    "mysql": "mysql+asyncmy",
    "mariadb": "mysql+asyncmy",
}


def refuse(message: str) -> NoReturn:
    """End the process with one line that says what to change."""
    print(f"asyncio_app: {message}", file=sys.stderr)
    raise SystemExit(2)


def database_url() -> URL:
    """DATABASE_URL as `databases` takes it; without a driver in its name it means asyncpg or asyncmy."""
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
# The same 15 connections for both applications, all of them opened at the start and kept.
POOL_SIZE = whole_number("POOL_SIZE", 15, at_least=0)
# 0 has each opened by the first request that needs it, so that the server starts while there is no database.
POOL_MIN_SIZE = whole_number("POOL_MIN_SIZE", POOL_SIZE, at_least=0)
MAX_OVERFLOW = whole_number("MAX_OVERFLOW", 0, at_least=0)
# PostgreSQL ends a statement that takes longer; 0 is no limit.
STATEMENT_TIMEOUT_MS = whole_number("STATEMENT_TIMEOUT_MS", 0, at_least=0)
# POOL_SIZE=0 is no pool: every request opens a connection of its own and closes it, as many as the database lets it.
# Both drivers have only pools, so it is one that keeps nothing: asyncpg closes a connection that has made a query when
# it comes back, and asyncmy one that has come back when the next is wanted.
NO_POOL: dict[str, Any] = {"min_size": 0, "max_size": 1_000}
NO_POOL |= {"pool_recycle": 0} if DATABASE == "mysql" else {"max_queries": 1}
KEPT: dict[str, Any] = {"min_size": POOL_MIN_SIZE, "max_size": POOL_SIZE + MAX_OVERFLOW}
POOL = KEPT if POOL_SIZE else NO_POOL
if STATEMENT_TIMEOUT_MS:
    POOL |= {"server_settings": {"statement_timeout": str(STATEMENT_TIMEOUT_MS)}}
UPSTREAM_URL = os.environ.get("UPSTREAM_URL", "http://127.0.0.1:9000/")
# Above the longest sleep that may be asked of the upstream.
UPSTREAM_TIMEOUT_S = whole_number("UPSTREAM_TIMEOUT_MS", 90_000, at_least=1) / 1000
MAX_BODY_BYTES = 64 * 1024
