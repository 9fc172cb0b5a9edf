"""How does the event loop wake up at a nanosecond it was told, without spinning?

Event loops round their timers to the milliseconds of `epoll_wait`; at 10,000 requests/s ten of them are due in one. A
timer file descriptor (timerfd_create(2)) is as exact as the kernel's clock, and sleeping on it costs no CPU time, so
the generator's CPU figure keeps its meaning. Python offers it from 3.13 on, hence ctypes. Elsewhere than on Linux the
loop's own timer is used, and start lag shows how late that makes a request.
"""

import asyncio
import ctypes
import os
import sys
import time
from collections.abc import Callable

from bench.load.job import NS_PER_S

__all__ = ["NEVER_NS", "Timer"]

NEVER_NS = sys.maxsize

TFD_TIMER_ABSTIME = 1  # linux/timerfd.h


class _Itimerspec(ctypes.Structure):
    _fields_ = (
        ("interval_s", ctypes.c_long),
        ("interval_ns", ctypes.c_long),
        ("value_s", ctypes.c_long),
        ("value_ns", ctypes.c_long),
    )


class Timer:
    """Calls `callback` once at or after each time it was armed for; times are `time.monotonic_ns`."""

    def __init__(self, loop: asyncio.AbstractEventLoop, callback: Callable[[], None]) -> None:
        self._loop = loop
        self._callback = callback
        self._fd = -1
        if sys.platform == "linux":
            self._libc = ctypes.CDLL(None, use_errno=True)
            self._spec = _Itimerspec()
            self._fd = self._libc.timerfd_create(time.CLOCK_MONOTONIC, os.O_NONBLOCK | os.O_CLOEXEC)
        if self._fd >= 0:
            loop.add_reader(self._fd, self._fire)

    def arm(self, at_ns: int) -> None:
        """Replaces what was armed before; a time already past fires at once."""
        if self._fd < 0:
            self._loop.call_later((at_ns - time.monotonic_ns()) / NS_PER_S, self._callback)
            return
        self._spec.value_s, self._spec.value_ns = divmod(max(at_ns, 1), NS_PER_S)  # 0 would disarm it
        self._libc.timerfd_settime(self._fd, TFD_TIMER_ABSTIME, ctypes.byref(self._spec), None)

    def close(self) -> None:
        if self._fd >= 0:
            self._loop.remove_reader(self._fd)
            os.close(self._fd)
            self._fd = -1

    def _fire(self) -> None:
        try:
            os.read(self._fd, 8)
        except BlockingIOError:  # armed anew between the wake-up and this read
            return
        self._callback()
