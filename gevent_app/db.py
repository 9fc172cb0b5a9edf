"""The database: Flask-SQLAlchemy, whose session every view shares through a scoped registry."""

from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import column, func, insert, select, table
from sqlalchemy.schema import CreateTable

from gevent_app import config
from gevent_app.tables import metadata, seeds, todos

CURRENT_SCHEMA = {"postgres": func.current_schema(), "mysql": func.schema()}

db = SQLAlchemy(metadata=metadata)


def driver() -> str:
    """The name of the database driver in use."""
    return db.engine.dialect.driver


def existing_columns() -> set[str]:
    """The columns of the todos table that is there already; empty if there is none."""
    schema = config.DATABASE_SCHEMA or CURRENT_SCHEMA[config.DATABASE]
    columns = table("columns", *map(column, ("table_schema", "table_name", "column_name")), schema="information_schema")
    query = select(columns.c.column_name).where(columns.c.table_schema == schema, columns.c.table_name == todos.name)
    return set(db.session.scalars(query))


def create_tables() -> bool:
    """Create and fill the todos table unless it is there; say whether it was created.

    Raises ValueError if a table of that name has other columns: it is somebody else's and stays as it is.
    """
    columns = existing_columns()
    if columns:
        if columns != set(todos.columns.keys()):
            raise ValueError(f"table {todos.fullname} has other columns ({', '.join(sorted(columns))})")
        return False
    db.session.execute(CreateTable(todos))
    db.session.execute(insert(todos), seeds())
    db.session.commit()
    return True
