"""Two applications for the bench's usual servers that start at once: what faults ask for, and no database."""

import asyncio
import json
import os
import time
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import parse_qs

FAILS = "TINY_APP_FAILS"
"""With this in its environment, an application cannot be imported."""

if os.environ.get(FAILS):
    raise RuntimeError("it was told to fail")


def seconds(query: str) -> float:
    return float(parse_qs(query).get("seconds", ["0"])[0])


def body(path: str) -> bytes:
    return json.dumps({"pid": os.getpid()} if path == "/info" else {}).encode()


def wsgi(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    time.sleep(seconds(environ["QUERY_STRING"]))
    answer = body(environ["PATH_INFO"])
    start_response("200 OK", [("Content-Length", str(len(answer)))])
    return [answer]


async def asgi(scope: dict[str, Any], receive: Callable[[], Any], send: Callable[[Any], Any]) -> None:
    assert scope["type"] == "http"
    await asyncio.sleep(seconds(scope["query_string"].decode()))
    answer = body(scope["path"])
    head = {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(answer))]}
    await send(head)
    await send({"type": "http.response.body", "body": answer})
