"""Which cores are a server's, which are everybody else's, and how is a process kept on its own?"""

import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from bench.testbed.servers.cost import family

__all__ = ["other_cores", "pin_family", "server_cores"]


def server_cores(workers: int = 1) -> tuple[int, ...]:
    """The cores for a server of so many processes: one for each, the last of those that are allowed.

    If that leaves no core for the rest, the last one only; none where the system cannot pin or has a single core.
    """
    if not hasattr(os, "sched_getaffinity"):
        return ()
    cores = sorted(os.sched_getaffinity(0))
    return tuple(cores[-workers if len(cores) > workers else -1 :]) if len(cores) > 1 else ()


def other_cores(workers: int = 1) -> tuple[int, ...]:
    """The cores for everything that is not the server: database, upstream and load."""
    servers = server_cores(workers)
    return tuple(sorted(set(os.sched_getaffinity(0)) - set(servers))) if servers else ()


def pin_family(pid: int, cores: Sequence[int]) -> None:
    """Keep every thread of a process and its descendants on these cores (none: wherever the system likes)."""
    tasks = [int(task.name) for each in family(pid) for task in Path(f"/proc/{each.pid}/task").glob("*")]
    for task in tasks if cores else ():
        with suppress(ProcessLookupError):
            os.sched_setaffinity(task, cores)
