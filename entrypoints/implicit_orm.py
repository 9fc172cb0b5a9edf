"""Flask-SQLAlchemy with mapped classes, as under gevent, on an event loop: see implicit_asyncio.py."""

from entrypoints.implicit_asyncio import on_the_loop
from reference_apps.layers import sync_orm

app = on_the_loop(sync_orm.app)
