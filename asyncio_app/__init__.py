"""The asyncio application: Flask with async views, made concurrent by a bridge to the server's event loop."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from flask import Flask

__all__ = ["create_app", "lifespan"]


def create_app() -> Flask:
    """The Flask application; its database pool is opened by `lifespan`, its tables are left alone."""
    from asyncio_app import arguments, config, upstream
    from asyncio_app.views import views

    app = Flask(__name__)
    app.config["MAX_CONTENT_LENGTH"] = config.MAX_BODY_BYTES
    arguments.init_app(app)
    upstream.init_app(app)
    app.register_blueprint(views)
    return app


@asynccontextmanager
async def lifespan() -> AsyncIterator[None]:
    """Holds the database pool and the upstream's connections open from the server's start-up to its shut-down."""
    from asyncio_app import upstream
    from asyncio_app.db import database

    async with database, upstream.client:
        yield
