"""What does a load cost the server? CPU, memory, threads, sockets and switches of its whole process tree."""

from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil

from bench.testbed.processes import cpu_clock
from bench.testbed.processes.cpu_clock import LINUX
from bench.testbed.processes.looking import Looking

# Four looks a second find a peak that lasts, and cost the machine well below 1 % of a core.
SAMPLE_S = 0.25


@dataclass(frozen=True)
class Cost:
    """What the process tree used between the start and the end of a measurement."""

    cpu_s: float
    """All CPU time; exact to the scheduler's nanoseconds on Linux."""
    cpu_user_s: float
    """The part outside the kernel, as the system's clock ticks (10 ms on Linux) count it."""
    cpu_system_s: float
    steady_rss_bytes: int
    """Resident memory at the end, the sum over the processes: pages shared by forked workers count in each."""
    peak_rss_bytes: int
    pss_bytes: int | None
    """The same at the end with shared pages divided among their users; None where the kernel does not tell."""
    processes: int
    threads: int
    """The most threads at any look."""
    sockets: int
    """The most connections at any look, those to the database included."""
    context_switches: int


class CostMeter:
    """Measures a process and all its descendants while its context is open; `cost` is there afterwards.

    The looks happen in a thread of the bench, on cores that are not the server's; the server does not notice them.
    """

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.peak_rss_bytes = 0
        self.threads = 0
        self.sockets = 0
        self.cost: Cost
        self._looking = Looking(self._look, SAMPLE_S)

    def __enter__(self) -> Self:
        self._before = Usage.of(family(self.pid))
        self._looking.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._looking.stop()
        processes = family(self.pid)
        used = Usage.of(processes).since(self._before)
        rss_bytes = resident(processes)
        self.cost = Cost(
            cpu_s=used.cpu_s if LINUX else used.user_s + used.system_s,
            cpu_user_s=used.user_s,
            cpu_system_s=used.system_s,
            steady_rss_bytes=rss_bytes,
            peak_rss_bytes=max(self.peak_rss_bytes, rss_bytes),
            pss_bytes=pss(processes),
            processes=len(processes),
            threads=self.threads,
            sockets=self.sockets,
            context_switches=used.switches,
        )

    def _look(self) -> None:
        processes = family(self.pid)
        self.peak_rss_bytes = max(self.peak_rss_bytes, resident(processes))
        self.threads = max(self.threads, threads(processes))
        self.sockets = max(self.sockets, sum(sockets(process) for process in processes))


@dataclass(frozen=True)
class Usage:
    """What processes have used since they began."""

    cpu_s: float
    user_s: float
    system_s: float
    switches: int

    @classmethod
    def of(cls, processes: list[psutil.Process]) -> "Usage":
        """The sum over processes; one that has just ended counts as nothing."""
        cpu_s = user_s = system_s = 0.0
        switches = 0
        for process in processes:
            try:
                times, switched = process.cpu_times(), process.num_ctx_switches()
                cpu_s += cpu_clock.cpu_s([process.pid])
            except (psutil.Error, OSError):
                continue
            user_s += times.user
            system_s += times.system
            switches += switched.voluntary + switched.involuntary
        return cls(cpu_s, user_s, system_s, switches)

    def since(self, before: "Usage") -> "Usage":
        """The difference, or 0 where a process that ended meanwhile would make it negative."""
        return Usage(
            max(0.0, self.cpu_s - before.cpu_s),
            max(0.0, self.user_s - before.user_s),
            max(0.0, self.system_s - before.system_s),
            max(0, self.switches - before.switches),
        )


def family(pid: int) -> list[psutil.Process]:
    """A process and its descendants that are alive now; empty if it has ended."""
    try:
        root = psutil.Process(pid)
        return [root, *root.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def resident(processes: list[psutil.Process]) -> int:
    """Resident memory of processes in bytes: pages that they share count in each."""
    return sum(_rss(process) for process in processes)


def threads(processes: list[psutil.Process]) -> int:
    """How many threads processes have."""
    return sum(_threads(process) for process in processes)


def pss(processes: list[psutil.Process]) -> int | None:
    """Proportional set size of processes, in bytes; None where the system does not tell."""
    total = 0
    for process in processes:
        try:
            lines = Path(f"/proc/{process.pid}/smaps_rollup").read_text(encoding="utf-8").splitlines()
        except OSError:
            return None
        total += next(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))
    return total or None


def sockets(process: psutil.Process) -> int:
    """Open sockets of a process; on Linux by its descriptors, without reading the kernel's table of connections."""
    try:
        if LINUX:
            links = (link.readlink() for link in Path(f"/proc/{process.pid}/fd").iterdir())
            return sum(str(link).startswith("socket:") for link in links)
        return len(process.net_connections())
    except (psutil.Error, OSError):
        return 0


def _rss(process: psutil.Process) -> int:
    try:
        rss: int = process.memory_info().rss
        return rss
    except psutil.Error:
        return 0


def _threads(process: psutil.Process) -> int:
    try:
        return process.num_threads()
    except psutil.Error:
        return 0
