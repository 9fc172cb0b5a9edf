"""What this process is, as it sees itself: the facts that the bench checks before it measures."""

import asyncio
import os
import sys
import threading
from importlib.metadata import version
from pathlib import Path

import psutil
from psycopg2.extensions import get_wait_callback

from asyncio_app import config
from asyncio_app.db import driver


def facts() -> dict[str, object]:
    """The application, its server, driver and event loop, its process, and what is monkey-patched in it."""
    pool, workers = config.POOL_SIZE + config.MAX_OVERFLOW, processes()
    return {
        "app": "asyncio_app",
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
    """The program that was started, with its version: `uvicorn 0.54.0`."""
    program = Path(sys.argv[0])
    name = program.parent.name if program.name == "__main__.py" else program.name
    return f"{name} {version(name)}"


def loop() -> str | None:
    """The class of the event loop that runs this request."""
    kind = type(asyncio.get_running_loop())
    return f"{kind.__module__}.{kind.__qualname__}"


def processes() -> int:
    """The server's processes that answer requests: this one, and its siblings if it has any."""
    parent = psutil.Process().parent()
    siblings = [child for child in parent.children() if os.getpgid(child.pid) == os.getpgrp()] if parent else []
    commands = [" ".join(child.cmdline()) for child in siblings if child.status() != psutil.STATUS_ZOMBIE]
    return max(1, sum("multiprocessing.resource_tracker" not in command for command in commands))


def threads() -> int:
    """The operating system's threads of this process."""
    tasks = Path("/proc/self/task")
    return len(list(tasks.iterdir())) if tasks.exists() else threading.active_count()


def patched() -> list[str]:
    """The modules that gevent has patched, and psycopg2 if psycogreen has: none, unless something is wrong."""
    monkey = sys.modules.get("gevent.monkey")
    modules = sorted(name for name in monkey.saved if not name.startswith("_gevent")) if monkey else []
    return modules + (["psycopg2"] if get_wait_callback() else [])
