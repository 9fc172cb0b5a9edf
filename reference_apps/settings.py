"""What differs from one deployment to the next, as the two applications read it: all of it from the environment."""

import os
import sys
from typing import Any

from sqlalchemy import NullPool, make_url

DATABASE_URL = os.environ.get("DATABASE_URL", "")
if not DATABASE_URL:
    sys.exit("reference_apps: DATABASE_URL is not set; give it as postgresql://user:password@host:5432/database")
# For drivers that know no other spelling.
POSTGRES_URL = make_url(DATABASE_URL).set(drivername="postgresql").render_as_string(hide_password=False)
DATABASE_SCHEMA = os.environ.get("DATABASE_SCHEMA")
# What a connection is opened with, where SQL names its table without the schema.
SERVER_SETTINGS = {"search_path": DATABASE_SCHEMA} if DATABASE_SCHEMA else {}
SEARCH_PATH = f"-csearch_path={DATABASE_SCHEMA}" if DATABASE_SCHEMA else ""
POOL_SIZE = int(os.environ.get("POOL_SIZE", "15"))
# 0 has asyncpg open each connection when a request first needs it, and not at the start.
POOL_MIN_SIZE = int(os.environ.get("POOL_MIN_SIZE", POOL_SIZE))
MAX_OVERFLOW = int(os.environ.get("MAX_OVERFLOW", "0"))
# Only SQLAlchemy's pool has a time-out of its own; asyncpg's waits unless each call says otherwise.
POOL_TIMEOUT_S = int(os.environ.get("POOL_TIMEOUT_S", "300"))
# POOL_SIZE=0 is no pool. asyncpg has only pools, so it is one that closes a connection as soon as it comes back.
NO_POOL: dict[str, Any] = {"min_size": 0, "max_size": 1_000, "max_queries": 1}
ASYNCPG_POOL = {"min_size": POOL_MIN_SIZE, "max_size": POOL_SIZE + MAX_OVERFLOW} if POOL_SIZE else NO_POOL
# PostgreSQL ends a statement that takes longer; 0 is no limit. Read by the apps on `databases`.
STATEMENT_TIMEOUT_MS = int(os.environ.get("STATEMENT_TIMEOUT_MS", "0"))
TIMEOUTS = {"server_settings": {"statement_timeout": str(STATEMENT_TIMEOUT_MS)}} if STATEMENT_TIMEOUT_MS else {}
DATABASES_POOL: dict[str, Any] = ASYNCPG_POOL | TIMEOUTS
TORTOISE_POOL = {{"min_size": "minsize", "max_size": "maxsize"}.get(name, name): n for name, n in ASYNCPG_POOL.items()}
PSYCOPG_POOL: dict[str, Any] = (
    {"min_size": POOL_SIZE, "max_size": POOL_SIZE + MAX_OVERFLOW, "timeout": POOL_TIMEOUT_S}
    if POOL_SIZE
    else {"timeout": POOL_TIMEOUT_S}
)
SQLALCHEMY_POOL: dict[str, Any] = (
    {"pool_size": POOL_SIZE, "max_overflow": MAX_OVERFLOW, "pool_timeout": POOL_TIMEOUT_S}
    if POOL_SIZE
    else {"poolclass": NullPool}
)
UPSTREAM_URL = os.environ.get("UPSTREAM_URL", "http://127.0.0.1:9000/")
# Above the longest sleep that may be asked of the upstream.
UPSTREAM_TIMEOUT_S = int(os.environ.get("UPSTREAM_TIMEOUT_MS", "90000")) / 1000
MAX_BODY_BYTES = 64 * 1024
