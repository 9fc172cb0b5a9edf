"""psycopg 3, with the pool of its own. Beside it: sync_psycopg.py, the same driver and the same pool without `await`.

https://www.psycopg.org/psycopg3/docs/advanced/async.html
"""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager

from psycopg import AsyncConnection
from psycopg.rows import dict_row
from psycopg.sql import SQL, Identifier
from psycopg_pool import AsyncConnectionPool, AsyncNullConnectionPool

from reference_apps import settings
from reference_apps.layers.async_views import Row, on_layer

ALL_TODOS = SQL("SELECT id, title, done, priority FROM todos ORDER BY id")
ONE_TODO = SQL("SELECT id, title, done, priority FROM todos WHERE id = %s")


class Psycopg:
    """Reads and writes, each call in a transaction of its own."""

    driver = "psycopg"

    def opened(self) -> AbstractAsyncContextManager[object]:
        """The pool, open from the server's start-up to its shut-down."""
        kind = AsyncConnectionPool if settings.POOL_SIZE else AsyncNullConnectionPool
        self.pool: AsyncConnectionPool[AsyncConnection[Row]] = kind(
            settings.POSTGRES_URL,
            kwargs={"row_factory": dict_row, "options": settings.SEARCH_PATH},
            open=False,
            **settings.PSYCOPG_POOL,
        )
        return self.pool

    async def hold(self) -> None:
        async with self.pool.connection():
            pass

    async def sleep(self, seconds: float) -> list[Row]:
        async with self.pool.connection() as connection:
            await connection.execute("SELECT pg_sleep(%s)", (seconds,))
            return await (await connection.execute(ALL_TODOS)).fetchall()

    async def all(self) -> list[Row]:
        async with self.pool.connection() as connection:
            return await (await connection.execute(ALL_TODOS)).fetchall()

    async def some(self, keys: Sequence[int]) -> list[Row | None]:
        async with self.pool.connection() as connection:
            return [await (await connection.execute(ONE_TODO, (key,))).fetchone() for key in keys]

    async def add(self, values: Row) -> int:
        statement = "INSERT INTO todos (title, done, priority) VALUES (%(title)s, %(done)s, %(priority)s) RETURNING id"
        async with self.pool.connection() as connection:
            row = await (await connection.execute(statement, values)).fetchone()
        key: int = row["id"] if row else 0
        return key

    async def change(self, key: int, values: Row) -> Row | None:
        columns = SQL(", ").join(SQL("{} = %s").format(Identifier(name)) for name in values)
        async with self.pool.connection() as connection:
            await connection.execute(SQL("UPDATE todos SET {} WHERE id = %s").format(columns), (*values.values(), key))
            return await (await connection.execute(ONE_TODO, (key,))).fetchone()

    async def remove(self, key: int) -> bool:
        async with self.pool.connection() as connection:
            found = await (await connection.execute("SELECT id FROM todos WHERE id = %s", (key,))).fetchone()
            await connection.execute("DELETE FROM todos WHERE id = %s", (key,))
        return found is not None


app = on_layer(__name__, Psycopg())
