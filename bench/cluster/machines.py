"""The machine of a cluster that servers run on, asked the same as the one that the bench runs on."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path

from bench.cluster.agent import PYTHON
from bench.cluster.connection import AgentOf, ClusterLost, Connection
from bench.testbed.processes.process import GuardedProcess
from bench.testbed.servers.cost import Cost
from bench.testbed.servers.machine import Held, Machine, MachineLost, Meter

__all__ = ["DistantMachine", "DistantProcess"]

# A look at a process costs a call, and the scheduler passes it on.
NOTICED_WITHIN_S = 0.5


class DistantMachine(Machine):
    """A worker with the resource `server`: the first by name, or after its loss one that is there then."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.agent = self.found()

    def found(self) -> AgentOf:
        """The agent of a machine that answers. Raises ClusterLost if there is none."""
        agent = self.connection.agent(self.connection.awaited("server")[0])
        self.name, self.host = agent.worker.words, agent.worker.host
        self.clocks = agent.call("clock_service")
        self._cores: tuple[int, ...] = (*agent.facts["other_cores"], *agent.facts["server_cores"])
        return agent

    def free_port(self) -> int:
        """A port there, and first of all a machine, if the last one is lost."""
        if self.agent.lost:
            self.agent = self.found()
        port: int = self.agent.call("free_port")
        return port

    def start(
        self,
        command: Sequence[str],
        *,
        log: Path,
        environment: Mapping[str, str],
        cores: Sequence[int] = (),
        inherited: Sequence[int] = (),
    ) -> GuardedProcess:
        """The command, begun there with that machine's interpreter."""
        assert not inherited, "a socket of this machine cannot be given to another"
        return DistantProcess(self.agent, command, log, environment, cores)

    @property
    def spare_cores(self) -> tuple[int, ...]:
        """The cores that a server of one process leaves to others."""
        return tuple(core for core in sorted(self._cores) if core not in self.server_cores())

    def server_cores(self, workers: int = 1) -> tuple[int, ...]:
        """As `bench.testbed.servers.cores` has it, of that machine's cores."""
        cores = sorted(self._cores)
        return tuple(cores[-workers if len(cores) > workers else -1 :])

    def load_cores(self, workers: int = 1) -> tuple[int, ...]:
        """Load comes from other machines, and each has its own."""
        return ()

    def pin(self, pid: int, cores: Sequence[int]) -> None:
        """Keep a server on these cores."""
        self.agent.call("pin", pid, list(cores))

    def pids(self, pid: int) -> tuple[int, ...]:
        """The processes of a server that are alive now."""
        found: tuple[int, ...] = self.agent.call("pids", pid)
        return found

    def held(self, pid: int) -> Held:
        """What a server holds now."""
        held: Held = self.agent.call("held", pid)
        return held

    def meter(self, pid: int) -> AbstractContextManager[Meter]:
        """Measures there."""
        return metering(self.agent, pid)

    def file_limit(self, pid: int) -> int | None:
        """How many files and sockets a process may open."""
        limit: int | None = self.agent.call("file_limit", pid)
        return limit

    def in_group(self, pid: int, group: int) -> bool:
        """Whether a process is of the group of a server."""
        return bool(self.agent.call("in_group", pid, group))


class DistantMeter:
    """Its cost is there when its context has ended."""

    cost: Cost


@contextmanager
def metering(agent: AgentOf, pid: int) -> Iterator[DistantMeter]:
    """Measures what a server uses while the context is open."""
    agent.call("meter", pid)
    meter = DistantMeter()
    try:
        yield meter
    finally:
        meter.cost = agent.call("metered", pid)


class DistantProcess(GuardedProcess):
    """A process on another machine, under the guard there. Its log is fetched when it has ended."""

    def __init__(
        self, agent: AgentOf, command: Sequence[str], log: Path, environment: Mapping[str, str], cores: Sequence[int]
    ) -> None:
        self.agent = agent
        self.command = tuple(command)
        self.log = log
        self.name = f"it, on {agent.worker.words},"
        self._ended = False
        words = [PYTHON if word == sys.executable else word for word in command]
        self.pid = agent.call("start", words, log.name, dict(environment), list(cores))

    @property
    def running(self) -> bool:
        """Whether the command has not ended. Raises MachineLost."""
        return self.exit_code is None

    @property
    def exit_code(self) -> int | None:
        """The command's exit code, None while it runs. Raises MachineLost."""
        return self.wait(0.0)

    def wait(self, timeout_s: float | None = None) -> int | None:
        """The exit code once the command has ended, None if it has not within that time."""
        if timeout_s is None:
            while (code := self.wait(NOTICED_WITHIN_S)) is None:
                pass
            return code
        found: int | None = self.agent.call("wait", self.pid, timeout_s)
        return found

    def ended(self) -> str:
        """For an error's words: the exit code, or that the machine is lost; empty if it goes on."""
        try:
            return super().ended()
        except MachineLost as error:
            return f"; {error}"

    def ask_to_end(self) -> None:
        """Have the command end, and do not wait for it."""
        with suppress(MachineLost, ClusterLost):
            self.agent.call("ask_to_end", self.pid)

    def stop(self) -> None:
        """End the command, and fetch its log. On a machine that is lost it ends when the lease is over."""
        if self._ended:
            return
        self._ended = True
        with suppress(MachineLost, ClusterLost):
            written: str = self.agent.call("stop", self.pid)
            self.log.parent.mkdir(parents=True, exist_ok=True)
            self.log.write_text(written, encoding="utf-8", errors="replace")

    def log_bytes(self) -> int:
        """How much is in its log."""
        written: int = self.agent.call("log_bytes", self.pid)
        return written

    def log_since(self, written: int) -> str:
        """What its log has after so many bytes."""
        text: str = self.agent.call("log_since", self.pid, written)
        return text

    def log_tail(self) -> str:
        """The last lines that it wrote; empty on a machine that is lost."""
        try:
            lines: str = self.agent.call("log_tail", self.pid)
        except MachineLost:
            return ""
        return lines
