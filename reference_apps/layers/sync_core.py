"""SQLAlchemy Core on psycopg2: statements as expressions, no session. Beside it: async_core.py, on asyncpg.

https://docs.sqlalchemy.org/en/21/core/connections.html
"""

from collections.abc import Sequence

from sqlalchemy import create_engine, delete, func, insert, make_url, select, update

from gevent_app.tables import todos
from reference_apps import settings
from reference_apps.layers.sync_views import Row, on_layer

ALL_TODOS = select(todos).order_by(todos.c.id)


class Core:
    """Reads and writes, each call in a transaction of its own."""

    driver = "psycopg2"

    def __init__(self) -> None:
        url = make_url(settings.POSTGRES_URL).set(drivername="postgresql+psycopg2")
        self.engine = create_engine(url, **settings.SQLALCHEMY_POOL)

    def hold(self) -> None:
        with self.engine.begin():
            pass

    def sleep(self, seconds: float) -> list[Row]:
        with self.engine.begin() as connection:
            connection.execute(select(func.pg_sleep(seconds)))
            return [dict(row) for row in connection.execute(ALL_TODOS).mappings()]

    def all(self) -> list[Row]:
        with self.engine.begin() as connection:
            return [dict(row) for row in connection.execute(ALL_TODOS).mappings()]

    def some(self, keys: Sequence[int]) -> list[Row | None]:
        rows: list[Row | None] = []
        with self.engine.begin() as connection:
            for key in keys:
                row = connection.execute(select(todos).where(todos.c.id == key)).mappings().first()
                rows.append(dict(row) if row else None)
        return rows

    def add(self, values: Row) -> int:
        with self.engine.begin() as connection:
            key: int = connection.execute(insert(todos).values(values).returning(todos.c.id)).scalar_one()
        return key

    def change(self, key: int, values: Row) -> Row | None:
        with self.engine.begin() as connection:
            connection.execute(update(todos).where(todos.c.id == key).values(values))
            row = connection.execute(select(todos).where(todos.c.id == key)).mappings().first()
        return dict(row) if row else None

    def remove(self, key: int) -> bool:
        with self.engine.begin() as connection:
            found = connection.execute(select(todos.c.id).where(todos.c.id == key)).first()
            connection.execute(delete(todos).where(todos.c.id == key))
        return found is not None


app = on_layer(__name__, Core())
