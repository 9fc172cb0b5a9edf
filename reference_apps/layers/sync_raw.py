"""psycopg2 by itself: SQL as text and rows as tuples. Beside it: async_raw.py, with asyncpg.

psycopg2's own pools (https://www.psycopg.org/docs/pool.html) raise an error instead of waiting when all connections are
in use. SQLAlchemy's waits, and can be had without the rest of it:
https://docs.sqlalchemy.org/en/21/core/pooling.html#constructing-a-pool
"""

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from typing import Any

import psycopg2
from sqlalchemy import NullPool, Pool, QueuePool

from reference_apps import settings
from reference_apps.layers.sync_views import Row, on_layer

COLUMNS = ("id", "title", "done", "priority")
ALL_TODOS = "SELECT id, title, done, priority FROM todos ORDER BY id"
ONE_TODO = "SELECT id, title, done, priority FROM todos WHERE id = %s"


class Raw:
    """Reads and writes, each call in a transaction of its own unless every statement commits by itself."""

    driver = "psycopg2"

    def __init__(self, *, autocommit: bool = False) -> None:
        self.autocommit = autocommit
        size = (settings.POOL_SIZE, settings.MAX_OVERFLOW, settings.POOL_TIMEOUT_S)
        self.pool: Pool = QueuePool(self.connect, *size) if settings.POOL_SIZE else NullPool(self.connect)

    def connect(self) -> Any:
        connection = psycopg2.connect(settings.POSTGRES_URL, options=settings.SEARCH_PATH)
        connection.autocommit = self.autocommit
        return connection

    @contextmanager
    def cursor(self) -> Iterator[Any]:
        """A cursor on a connection of the pool, which ends the transaction that is open when it comes back."""
        with closing(self.pool.connect()) as connection:
            yield connection.cursor()
            connection.commit()

    def hold(self) -> None:
        with self.cursor():
            pass

    def sleep(self, seconds: float) -> list[Row]:
        with self.cursor() as cursor:
            cursor.execute("SELECT pg_sleep(%s)", (seconds,))
            cursor.execute(ALL_TODOS)
            return [dict(zip(COLUMNS, row, strict=True)) for row in cursor]

    def all(self) -> list[Row]:
        with self.cursor() as cursor:
            cursor.execute(ALL_TODOS)
            return [dict(zip(COLUMNS, row, strict=True)) for row in cursor]

    def some(self, keys: Sequence[int]) -> list[Row | None]:
        rows: list[Row | None] = []
        with self.cursor() as cursor:
            for key in keys:
                cursor.execute(ONE_TODO, (key,))
                row = cursor.fetchone()
                rows.append(dict(zip(COLUMNS, row, strict=True)) if row else None)
        return rows

    def add(self, values: Row) -> int:
        statement = "INSERT INTO todos (title, done, priority) VALUES (%s, %s, %s) RETURNING id"
        with self.cursor() as cursor:
            cursor.execute(statement, (values["title"], values["done"], values["priority"]))
            key: int = cursor.fetchone()[0]
        return key

    def change(self, key: int, values: Row) -> Row | None:
        columns = ", ".join(f"{name} = %s" for name in values)
        with self.cursor() as cursor:
            cursor.execute(f"UPDATE todos SET {columns} WHERE id = %s", (*values.values(), key))
            cursor.execute(ONE_TODO, (key,))
            row = cursor.fetchone()
        return dict(zip(COLUMNS, row, strict=True)) if row else None

    def remove(self, key: int) -> bool:
        with self.cursor() as cursor:
            cursor.execute("SELECT id FROM todos WHERE id = %s", (key,))
            found = cursor.fetchone()
            cursor.execute("DELETE FROM todos WHERE id = %s", (key,))
        return found is not None


app = on_layer(__name__, Raw())
autocommit = on_layer(__name__, Raw(autocommit=True))
