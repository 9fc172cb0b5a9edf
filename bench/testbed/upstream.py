"""The upstream that `/fanout/` calls: a bare ASGI application that answers after the seconds it is asked to wait."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qs

JSON = [(b"content-type", b"application/json")]


async def app(scope: dict[str, Any], receive: Callable[[], Any], send: Callable[[Any], Awaitable[None]]) -> None:
    """`GET /?seconds=0.1` waits that long and answers `{"seconds": 0.1}`."""
    seconds = float(parse_qs(scope["query_string"].decode()).get("seconds", ["0"])[0])
    await asyncio.sleep(seconds)
    body = json.dumps({"seconds": seconds}).encode()
    await send({"type": "http.response.start", "status": 200, "headers": JSON})
    await send({"type": "http.response.body", "body": body})
