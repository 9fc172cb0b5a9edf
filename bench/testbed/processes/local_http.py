"""How is a server on this machine asked? In plain HTTP, and through no proxy."""

from typing import Any

import httpx

# For an answer; a busy machine may need more than the 5 s that httpx waits.
TIMEOUT_S = 30.0


def local_client(url: str = "", *, timeout: float = TIMEOUT_S, **options: Any) -> httpx.Client:
    """httpx's client for servers on this machine; `url` comes before every path.

    Without certificates: httpx would read those of all authorities for each client, which takes 27 ms of a core, and
    whoever waits for a server to start asks every 20 ms.
    """
    return httpx.Client(base_url=url, timeout=timeout, trust_env=False, verify=False, **options)


def local_get(url: str, **options: Any) -> httpx.Response:
    """The answer to one request on a connection of its own; raises httpx.HTTPError if there is none."""
    with local_client(**options) as client:
        return client.get(url)
