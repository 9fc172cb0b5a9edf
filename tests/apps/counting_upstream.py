"""The bench's upstream, which also tells how many requests it had at once: `GET /peak`, counted anew after each."""

import json
from collections.abc import Callable
from typing import Any

from bench.testbed import upstream

in_flight = peak = 0


async def app(scope: dict[str, Any], receive: Callable[[], Any], send: Callable[[Any], Any]) -> None:
    """Counts what it passes on."""
    global in_flight, peak
    if scope["path"] == "/peak":
        body, peak = json.dumps(peak).encode(), 0
        await send({"type": "http.response.start", "status": 200, "headers": upstream.JSON})
        await send({"type": "http.response.body", "body": body})
        return
    in_flight += 1
    peak = max(peak, in_flight)
    try:
        await upstream.app(scope, receive, send)
    finally:
        in_flight -= 1
