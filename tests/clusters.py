"""Clusters for tests: Dask's own scheduler and workers, as processes of this machine that end with the test."""

import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from bench.files import ROOT
from bench.testbed.processes.ports import free_port
from bench.testbed.processes.process import GuardedProcess

START_S = 60.0
# A scheduler that tries nothing a second time, and whoever starts without asking anybody on the internet.
SETTINGS = {"DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "0", "DASK_DISTRIBUTED__VERSION_CHECK": "False"}


@dataclass
class Machines:
    """A scheduler and its workers, by name; `ends` starts more of them and ends all."""

    url: str
    logs: Path
    ends: ExitStack
    inside: dict[str, Sequence[str]] = field(default_factory=dict)
    """What to put before a machine's commands, by name: how to run them in its network namespace."""
    certified: Sequence[str] = ()
    """With a `tls` URL: the options that name certificates, for scheduler and workers."""
    processes: dict[str, GuardedProcess] = field(default_factory=dict)

    def dask(self, name: str, *arguments: str) -> GuardedProcess:
        """Start a process of Dask's."""
        process = self.ends.enter_context(
            GuardedProcess(
                [*self.inside.get(name, ()), sys.executable, "-m", "dask", *arguments],
                log=self.logs / f"{name}.log", environment=SETTINGS, cwd=ROOT, name=name,
            )
        )  # fmt: skip
        self.processes[name] = process
        return process

    def scheduler(self, host: str, port: int) -> None:
        """Start the scheduler."""
        self.dask("scheduler", "scheduler", "--protocol", urlsplit(self.url).scheme, "--host", host,
                  "--port", str(port), "--no-dashboard", *self.certified)  # fmt: skip
        self.wait_for("scheduler", "Scheduler at:")

    def worker(self, name: str, host: str, *, wait: bool = True, **resources: int) -> None:
        """Start a worker."""
        given = " ".join(f"{kind}={count}" for kind, count in resources.items())
        self.dask(name, "worker", self.url, "--host", host, "--name", name, "--no-nanny", "--nthreads", "1",
                  "--no-dashboard", "--resources", given, "--local-directory", str(self.logs / f"{name}-files"),
                  "--death-timeout", "60", *self.certified)  # fmt: skip
        if wait:
            self.wait_for(name, "Registered to:")

    def wait_for(self, name: str, said: str) -> None:
        """Wait until a process has written this."""
        process, until = self.processes[name], time.monotonic() + START_S
        while said not in process.log.read_text(encoding="utf-8", errors="replace"):
            assert process.running, process.log_tail()
            assert time.monotonic() < until, f"{name} never said {said!r}: {process.log_tail()}"
            time.sleep(0.05)

    def pid(self, name: str) -> int:
        """The process id of a machine's worker, or of the scheduler."""
        return self.processes[name].pid


@contextmanager
def on_loopback(logs: Path, *, loads: int = 2, certified: Sequence[str] = ()) -> Iterator[Machines]:
    """Machines with addresses of their own in 127.0.0.0/8: a scheduler, a server, and some for load."""
    port = free_port()
    logs.mkdir(exist_ok=True)
    with ExitStack() as ends:
        url = f"{'tls' if certified else 'tcp'}://127.0.0.1:{port}"
        machines = Machines(url, logs, ends, certified=certified)
        machines.scheduler("127.0.0.1", port)
        machines.worker("lab-server", "127.0.0.3", wait=False, server=1)
        for number in range(1, loads + 1):
            machines.worker(f"lab-load-{number}", f"127.0.0.{3 + number}", wait=False, load=1)
        for name in list(machines.processes)[1:]:
            machines.wait_for(name, "Registered to:")
        yield machines
        for process in machines.processes.values():
            process.ask_to_end()
