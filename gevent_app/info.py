"""What this process is, as it sees itself: the facts that the bench checks before it measures."""

import os
import sys
import threading
from importlib.metadata import version
from pathlib import Path

import psutil
from psycopg2.extensions import get_wait_callback

from gevent_app import config
from gevent_app.db import driver


def facts() -> dict[str, object]:
    """The application, its server, driver and event loop, its process, and what is monkey-patched in it."""
    return {
        "app": "gevent_app",
        "server": server(),
        "driver": driver(),
        "loop": loop(),
        "pool": config.POOL_SIZE + config.MAX_OVERFLOW,
        "pid": os.getpid(),
        "processes": processes(),
        "threads": threads(),
        "patched": patched(),
    }


def server() -> str:
    """The program that was started, with its version: `gunicorn 27.0.1`."""
    program = Path(sys.argv[0])
    name = program.parent.name if program.name == "__main__.py" else program.name
    return f"{name} {version(name)}"


def loop() -> str | None:
    """The class of the event loop that runs this request; none without monkey-patching."""
    if not patched():
        return None
    import gevent

    kind = type(gevent.get_hub().loop)
    return f"{kind.__module__}.{kind.__qualname__}"


def processes() -> int:
    """The server's processes that answer requests: this one, and its siblings if it has any."""
    parent = psutil.Process().parent()
    siblings = [child for child in parent.children() if os.getpgid(child.pid) == os.getpgrp()] if parent else []
    return max(1, sum("multiprocessing.resource_tracker" not in " ".join(child.cmdline()) for child in siblings))


def threads() -> int:
    """The operating system's threads of this process, which gevent's own count of greenlets is not."""
    tasks = Path("/proc/self/task")
    return len(list(tasks.iterdir())) if tasks.exists() else threading.active_count()


def patched() -> list[str]:
    """The modules that gevent has patched, and psycopg2 if psycogreen has."""
    monkey = sys.modules.get("gevent.monkey")
    modules = sorted(name for name in monkey.saved if not name.startswith("_gevent")) if monkey else []
    return modules + (["psycopg2"] if get_wait_callback() else [])
