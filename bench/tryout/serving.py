"""An application's server: started in the application's own environment, awaited, and ended.

Ready is who answers a request, whatever the status: nothing is known of the application's URLs but those that were
named.
"""

import socket
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil

from bench.errors import BenchError
from bench.testbed.processes.ports import HOST, free_port, holder, is_free
from bench.testbed.processes.process import GuardedProcess, NotYet
from bench.testbed.servers.cost import family
from bench.testbed.servers.life import pin
from bench.tryout.app import App
from bench.tryout.ways import Watch, Way

# A large application is imported for up to 20 s from a cold disk, and models that start together share the cores.
START_TIMEOUT_S = 60.0
# What gunicorn and uvicorn take the number of their processes from, where their command line does not say it.
ONE_PROCESS = {"WEB_CONCURRENCY": "1"}


class StartFailed(BenchError):
    """The server ended or never answered; the message has the reason and the last lines of its log."""


@dataclass(frozen=True)
class Served:
    """A server that has answered."""

    way: Way
    url: str
    process: GuardedProcess
    start_s: float
    """From the start of its process to its first answer."""

    def pids(self) -> tuple[int, ...]:
        """Its processes that are alive now."""
        return tuple(process.pid for process in family(self.process.pid))

    def loaded(self, package: str) -> bool:
        """Whether one of its processes has mapped a compiled module of this package, as psycopg2 is one."""
        return any(package in Path(path).parts for process in family(self.process.pid) for path in mapped(process))


def mapped(process: psutil.Process) -> list[str]:
    """The files that a process has mapped; none where the system does not tell."""
    try:
        return [each.path for each in process.memory_maps()]
    except (psutil.Error, AttributeError, OSError):
        return []


@dataclass(frozen=True)
class StartingApp:
    """A server that may not answer yet."""

    way: Way
    url: str
    process: GuardedProcess
    began_s: float

    def ready(self, check: Callable[[str], None], cores: Sequence[int] = ()) -> Served:
        """The server, once `check` of its URL raises httpx.HTTPError no more, kept on these cores from then on.

        Raises StartFailed.
        """

        def ask() -> None:
            try:
                check(self.url)
            except httpx.HTTPError as error:
                raise NotYet(f"the first request failed: {error or type(error).__name__}") from None

        self.process.until(ask, START_TIMEOUT_S, StartFailed)
        start_s = time.monotonic() - self.began_s
        pin(self.process, cores)
        return Served(self.way, self.url, self.process, start_s)


@contextmanager
def starting(
    app: App,
    way: Way,
    logs: Path,
    *,
    watch: Watch | None = None,
    port: int | None = None,
    name: str = "",
    measured: bool = True,
    words: Sequence[str] = (),
    listener: socket.socket | None = None,
) -> Iterator[StartingApp]:
    """The application's server, begun; ended with its whole process group when the context ends.

    `logs` is a folder for its log and for the files that it needs beside the application, `port` is a free one unless
    given, `name` is what the log is called (the way's name unless given). Without `measured` it is started as a reader
    would start it, with the defaults of its program. `words` are what its command line has in place of all options and
    its address, `listener` is a socket that it is given.

    Raises BenchError if the port is taken, or the command cannot be started.
    """
    if listener is None and port is not None and not is_free(port):
        raise BenchError(f"port {port} is taken by {holder(port)}; stop it or pass another --port")
    port = port or free_port()
    logs.mkdir(parents=True, exist_ok=True)
    log = logs / f"{name or way.name}.log"
    log.unlink(missing_ok=True)  # what an earlier server wrote is no reason for what this one does
    files = written(way.files(app), log.with_suffix(".files"))
    command = way.launched(app, words, files) if words else way.command(
        app, HOST, port, watch, files=files, measured=measured)  # fmt: skip
    began_s = time.monotonic()
    with GuardedProcess(
        command,
        log=log,
        environment={**app.environment, **ONE_PROCESS},
        folder=app.bytecode,
        inherited=[listener.fileno()] if listener else [],
        cwd=app.folder,
        name=way.name,
    ) as process:
        yield StartingApp(way, f"http://{HOST}:{port}", process, began_s)


@contextmanager
def serving(
    app: App,
    way: Way,
    logs: Path,
    *,
    ready: Callable[[str], None],
    watch: Watch | None = None,
    port: int | None = None,
    name: str = "",
) -> Iterator[Served]:
    """The application's server, answering; what `starting` says of it is true of this as well. Raises StartFailed."""
    with starting(app, way, logs, watch=watch, port=port, name=name) as started:
        yield started.ready(ready)


@contextmanager
def serving_typed(app: App, way: Way, logs: Path, *, ready: Callable[[str], None]) -> Iterator[Served]:
    """The server of the printed command and the printed files, at an address of the bench. Raises StartFailed."""
    with starting(app, way, logs, name=f"{way.name}-typed", measured=False) as started:
        yield started.ready(ready)


def written(files: dict[str, str], folder: Path) -> Path:
    """The folder, with these files in it."""
    for name, text in files.items():
        folder.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return folder
