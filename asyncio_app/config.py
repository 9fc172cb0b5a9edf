"""What differs from one deployment to the next; all of it comes from the environment."""

import os
import sys
from typing import Any, NoReturn

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError


def refuse(message: str) -> NoReturn:
    """End the process with one line that says what to change."""
    print(f"asyncio_app: {message}", file=sys.stderr)
    raise SystemExit(2)


def database_url() -> URL:
    """DATABASE_URL as `databases` takes it; without a driver in its name it means asyncpg."""
    text = os.environ.get("DATABASE_URL", "")
    if not text:
        refuse("DATABASE_URL is not set; give it as postgresql://user:password@host:5432/database")
    try:
        url = make_url(text)
    except ArgumentError:
        refuse("DATABASE_URL is not a database URL; give it as postgresql://user:password@host:5432/database")
    return url.set(drivername="postgresql") if url.drivername in ("postgresql", "postgres") else url


def whole_number(name: str, default: int, at_least: int) -> int:
    """An integer from the environment."""
    text = os.environ.get(name, str(default))
    if not (text.isascii() and text.isdigit() and int(text) >= at_least):
        refuse(f"{name} is {text!r}; it must be a whole number of at least {at_least}")
    return int(text)


DATABASE_URL = database_url()
DATABASE_SCHEMA = os.environ.get("DATABASE_SCHEMA")
# The same 15 connections for both applications, all of them opened at the start and kept.
POOL_SIZE = whole_number("POOL_SIZE", 15, at_least=0)
MAX_OVERFLOW = whole_number("MAX_OVERFLOW", 0, at_least=0)
# POOL_SIZE=0 is no pool: every request opens a connection of its own and closes it, as many as PostgreSQL lets it.
# asyncpg has only pools, so it is one that keeps nothing: a connection that has made a query is closed on return.
NO_POOL: dict[str, Any] = {"min_size": 0, "max_size": 1_000, "max_queries": 1}
POOL = {"min_size": POOL_SIZE, "max_size": POOL_SIZE + MAX_OVERFLOW} if POOL_SIZE else NO_POOL
UPSTREAM_URL = os.environ.get("UPSTREAM_URL", "http://127.0.0.1:9000/")
MAX_BODY_BYTES = 64 * 1024
