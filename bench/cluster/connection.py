"""How does the bench reach the machines of a cluster, and how does it notice that one is lost?

Dask knows who is there, and calls agents. A call takes some 3 ms, so that none stands between two slices of load. What
Dask would wait for without end, or do a second time, is not left to it: agents are actors, which are never run again
elsewhere; every wait has a limit; and a thread hears of every agent twice a second, because a machine whose cable is
cut says nothing (dask/distributed notices that after its heartbeats' time-outs only, 30 s and more).
"""

import logging
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import distributed

from bench.cluster.agent import Agent
from bench.errors import BenchError
from bench.testbed.servers.machine import MachineLost

__all__ = ["Address", "AgentOf", "ClusterLost", "Connection", "Worker"]

CONNECT_S = 10.0
# An agent imports the bench and looks at what is installed there, which is a second of CPU time or two.
AGENT_S = 60.0
RENEW_S = 0.5
# A cell is to be given up within 5 s. But where all calls are slow, because somebody is short of CPU time, silence
# says less: so many of the slowest round trips of late are waited for in addition.
LOST_AFTER_S, ROUND_TRIPS = 4.0, 10
FORGETS = 0.9  # of a slow round trip, with every renewal
LEASE_S = 10.0
# Workers tell the scheduler every few seconds at most that they are there; one that has not may be frozen.
SILENT_S = 10.0
# The longest that anything asked of an agent takes: the end of twelve servers that have to be killed.
CALL_S = 60.0
APPEARS_S = 30.0
LOOK_S = 0.25
POLL_S = 0.002  # an answer takes some 2 ms, and how long it took is a figure, too


class ClusterLost(BenchError):
    """The scheduler is gone, or no machine is left for what is to be done: the run cannot go on."""


@dataclass(frozen=True)
class Address:
    """Where the scheduler is, and the files that make the connection a TLS one."""

    url: str
    ca: str | None = None
    certificate: str | None = None
    key: str | None = None

    @property
    def encrypted(self) -> bool:
        """Whether nobody without the certificates gets in."""
        return self.url.startswith("tls://")

    def security(self) -> distributed.Security | None:
        """As Dask takes it."""
        if not self.encrypted:
            return None
        return distributed.Security(tls_ca_file=self.ca, tls_client_cert=self.certificate, tls_client_key=self.key,
                                    require_encryption=True)  # fmt: skip


@dataclass(frozen=True)
class Worker:
    """A Dask worker: a machine, and what it is for."""

    address: str
    name: str
    host: str
    resources: dict[str, float]

    @property
    def words(self) -> str:
        """`lab2 (10.0.0.3)`."""
        return self.host if self.name in (self.host, self.address) else f"{self.name} ({self.host})"


class Connection:
    """The bench's connection to a scheduler; a context manager. Raises BenchError if there is none."""

    def __init__(self, address: Address) -> None:
        say_nothing()
        self.address = address
        self.agents: list[AgentOf] = []
        self.on_loss: list[Callable[[], None]] = []
        """Called, in a thread, when an agent or the scheduler is lost."""
        self.losses: list[str] = []
        """What has been lost, in the order of its loss."""
        self.gone = ""
        """Why nothing can be asked of anybody any more; empty while the scheduler answers."""
        self._closed = threading.Event()
        try:
            self.client = distributed.Client(address.url, timeout=CONNECT_S, security=address.security())
        except (OSError, ValueError, TypeError) as error:
            reason = str(error) or type(error).__name__
            raise BenchError(f"there is no Dask scheduler at {address.url} ({reason}); start one as "
                             "`python -m bench cluster` says") from None  # fmt: skip
        self._thread = threading.Thread(target=self._renew_until_closed, name="leases", daemon=True)
        self._thread.start()

    def workers(self, resource: str) -> list[Worker]:
        """The machines that are there for this, by name."""
        self.check()
        found = self.client.scheduler_info(n_workers=-1)["workers"]
        newest = max((one["last_seen"] for one in found.values()), default=0.0)  # by the scheduler's clock
        every = [Worker(address, str(one["name"]), str(urlsplit(address).hostname), dict(one["resources"]))
                 for address, one in found.items() if newest - one["last_seen"] < SILENT_S]  # fmt: skip
        return sorted((one for one in every if one.resources.get(resource, 0) >= 1), key=lambda one: one.name)

    def awaited(self, resource: str, within_s: float = APPEARS_S) -> list[Worker]:
        """The same, as soon as there is one that is not lost. Raises ClusterLost if there is none for so long."""
        until = time.monotonic() + within_s
        while not (found := [one for one in self.workers(resource) if not self.is_lost(one)]):
            if time.monotonic() > until:
                raise ClusterLost(f"no machine is there for {resource}s; start a worker with --resources {resource}=1, "
                                  "as `python -m bench cluster` says")  # fmt: skip
            time.sleep(LOOK_S)
        return found

    def is_lost(self, worker: Worker) -> bool:
        """Whether its agent has been lost, and may not have ended yet what it had started."""
        ended_s = time.monotonic() - LEASE_S - LOST_AFTER_S
        return any(agent.lost and agent.worker.address == worker.address and agent.lost_s > ended_s
                   for agent in self.agents)  # fmt: skip

    def agent(self, worker: Worker) -> "AgentOf":
        """The worker's agent, started if need be. Raises BenchError."""
        for one in self.agents:
            if one.worker.address == worker.address and not one.lost:
                return one
        started = AgentOf(self, worker)
        self.agents.append(started)
        return started

    def check(self) -> None:
        """Raises ClusterLost if the scheduler is gone."""
        if not self.scheduled():
            raise ClusterLost(self.gone + "; start it and its workers again, and go on with --resume")

    def scheduled(self) -> bool:
        """Whether there is a scheduler; once it is lost there is none any more."""
        if self.client.status != "running":
            self.lose_scheduler()
        return not self.gone

    def lose_scheduler(self) -> None:
        """Nothing is asked of anybody any more."""
        if not self.gone:
            self.gone = f"the scheduler at {self.address.url} is lost"
            self.losses.append(self.gone)

    def listens(self) -> bool:
        """Whether anything listens where the scheduler is; Dask's client hears of its end a moment later."""
        where = urlsplit(self.address.url)
        try:
            socket.create_connection((where.hostname or "", where.port or 0), LOOK_S).close()
        except OSError:
            return False
        return True

    def close(self) -> None:
        """End what agents have started, and leave."""
        for agent in self.agents:
            agent.close()
        self._closed.set()
        self._thread.join()
        self.client.close(timeout=2)

    def _renew_until_closed(self) -> None:
        while not self._closed.wait(RENEW_S):
            known = len(self.losses)
            if self.scheduled():
                self._renew()
            if len(self.losses) > known:
                for call in list(self.on_loss):
                    call()

    def _renew(self) -> None:
        """Renew every lease, and wait a moment for the answers; those that have not come are looked for next time."""
        agents, until = [one for one in self.agents if not one.lost], time.monotonic() + RENEW_S
        while (agents := [one for one in agents if not one.heard()]) and time.monotonic() < until:
            time.sleep(POLL_S)

    def __enter__(self) -> "Connection":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def say_nothing() -> None:
    """Have Dask log nothing: what goes wrong is told in the bench's own words. Some of its loggers have own levels."""
    for name in ("distributed", "distributed.client", "distributed.gc", "tornado", "tornado.application"):
        logging.getLogger(name).setLevel(logging.CRITICAL)


class AgentOf:
    """A worker's agent, as the bench sees it."""

    def __init__(self, connection: Connection, worker: Worker) -> None:
        self.connection, self.worker = connection, worker
        self.lost = ""
        """Why nothing can be asked of it any more; empty while it answers."""
        self.lost_s = 0.0
        """When that was."""
        self.round_trip_s = self.ahead_s = self.slowest_s = 0.0
        """Of the last renewal: how long it took, by how much that machine's clock is ahead of this one's, and how slow
        renewals have been of late."""
        self._renewal: tuple[float, int, Any] | None = None
        future = connection.client.submit(
            Agent, worker.host, LEASE_S, actor=True, workers=[worker.address], allow_other_workers=False, pure=False,
            retries=0,
        )  # fmt: skip
        try:
            self._actor = future.result(timeout=AGENT_S)
        except BenchError:
            raise
        except Exception as error:
            reason = str(error) or type(error).__name__
            raise BenchError(f"the bench cannot work on {worker.words}: {reason}; start its worker in the project's "
                             "folder, as `python -m bench cluster` says") from None  # fmt: skip
        self._heard_s = time.monotonic()
        self.facts: dict[str, Any] = self.call("facts")

    def call(self, method: str, *arguments: Any, limit_s: float = CALL_S) -> Any:
        """What the agent answers. Raises MachineLost, ClusterLost, and BenchError for what it could not do."""
        self.check()
        answer, until = None, time.monotonic() + limit_s
        while True:
            try:
                answer = answer or getattr(self._actor, method)(*arguments)
                return answer.result(timeout=LOOK_S)
            except TimeoutError:
                self.check()
                if time.monotonic() > until:
                    self.lose(f"it has not done `{method}` within {limit_s:g} s")
            except BenchError:
                raise
            except Exception as error:
                self.lose(str(error) or type(error).__name__)
            self.check()

    def check(self) -> None:
        """Raises MachineLost or ClusterLost."""
        self.connection.check()
        if self.lost:
            raise MachineLost(self.lost)

    def lose(self, reason: str) -> None:
        """Nothing is asked of it any more. Where the scheduler is gone, that is the reason."""
        if not self.connection.listens():
            self.connection.lose_scheduler()
        if not self.lost:
            self.lost, self.lost_s = f"the machine {self.worker.words} is lost: {reason}", time.monotonic()
            self.connection.losses.append(self.lost)

    def heard(self) -> bool:
        """Send a renewal, or look whether it has been answered; False while it has not. Called by one thread."""
        try:
            return self._renewed()
        except Exception as error:
            self.lose(str(error) or type(error).__name__)
            return True

    def _renewed(self) -> bool:
        """Whether an answer has come now. Raises whatever Dask does."""
        if self._renewal is None:
            self._renewal = time.monotonic(), time.time_ns(), self._actor.renew()
        sent_s, sent_ns, answer = self._renewal
        if answer.done():
            self._renewal = None
            there_ns = answer.result(timeout=LOOK_S)
            self._heard_s = time.monotonic()
            self.round_trip_s = self._heard_s - sent_s
            self.slowest_s = max(self.round_trip_s, FORGETS * self.slowest_s)
            self.ahead_s = (there_ns - sent_ns) / 1e9 - self.round_trip_s / 2
            return True
        if (silent_s := time.monotonic() - self._heard_s) > LOST_AFTER_S + ROUND_TRIPS * self.slowest_s:
            self.lose(f"it has not answered for {silent_s:.0f} s")
        return bool(self.lost)

    def close(self) -> None:
        """Have it end all that it has started; one that is lost does so when its lease is over."""
        if not self.lost and not self.connection.gone:
            try:
                self.call("close")
            except BenchError:
                return
