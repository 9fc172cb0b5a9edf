"""SQLAlchemy's asynchronous engine on asyncpg, for Core and for sessions."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy import make_url
from sqlalchemy.ext.asyncio import create_async_engine

from reference_apps import settings


class OnEngine:
    """A layer that has an engine while its server runs."""

    driver = "asyncpg"

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        """The engine, whose pool is filled when views ask it for connections, and closed at the server's shut-down."""
        url = make_url(settings.POSTGRES_URL).set(drivername="postgresql+asyncpg")
        self.engine = create_async_engine(url, **settings.SQLALCHEMY_POOL)
        yield
        await self.engine.dispose()
