"""SQLAlchemy Core on asyncpg: statements as expressions, no session. Beside it: sync_core.py, on psycopg2.

https://docs.sqlalchemy.org/en/21/orm/extensions/asyncio.html#synopsis-core
"""

from collections.abc import Sequence

from sqlalchemy import delete, func, insert, select, update

from asyncio_app.tables import todos
from reference_apps.layers.async_engine import OnEngine
from reference_apps.layers.async_views import Row, on_layer

ALL_TODOS = select(todos).order_by(todos.c.id)


class Core(OnEngine):
    """Reads and writes, each call in a transaction of its own."""

    async def hold(self) -> None:
        async with self.engine.begin():
            pass

    async def sleep(self, seconds: float) -> list[Row]:
        async with self.engine.begin() as connection:
            await connection.execute(select(func.pg_sleep(seconds)))
            return [dict(row) for row in (await connection.execute(ALL_TODOS)).mappings()]

    async def all(self) -> list[Row]:
        async with self.engine.begin() as connection:
            return [dict(row) for row in (await connection.execute(ALL_TODOS)).mappings()]

    async def some(self, keys: Sequence[int]) -> list[Row | None]:
        rows: list[Row | None] = []
        async with self.engine.begin() as connection:
            for key in keys:
                row = (await connection.execute(select(todos).where(todos.c.id == key))).mappings().first()
                rows.append(dict(row) if row else None)
        return rows

    async def add(self, values: Row) -> int:
        async with self.engine.begin() as connection:
            key: int = (await connection.execute(insert(todos).values(values).returning(todos.c.id))).scalar_one()
        return key

    async def change(self, key: int, values: Row) -> Row | None:
        async with self.engine.begin() as connection:
            await connection.execute(update(todos).where(todos.c.id == key).values(values))
            row = (await connection.execute(select(todos).where(todos.c.id == key))).mappings().first()
        return dict(row) if row else None

    async def remove(self, key: int) -> bool:
        async with self.engine.begin() as connection:
            found = (await connection.execute(select(todos.c.id).where(todos.c.id == key))).first()
            await connection.execute(delete(todos).where(todos.c.id == key))
        return found is not None


app = on_layer(__name__, Core())
