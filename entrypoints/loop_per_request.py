"""Async views on a WSGI server, as Flask's page on `async` describes it: an event loop for every request.

Nothing that belongs to a loop outlives a request: no pool of connections and no client that keeps its own. So each
use of the database opens a connection and closes it, as SQLAlchemy's documentation has it for several loops, and each
outgoing call too: what is shared by loops fails (MagicStack/asyncpg#56, encode/httpx#2473).

https://flask.palletsprojects.com/en/stable/async-await/#performance
https://docs.sqlalchemy.org/en/20/orm/extensions/asyncio.html#using-multiple-asyncio-event-loops
"""

import asyncio
import ssl

import asyncpg
import httpx
from databases import Database
from databases.backends.postgres import PostgresBackend

from asyncio_app import config, create_app, upstream


class NoPool:
    """What `databases` uses of asyncpg's pool, with a connection that is opened when asked for."""

    def __init__(self, url: str) -> None:
        self.url = url

    async def acquire(self) -> asyncpg.Connection:
        """A new connection, on the caller's loop."""
        return await asyncpg.connect(self.url)

    async def release(self, connection: asyncpg.Connection) -> None:
        """Close it."""
        await connection.close()


class NoPoolBackend(PostgresBackend):
    """The backend of `databases` for PostgreSQL, without a pool."""

    async def connect(self) -> None:
        self._pool = NoPool(str(self._database_url))  # type: ignore[assignment]  # `databases` has no type for it


class OneCall(httpx.AsyncBaseTransport):
    """A connection for each outgoing call."""

    tls = ssl.create_default_context()  # takes longer to make than most calls

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        async with httpx.AsyncHTTPTransport(verify=self.tls) as transport:
            response = await transport.handle_async_request(request)
            await response.aread()
        return response


Database.SUPPORTED_BACKENDS["postgresql"] = "entrypoints.loop_per_request:NoPoolBackend"

from asyncio_app.db import database  # noqa: E402  (the backend must be known before)

asyncio.run(database.connect())
upstream.client = httpx.AsyncClient(
    base_url=upstream.client.base_url, timeout=config.UPSTREAM_TIMEOUT_S, transport=OneCall(), trust_env=False
)
app = create_app()
