"""Serve an unchanged Flask application on an event loop: can its async views wait without holding a thread each?

`LoopBridge(app)` takes the place of `asgiref.wsgi.WsgiToAsgi(app)`. `with_lifespan` and `serve_lifespan` give other
ASGI applications what its `lifespan=` does. docs/loopbridge.md says what runs where, how, and what the limits are.
"""

from loopbridge.bridge import LoopBridge
from loopbridge.lifespan import serve_lifespan, with_lifespan

__all__ = ["LoopBridge", "serve_lifespan", "with_lifespan"]
