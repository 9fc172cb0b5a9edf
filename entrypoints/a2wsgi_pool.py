"""`a2wsgi.WSGIMiddleware` as FastAPI's documentation mounts Flask: requests in a pool of threads.

Flask starts an event loop for every call of an async view in such a thread, for nothing in it tells of the server's.
One pool shared by those loops fails (MagicStack/asyncpg#56, GoogleCloudPlatform/cloud-sql-python-connector#1168), so
`Flask.async_to_sync`, which is made to be overridden, sends the view to the server's loop, and its thread waits for it.
There the view must not read the request's body: a2wsgi would ask the server's loop for it, and wait for itself.

https://fastapi.tiangolo.com/advanced/wsgi/
https://flask.palletsprojects.com/en/stable/api/#flask.Flask.async_to_sync
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, cast

from a2wsgi import WSGIMiddleware
from flask import request

from asyncio_app import create_app, lifespan
from loopbridge import with_lifespan

# As many as the pool has connections, where a2wsgi's default is 10.
WORKERS = 15

flask = create_app()


@flask.before_request
def read_body() -> None:
    """Read it in the request's thread; the view then finds it read."""
    request.get_data()


@asynccontextmanager
async def on_this_loop() -> AsyncIterator[None]:
    """The app's lifespan, and its async views on the loop of it."""
    loop = asyncio.get_running_loop()

    def async_to_sync(view: Callable[..., Coroutine[Any, Any, Any]]) -> Callable[..., Any]:
        return lambda *args, **kwargs: asyncio.run_coroutine_threadsafe(view(*args, **kwargs), loop).result()

    flask.async_to_sync = async_to_sync  # type: ignore[assignment, method-assign]
    async with lifespan():
        yield


adapter: Any = WSGIMiddleware(cast("Any", flask), workers=WORKERS)  # its types are stricter than anybody's
app = with_lifespan(adapter, on_this_loop)
