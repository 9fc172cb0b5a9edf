"""What did a trial of somebody's own application see? Everything but the load's slices, which are cells of the run.

Nothing here is a body, a cookie, a header's value that may be a secret, or a variable's value: those never leave the
bench's memory.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

StartState = Literal["answers", "failed", "not tried"]
When = Literal["alone", "at once"]
Doing = Literal["waiting", "computing"]

SCENARIO = "try"
"""The scenario of a trial's cells: a workload for each request, a model for each way to serve."""
GROUP = "try"
"""Where the models of a trial stand among all models."""


@dataclass(frozen=True, kw_only=True)
class TriedApp:
    """The application, and the interpreter that it runs in."""

    target: str
    """`module:app`, or `module:create_app()`."""
    folder: str
    """The working directory."""
    python: str
    """The interpreter."""
    version: str
    """Of the interpreter, `3.11.7`."""
    interface: Literal["wsgi", "asgi", ""]
    framework: str
    """`Flask`, `Quart`, … as far as the object's class tells; else empty."""
    packages: Mapping[str, str]
    """Versions of what matters here, of those that are installed in its environment: Flask, greenlet, psycopg2, …"""
    added: Mapping[str, str]
    """Versions of what its environment lacks and the bench lends, at the end of its path."""


@dataclass(frozen=True, kw_only=True)
class TriedRequest:
    """A request that every model is asked."""

    name: str
    """`GET /orders`, as typed: with names, not values, where a value is captured or comes from the environment."""
    method: str
    status: int
    """What the first model, `sync`, answered."""
    body_bytes: int
    weight: float = 1.0
    """How often it is asked beside the others."""
    volatile: tuple[str, ...] = ()
    """What two servers of the same model answered differently, and is not compared: `body`, `header date`, …"""


@dataclass(frozen=True, kw_only=True)
class Difference:
    """An answer that is not the one that `sync` gives."""

    request: str
    when: When
    what: str
    """`status 500, not 200`, `no answer within 30 s`, `the body differs from character 120 on`."""
    count: int
    """So many answers of `of` differed like this."""
    of: int


@dataclass(frozen=True, kw_only=True)
class Waits:
    """How long one request takes, and so many at once."""

    alone_s: float
    """As the client sees it; the shortest of a few times, as all of these are."""
    wall_s: float | None
    """In the server's process, from the call of the application to the end of its answer."""
    cpu_s: float | None
    """CPU time of that process meanwhile; None where the server's process was not measured."""
    at_once: int
    together_s: float
    """From the first of `at_once` requests sent together to the last answer."""

    @property
    def times(self) -> float:
        """What `at_once` requests take, in requests alone: 1 where they all overlap, `at_once` where none does."""
        return self.together_s / self.alone_s


@dataclass(frozen=True, kw_only=True)
class Stall:
    """A place in the application where the loop or the hub stood still for all other requests."""

    request: str
    file: str
    """Relative to the application's folder where it is beneath it."""
    line: int
    function: str
    source: str
    """The line as it is written."""
    call: str
    """The library's function below it, `psycopg2.connect` or `bcrypt.hashpw`; empty if the line itself was busy."""
    doing: Doing
    count: int
    total_s: float
    longest_s: float
    advice: str = ""
    """What helps: this call, this model, this change; empty if nothing is known."""

    @property
    def where(self) -> str:
        """`shop/db.py:12`; of an installed package without the folders that it is installed in."""
        return f"{self.file.rpartition('/site-packages/')[2]}:{self.line}"


@dataclass(frozen=True, kw_only=True)
class TriedModel:
    """A way to serve the application, and what came of it."""

    name: str
    state: StartState
    reason: str
    """Why it was not tried, or how it failed to start: the end of its log."""
    command: tuple[str, ...]
    """What the bench ran."""
    typed: str
    """What a reader types for the same server, in the application's folder."""
    files: Mapping[str, str] = field(default_factory=dict)
    """By name, the files that this command needs beside the application."""
    install: tuple[str, ...] = ()
    """What the application's environment lacks for it."""
    start_s: float | None = None
    differences: tuple[Difference, ...] = ()
    waits: Mapping[str, Waits] = field(default_factory=dict)
    """By request."""
    stalls: tuple[Stall, ...] = ()
    """The longest total first."""
    watched: bool = False
    """Whether the probe for stalls ran."""
    memory_bytes: int | None = None
    threads: int | None = None
    database_connections: int | None = None
    """The most at any look, under load; None where the application's database is not known."""

    @property
    def same(self) -> bool:
        """Whether it answered everything as `sync` does."""
        return self.state == "answers" and not self.differences


@dataclass(frozen=True, kw_only=True)
class Confirmed:
    """The printed command, started once more, and compared."""

    model: str
    differences: tuple[Difference, ...]
    reason: str = ""
    """Why it did not start; empty if it did."""


@dataclass(frozen=True, kw_only=True)
class Tried:
    """A trial of an application."""

    app: TriedApp
    requests: tuple[TriedRequest, ...]
    models: tuple[TriedModel, ...]
    notes: tuple[str, ...] = ()
    """What else a reader must know, a sentence each."""
    confirmed: Confirmed | None = None

    def content(self) -> dict[str, Any]:
        """As it stands in the results file."""
        return asdict(self)


def tried_of(content: Mapping[str, Any]) -> Tried:
    """A trial from what stands in the file."""
    confirmed = content["confirmed"]
    return Tried(
        app=TriedApp(**content["app"]),
        requests=tuple(TriedRequest(**{**one, "volatile": tuple(one["volatile"])}) for one in content["requests"]),
        models=tuple(model_of(one) for one in content["models"]),
        notes=tuple(content["notes"]),
        confirmed=confirmed and Confirmed(**{**confirmed, "differences": differences_of(confirmed)}),
    )


def model_of(content: Mapping[str, Any]) -> TriedModel:
    """A model from what stands in the file."""
    return TriedModel(
        **{
            **content,
            "command": tuple(content["command"]),
            "install": tuple(content["install"]),
            "differences": differences_of(content),
            "waits": {name: Waits(**one) for name, one in content["waits"].items()},
            "stalls": tuple(Stall(**one) for one in content["stalls"]),
        }
    )


def differences_of(content: Mapping[str, Any]) -> tuple[Difference, ...]:
    """The differences of a model, or of the confirmation."""
    return tuple(Difference(**one) for one in content["differences"])
