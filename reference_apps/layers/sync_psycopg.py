"""psycopg 3, with the pool of its own. Beside it: async_psycopg.py, the same driver and the same pool under `await`.

Under gevent's patching it waits cooperatively by itself: https://www.psycopg.org/psycopg3/docs/advanced/async.html#gevent-support
"""

from collections.abc import Sequence

from psycopg import Connection
from psycopg.rows import dict_row
from psycopg.sql import SQL, Identifier
from psycopg_pool import ConnectionPool, NullConnectionPool

from reference_apps import settings
from reference_apps.layers.sync_views import Row, on_layer

ALL_TODOS = SQL("SELECT id, title, done, priority FROM todos ORDER BY id")
ONE_TODO = SQL("SELECT id, title, done, priority FROM todos WHERE id = %s")


class Psycopg:
    """Reads and writes, each call in a transaction of its own."""

    driver = "psycopg"

    def __init__(self) -> None:
        kind = ConnectionPool if settings.POOL_SIZE else NullConnectionPool
        self.pool: ConnectionPool[Connection[Row]] = kind(
            settings.POSTGRES_URL,
            kwargs={"row_factory": dict_row, "options": settings.SEARCH_PATH},
            open=True,
            **settings.PSYCOPG_POOL,
        )

    def hold(self) -> None:
        with self.pool.connection():
            pass

    def sleep(self, seconds: float) -> list[Row]:
        with self.pool.connection() as connection:
            connection.execute("SELECT pg_sleep(%s)", (seconds,))
            return connection.execute(ALL_TODOS).fetchall()

    def all(self) -> list[Row]:
        with self.pool.connection() as connection:
            return connection.execute(ALL_TODOS).fetchall()

    def some(self, keys: Sequence[int]) -> list[Row | None]:
        with self.pool.connection() as connection:
            return [connection.execute(ONE_TODO, (key,)).fetchone() for key in keys]

    def add(self, values: Row) -> int:
        statement = "INSERT INTO todos (title, done, priority) VALUES (%(title)s, %(done)s, %(priority)s) RETURNING id"
        with self.pool.connection() as connection:
            row = connection.execute(statement, values).fetchone()
        key: int = row["id"] if row else 0
        return key

    def change(self, key: int, values: Row) -> Row | None:
        columns = SQL(", ").join(SQL("{} = %s").format(Identifier(name)) for name in values)
        with self.pool.connection() as connection:
            connection.execute(SQL("UPDATE todos SET {} WHERE id = %s").format(columns), (*values.values(), key))
            return connection.execute(ONE_TODO, (key,)).fetchone()

    def remove(self, key: int) -> bool:
        with self.pool.connection() as connection:
            found = connection.execute("SELECT id FROM todos WHERE id = %s", (key,)).fetchone()
            connection.execute("DELETE FROM todos WHERE id = %s", (key,))
        return found is not None


app = on_layer(__name__, Psycopg())
