"""Conditions to wait for, the end of processes that are nobody's children here, and a process that is held up."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psutil

PATIENCE_S = 60.0


def wait_until(condition: Callable[[], bool], what: str, patience_s: float = PATIENCE_S) -> None:
    """Poll until the condition holds."""
    until = time.monotonic() + patience_s
    while not condition():
        assert time.monotonic() < until, f"never happened: {what}"
        time.sleep(0.02)


def gone(*pids: int) -> bool:
    """Whether none of the processes runs any more; one that waits for its parent to take note of its end does not."""
    return not any(_runs(pid) for pid in pids)


def _runs(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@contextmanager
def held_up(pid: int, for_s: float, every_s: float) -> Iterator[None]:
    """Stops the process again and again for so long, as a busy machine would."""
    over = threading.Event()

    def hold_up() -> None:
        while not over.wait(every_s - for_s):
            os.kill(pid, signal.SIGSTOP)
            time.sleep(for_s)
            os.kill(pid, signal.SIGCONT)

    thread = threading.Thread(target=hold_up)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
