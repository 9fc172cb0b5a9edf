"""The gevent application as it is, on an event loop: plain synchronous Flask-SQLAlchemy over asyncpg, without `await`.

SQLAlchemy's asyncpg dialect waits by switching out of a greenlet, and the bridge's greenlets are of the kind it takes:
https://docs.sqlalchemy.org/en/21/orm/extensions/asyncio.html#running-synchronous-methods-and-functions-under-asyncio
Nothing else waits so: nothing is patched, and `time.sleep`, httpx and threads that a view waits for stop the loop, and
with it every other request. SQLAlchemy means its async dialects for `create_async_engine` alone, and says so to whoever
asks for this (sqlalchemy/sqlalchemy#10088): it is a way to find out what an `await` in each view would bring.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from flask import Flask
from sqlalchemy.util import greenlet_spawn

from gevent_app import create_app
from gevent_app.db import db
from loopbridge import LoopBridge


def on_the_loop(flask_app: Flask) -> LoopBridge:
    """A synchronous application whose session is Flask-SQLAlchemy's, with its views on the event loop."""

    @asynccontextmanager
    async def lifespan() -> AsyncIterator[None]:
        """Close the pool at shut-down; like any of SQLAlchemy's, it is filled when views ask it for connections."""
        yield
        with flask_app.app_context():
            await greenlet_spawn(db.engine.dispose)

    return LoopBridge(flask_app, sync_views="inline", lifespan=lifespan)


app = on_the_loop(create_app())
