"""The other service that `/fanout/` and `/mixed/` call: one HTTP client, its connections shared by all requests."""

import httpx
from flask import Flask
from flask.typing import ResponseReturnValue

from asyncio_app import config

# As many as httpx keeps by default. For each call it looks at all of them (https://github.com/encode/httpx/issues/3215).
IDLE_CONNECTIONS = 20

client = httpx.AsyncClient(
    base_url=config.UPSTREAM_URL,
    timeout=config.UPSTREAM_TIMEOUT_S,
    limits=httpx.Limits(max_connections=None, max_keepalive_connections=IDLE_CONNECTIONS),
    trust_env=False,
)


def init_app(app: Flask) -> None:
    """Answer 502 when the upstream cannot be reached or fails."""
    app.register_error_handler(httpx.HTTPError, upstream_failed)


def upstream_failed(error: httpx.HTTPError) -> ResponseReturnValue:
    """What failed, and where to look."""
    return {"error": f"the upstream at {config.UPSTREAM_URL} (UPSTREAM_URL) failed: {type(error).__name__}"}, 502


async def fetch(seconds: float) -> object:
    """One call that the upstream answers after that many seconds; raises httpx.HTTPError."""
    response = await client.get("/", params={"seconds": seconds})
    response.raise_for_status()
    return response.json()
