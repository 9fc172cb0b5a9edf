"""How long have these CPU cores been idle? What the server's core did beside its answers shows here.

The kernel tells it in ticks of USER_HZ, 10 ms as a rule, though it counts finer. Over a time as short as a slice of
load the difference of two readings is coarse, and only the sum over many slices means something.
"""

import os
from collections.abc import Collection

from bench.testbed.processes.cpu_clock import LINUX

__all__ = ["idle_s", "idle_ticks"]

IDLE, IOWAIT = 4, 5  # columns of a core's line in /proc/stat; 0 is its name (proc_stat(5))
STAT_BYTES = 65_536  # read in one piece, so that all is of one moment; the lines of the cores come first


def idle_s(cores: Collection[int]) -> float | None:
    """Seconds that these cores have been idle since the machine's start, in sum; waiting for a disk is idle too.

    None without cores, and where the system does not tell. A reading takes some 10 us on a machine with few cores.
    """
    if not (cores and LINUX):
        return None
    file = os.open("/proc/stat", os.O_RDONLY)
    try:
        ticks = idle_ticks(os.read(file, STAT_BYTES), cores)
    finally:
        os.close(file)
    return None if ticks is None else ticks / os.sysconf("SC_CLK_TCK")


def idle_ticks(stat: bytes, cores: Collection[int]) -> int | None:
    """The same in ticks, from the content of /proc/stat; None if it lacks one of the cores."""
    names = {b"cpu%d" % core for core in cores}
    lines = [line.split() for line in stat.splitlines() if line.startswith(b"cpu")]
    found = [int(fields[IDLE]) + int(fields[IOWAIT]) for fields in lines if fields[0] in names]
    return sum(found) if len(found) == len(names) else None
