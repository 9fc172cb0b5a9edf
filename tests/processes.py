"""What tests wait for: conditions, and the end of processes that are nobody's children here."""

import time
from collections.abc import Callable

import psutil

PATIENCE_S = 20.0


def wait_until(condition: Callable[[], bool], what: str) -> None:
    """Poll until the condition holds."""
    until = time.monotonic() + PATIENCE_S
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
