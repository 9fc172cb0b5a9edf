"""Load generators on the machines of a cluster: their orders and answers go over sockets, with no call in between."""

import contextlib
import socket
from collections import deque
from collections.abc import Callable, Sequence

from bench.cluster.connection import AgentOf, ClusterLost, Connection
from bench.load.process import Worker
from bench.load.run import Generator
from bench.load.together import GeneratorError
from bench.testbed.servers.machine import MachineLost

__all__ = ["ClusterGenerator", "DistantWorker"]

CONNECT_S = 10.0


class ClusterGenerator(Generator):
    """A load from the machines with the resource `load`, from each in turn.

    `cores_of` says which cores a generator may have on a machine: by its facts, and the number of the generator there.
    `only` is a machine by its name, for a load from that one alone.
    """

    def __init__(
        self, connection: Connection, cores_of: Callable[[AgentOf, int], Sequence[int]], processes: int, only: str = ""
    ) -> None:
        self.connection, self.cores_of, self.only = connection, cores_of, only
        super().__init__(processes)

    def places(self) -> list[tuple[AgentOf, int]]:
        """A place for each generator, one on every machine before the second on any. Raises ClusterLost."""
        workers = [one for one in self.connection.awaited("load") if self.only in ("", one.name)]
        most = max(int(one.resources["load"]) for one in workers)
        return [(self.connection.agent(one), number) for number in range(most) for one in workers
                if number < one.resources["load"]]  # fmt: skip

    def started(self, number: int) -> Worker:
        """A generator on one of the machines that are there now. Raises GeneratorError."""
        places = self.places()
        agent, place = places[number % len(places)]
        return DistantWorker(agent, self.cores_of(agent, place))


class DistantWorker(Worker):
    """A generator's process on another machine. If any machine is lost, all that wait for an answer hear of it."""

    def __init__(self, agent: AgentOf, cores: Sequence[int]) -> None:
        self.agent = agent
        self.killed_after_s = None
        self._received, self._lines = list[bytes](), deque[str]()
        self._closed = self._given_up = False
        self._losses = len(agent.connection.losses)
        try:
            self.link, port, secret = agent.call("link", list(cores))
            self.orders, self.answers = (connected(agent.worker.host, port, f"{secret} {kind}")
                                         for kind in ("orders", "answers"))  # fmt: skip
        except (MachineLost, OSError) as error:
            raise GeneratorError(f"no load generator could be started on {agent.worker.words}: {error}") from None
        agent.connection.on_loss.append(self._give_up)

    @property
    def ended(self) -> bool:
        """Whether it takes no further job."""
        return self._closed or self._given_up

    def send(self, line: str) -> None:
        """Tell it something; nothing happens if it has ended."""
        with contextlib.suppress(OSError):
            self.orders.sendall(line.encode() + b"\n")

    def fileno(self) -> int:
        """Where its lines come from."""
        return self.answers.fileno()

    def end(self) -> None:
        """Ends it there, and the connections to it."""
        if self._closed:
            return
        self._closed = True
        self.agent.connection.on_loss.remove(self._give_up)
        self._give_up()
        self.orders.close()
        self.answers.close()
        with contextlib.suppress(MachineLost, ClusterLost):
            self.agent.call("unlink", self.link)

    def _expire(self, limit_s: float) -> None:
        self.killed_after_s = limit_s
        self._give_up()

    def _give_up(self) -> None:
        """Whoever waits for it reads the end of its answers."""
        self._given_up = True
        for sock in (self.orders, self.answers):
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)

    def _obituary(self) -> str:
        where = self.agent.worker.words
        if self.killed_after_s is not None:
            return f"the load generator on {where} hung and was given up after {self.killed_after_s:.0f} s"
        if lost := self.agent.connection.losses[self._losses :]:
            return f"the load was given up: {lost[0]}"
        try:
            status, said = self.agent.call("obituary", self.link)
        except MachineLost as error:
            return str(error)
        return f"the load generator on {where} failed with status {status}: {said}"


def connected(host: str, port: int, greeting: str) -> socket.socket:
    """A connection that has said this. Raises OSError."""
    sock = socket.create_connection((host, port), CONNECT_S)
    sock.settimeout(None)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.sendall(f"{greeting}\n".encode())
    return sock
