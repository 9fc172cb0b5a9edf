"""Async views under gevent, as Flask's page on gevent combines them: an asyncio loop that runs in a greenlet.

gevent has patched `selectors`, so that the loop waits in gevent's hub, and `threading`, so that a request's greenlet
waits for its view as one thread waits for another. Driver and HTTP client are asyncio's own. A view that waits for
gevent, and not by `await`, stops the asyncio loop and with it all views: so the request's body is read before.

https://flask.palletsprojects.com/en/stable/gevent/#combining-with-async-await
"""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from typing import Any

import gevent
from flask import request

from asyncio_app import create_app, lifespan

loop = asyncio.new_event_loop()
gevent.spawn(loop.run_forever)


def async_to_sync(view: Callable[..., Coroutine[Any, Any, Any]]) -> Callable[..., Any]:
    """In place of Flask's: the view on the loop, its request waiting for it."""
    return lambda *args, **kwargs: asyncio.run_coroutine_threadsafe(view(*args, **kwargs), loop).result()


app = create_app()
app.async_to_sync = async_to_sync  # type: ignore[assignment, method-assign]


@app.before_request
def read_body() -> None:
    """Read it in the request's greenlet; the view then finds it read."""
    request.get_data()


held = AsyncExitStack()  # until the process ends: WSGI does not tell of a server's shut-down
async_to_sync(held.enter_async_context)(lifespan())
