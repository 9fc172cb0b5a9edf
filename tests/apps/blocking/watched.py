"""The application under its servers, with the probe: `gunicorn … 'blocking.watched:wsgi()'`.

STALLS is the file that the probe writes to; without it there is no probe.
"""

import os
from typing import Any

from bench.tryout.inside.bench_tried import probe
from blocking import create_app
from loopbridge import LoopBridge


class Watched:
    """A WSGI application that starts the probe with its first request."""

    def __init__(self, kind: str) -> None:
        self.app, self.kind = create_app(), kind

    def __call__(self, environ: Any, start_response: Any) -> Any:
        start(self.kind)
        return self.app(environ, start_response)


def start(kind: str) -> None:
    if "STALLS" in os.environ:
        probe.start(kind, os.environ["STALLS"])


def hub() -> Watched:
    """For gunicorn's gevent worker."""
    return Watched("gevent")


def threads() -> Watched:
    """For gunicorn's gthread worker."""
    return Watched("threads")


def bridge(**options: Any) -> Any:
    """An ASGI application that starts the probe on the loop."""
    inner = LoopBridge(create_app(), **options)

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            start("asyncio")
        await inner(scope, receive, send)

    return app


def loop() -> Any:
    """`def` views on the loop's own thread, where they block."""
    return bridge(sync_views="inline")


def loop_and_threads() -> Any:
    """`def` views in the bridge's threads."""
    return bridge()
