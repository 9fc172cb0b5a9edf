"""How much CPU time has a thread used, and for how long did it wait for a core?

Linux tells both of any thread by its number. Elsewhere neither is known: both are zero.
"""

from __future__ import annotations

import os
import sys
import time
from typing import Any

from .quietly import pread

NS = 1e-9


class ThreadClock:
    """The clocks of a thread, by its number in the kernel (`threading.get_native_id`)."""

    def __init__(self, native_id: int) -> None:
        # The number that pthread_getcpuclockid() makes of it too (include/linux/posix-timers.h); but that function must
        # not be asked of a thread that has ended: https://docs.python.org/3/library/time.html#time.pthread_getcpuclockid
        self.clock = (~native_id << 3) | 6
        self.native_id = native_id
        self.schedule: Any = None

    def cpu_s(self) -> float:
        """CPU time that the thread has used; 0 if it has ended."""
        if sys.platform != "linux":
            return 0.0
        try:
            return time.clock_gettime(self.clock)
        except OSError:
            return 0.0

    def queued_s(self) -> float:
        """How long it was ready to run, and another had the core: no fault of what it runs."""
        try:
            if self.schedule is None:
                self.schedule = os.open(f"/proc/self/task/{self.native_id}/schedstat", os.O_RDONLY)
            return int(pread(self.schedule, 100).split()[1]) * NS
        except (OSError, IndexError, ValueError):
            return 0.0
