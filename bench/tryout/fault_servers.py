"""How does a fault find a reader's application? Its servers, started in its own environment, and what they are asked.

What a fault asks for has the name of a request of the script, and is sent as a visitor sends it who is logged in: with
its cookies and its captured values, which stand in no result.
"""

import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import psutil

from bench.faults.deploy import GUNICORN_BINDS, UVICORN_BINDS
from bench.faults.fault import Get, Row
from bench.faults.running import ANSWER_WITHIN_S, ASK_EVERY_S
from bench.faults.scene import START_WITHIN_S
from bench.models import Model
from bench.testbed.processes.connected import clients
from bench.testbed.processes.ports import HOST
from bench.testbed.processes.process import GuardedProcess
from bench.testbed.servers.cost import family
from bench.testbed.servers.life import Server
from bench.tryout.app import App
from bench.tryout.asking import Visitor, first_answer, job
from bench.tryout.login import visit
from bench.tryout.one_model import START_PATIENCE_S
from bench.tryout.script import Script
from bench.tryout.serving import StartingApp, starting
from bench.tryout.ways import Way

# A worker that is free accepts a connection within a millisecond or two.
ACCEPTED_S, LOOK_S = 0.3, 0.02
# An answer is as large as it is, whatever a browser would have it compressed to.
LEFT_OUT = ("accept-encoding",)
THREADS = ("--threads", "--blocking-threads")


def model_of(app: App, way: Way) -> Model:
    """A way as faults and their cures know it: its arguments are what follows the program on the command line."""
    binds = GUNICORN_BINDS if way.program == "gunicorn" else UVICORN_BINDS
    words = (*way.measured, "--workers", "{workers}", *binds)  # the last of several that are alike counts
    threads = next((int(words[place + 1]) for place, word in enumerate(words) if word in THREADS), 1)
    return Model(way.name, app.target, words, server=way.program, threads=threads, framework=app.facts.framework)


@dataclass
class FaultServers:
    """The servers of all rows, by the name of their way, and a visitor for each."""

    ways: Mapping[str, tuple[App, Way]]
    script: Script
    timeout_s: float
    logs: Path
    visitors: dict[str, Visitor] = field(default_factory=dict)
    """By the server's URL."""

    @contextmanager
    def starting(self, row: Row, name: str, port: int, listener: socket.socket | None) -> Iterator["StartingRow"]:
        """The row's server, begun at that port or on that socket. Raises BenchError."""
        app, way = self.ways[row.name]
        chosen = {"host": HOST, "port": port, "workers": row.model.workers, "fd": listener.fileno() if listener else ""}
        words = [word.format(**chosen) for word in row.model.arguments]
        with starting(app, way, self.logs, port=port, name=name, words=words, listener=listener) as one:
            yield StartingRow(row, one, self, shared=listener is not None)

    def can_start(self, row: Row) -> bool:
        """Whether its server can have that many processes here.

        uvicorn starts each as a new interpreter, which does not find the bridge that the bench lends to the first.
        """
        _, way = self.ways[row.name]
        return row.model.workers == 1 or "loopbridge" not in way.modules

    def answering(self, server: Server) -> set[int]:
        """Its processes that serve, if a request is answered: as many as it has, or as many as do within a while."""
        until = time.monotonic() + ANSWER_WITHIN_S
        pids: set[int] = set()
        while len(pids) < server.model.workers and time.monotonic() < until:
            with suppress(httpx.HTTPError):
                first_answer(self.script, ANSWER_WITHIN_S)(server.url)
                pids = listening(server.process, server.url)
            time.sleep(ASK_EVERY_S)
        return pids

    def get(self, server: Server, path: str) -> Get:
        """The request of that name."""
        asked = next(one for one in self.script.requests if one.name == path)
        sent = job(self.visitors[server.url], asked, connections=1, status=200)
        return Get(sent.path, tuple(each for each in sent.headers if each[0] not in LEFT_OUT))


@dataclass(frozen=True)
class StartingRow:
    """A row's server that may not answer yet."""

    row: Row
    one: StartingApp
    servers: FaultServers
    shared: bool
    """Whether others may listen on its socket too, so that theirs may be the first answers."""

    @property
    def process(self) -> GuardedProcess:
        """Its process."""
        return self.one.process

    def ready(self, *, pinned: bool = True, within_s: float = START_WITHIN_S) -> Server:
        """The server, once it answers; it goes to no core of its own. Raises StartFailed and LoginFailed."""
        self.one.ready(self.check)
        url = self.one.url
        self.servers.visitors[url] = visit(url, self.servers.script, self.servers.timeout_s)
        return Server(self.row.model, url, {"pid": self.process.pid}, self.process)

    def check(self, url: str) -> None:
        """Raises httpx.HTTPError until it answers."""
        first_answer(self.servers.script, START_PATIENCE_S)(url)
        if self.shared and not accepts(self.process, url):
            raise httpx.RequestError("only others answered on its socket")
        if len(listening(self.process, url)) < self.row.model.workers:
            raise httpx.RequestError("not all of its processes were there")


def accepts(process: GuardedProcess, url: str) -> bool:
    """Whether this very process group takes a new connection: a worker does so when it has loaded the application."""
    address = urlsplit(url)
    port = address.port or 80
    until = time.monotonic() + ACCEPTED_S
    try:
        with socket.create_connection((str(address.hostname), port), ACCEPTED_S):
            while time.monotonic() < until:
                if any(clients([one.pid for one in family(process.pid)], port).values()):
                    return True
                time.sleep(LOOK_S)
    except OSError:
        pass
    return False


def listening(process: GuardedProcess, url: str) -> set[int]:
    """The processes of a server that listen at its port, without the one that watches over them, if there are any."""
    port = urlsplit(url).port
    found = {one.pid for one in family(process.pid) if port in ports(one)}
    return found - {process.pid} or found


def ports(process: psutil.Process) -> set[int]:
    """Where a process listens; nowhere if it has ended, or where the system does not tell."""
    try:
        return {one.laddr.port for one in process.net_connections("tcp") if one.status == psutil.CONN_LISTEN}
    except psutil.Error:
        return set()
