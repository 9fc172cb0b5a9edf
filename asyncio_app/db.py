"""The database: `databases`, whose one pool is opened when the server starts and shared by every view.

`databases` compiles each statement anew where SQLAlchemy's engine has a cache; here it has one too, see statements.py.
"""

from databases import Database
from sqlalchemy import column, func, insert, select, table
from sqlalchemy.schema import CreateTable

from asyncio_app import config
from asyncio_app.statements import compile_once
from asyncio_app.tables import seeds, todos

CURRENT_SCHEMA = {"postgres": func.current_schema(), "mysql": func.schema()}

database = Database(config.DATABASE_URL.render_as_string(hide_password=False), **config.POOL)
compile_once(database)


def driver() -> str:
    """The name of the database driver in use."""
    return database.url.driver or "asyncpg"


async def existing_columns() -> set[str]:
    """The columns of the todos table that is there already; empty if there is none."""
    schema = config.DATABASE_SCHEMA or CURRENT_SCHEMA[config.DATABASE]
    columns = table("columns", *map(column, ("table_schema", "table_name", "column_name")), schema="information_schema")
    query = select(columns.c.column_name).where(columns.c.table_schema == schema, columns.c.table_name == todos.name)
    return {row["column_name"] for row in await database.fetch_all(query)}


async def create_tables() -> bool:
    """Create and fill the todos table unless it is there; say whether it was created.

    Raises ValueError if a table of that name has other columns: it is somebody else's and stays as it is.
    """
    columns = await existing_columns()
    if columns:
        if columns != set(todos.columns.keys()):
            raise ValueError(f"table {todos.fullname} has other columns ({', '.join(sorted(columns))})")
        return False
    async with database.transaction():
        await database.execute(CreateTable(todos))
        await database.execute_many(insert(todos), seeds())
    return True
