"""The ASGI application that an asyncio server imports; its database pool lives as long as the server."""

from asyncio_app import create_app, lifespan
from loopbridge import LoopBridge

app = LoopBridge(create_app(), lifespan=lifespan)
