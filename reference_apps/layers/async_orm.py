"""SQLAlchemy's AsyncSession and a mapped class, on asyncpg. Beside it: sync_orm.py, Flask-SQLAlchemy on psycopg2.

https://docs.sqlalchemy.org/en/21/orm/extensions/asyncio.html#synopsis-orm
"""

from collections.abc import Sequence

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import DeclarativeBase, Mapped

from asyncio_app.tables import todos
from reference_apps.layers.async_engine import OnEngine
from reference_apps.layers.async_views import Row, on_layer


class Base(DeclarativeBase):
    metadata = todos.metadata


class Todo(Base):
    __table__ = todos
    id: Mapped[int]
    title: Mapped[str]
    done: Mapped[bool]
    priority: Mapped[int]


def as_row(todo: Todo) -> Row:
    return {"id": todo.id, "title": todo.title, "done": todo.done, "priority": todo.priority}


class Orm(OnEngine):
    """Reads and writes of objects, each call in a transaction of its own."""

    async def hold(self) -> None:
        async with AsyncSession(self.engine) as session:
            await session.connection()

    async def sleep(self, seconds: float) -> list[Row]:
        async with AsyncSession(self.engine) as session:
            await session.execute(select(func.pg_sleep(seconds)))
            return [as_row(todo) for todo in await session.scalars(select(Todo).order_by(Todo.id))]

    async def all(self) -> list[Row]:
        async with AsyncSession(self.engine) as session:
            return [as_row(todo) for todo in await session.scalars(select(Todo).order_by(Todo.id))]

    async def some(self, keys: Sequence[int]) -> list[Row | None]:
        rows: list[Row | None] = []
        async with AsyncSession(self.engine) as session:
            for key in keys:
                todo = (await session.scalars(select(Todo).where(Todo.id == key))).first()
                rows.append(as_row(todo) if todo else None)
        return rows

    async def add(self, values: Row) -> int:
        async with AsyncSession(self.engine) as session:
            todo = Todo(**values)
            session.add(todo)
            await session.flush()
            key: int = todo.id
            await session.commit()
        return key

    async def change(self, key: int, values: Row) -> Row | None:
        async with AsyncSession(self.engine) as session:
            todo = await session.get(Todo, key)
            if todo is None:
                return None
            for name, value in values.items():
                setattr(todo, name, value)
            row = as_row(todo)
            await session.commit()
        return row

    async def remove(self, key: int) -> bool:
        async with AsyncSession(self.engine) as session:
            todo = await session.get(Todo, key)
            if todo is not None:
                await session.delete(todo)
                await session.commit()
        return todo is not None


app = on_layer(__name__, Orm())
