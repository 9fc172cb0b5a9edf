"""Statements that are compiled once: what reaches the driver must be what compiling anew would have sent."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
import sqlalchemy as sa
from databases import Database
from sqlalchemy.schema import CreateTable

from asyncio_app.statements import compile_once

things = sa.Table(
    "things",
    sa.MetaData(),
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("name", sa.String(20), default="new"),
    sa.Column("done", sa.Boolean, default=lambda: True),
    sa.Column("day", sa.Date),
)
URLS = {"asyncpg": "postgresql://u@h/d", "asyncmy": "mysql+asyncmy://u@h/d"}

# A statement of two values; where the values change the SQL, they are of different kinds on purpose.
Make = Callable[[Any], Any]
STATEMENTS: dict[str, tuple[Make, tuple[Any, Any]]] = {
    "equal": (lambda value: sa.select(things).where(things.c.id == value), (1, 2)),
    "null": (lambda value: sa.select(things).where(things.c.id == value), (1, None)),
    "two values": (lambda value: sa.select(things).where(things.c.id > value, things.c.id < value + 9), (1, 2)),
    "in": (lambda value: sa.select(things).where(things.c.id.in_(value)), ([1, 2], [3, 4])),
    "in, of other lengths": (lambda value: sa.select(things).where(things.c.id.in_(value)), ([1], [2, 3, 4])),
    "in, empty": (lambda value: sa.select(things).where(things.c.id.in_(value)), ([1], [])),
    "limit": (lambda value: sa.select(things.c.id).limit(value).offset(value + 1), (10, 20)),
    "literal": (lambda value: sa.select(sa.literal(value)), (1, "one")),
    "literal SQL": (lambda value: sa.select(sa.literal_column(value)), ("1", "2")),
    "truth": (lambda value: sa.select(things).where(things.c.done == value), (sa.true(), sa.false())),
    "function": (lambda value: sa.select(sa.func.pg_sleep(value)), (0.5, 1.5)),
    "named": (lambda value: sa.select(things).where(things.c.name == sa.bindparam("n")).params(n=value), ("a", "b")),
    "called": (lambda value: sa.select(sa.bindparam("x", type_=sa.Integer, callable_=lambda: value)), (1, 2)),
    "executed literally": (lambda value: sa.select(sa.bindparam("x", value, literal_execute=True)), (1, 2)),
    "insert": (lambda value: sa.insert(things).values(name=value, day=date(2013, 1, 1)), ("a", "b")),
    "insert, other columns": (lambda value: sa.insert(things).values(**value), ({"name": "a"}, {"done": False})),
    "insert many": (lambda value: sa.insert(things).values([{"name": name} for name in value]), (["a", "b"], ["c"])),
    "update": (lambda value: sa.update(things).where(things.c.id == value).values(done=value > 1), (1, 2)),
    "delete": (lambda value: sa.delete(things).where(things.c.id == value), (1, 2)),
    "text": (lambda value: sa.text("SELECT :n").bindparams(n=value), ("a", "b")),
    "other texts": (lambda value: sa.text(value), ("SELECT 1", "SELECT 2")),
    "like %": (lambda value: sa.select(things).where(things.c.name.like(value)), ("a%", "%b")),
    "table": (lambda _: CreateTable(things), (1, 2)),
}  # fmt: skip


def sent(database: Database, statement: Any) -> Any:
    """What `databases` would hand to the driver: the SQL and its values."""
    sql, values = database._backend.connection()._compile(statement)[:2]  # type: ignore[attr-defined]
    return sql, values


@pytest.mark.parametrize("driver", URLS)
@pytest.mark.parametrize("name", STATEMENTS)
def test_the_driver_gets_what_compiling_anew_gives_it(driver: str, name: str) -> None:
    pytest.importorskip(driver)
    plain, cached = Database(URLS[driver]), Database(URLS[driver])
    compile_once(cached)
    make, values = STATEMENTS[name]
    for value in (*values, *values):
        assert sent(cached, make(value)) == sent(plain, make(value))


def test_a_statement_is_compiled_once_whatever_its_values() -> None:
    database, statements = Database(URLS["asyncpg"]), []
    dialect: Any = database._backend._dialect  # type: ignore[attr-defined]
    compiler = dialect.statement_compiler

    def counted(dialect: Any, statement: Any, **options: Any) -> Any:
        statements.append(statement)
        return compiler(dialect, statement, **options)

    dialect.statement_compiler = counted
    compile_once(database)
    for key in range(50):
        assert sent(database, sa.select(things).where(things.c.id == key))[1] == [key]
        assert sent(database, sa.update(things).values(name=str(key)))[1] == [str(key)]
    assert len(statements) == 2
