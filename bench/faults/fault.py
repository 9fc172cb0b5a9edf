"""What is a fault: what is done to servers, under which load, and which settings cure what it does?"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Protocol

from bench.load import Generator
from bench.models import Model
from bench.results.faults import BYSTANDER, Fact
from bench.testbed.servers.life import Server
from bench.testbed.testbed import TestBed


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A kind of request that every server gets while a fault is watched, at a constant rate."""

    path: str
    """`{database_sleep}` in it stands for the endpoint that sleeps in the model's database. Of a reader's own
    application it is the name of a request."""
    rate_rps: float
    timeout_s: float
    """Longer than the fault lasts, so that what merely waits is told from what fails."""
    connections: int = 50
    """The most that are open at once."""
    requests: int | None = None
    """So many and no more; None: as long as it is watched."""
    keep_alive: bool = True
    """Whether connections are used again. Where each request has one of its own, all processes of a server get some."""


@dataclass(frozen=True, kw_only=True)
class Cure:
    """A setting that is to cure what a fault does."""

    name: str
    """`pool_pre_ping`, `socket that outlives the server`, …"""
    setting: str
    """Exactly what one writes, and where."""
    fits: Callable[[Model], bool]
    """Whether a model can have it."""
    changed: Callable[[Model], Model] = lambda model: model
    """The model with it: other arguments or another environment."""


@dataclass(frozen=True)
class Row:
    """One server under a fault: a model as it is, or with a cure."""

    model: Model = field(compare=False)
    """With the cure in it."""
    name: str
    """The model's name in the registry."""
    cure: Cure | None = None


@dataclass(frozen=True)
class Get:
    """A GET as it is sent."""

    path: str
    headers: tuple[tuple[str, str], ...] = ()
    """Beside `Host`."""

    def head(self, host: str, port: int) -> bytes:
        """Its bytes, to that server."""
        headers = (("Host", f"{host}:{port}"), *self.headers)
        lines = [f"GET {self.path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers)]
        return "".join(f"{line}\r\n" for line in [*lines, ""]).encode("latin-1")


class Scene(Protocol):
    """What a fault gets to inflict itself: the servers of all rows, all up and under load."""

    @property
    def testbed(self) -> TestBed:
        """Databases and the upstream."""

    @property
    def generator(self) -> Generator:
        """A second one, for what a fault sends beside the watch."""

    @property
    def servers(self) -> Mapping[Row, Server]:
        """Those that started, each row's latest; a fault may end them and start others, with `start`."""

    def note(self, row: Row, **facts: Fact) -> None:
        """Keep facts of a row."""

    def began(self, *rows: Row) -> None:
        """The fault begins now for these rows; for all if none is named."""

    def ended(self, *rows: Row) -> None:
        """The fault ends now for these rows; for all if none is named. What follows is the aftermath."""

    def each(self, act: Callable[[Row], None], rows: Sequence[Row] | None = None) -> None:
        """Call this for every row, or for these, at the same time, each in a thread of its own, and wait for all.

        What is wrong with one row (BenchError) is noted as its `error`, and the others go on.
        """

    def sending(self, *asked: Asked) -> AbstractContextManager[None]:
        """While the context lasts, every server gets these requests too; they are kept beside those of the watch.

        If all are limited in number, the context ends when each has its answer or has failed.
        """

    def get(self, row: Row, path: str) -> Get:
        """What is sent to a row's server for what a fault asks for by that path."""

    def start(self, row: Row) -> Server:
        """Start another server of the row at the same address, which is `servers[row]` once it answers.

        The earlier one must have left the port, unless the model is given its socket. Raises ServerFailed.
        """

    def answering(self, row: Row) -> set[int]:
        """Those of the row's processes that answer; it takes seconds if they do not."""


@dataclass(frozen=True, kw_only=True)
class Fault:
    """Something that goes wrong in production."""

    name: str
    title: str
    done: str
    asked: str
    sources: tuple[str, ...]
    inflict: Callable[[Scene], None]
    """Do it, and undo it; called while requests are under way."""
    load: Sequence[Asked] = ()
    """The requests; none for a fault that sends its own and notes what came of them."""
    cures: Sequence[Cure] = ()
    fits: Callable[[Model], bool] = lambda model: True
    """Whether it can happen to a model."""
    changed: Callable[[Model], Model] = lambda model: model
    """The model as this fault needs it, before any cure: on an entry point with a large answer, for example."""
    bystander: str = BYSTANDER
    """Of what is asked for, what needs nothing that the fault takes away."""
    before_s: float = 1.0
    """How long requests are sent before it."""
    after_s: float = 4.0
    """How long they go on after it."""
    hurts_database: bool = False
    """Whether it does to the database what nobody may do to a user's own."""
    leaves_servers: bool = False
    """Whether a server that answers when it is over is as it was before it, so that the next fault may have it."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """What every server of it finds in its environment."""
    pool: int = 8
    """How many database connections each server keeps, all its processes together: so few that those of all rows are
    below the database's limit."""

    def variables(self, model: Model) -> dict[str, str]:
        """What a server of the model finds in its environment because of the fault."""
        return {"POOL_SIZE": str(math.ceil(self.pool / model.workers)), **self.environment}
