"""A thread for each request: `WsgiToAsgi`, and every call of it in a `ThreadSensitiveContext` of its own.

asgiref runs the WSGI call of every request in the one thread of its context, and without a context of their own all
requests have the same. Django's `ASGIHandler` opens one for each request, in these very words. The view is awaited on
the server's loop, so that pool and HTTP client are those of `lifespan`.

https://github.com/django/asgiref#threading
"""

from asgiref.sync import ThreadSensitiveContext
from asgiref.wsgi import WsgiToAsgi

from asyncio_app import create_app, lifespan
from loopbridge import with_lifespan
from loopbridge.asgi import Receive, Scope, Send

adapter = WsgiToAsgi(create_app())  # type: ignore[no-untyped-call]  # asgiref has no types here


async def in_a_thread_of_its_own(scope: Scope, receive: Receive, send: Send) -> None:
    """The adapter, with a thread that ends with the request."""
    async with ThreadSensitiveContext():
        await adapter(scope, receive, send)


app = with_lifespan(in_a_thread_of_its_own, lifespan)
