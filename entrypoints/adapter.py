"""Flask's documented recipe for ASGI servers: `WsgiToAsgi(app)`, one thread for all requests.

https://flask.palletsprojects.com/en/stable/deploying/asgi/
"""

from asgiref.wsgi import WsgiToAsgi

from asyncio_app import create_app, lifespan
from loopbridge import with_lifespan

app = with_lifespan(WsgiToAsgi(create_app()), lifespan)  # type: ignore[no-untyped-call]  # asgiref has no types here
