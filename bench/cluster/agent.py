"""What does the bench have done on another machine? Its agent there does it: an actor on a Dask worker.

Servers run under the guard that they have on one machine, load generators under a link (bench/cluster/link.py), and
the CPU clocks are told by a service of their own. All of them end with the worker's process, because each reads a pipe
of it; and with the lease, because a worker outlives a bench that was killed, and a bench whose cable was cut.
"""

import hashlib
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import IO, Any

from bench.cluster.lease import Lease
from bench.errors import BenchError
from bench.files import ROOT
from bench.measuring.environment import environment
from bench.testbed.processes.clock_service import ClockAddress
from bench.testbed.processes.piped import SCRIPT, end_piped, first_answer, start_piped
from bench.testbed.processes.ports import free_port
from bench.testbed.processes.process import GuardedProcess, clean_environment
from bench.testbed.processes.temporary import temporary_folder
from bench.testbed.servers.cores import other_cores, server_cores
from bench.testbed.servers.cost import Cost, CostMeter
from bench.testbed.servers.machine import HERE, Held

__all__ = ["Agent", "code_fingerprint"]

LINK = Path(__file__).with_name("link.py")
BOOT = Path("/proc/sys/kernel/random/boot_id")
PYTHON = "{python}"
"""In the place of the interpreter, which is another file on every machine."""
MESSAGE_BYTES = 2_000
TRIES, TRY_S = 9, 3.0
CORES = (*other_cores(), *server_cores())
"""Those that this process had before its first agent kept it on one of them: a worker serves one run after another."""
TOPS = ("asyncio_app", "bench", "entrypoints", "gevent_app", "loopbridge", "reference_apps")
"""What the project's code consists of."""


class Agent:
    """On a machine of the cluster: starts, looks at and ends what the bench has there; a `pid` is of one of these."""

    def __init__(self, host: str, lease_s: float) -> None:
        self.host = host
        self.processes: dict[int, GuardedProcess] = {}
        self.meters: dict[int, CostMeter] = {}
        self.links: dict[int, tuple[subprocess.Popen[bytes], IO[bytes]]] = {}
        self.ends = ExitStack()
        keep_on(CORES)
        self.folder = self.ends.enter_context(temporary_folder("bench-agent-")).path
        self.lease = Lease(lease_s, self.close)
        self.machine_facts = {**environment(), "code": code_fingerprint(), "boot": boot()}
        self.cores = (*other_cores(), *server_cores())  # not the one that this process is kept on from here on
        keep_on(other_cores()[:1])

    async def renew(self) -> int:
        """The bench goes on; gives this machine's clock in ns, for it to be compared. It never waits in a queue."""
        self.lease.renew()
        return time.time_ns()

    def facts(self) -> dict[str, Any]:
        """What a reader must know of the machine, and what must be the same on all of them."""
        return self.machine_facts

    def round_trip_s(self, host: str, port: int) -> float | None:
        """How soon something that listens there answers; the shortest of some tries, None if it does not."""
        return round_trip_s(host, port)

    def close(self) -> None:
        """End all that was started."""
        self.lease.end()
        for process in self.processes.values():
            process.ask_to_end()  # so that they end at the same time
        for pid in list(self.links):
            self.unlink(pid)
        for pid in list(self.processes):
            self.stop(pid)
        self.ends.close()

    # What a server needs.

    def clock_service(self) -> ClockAddress:
        """Begin to tell CPU clocks; where they are told."""
        process = start_piped(["-m", "bench.testbed.processes.clock_service", self.host], cwd=ROOT)
        self.ends.callback(end_piped, process)
        told = first_answer(process)
        if "error" in told:
            raise BenchError(f"the CPU clocks of {self.host} cannot be told: {told['error']}")
        return ClockAddress(self.host, told["port"], told["secret"])

    def free_port(self) -> int:
        """A port for a server."""
        return free_port(self.host)

    def start(self, command: Sequence[str], log: str, environment: Mapping[str, str], cores: Sequence[int]) -> int:
        """Start a command; give its process id. Raises BenchError."""
        process = GuardedProcess(here(command), log=self.folder / log, environment=environment,
                                 cores=cores or self.cores, cwd=ROOT)  # fmt: skip
        self.processes[process.pid] = process
        return process.pid

    def wait(self, pid: int, timeout_s: float) -> int | None:
        """The exit code once the command has ended, None if it has not within that time."""
        return self.processes[pid].wait(timeout_s)

    def ask_to_end(self, pid: int) -> None:
        """Have the command end."""
        self.processes[pid].ask_to_end()

    def stop(self, pid: int) -> str:
        """End the command, and give what it has written."""
        process = self.processes.pop(pid)
        process.stop()
        return process.log_since(0)

    def log_bytes(self, pid: int) -> int:
        """How much is in its log."""
        return self.processes[pid].log_bytes()

    def log_since(self, pid: int, written: int) -> str:
        """What its log has after so many bytes."""
        return self.processes[pid].log_since(written)

    def log_tail(self, pid: int) -> str:
        """The last lines that it wrote."""
        return self.processes[pid].log_tail()

    def pin(self, pid: int, cores: Sequence[int]) -> None:
        """Keep a server on these cores."""
        HERE.pin(pid, cores)

    def pids(self, pid: int) -> tuple[int, ...]:
        """The processes of a server."""
        return HERE.pids(pid)

    def held(self, pid: int) -> Held:
        """What a server holds now."""
        return HERE.held(pid)

    def meter(self, pid: int) -> None:
        """Begin to measure what a server uses."""
        self.meters[pid] = CostMeter(pid).__enter__()

    def metered(self, pid: int) -> Cost:
        """What it has used since then."""
        meter = self.meters.pop(pid)
        meter.__exit__(None, None, None)
        return meter.cost

    def file_limit(self, pid: int) -> int | None:
        """How many files and sockets a process may open."""
        return HERE.file_limit(pid)

    def in_group(self, pid: int, group: int) -> bool:
        """Whether a process is of the group of a server."""
        return HERE.in_group(pid, group)

    # What a load needs.

    def link(self, cores: Sequence[int]) -> tuple[int, int, str]:
        """Start a load generator; the link's process id, its port and the secret to connect with."""
        job = {"host": self.host, "command": here((PYTHON, "-m", "bench.load.worker")), "cores": allowed(cores)}
        errors = tempfile.TemporaryFile()  # noqa: SIM115  # `unlink` closes it
        path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
        environment = {**clean_environment(), "PYTHONPATH": path}
        process = start_piped([*SCRIPT, str(LINK), json.dumps(job)], environment=environment, cwd=ROOT, stderr=errors)
        self.links[process.pid] = process, errors
        told = first_answer(process)
        if "error" in told:
            raise BenchError(f"no load generator can be started at {self.host}: {self.obituary(process.pid)[1]}")
        return process.pid, told["port"], told["secret"]

    def obituary(self, pid: int) -> tuple[int | None, str]:
        """How a generator has ended, None if it has not, and the end of what it wrote to stderr."""
        process, errors = self.links[pid]
        status: int | None = None
        with suppress(subprocess.TimeoutExpired):
            status = process.wait(1.0)
        errors.seek(max(errors.seek(0, os.SEEK_END) - MESSAGE_BYTES, 0))
        return status, errors.read().decode(errors="replace").strip()

    def unlink(self, pid: int) -> None:
        """End a generator; a second time does nothing."""
        if pid in self.links:
            process, errors = self.links.pop(pid)
            end_piped(process)
            errors.close()


def round_trip_s(host: str, port: int) -> float | None:
    """From the beginning of a connection until it is there, which is one round trip; the shortest of some tries."""
    tries_s = []
    for _ in range(TRIES):
        began = time.perf_counter()
        try:
            socket.create_connection((host, port), TRY_S).close()
        except OSError:
            return None
        tries_s.append(time.perf_counter() - began)
    return min(tries_s)


def here(command: Sequence[str]) -> list[str]:
    """The command with this machine's interpreter."""
    return [sys.executable if word == PYTHON else word for word in command]


def allowed(cores: Sequence[int]) -> list[int]:
    """Of these cores, those that this machine has."""
    return sorted(set(cores) & set(range(os.cpu_count() or 1)))


def keep_on(cores: Sequence[int]) -> None:
    """Keep this process, which needs some 3 % of a core when nobody asks it anything, on these cores."""
    for task in Path("/proc/self/task").glob("*") if cores else ():
        with suppress(ProcessLookupError):
            os.sched_setaffinity(int(task.name), cores)


def code_fingerprint() -> str:
    """What tells one state of the project's code from another; there may be no git where it is installed."""
    digest = hashlib.sha256()
    for path in sorted(path for top in TOPS for path in (ROOT / top).rglob("*.py")):
        digest.update(f"{path.relative_to(ROOT)}\0".encode() + path.read_bytes())
    return digest.hexdigest()[:12]


def boot() -> str:
    """What tells this machine, since it was started, from any other; empty where the system does not tell."""
    return BOOT.read_text(encoding="utf-8").strip() if BOOT.exists() else ""
