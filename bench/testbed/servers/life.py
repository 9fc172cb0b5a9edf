"""A model's server: started on a free port, awaited, kept on its core, and ended.

It starts on any core, because several that start together are up sooner so, and is on its own before it is loaded.
"""

import socket
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from bench.errors import BenchError
from bench.models import Model
from bench.testbed.processes.local_http import local_client, local_get
from bench.testbed.processes.ports import holder, is_free
from bench.testbed.processes.process import GuardedProcess, NotYet
from bench.testbed.servers.cores import other_cores as other_cores
from bench.testbed.servers.cores import pin_family
from bench.testbed.servers.cores import server_cores as server_cores
from bench.testbed.servers.machine import HERE, Held, Machine, Meter

# gunicorn with gevent, Flask-SQLAlchemy and 15 connections answers within 3 s on a busy 2-core machine.
START_TIMEOUT_S = 30.0
# So many requests for each process, if a server has several: with four, all of eight answer in one to three tries.
AT_ONCE = 4


class ServerFailed(BenchError):
    """The server ended or never answered; the message has the reason and the last lines of its log."""


@dataclass(frozen=True)
class Server:
    """A server that answers: where, what it says of itself, and its process."""

    model: Model
    url: str
    info: dict[str, Any]
    process: GuardedProcess
    machine: Machine = HERE
    """Where its process runs."""

    def pids(self) -> tuple[int, ...]:
        """Its processes that are alive now."""
        return self.machine.pids(self.process.pid)

    def held(self) -> Held:
        """What its processes hold now."""
        return self.machine.held(self.process.pid)

    def meter(self) -> AbstractContextManager[Meter]:
        """Measures what its processes use while its context is open."""
        return self.machine.meter(self.process.pid)


@dataclass(frozen=True)
class StartingServer:
    """A server that may not answer yet."""

    model: Model
    url: str
    process: GuardedProcess
    machine: Machine = HERE
    shared: bool = False
    """Whether others may listen on its socket too, so that theirs may be the first answers."""

    def ready(self, *, pinned: bool = True, within_s: float = START_TIMEOUT_S) -> Server:
        """The server, once it answers, and on its core from then on unless that is not wanted. Raises ServerFailed."""
        info = wait_until_it_answers(
            self.process, self.url, machine=self.machine, shared=self.shared, within_s=within_s
        )
        if self.model.workers > 1:
            info = wait_until_all_answer(self.process, self.url, self.model.workers, within_s, self.machine)
        if pinned:
            self.machine.pin(self.process.pid, self.machine.server_cores(self.model.workers))
        return Server(self.model, self.url, info, self.process, self.machine)


def pin(process: GuardedProcess, cores: Sequence[int]) -> None:
    """Keep every thread of a process group on these cores (none: wherever the system likes), and what they start."""
    pin_family(process.pid, cores)


@contextmanager
def serving(
    model: Model,
    environment: dict[str, str],
    logs: Path,
    port: int | None = None,
    name: str = "",
    machine: Machine = HERE,
) -> Iterator[Server]:
    """The model's server, answering; what `starting` says of it is true of this as well. Raises ServerFailed."""
    with starting(model, environment, logs, port, name, machine=machine) as started:
        yield started.ready()


@contextmanager
def starting(
    model: Model,
    environment: dict[str, str],
    logs: Path,
    port: int | None = None,
    name: str = "",
    listener: socket.socket | None = None,
    machine: Machine = HERE,
) -> Iterator[StartingServer]:
    """The model's server, begun; ended with its whole process group when the context ends.

    `environment` and the model's own variables are added to the bench's environment, from which those are cleared that
    would change a server; `logs` is the folder for its log, `port` is a free one unless given, `name` is what the log
    is called (the model's name unless given), `machine` is where it runs, `listener` a socket that listens, for a
    model that is given one, on this machine.

    Raises BenchError if the port is taken, or the command cannot be started.
    """
    if listener is not None:
        port = listener.getsockname()[1]
    elif port is not None and not is_free(port):
        raise BenchError(f"port {port} is taken by {holder(port)}; stop it or pass another --port")
    port = port or machine.free_port()
    descriptor = listener.fileno() if listener else None
    url = f"http://{machine.host}:{port}"
    with machine.start(
        model.command(machine.host, port, descriptor),
        log=logs / f"{name or model.name}.log",
        environment={**environment, **model.environment},
        inherited=[] if descriptor is None else [descriptor],
    ) as process:
        yield StartingServer(model, url, process, machine, shared=listener is not None)


def wait_until_it_answers(
    process: GuardedProcess,
    url: str,
    *,
    machine: Machine = HERE,
    shared: bool = False,
    within_s: float = START_TIMEOUT_S,
) -> dict[str, Any]:
    """Ask for `/info` until this very process group answers it; give its body. Raises ServerFailed.

    If its socket is `shared`, others answer now and then; else that nobody but it must answer there is checked.
    """

    def ask() -> dict[str, Any]:
        try:
            answer = local_get(f"{url}/info", timeout=START_TIMEOUT_S)
        except httpx.ConnectError:
            raise NotYet("nothing listened on its port") from None
        except httpx.HTTPError as error:
            raise NotYet(f"/info failed: {error or type(error).__name__}") from None
        if answer.status_code != 200:
            raise server_failed(process, f"/info answered {answer.status_code}")
        info: dict[str, Any] = answer.json()
        if not machine.in_group(info["pid"], process.pid):
            if shared:
                raise NotYet("only others answered on its socket")
            raise server_failed(process, f"another server, pid {info['pid']}, answers at {url}")
        return info

    return process.until(ask, within_s, ServerFailed)


def wait_until_all_answer(
    process: GuardedProcess, url: str, workers: int, within_s: float = START_TIMEOUT_S, machine: Machine = HERE
) -> dict[str, Any]:
    """Ask for `/info` until so many processes have answered it; give the last answer. Raises ServerFailed.

    They are asked many times at once, because the same few processes take all requests that come one by one.
    """
    infos: dict[int, dict[str, Any]] = {}
    with (
        local_client(url, headers={"Connection": "close"}, timeout=START_TIMEOUT_S) as client,
        ThreadPoolExecutor(AT_ONCE * workers) as pool,
    ):

        def ask() -> dict[str, Any]:
            with suppress(httpx.HTTPError):
                answers = pool.map(lambda _: client.get("/info").json(), range(AT_ONCE * workers))
                infos.update({info["pid"]: info for info in answers if machine.in_group(info["pid"], process.pid)})
            if len(infos) < workers:
                raise NotYet(f"{len(infos)} of {workers} processes answered")
            return list(infos.values())[-1]

        return process.until(ask, within_s, ServerFailed)


def server_failed(process: GuardedProcess, reason: str) -> ServerFailed:
    """The reason, then the log's last lines."""
    return ServerFailed(process.explained(reason))
