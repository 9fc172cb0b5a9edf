"""What this process is, as it sees itself: the facts that the bench checks before it measures."""

import asyncio
import os
import sys
import threading
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path

import psutil
from psycopg2.extensions import get_wait_callback

from gevent_app import config
from gevent_app.db import driver


def facts() -> dict[str, object]:
    """The application, its server, driver and event loop, its process, and what is monkey-patched in it."""
    pool, workers = config.POOL_SIZE + config.MAX_OVERFLOW, processes()
    return {
        "app": "gevent_app",
        "server": server(),
        "driver": driver(),
        "loop": loop(),
        "pool": pool,
        "pool_total": pool * workers,
        "pid": os.getpid(),
        "processes": workers,
        "threads": threads(),
        "patched": patched(),
    }


def server() -> str:
    """The program that was started, with its version: `gunicorn 27.0.1`."""
    program = Path(sys.argv[0])
    name = program.parent.name if program.name == "__main__.py" else program.name
    return f"{name} {version(name)}"


def loop() -> str | None:
    """The class of the event loop that runs this request, gevent's, eventlet's or asyncio's; none under threads."""
    running: object = None
    if "socket" not in patched():
        with suppress(RuntimeError):
            running = asyncio.get_running_loop()
    elif hubs := sys.modules.get("eventlet.hubs"):
        running = hubs.get_hub()
    else:
        running = sys.modules["gevent"].get_hub().loop
    return f"{type(running).__module__}.{type(running).__qualname__}" if running else None


def processes() -> int:
    """The server's processes that answer requests: this one, and its siblings if it has any."""
    parent = psutil.Process().parent()
    siblings = [child for child in parent.children() if os.getpgid(child.pid) == os.getpgrp()] if parent else []
    commands = [" ".join(child.cmdline()) for child in siblings if child.status() != psutil.STATUS_ZOMBIE]
    return max(1, sum("multiprocessing.resource_tracker" not in command for command in commands))


def threads() -> int:
    """The operating system's threads of this process, which gevent's own count of greenlets is not."""
    tasks = Path("/proc/self/task")
    return len(list(tasks.iterdir())) if tasks.exists() else threading.active_count()


def patched() -> list[str]:
    """The modules that gevent or eventlet has patched, and psycopg2 if psycogreen has."""
    monkey, patcher = sys.modules.get("gevent.monkey"), sys.modules.get("eventlet.patcher")
    names = [*(monkey.saved if monkey else ()), *(patcher.already_patched if patcher else ())]
    modules = sorted(name for name in names if not name.startswith("_gevent"))
    return modules + (["psycopg2"] if get_wait_callback() else [])
