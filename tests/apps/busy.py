"""A server that is never idle: the asyncio app, beside a thread that takes a part of the core for nothing."""

import threading
import time

from asyncio_app.asgi import app

__all__ = ["app"]

BUSY_S, PAUSE_S = 0.005, 0.02


def be_busy() -> None:
    """Take a fifth of a core until the process ends."""
    while True:
        until = time.thread_time() + BUSY_S
        while time.thread_time() < until:
            pass
        time.sleep(PAUSE_S)


threading.Thread(target=be_busy, daemon=True).start()
