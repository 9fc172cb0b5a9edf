"""The application with what watches it: what a server is told to serve in a pass that is timed inside or probed.

The settings are in the environment, because a server may start its worker as a new process. The probe starts with the
first request: after the server has forked, after gevent has patched, and on the loop's own thread.
"""

from __future__ import annotations

import importlib
import json
import os
from typing import Any

from .importing import load
from .launch import SETTINGS
from .timing import TimedASGI, TimedWSGI, Timings


class Probed:
    """Starts the probe once in each process."""

    def __init__(self, app: Any, kind: str, file: str) -> None:
        self.app, self.kind, self.file = app, kind, file
        self.pid = 0

    def begin(self) -> None:
        """Start it, unless this process has; whatever is wrong with it is nothing to the application."""
        if self.pid == os.getpid():
            return
        self.pid = os.getpid()
        try:
            importlib.import_module(".probe", __package__).start(self.kind, self.file)
        except Exception as error:
            print(f"bench: the probe did not start: {type(error).__name__}: {error}", flush=True)


class ProbedWSGI(Probed):
    """A WSGI application that is probed."""

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        self.begin()
        return self.app(environ, start_response)


class ProbedASGI(Probed):
    """An ASGI application that is probed."""

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            self.begin()
        await self.app(scope, receive, send)


def watched(settings: dict[str, Any]) -> Any:
    """The application, with what the settings name around it."""
    app = load(settings["target"])
    asgi = settings["interface"] == "asgi"
    if settings.get("timings"):
        app = (TimedASGI if asgi else TimedWSGI)(app, Timings(settings["timings"]))
    if settings.get("stalls"):
        app = (ProbedASGI if asgi else ProbedWSGI)(app, settings["kind"], settings["stalls"])
    return app


app = watched(json.loads(os.environ[SETTINGS]))
