"""The other service that `/fanout/` and `/mixed/` call, by httpx: one client, connections shared by all requests."""

import httpx

from reference_apps import settings
from reference_apps.arguments import upstream_failed

# As many as httpx keeps by default. For each call it looks at all of them (https://github.com/encode/httpx/issues/3215).
IDLE_CONNECTIONS = 20

client = httpx.AsyncClient(
    base_url=settings.UPSTREAM_URL,
    timeout=settings.UPSTREAM_TIMEOUT_S,
    limits=httpx.Limits(max_connections=None, max_keepalive_connections=IDLE_CONNECTIONS),
    trust_env=False,
)


async def fetch(seconds: float) -> object:
    """One call that the upstream answers after that many seconds. Raises Refused if it fails."""
    try:
        response = await client.get("/", params={"seconds": seconds})
        return response.raise_for_status().json()
    except httpx.HTTPError as error:
        raise upstream_failed(error) from error
