"""Which frame of a stack is the user's own code?"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

INSTALLED = {"site-packages", "dist-packages"}
STANDARD_LIBRARY = re.compile(r"(^|/)lib(64)?/python3\.\d+/")
# Packages that serve or route a request. Where no line is the user's own, it is not they who are named either.
AROUND = {"a2wsgi", "asgiref", "asyncio", "bench_tried", "click", "concurrent", "contextvars", "fastapi", "flask",
          "gevent", "granian", "greenlet", "gunicorn", "h11", "httptools", "hypercorn", "loopbridge", "quart", "runpy",
          "starlette", "threading", "uvicorn", "werkzeug"}  # fmt: skip


@dataclass(frozen=True)
class Frame:
    """A place in a stack."""

    file: str
    line: int
    function: str
    module: str


class OwnCode:
    """The user's own code: what is below one of the roots and not installed there, unless the root itself is."""

    def __init__(self, roots: Sequence[Path], folder: Path) -> None:
        self.folder = folder.resolve()
        self.roots = [root.resolve() for root in roots]
        self.path = cache(self._path)

    def _path(self, file: str) -> Path:
        return (self.folder / file).resolve()

    def has(self, file: str) -> bool:
        """Whether the file is the user's own."""
        path = self.path(file)
        below = [path.relative_to(root).as_posix() for root in self.roots if path.is_relative_to(root)]
        return any(not INSTALLED & set(name.split("/")) and not STANDARD_LIBRARY.search(name) for name in below)

    def innermost(self, frames: Sequence[Frame]) -> int | None:
        """The place of the innermost own frame; without one, of the first that is neither the server's nor Flask's.

        So an extension that waits when a request ends is named too. None if servers and frameworks are all there is.
        """
        own = [place for place, frame in enumerate(frames) if self.has(frame.file)]
        if own:
            return own[-1]
        others = (place for place, frame in enumerate(frames) if not is_around(frame.module))
        return next(others, None)

    def shown(self, file: str) -> str:
        """Relative to the working directory where it is beneath it."""
        path = self.path(file)
        return path.relative_to(self.folder).as_posix() if path.is_relative_to(self.folder) else str(path)


def is_around(module: str) -> bool:
    """Whether a module belongs to a server or a framework."""
    return module.partition(".")[0] in AROUND or module in ("", "__main__")
