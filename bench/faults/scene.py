"""What does a fault find? The servers of all rows, up and under load; and what is noted of each of them."""

import socket
import threading
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from types import TracebackType
from typing import Protocol, Self

from bench.errors import BenchError
from bench.faults.cells import cell_of, requests, seconds
from bench.faults.fault import Asked, Fault, Get, Row
from bench.faults.keeping import KeptServer, KeptServers
from bench.load import Generator, LoadJob, Watched, WatchJob
from bench.results.faults import Fact, FaultCell
from bench.testbed.processes.ports import HOST, lasting_port
from bench.testbed.processes.process import GuardedProcess
from bench.testbed.servers.life import START_TIMEOUT_S, Server
from bench.testbed.testbed import TestBed

# No fault takes so long; one that hangs is then no longer watched.
LONGEST_S = 300.0
# As long as one server may take, four times: up to sixteen start at once, some of them with four processes.
START_WITHIN_S = 4 * START_TIMEOUT_S
BACKLOG = 2_048  # of a socket that servers are given, as of those that they open themselves


class Starting(Protocol):
    """A server that may not answer yet."""

    @property
    def process(self) -> GuardedProcess:
        """Its process."""

    def ready(self, *, pinned: bool = True, within_s: float = START_WITHIN_S) -> Server:
        """The server, once it answers. Raises ServerFailed."""


class Starter(Protocol):
    """How the servers of rows are started, and how one is asked which of its processes answer."""

    def starting(
        self, row: Row, name: str, port: int, listener: socket.socket | None
    ) -> AbstractContextManager[Starting]:
        """Its server at that port, or on that socket, begun; it has ended when the context ends."""

    def answering(self, server: Server) -> set[int]:
        """Those of its processes that answer."""

    def get(self, server: Server, path: str) -> Get:
        """What is sent to it for what a fault asks for by that path."""


@dataclass
class State:
    """What is known of a row so far."""

    port: int
    listener: socket.socket | None = None
    """The socket that its servers are given, if they do not open it themselves."""
    servers: list[Starting] = field(default_factory=list)
    ends: list[ExitStack] = field(default_factory=list)
    """For each of them, what ends it."""
    facts: dict[str, Fact] = field(default_factory=dict)
    requests: list[tuple[str, Watched]] = field(default_factory=list)
    began_ns: int = 0
    ended_ns: int = 0
    failure: str = ""


class LiveScene:
    """The scene of one fault; a context manager that ends all servers."""

    def __init__(
        self, fault: Fault, testbed: TestBed, generator: Generator, starter: Starter, kept: KeptServers
    ) -> None:
        self.fault, self.testbed, self.generator = fault, testbed, generator
        self._kept = kept
        self.servers: dict[Row, Server] = {}
        self.states: dict[Row, State] = {}
        self._starter = starter
        self._running = ExitStack()
        self._lock = threading.Lock()
        self._over = False
        self._watch_ended_ns = 0

    # What a fault calls:

    def note(self, row: Row, **facts: Fact) -> None:
        """Keep facts of a row."""
        self.states[row].facts.update(facts)

    def began(self, *rows: Row) -> None:
        """The fault begins now for these rows; for all if none is named."""
        for row in rows or self.servers:
            self.states[row].began_ns = time.monotonic_ns()

    def ended(self, *rows: Row) -> None:
        """The fault ends now for these rows; for all if none is named."""
        for row in rows or self.servers:
            self.states[row].ended_ns = time.monotonic_ns()

    def each(self, act: Callable[[Row], None], rows: Sequence[Row] | None = None) -> None:
        """Call this for every row at the same time; a BenchError is noted as the row's `error`."""
        chosen = list(self.servers if rows is None else rows)

        def carefully(row: Row) -> None:
            try:
                act(row)
            except BenchError as error:
                self.note(row, error=str(error))

        if chosen:
            with ThreadPoolExecutor(len(chosen)) as pool:
                try:
                    list(pool.map(carefully, chosen))
                except BaseException:
                    self._end_servers()  # the other threads wait for servers
                    raise

    @contextmanager
    def sending(self, *asked: Asked) -> Iterator[None]:
        """While the context lasts, every server gets these requests too."""
        with self._watched(self.generator, asked):
            yield

    def start(self, row: Row) -> Server:
        """Start another server of the row at the same address. Raises ServerFailed."""
        state = self.states[row]
        context = self._starter.starting(row, self._log_name(row), state.port, state.listener)
        with self._lock:
            if self._over:
                raise BenchError("the fault was broken off")
            state.ends.append(ExitStack())
            starting = state.ends[-1].enter_context(context)
            state.servers.append(starting)
        self.servers[row] = server = starting.ready(pinned=False, within_s=START_WITHIN_S)
        return server

    def answering(self, row: Row) -> set[int]:
        """Those of the row's processes that answer."""
        return self._starter.answering(self.servers[row])

    def get(self, row: Row, path: str) -> Get:
        """What is sent to a row's server for that path."""
        return self._starter.get(self.servers[row], path)

    # What carries it out:

    def start_all(self, rows: Collection[Row]) -> None:
        """Have a server for each row: one that the fault before has left as it was, or a fresh one.

        Those that do not start have a failure.
        """
        self._kept.end_others(self.fault, rows)
        for row in rows:
            if kept := self._kept.take(self.fault, row):
                self.states[row] = State(kept.port, servers=[kept.starting], ends=[kept.ends])
                self.servers[row] = kept.server
            else:
                self.states[row] = self._state(row)

        def start(row: Row) -> None:
            try:
                self.start(row)
            except BenchError as error:
                self.states[row].failure = str(error)

        self.each(start, [row for row in self.states if row not in self.servers])

    @contextmanager
    def watched(self, watcher: Generator) -> Iterator[None]:
        """While the context lasts, the fault's load is on all servers."""
        with self._watched(watcher, self.fault.load):
            yield
        self._watch_ended_ns = time.monotonic_ns()

    def look(self) -> None:
        """Note of every server whether it is alive and how many of its processes answer."""

        def look(row: Row) -> None:
            noted = self.states[row].facts
            process = self.states[row].servers[-1].process  # of the latest server, even if that never answered
            alive = process.running
            common: dict[str, Fact] = {
                "alive": alive,
                "exit_code": process.exit_code,
                "workers_before": row.model.workers,
                "workers_after": len(self.answering(row)) if alive else 0,
            }
            self.states[row].facts = common | noted

        self.each(look)

    def cell(self, row: Row) -> FaultCell:
        """All that was seen of a row."""
        state = self.states[row]
        named = cell_of(self.fault, row)
        if state.failure:
            return named(state="failed", reason=state.failure)
        return named(
            lasted_s=seconds(state.ended_ns - state.began_ns),
            watched_s=seconds(self._watch_ended_ns - state.ended_ns),
            requests=tuple(requests(endpoint, watched, state.began_ns) for endpoint, watched in state.requests),
            facts=state.facts,
        )

    def _log_name(self, row: Row) -> str:
        """What the log of a row's servers is called."""
        words = (self.fault.name, row.name, *(row.cure.name.split() if row.cure else ()))
        return "-".join(word.replace("/", "") for word in words)

    def _state(self, row: Row) -> State:
        """A row's address, and the socket there if its servers are given one."""
        if not row.model.takes_socket:
            return State(lasting_port())
        listener = self._running.enter_context(socket.create_server((HOST, 0), backlog=BACKLOG))
        return State(listener.getsockname()[1], listener)

    @contextmanager
    def _watched(self, generator: Generator, asked: Sequence[Asked]) -> Iterator[None]:
        """These requests to all servers, and what became of them."""
        pairs = [(row, one, one.path.replace("{database_sleep}", row.model.database_sleep))
                 for row in self.servers for one in asked]  # fmt: skip
        if not pairs:
            yield
            return
        targets = tuple(load_of(one, self.get(row, path), self.states[row].port) for row, one, path in pairs)
        with generator.watching(WatchJob(targets=targets, limit_s=LONGEST_S)) as watch:
            yield
        for (row, _, path), watched in zip(pairs, watch.result.targets, strict=True):
            self.states[row].requests.append((path, watched))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if kind is None:
            for row in [row for row in self.states if self._stays(row)]:
                state = self.states.pop(row)
                kept = KeptServer(state.port, state.servers.pop(), self.servers[row], state.ends.pop())
                self._kept.give(self.fault, row, kept)
        self._end_servers()
        for state in self.states.values():
            for ends in state.ends:
                self._running.enter_context(ends)
        self._running.close()

    def _stays(self, row: Row) -> bool:
        """Whether the next fault may have the row's server: it is the one from before this fault, and answers."""
        state = self.states[row]
        answers = bool(state.facts.get("alive")) and state.facts.get("workers_after") == row.model.workers
        return self.fault.leaves_servers and not row.cure and len(state.servers) == 1 and answers

    def _end_servers(self) -> None:
        """End all servers, and start no more. They are killed: some would take seconds, though nobody is connected."""
        with self._lock:
            self._over = True
            for state in self.states.values():
                for server in state.servers:
                    server.process.kill()


def load_of(asked: Asked, get: Get, port: int) -> LoadJob:
    """What the generator is asked to send."""
    return LoadJob(
        host=HOST,
        port=port,
        path=get.path,
        headers=get.headers,
        rate_rps=asked.rate_rps,
        timeout_s=asked.timeout_s,
        connections=asked.connections,
        max_requests=asked.requests,
        keep_alive=asked.keep_alive,
    )
