"""How long does each request take inside the server's process, and how much CPU time does the process use meanwhile?

One JSON line for each request: `at_s` is the monotonic clock when the application was called, `wall_s` the time to the
end of its answer, `cpu_s` the process's CPU time in between, which is the request's own if it was alone.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterable, Iterator
from typing import Any


class Timings:
    """The file; each process opens it for itself, and appends whole lines."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.pid = 0
        self.descriptor = -1

    def write(self, path: str, began: tuple[float, float]) -> None:
        """Write the line of a request that has ended; an application is not disturbed if that fails."""
        at_s, cpu_s = began
        line = {"at_s": at_s, "path": path, "wall_s": time.monotonic() - at_s,
                "cpu_s": time.process_time() - cpu_s, "pid": os.getpid()}  # fmt: skip
        try:
            if self.pid != os.getpid():
                self.descriptor = os.open(self.file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
                self.pid = os.getpid()
            os.write(self.descriptor, json.dumps(line).encode() + b"\n")
        except OSError:
            pass


def now() -> tuple[float, float]:
    """The moment, and the process's CPU time until then."""
    return time.monotonic(), time.process_time()


class TimedWSGI:
    """A WSGI application that is timed."""

    def __init__(self, app: Any, timings: Timings) -> None:
        self.app, self.timings = app, timings

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        began, path = now(), environ.get("PATH_INFO", "")
        try:
            body = self.app(environ, start_response)
        except BaseException:
            self.timings.write(path, began)
            raise
        wrapper = environ.get("wsgi.file_wrapper")
        if isinstance(wrapper, type) and isinstance(body, wrapper):
            self.timings.write(path, began)  # the server sends such a body without Python, if it is left as it is
            return body
        return TimedBody(body, lambda: self.timings.write(path, began))


class TimedBody:
    """The body of an answer, that says when it is closed."""

    def __init__(self, body: Iterable[bytes], ended: Any) -> None:
        self.body, self.ended = body, ended

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.body)

    def close(self) -> None:
        """Called by the server at the end of every answer."""
        try:
            close = getattr(self.body, "close", None)
            if close is not None:
                close()
        finally:
            self.ended()


class TimedASGI:
    """An ASGI application that is timed."""

    def __init__(self, app: Any, timings: Timings) -> None:
        self.app, self.timings = app, timings

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began = now()
        try:
            await self.app(scope, receive, send)
        finally:
            self.timings.write(scope["path"], began)
