"""The asyncio app without its cache of compiled statements (asyncio_app/statements.py): `databases` as published."""

from asyncio_app.asgi import app
from asyncio_app.db import database

__all__ = ["app"]

del database._backend._dialect.statement_compiler  # behind it is the class's own
