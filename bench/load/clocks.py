"""What have servers and database used up to now? The CPU clocks at a slice's ends, of this machine or of the servers'.

Where the servers run on another machine, a service there tells them (bench/testbed/processes/clock_service.py). That
takes a round trip, in which nothing else is to be done: at both ends of a slice all servers are idle.
"""

import json
import socket
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from bench.load.slices import SlicesJob
from bench.testbed.processes.clock_service import ClockAddress, clock, question
from bench.testbed.processes.core_clock import idle_s

__all__ = ["Clocks", "Look", "clocks_for", "idle_between_s", "used"]

# A round trip takes a millisecond or so; a machine that is silent for this long is lost.
ANSWER_S = 3.0


@dataclass(frozen=True, slots=True)
class Look:
    """The clocks at one moment."""

    cpu_s: list[float]
    """Of every target's processes, then of the database's."""
    idle_s: float | None
    """Of the servers' cores; None where the system does not tell, or no cores are named."""


def used(job: SlicesJob, index: int, before: Look, after: Look) -> tuple[float, float, float]:
    """CPU time between two looks: of a target, of the other servers, and of the database."""
    *servers, database_s = (now - then for now, then in zip(after.cpu_s, before.cpu_s, strict=True))
    own = job.targets[index].pids  # several loads may be on one server
    pids = [target.pids for target in job.targets]
    others = {each: spent for each, spent in zip(pids, servers, strict=True) if each != own}
    return servers[index], sum(others.values()), database_s


def idle_between_s(before: Look, after: Look) -> float | None:
    """How long the servers' cores were idle between two looks, in sum."""
    return None if before.idle_s is None or after.idle_s is None else after.idle_s - before.idle_s


class Clocks(Protocol):
    """Where a job's clocks are read."""

    def look(self) -> Look:
        """The clocks now. Raises OSError if nobody tells them."""

    def close(self) -> None:
        """Looks no more."""


def clocks_for(job: SlicesJob) -> Clocks:
    """The clocks of the machine that the job's servers run on."""
    return DistantClocks(job, job.clocks) if job.clocks else OwnClocks(job)


class OwnClocks:
    """This machine's."""

    def __init__(self, job: SlicesJob) -> None:
        self.job, self.sums = job, Sums(job)

    def look(self) -> Look:
        """The clocks now."""
        return Look(self.sums.at(clock), idle_s(self.job.server_cores))

    def close(self) -> None:
        """Nothing is open."""


class DistantClocks:
    """Those of another machine, asked over one connection."""

    def __init__(self, job: SlicesJob, address: ClockAddress) -> None:
        self.place, self.sums = (address.host, address.port), Sums(job)
        self.pids = sorted({pid for target in job.targets for pid in target.pids} | set(job.database_pids))
        self.question = question(address, self.pids, list(job.server_cores))
        self.sock: socket.socket | None = None

    def look(self) -> Look:
        """The clocks when the question came there. Raises OSError if there is no answer."""
        try:
            told = json.loads(self.ask())
        except (OSError, ValueError) as error:
            where = "{}:{}".format(*self.place)
            raise OSError(f"the clocks of the servers' machine cannot be read at {where}: {error}") from None
        now: dict[int, float | None] = dict(zip(self.pids, told["cpu_s"], strict=True))
        return Look(self.sums.at(now.get), told["idle_s"])

    def ask(self) -> bytes:
        """The line that answers."""
        if self.sock is None:
            self.sock = socket.create_connection(self.place, ANSWER_S)
            self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sock.sendall(self.question)
        answer = b""
        while not answer.endswith(b"\n"):
            if not (data := self.sock.recv(65_536)):
                raise OSError("the connection was closed")
            answer += data
        return answer

    def close(self) -> None:
        """Closes the connection."""
        if self.sock is not None:
            self.sock.close()


class Sums:
    """The CPU time of a job's processes, by target and of the database.

    That of a process which has ended, as a database's workers may, is what it was at the last look.
    """

    def __init__(self, job: SlicesJob) -> None:
        self.groups = [*(target.pids for target in job.targets), job.database_pids]
        self.last: dict[int, float] = {}

    def at(self, now: Callable[[int], float | None]) -> list[float]:
        """The sums now; `now` gives the clock of a process, None for one that has ended."""
        return [sum(self.one(pid, now(pid)) for pid in pids) for pids in self.groups]

    def one(self, pid: int, now_s: float | None) -> float:
        """A process's clock."""
        if now_s is not None:
            self.last[pid] = now_s
        return self.last.get(pid, 0.0)
