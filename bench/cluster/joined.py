"""Which machine of a cluster does what, are they alike, and how far are they from each other?"""

import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from bench.cluster.agent import code_fingerprint, round_trip_s
from bench.cluster.connection import Address, AgentOf, Connection
from bench.cluster.generators import ClusterGenerator
from bench.cluster.machines import DistantMachine
from bench.errors import BenchError
from bench.load import Generator
from bench.load.calibration import Calibration
from bench.measuring.calibrate import calibrate
from bench.measuring.environment import environment
from bench.measuring.machines import Machines
from bench.results.layout import MACHINES, MEASURED
from bench.words import join

__all__ = ["Cluster", "Seen", "joined_to", "joining", "load_generator"]

# What a file says of each machine; the rest is the same on all of them, or known by the machine alone.
KEPT = ("kernel", "cpu", "cores", "server_cores", "other_cores")
ALIKE = ("python", "implementation", "code")
POSTGRES_PORT = 5432
CALIBRATION_ROUNDS = 2


@dataclass(frozen=True)
class Seen:
    """A machine, as one wants to know it before a run."""

    role: str
    words: str
    cpu: str
    cores: int
    round_trip_s: float | None
    """Of the server from this machine, of any other to the server."""
    ahead_s: float
    """By how much its clock is ahead of this machine's, with the half of a call's time as the uncertainty."""
    calibration: Calibration | None
    """Of a load machine."""


class Cluster:
    """The machines of a cluster: one that servers run on, one or more that loads come from, and this one."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.server = DistantMachine(connection)
        self.loads = [connection.agent(worker) for worker in connection.awaited("load")]
        self.host = own_address(self.server.host)

    @property
    def generators(self) -> int:
        """As many as the load machines say that they have room for."""
        return sum(int(agent.worker.resources["load"]) for agent in self.loads)

    def generator(self, processes: int) -> Generator:
        """Generators on the load machines."""
        return ClusterGenerator(self.connection, self.cores_of, processes)

    def cores_of(self, agent: AgentOf, number: int) -> Sequence[int]:
        """The cores of a generator: those that servers leave on their machine, else one of its own, never the first."""
        if agent.facts["boot"] and agent.facts["boot"] == self.server.agent.facts["boot"]:
            return self.server.spare_cores
        return own_cores(agent, number)

    def seen(self) -> list[Seen]:
        """What there is to know of each machine before a run. Raises BenchError if they differ."""
        check_alike([self.server.agent, *self.loads])
        return [self.seen_of(self.server.agent, "server"), *(self.seen_of(agent, "load") for agent in self.loads)]

    def seen_of(self, agent: AgentOf, role: str) -> Seen:
        """What there is to know of one; a load machine sends as much as it can to a server that does nothing."""
        clocks, calibration = self.server.clocks, None
        assert clocks is not None
        if role == "load":
            count = int(agent.worker.resources["load"])
            with ClusterGenerator(self.connection, self.cores_of, count, agent.worker.name) as generator:
                calibration = calibrate(generator=generator, rounds=CALIBRATION_ROUNDS, wrk=None, machine=self.server)
            trip_s = agent.call("round_trip_s", clocks.host, clocks.port)
        else:
            trip_s = round_trip_s(clocks.host, clocks.port)
        return Seen(
            role, agent.worker.words, agent.facts["cpu"], agent.facts["cores"], trip_s, agent.ahead_s, calibration
        )

    def facts(self, database_url: str | None) -> Mapping[str, Any]:
        """What each machine is, and the round trips between them. Raises BenchError if they differ."""
        check_alike([self.server.agent, *self.loads])
        clocks = self.server.clocks
        assert clocks is not None
        found: dict[str, Any] = {
            "server": fact(self.server.agent, "server", round_trip_s(clocks.host, clocks.port)),
            **{f"load {agent.worker.name}": fact(agent, "load", agent.call("round_trip_s", clocks.host, clocks.port))
               | {"generators": int(agent.worker.resources["load"])} for agent in self.loads},
        }  # fmt: skip
        if database_url:
            where = urlsplit(database_url)
            host, port = where.hostname or "localhost", where.port or POSTGRES_PORT
            found["database"] = {"role": "database", "host": host, "name": host,
                                 MEASURED: self.server.agent.call("round_trip_s", host, port)}  # fmt: skip
        return {MACHINES: found}

    def words(self) -> str:
        """`servers on lab2 (10.0.0.3); load from lab3 (10.0.0.4) with 4 generators`."""
        loads = [f"{agent.worker.words} with {counted(int(agent.worker.resources['load']))}" for agent in self.loads]
        return f"servers on {self.server.name}; load from {join(loads)}"


def own_cores(agent: AgentOf, number: int) -> Sequence[int]:
    """A core for a generator on a load machine; the first is for whatever else goes on there."""
    cores = sorted({*agent.facts["server_cores"], *agent.facts["other_cores"]})[1:]
    return cores[-1 - number % len(cores) :][:1] if cores else ()


@contextmanager
def load_generator(address: Address, processes: int, check: Callable[[set[str]], None]) -> Iterator[Generator]:
    """Generators on the load machines alone; `check` gets the addresses of all machines first. Raises BenchError."""
    with Connection(address) as connection:
        check({worker.host for kind in ("load", "server") for worker in connection.workers(kind)})
        with ClusterGenerator(connection, own_cores, processes) as generator:
            yield generator


def counted(generators: int) -> str:
    """`1 generator`, `4 generators`."""
    return f"{generators} generator{'s' * (generators != 1)}"


def fact(agent: AgentOf, role: str, round_trip: float | None) -> dict[str, Any]:
    """What a file has of a machine; a server's round trip is that of the bench, any other's that to the server."""
    kept = {name: agent.facts[name] for name in KEPT}
    return {"role": role, "name": agent.worker.name, "host": agent.worker.host, **kept, MEASURED: round_trip}


def check_alike(agents: Sequence[AgentOf]) -> None:
    """Raises BenchError unless all machines, this one included, have the same code, Python and packages."""
    own = {**environment(), "code": code_fingerprint()}
    for agent in agents:
        if found := differences(own, agent.facts):
            raise BenchError(f"{agent.worker.words} is not like this machine: {'; '.join(found)}; install the same "
                             "commit there, with the packages of requirements.lock")  # fmt: skip


def differences(own: Mapping[str, Any], its: Mapping[str, Any]) -> list[str]:
    """What must be the same and is not, in words."""
    found = [f"{name} {its[name]} there and {own[name]} here" for name in ALIKE if its[name] != own[name]]
    packages = sorted({*own["packages"], *its["packages"]})
    return found + [
        f"{name} {its['packages'].get(name, 'missing')} there and {own['packages'].get(name, 'missing')} here"
        for name in packages
        if own["packages"].get(name) != its["packages"].get(name)
    ]


def own_address(towards: str) -> str:
    """The address of this machine that a machine finds it at, which is the one that packets to it come from."""
    with socket.socket(type=socket.SOCK_DGRAM) as probe:
        probe.connect((towards, 9))  # which sends nothing
        host: str = probe.getsockname()[0]
    return host


@contextmanager
def joined_to(address: Address) -> Iterator[Cluster]:
    """The cluster of that scheduler; what was started in it has ended when the context has. Raises BenchError."""
    with Connection(address) as connection:
        yield Cluster(connection)


def joining(address: Address) -> Callable[[], AbstractContextManager[Machines]]:
    """What joins that cluster."""
    return lambda: joined_to(address)
