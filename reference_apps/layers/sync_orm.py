"""Flask-SQLAlchemy's session and a mapped class, on psycopg2. Beside it: async_orm.py, AsyncSession on asyncpg.

https://flask-sqlalchemy.readthedocs.io/en/stable/quickstart/#query-the-data
"""

from collections.abc import Sequence

from sqlalchemy import func, select

from gevent_app.db import db
from gevent_app.tables import todos
from reference_apps.layers.sync_views import Row, on_layer


class Todo(db.Model):  # type: ignore[name-defined, misc]  # Flask-SQLAlchemy makes the class when it is asked for
    __table__ = todos


def as_row(todo: Todo) -> Row:
    return {"id": todo.id, "title": todo.title, "done": todo.done, "priority": todo.priority}


class Orm:
    """Reads and writes of objects, each call in a transaction of its own."""

    @property
    def driver(self) -> str:
        return db.engine.dialect.driver

    def hold(self) -> None:
        db.session.connection()

    def sleep(self, seconds: float) -> list[Row]:
        db.session.execute(select(func.pg_sleep(seconds)))
        return [as_row(todo) for todo in db.session.scalars(select(Todo).order_by(Todo.id))]

    def all(self) -> list[Row]:
        return [as_row(todo) for todo in db.session.scalars(select(Todo).order_by(Todo.id))]

    def some(self, keys: Sequence[int]) -> list[Row | None]:
        rows: list[Row | None] = []
        for key in keys:
            todo = db.session.scalars(select(Todo).where(Todo.id == key)).first()
            rows.append(as_row(todo) if todo else None)
        return rows

    def add(self, values: Row) -> int:
        todo = Todo(**values)
        db.session.add(todo)
        db.session.flush()
        key: int = todo.id
        db.session.commit()
        return key

    def change(self, key: int, values: Row) -> Row | None:
        todo = db.session.get(Todo, key)
        if todo is None:
            return None
        for name, value in values.items():
            setattr(todo, name, value)
        row = as_row(todo)
        db.session.commit()
        return row

    def remove(self, key: int) -> bool:
        todo = db.session.get(Todo, key)
        if todo is not None:
            db.session.delete(todo)
            db.session.commit()
        return todo is not None


app = on_layer(__name__, Orm())


@app.teardown_appcontext
def end_session(error: BaseException | None) -> None:
    """What Flask-SQLAlchemy does itself in an application that leaves its hooks alone."""
    db.session.remove()
