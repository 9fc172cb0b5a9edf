"""What do the servers of a trial hold of the machine under load: memory, threads, connections to databases?"""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from statistics import median
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

import psutil

from bench.judging.standings import is_twin
from bench.results.tried import Tried
from bench.testbed.processes.looking import Looking
from bench.testbed.servers.cost import family, threads

LOOK_S = 0.05
# PostgreSQL's and MySQL's own ports; an application's others are in the URLs of its environment.
PORTS = (5432, 3306)
DATABASES = ("postgres", "mysql", "mariadb")


@dataclass(frozen=True)
class Held:
    """What a model's server held of the machine."""

    memory_bytes: int | None
    """After the load; shared pages divided among its processes where the system tells."""
    threads: int | None
    """The most at any look."""
    database_connections: int | None
    """The most at any look; None where no server of the trial had any."""


def together(found: Sequence[Mapping[str, Held]]) -> dict[str, Held]:
    """What the servers of all generations held, by model: memory in the middle, of all else the most."""
    names = dict.fromkeys(name for held_ in found for name in held_)
    return {name: most([held_[name] for held_ in found if name in held_]) for name in names}


def most(found: Sequence[Held]) -> Held:
    """Of several generations."""
    memory = [one.memory_bytes for one in found if one.memory_bytes is not None]
    counts = [[getattr(one, name) for one in found if getattr(one, name) is not None]
              for name in ("threads", "database_connections")]  # fmt: skip
    return Held(round(median(memory)) if memory else None, *(max(each, default=None) for each in counts))


def with_held(tried: Tried, found: Mapping[str, Held]) -> Tried:
    """The trial with what its models' servers held."""
    models = (replace(model, **vars(found[model.name])) if model.name in found else model for model in tried.models)
    return replace(tried, models=tuple(models))


class Looks:
    """How many threads and connections to databases servers have, at the most, while its context is open."""

    def __init__(self, pids: Mapping[str, int], ports: Iterable[int]) -> None:
        self.pids, self.ports = pids, frozenset(ports)
        self.threads = dict.fromkeys(pids, 0)
        self.connections = dict.fromkeys(pids, 0)
        self._looking = Looking(self.look, LOOK_S)

    def held(self, memory: Mapping[str, Mapping[str, Any]]) -> dict[str, Held]:
        """What each model's server held, with what was read of it after the load.

        Where no server had a connection to a database, nobody knows whether there is one.
        """
        known = any(self.connections.values())
        return {
            name: Held(
                memory_bytes=round(found)
                if (found := memory[name]["pss_bytes"] or memory[name]["rss_bytes"])
                else None,
                threads=max(self.threads[name], memory[name]["threads"]) or None,
                database_connections=self.connections[name] if known else None,
            )
            for name in self.pids
            if not is_twin(name)
        }

    def look(self) -> None:
        """Look at all of them once."""
        for name, pid in self.pids.items():
            processes = family(pid)
            self.threads[name] = max(self.threads[name], threads(processes))
            there_are = sum(connections(process, self.ports) for process in processes)
            self.connections[name] = max(self.connections[name], there_are)

    def __enter__(self) -> Self:
        self._looking.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._looking.stop()


def connections(process: psutil.Process, ports: frozenset[int]) -> int:
    """How many established connections to these ports a process has; 0 for one that has ended."""
    with suppress(psutil.Error, OSError):
        return sum(
            bool(one.raddr) and one.raddr.port in ports and one.status == psutil.CONN_ESTABLISHED
            for one in process.net_connections("tcp")
        )
    return 0


def database_ports(environment: Mapping[str, str]) -> set[int]:
    """The usual ports of databases, and those in the URLs of databases in an application's environment."""
    return {*PORTS, *(port for value in environment.values() if (port := port_of(value)))}


def port_of(value: str) -> int | None:
    """The port of a database's URL, such as postgresql+psycopg2://name@host:5433/shop; None for anything else."""
    if not value.startswith(DATABASES):
        return None
    with suppress(ValueError):
        return urlsplit(value).port
    return None
