"""What does the bench ask of the machine that a server runs on? All that only that machine can do, or knows.

`HERE` is this machine. With `--cluster` it is another one, whose agent is asked the same (bench/cluster/machines.py).
"""

import os
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import psutil

from bench.errors import BenchError
from bench.files import ROOT
from bench.testbed.processes.clock_service import ClockAddress
from bench.testbed.processes.ports import HOST, free_port
from bench.testbed.processes.process import GuardedProcess
from bench.testbed.servers.cores import other_cores, pin_family, server_cores
from bench.testbed.servers.cost import Cost, CostMeter, family, pss, resident, threads

__all__ = ["HERE", "Held", "Machine", "MachineLost", "Meter"]


class MachineLost(BenchError):
    """A machine that takes part in a run does not answer any more; the message names it."""


@dataclass(frozen=True)
class Held:
    """What the processes of a server hold at one moment."""

    rss_bytes: int
    """Resident memory: pages that they share count in each."""
    pss_bytes: int | None
    """The same with shared pages divided among their users; None where the system does not tell."""
    threads: int


class Meter(Protocol):
    """Has measured what a server used."""

    cost: Cost


class Machine:
    """This machine. A `pid` is that of a server's first process."""

    name = ""
    """What reports call it; empty for the machine that the bench runs on."""
    host = HOST
    """The address that its servers listen at."""
    clocks: ClockAddress | None = None
    """Where a load generator elsewhere asks for the CPU time of its processes; None: generators run on it, too."""

    def free_port(self) -> int:
        """A port for a server."""
        return free_port()

    def start(
        self,
        command: Sequence[str],
        *,
        log: Path,
        environment: Mapping[str, str],
        cores: Sequence[int] = (),
        inherited: Sequence[int] = (),
    ) -> GuardedProcess:
        """The command, begun; ended when its context is. Raises BenchError if it cannot be started.

        `inherited` are file descriptors of the bench that it keeps open, which only this machine can give it.
        """
        return GuardedProcess(command, log=log, environment=environment, cores=cores, inherited=inherited, cwd=ROOT)

    def server_cores(self, workers: int = 1) -> tuple[int, ...]:
        """The cores for a server of so many processes."""
        return server_cores(workers)

    def load_cores(self, workers: int = 1) -> tuple[int, ...]:
        """The cores that load generators have beside such a server; none: wherever they run."""
        return other_cores(workers)

    def pin(self, pid: int, cores: Sequence[int]) -> None:
        """Keep a server on these cores."""
        pin_family(pid, cores)

    def pids(self, pid: int) -> tuple[int, ...]:
        """The processes of a server that are alive now."""
        return tuple(process.pid for process in family(pid))

    def held(self, pid: int) -> Held:
        """What a server holds now."""
        processes = family(pid)
        return Held(resident(processes), pss(processes), threads(processes))

    def meter(self, pid: int) -> AbstractContextManager[Meter]:
        """Measures what a server uses while its context is open."""
        return CostMeter(pid)

    def file_limit(self, pid: int) -> int | None:
        """How many files and sockets a process may open; None where the system does not tell or has no limit."""
        if not hasattr(psutil, "RLIMIT_NOFILE"):
            return None
        soft, _ = psutil.Process(pid).rlimit(psutil.RLIMIT_NOFILE)
        return None if soft == psutil.RLIM_INFINITY else soft

    def in_group(self, pid: int, group: int) -> bool:
        """Whether a process is of the group of a server."""
        try:
            return os.getpgid(pid) == group
        except ProcessLookupError:
            return False


HERE = Machine()
