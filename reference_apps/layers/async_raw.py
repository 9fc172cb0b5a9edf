"""asyncpg by itself: SQL as text and rows as records. Beside it: sync_raw.py, with psycopg2.

asyncpg's pool asks the database to forget a connection's settings, cursors and locks whenever it comes back; psycopg2
has nothing of the kind, so here it is left out, and `resetting` has it.
https://magicstack.github.io/asyncpg/current/api/index.html#asyncpg.connection.Connection.get_reset_query
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import asyncpg

from reference_apps import settings
from reference_apps.layers.async_views import Row, on_layer

ALL_TODOS = "SELECT id, title, done, priority FROM todos ORDER BY id"
ONE_TODO = "SELECT id, title, done, priority FROM todos WHERE id = $1"


class Unreset(asyncpg.Connection):  # type: ignore[misc]  # asyncpg has no types here
    """A connection that goes back to its pool as it is; a transaction that is open is rolled back all the same."""

    def get_reset_query(self) -> str:
        return ""


class Raw:
    """Reads and writes, each call in a transaction of its own unless every statement commits by itself."""

    driver = "asyncpg"

    def __init__(self, *, autocommit: bool = False, resetting: bool = False) -> None:
        self.autocommit = autocommit
        self.connection_class = asyncpg.Connection if resetting else Unreset

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        """The pool, open from the server's start-up to its shut-down."""
        pool = asyncpg.create_pool(
            settings.POSTGRES_URL,
            connection_class=self.connection_class,
            server_settings=settings.SERVER_SETTINGS,
            **settings.ASYNCPG_POOL,
        )
        async with pool as self.pool:
            yield

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Any]:
        """A connection of the pool, and a transaction on it."""
        async with self.pool.acquire() as connection:
            if self.autocommit:
                yield connection
            else:
                async with connection.transaction():
                    yield connection

    async def hold(self) -> None:
        async with self.connection():
            pass

    async def sleep(self, seconds: float) -> list[Row]:
        async with self.connection() as connection:
            await connection.execute("SELECT pg_sleep($1)", seconds)
            return [dict(row) for row in await connection.fetch(ALL_TODOS)]

    async def all(self) -> list[Row]:
        async with self.connection() as connection:
            return [dict(row) for row in await connection.fetch(ALL_TODOS)]

    async def some(self, keys: Sequence[int]) -> list[Row | None]:
        rows: list[Row | None] = []
        async with self.connection() as connection:
            for key in keys:
                row = await connection.fetchrow(ONE_TODO, key)
                rows.append(dict(row) if row else None)
        return rows

    async def add(self, values: Row) -> int:
        statement = "INSERT INTO todos (title, done, priority) VALUES ($1, $2, $3) RETURNING id"
        async with self.connection() as connection:
            key: int = await connection.fetchval(statement, values["title"], values["done"], values["priority"])
        return key

    async def change(self, key: int, values: Row) -> Row | None:
        columns = ", ".join(f"{name} = ${n}" for n, name in enumerate(values, start=2))
        async with self.connection() as connection:
            await connection.execute(f"UPDATE todos SET {columns} WHERE id = $1", key, *values.values())
            row = await connection.fetchrow(ONE_TODO, key)
        return dict(row) if row else None

    async def remove(self, key: int) -> bool:
        async with self.connection() as connection:
            found = await connection.fetchrow("SELECT id FROM todos WHERE id = $1", key)
            await connection.execute("DELETE FROM todos WHERE id = $1", key)
        return found is not None


app = on_layer(__name__, Raw())
autocommit = on_layer(__name__, Raw(autocommit=True))
resetting = on_layer(__name__, Raw(resetting=True))
