"""How much CPU time has another process used, to the nanosecond and without the cost of reading /proc?"""

import sys
import time
from collections.abc import Iterable

__all__ = ["cpu_s"]

LINUX = sys.platform == "linux"
CPUCLOCK_SCHED = 2


def cpu_s(pids: Iterable[int]) -> float:
    """Seconds that these processes' threads have been on a CPU, those that have ended included; 0 on other systems.

    The scheduler's clock of another process is what clock_getcpuclockid(3) gives, which Python lacks. Source:
    CPUCLOCK_SCHED and make_process_cpuclock in include/linux/posix-timers.h of the Linux kernel.

    Raises OSError for a process that has ended.
    """
    return sum(time.clock_gettime((~pid << 3) | CPUCLOCK_SCHED) for pid in pids) if LINUX else 0.0
