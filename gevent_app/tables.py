"""The one table, and the 50 todos that every answer is about."""

from sqlalchemy import Boolean, Column, Integer, MetaData, String, Table

from gevent_app import config

TITLE_LENGTH = 200
SEEDS = 50

metadata = MetaData(schema=config.DATABASE_SCHEMA)

todos = Table(
    "todos",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("title", String(TITLE_LENGTH), nullable=False),
    Column("done", Boolean, nullable=False),
    Column("priority", Integer, nullable=False),
    mysql_charset="utf8mb4",
)


def seeds() -> list[dict[str, object]]:
    """The rows that a new table starts with."""
    return [{"title": f"Todo {n}", "done": n % 3 == 0, "priority": n % 5} for n in range(1, SEEDS + 1)]
