"""The trap of a synchronous driver in an async view: psycopg2 behind the interface of `databases`.

Every method is a coroutine function, and none of them ever gives the event loop back: the loop, and with it every
other request, stands still while psycopg2 waits for PostgreSQL. It is what an `async def` view does that calls
`psycopg2.connect`, `requests.get` or `time.sleep`.
"""

from typing import Any

from databases import Database
from databases.backends.postgres import PostgresBackend
from databases.interfaces import ConnectionBackend
from sqlalchemy import Connection, Engine, create_engine
from sqlalchemy.sql import ClauseElement


class BlockingBackend(PostgresBackend):
    """A pool of psycopg2 connections where `databases` expects one of asyncpg connections."""

    async def connect(self) -> None:
        self.engine: Engine = create_engine(
            str(self._database_url), pool_size=self._options["max_size"], max_overflow=0
        )

    async def disconnect(self) -> None:
        self.engine.dispose()

    def connection(self) -> "BlockingConnection":  # type: ignore[override]  # a connection backend, of another driver
        return BlockingConnection(self.engine)


class BlockingConnection(ConnectionBackend):
    """What the views use of a connection, each call blocking until PostgreSQL has answered.

    There is one transaction from acquiring to releasing it, as the session of `gevent-blocking-db` has one a request.
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.connection: Connection

    async def acquire(self) -> None:
        self.connection = self.engine.connect()

    async def release(self) -> None:
        self.connection.commit()
        self.connection.close()

    async def fetch_all(self, query: ClauseElement) -> Any:
        return self.connection.execute(query).all()  # type: ignore[call-overload]  # `databases` types it widely

    async def fetch_one(self, query: ClauseElement) -> Any:
        return self.connection.execute(query).first()  # type: ignore[call-overload]

    async def execute(self, query: ClauseElement) -> Any:
        result = self.connection.execute(query)  # type: ignore[call-overload]
        return result.inserted_primary_key[0] if result.context.isinsert else None


Database.SUPPORTED_BACKENDS["postgresql+psycopg2"] = "entrypoints.blocking_db:BlockingBackend"

from asyncio_app.asgi import app  # noqa: E402  (the backend must be known before the pool is made)

__all__ = ["app"]
