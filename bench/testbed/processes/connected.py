"""How many clients are connected to a process at a port? Of many processes at once, because each look takes a while."""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

import psutil

TABLE = Path("/proc/net/tcp")
ESTABLISHED = "01"  # include/net/tcp_states.h


def clients(pids: Iterable[int], port: int) -> dict[int, int]:
    """By process, the clients that are connected to it; a process that has ended has none."""
    if not TABLE.exists():
        return {pid: sum(1 for _ in listed(pid, port)) for pid in pids}
    names = {f"socket:[{inode}]" for inode in at_port(port)}
    return {pid: sum(name in names for name in open_files(pid)) for pid in pids}


def at_port(port: int) -> Iterator[str]:
    """The inodes of the sockets by which clients are connected to that port."""
    for line in TABLE.read_text(encoding="ascii").splitlines()[1:]:
        _, local, _, state, *_, inode = line.split()[:10]
        if state == ESTABLISHED and int(local.rpartition(":")[2], 16) == port:
            yield inode


def open_files(pid: int) -> Iterator[str]:
    """What a process's descriptors are."""
    with suppress(OSError):
        for link in Path(f"/proc/{pid}/fd").iterdir():
            with suppress(OSError):
                yield str(link.readlink())


def listed(pid: int, port: int) -> Iterator[object]:
    """The same where there is no such table."""
    with suppress(psutil.Error):
        for one in psutil.Process(pid).net_connections("tcp"):
            if one.status == psutil.CONN_ESTABLISHED and one.laddr and one.laddr.port == port:
                yield one
