"""How can an application be served? What `gunicorn`, `uvicorn` or `granian` is told for each concurrency model.

What a reader types and what the bench runs are the same but for what makes models comparable: one process, the address,
and no time-out for a busy worker, because only gunicorn has one.
"""

import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from bench.errors import BenchError
from bench.tryout.app import App
from bench.tryout.files import ADAPTER, BRIDGE, MADE, module_file, psycogreen_file, split
from bench.tryout.interpreter import launched

Kind = Literal["asyncio", "gevent", "threads"]

# As many as the project's own models have; 10,000 connections are more than any load opens.
THREADS = ("--threads", "15")
GRANIAN_THREADS = ("--blocking-threads", "15")
CONNECTIONS = ("--worker-connections", "10000")
# For measuring, by program: one process, wherever variables would say otherwise, and what bench/models/servers.py has.
ALIKE = {
    "gunicorn": ("--workers", "1", "--timeout", "0", "--keep-alive", "5", "--backlog", "2048", "--log-level",
                 "warning"),
    "uvicorn": ("--workers", "1", "--timeout-keep-alive", "5", "--backlog", "2048", "--log-level", "warning",
                "--no-access-log"),
    "granian": ("--workers", "1", "--backlog", "2048", "--backpressure", "10000", "--log-level", "warning"),
}  # fmt: skip
WATCHED = "bench_tried.target:app"


@dataclass(frozen=True)
class Watch:
    """What is written down in the server's process, into which files; None for what is not."""

    timings: Path | None = None
    """A line for each request, as inside/bench_tried/timing.py has it; it comes a moment after the client's answer."""
    stalls: Path | None = None
    """A line for each stall, as the probe has it. A pass that is probed is never timed."""


@dataclass(frozen=True)
class Way:
    """One way to serve an application."""

    name: str
    interface: Literal["wsgi", "asgi"]
    """What the application has to be."""
    kind: Kind
    """What a request that blocks keeps from others: the loop, the hub, or its thread alone."""
    program: Literal["gunicorn", "uvicorn", "granian"]
    options: tuple[str, ...]
    """What a reader types, beside the target."""
    modules: tuple[str, ...]
    """What must be importable."""
    distributions: tuple[str, ...]
    """What a reader installs, where the application's environment lacks it."""
    more: tuple[str, ...] = ()
    """Options for measuring alone."""
    mounted: str = ""
    """What the server serves in place of the target: an object in a module of `files`."""
    file: str = ""
    """The file that it needs beside the application."""
    write: Callable[[App], str] | None = None
    """What is in that file."""
    only_installed: bool = False
    """Whether it is served only where the application's own environment has it."""
    needs: str = ""
    """A module that the application must have loaded."""

    def unavailable(self, app: App) -> str:
        """Why it cannot be served like this, and what to do about it; empty if it can."""
        if self.only_installed and self.distributions[0] not in app.installed:
            return f"{self.distributions[0]} is not installed in the app's environment"
        if self.needs and self.needs not in app.loaded:
            return f"the app does not load {self.needs}"
        for module in self.modules:
            if reason := app.failures.get(module):
                return f"{reason}; run: {install_command(app, self.distributions)}"
        return ""

    def target(self, app: App) -> tuple[str, ...]:
        """What the server serves, as its command line has it."""
        if self.mounted:
            return (self.mounted,)
        module, name, call = split(app.target)
        if self.program == "gunicorn" or not call:
            return (f"{module}:{name}{call}",)
        return ("--factory", f"{module}:{name}") if is_bare(call) else ("served_app:app",)

    def files(self, app: App) -> dict[str, str]:
        """By name, what stands in the files that it needs."""
        if self.write:
            return {self.file: self.write(app)}
        return {"served_app.py": module_file(MADE, app)} if self.target(app) == ("served_app:app",) else {}

    def typed(self, app: App) -> str:
        """What a reader types in the application's folder."""
        return " ".join(map(quoted, [self.program, *self.options, *self.target(app)]))

    def install(self, app: App) -> tuple[str, ...]:
        """What a reader installs for it that the application's environment lacks."""
        return tuple(each for each in self.distributions if each not in app.installed)

    def command(
        self, app: App, host: str, port: int, watch: Watch | None = None, *, files: Path, measured: bool = True
    ) -> tuple[str, ...]:
        """What the bench runs; `files` is the folder that `files()` are in, without `measured` it is what is typed."""
        words = (*(self.measured if measured else self.options), *address(self.program, host, port))
        return self.launched(app, words, files, watch)

    @property
    def measured(self) -> tuple[str, ...]:
        """What the bench adds to the options to make models comparable, behind them."""
        return (*self.options, *ALIKE[self.program], *self.more)

    def launched(self, app: App, words: Sequence[str], files: Path, watch: Watch | None = None) -> tuple[str, ...]:
        """The program with these words on its command line, among them where it listens."""
        watching = watch and (watch.timings or watch.stalls)
        return launched(
            app.interpreter,
            self.program,
            *(str(files / word) if word == self.file else word for word in words),
            *((WATCHED,) if watching else self.target(app)),
            overlay=app.overlay and str(app.overlay),
            files=str(files) if self.files(app) else "",
            settings=self.settings(app, watch) if watch and watching else None,
        )

    def settings(self, app: App, watch: Watch) -> dict[str, str]:
        """What inside/bench_tried/target.py is told."""
        served = {"target": self.target(app)[-1], "interface": "asgi" if self.program == "uvicorn" else self.interface}
        if "--factory" in self.target(app):
            served["target"] += "()"
        files = {"timings": str(watch.timings or ""), "stalls": str(watch.stalls or "")}
        return {**served, "kind": self.kind, **files}


def address(program: str, host: str, port: int) -> tuple[str, ...]:
    """Where it listens, on its command line."""
    return ("--bind", f"{host}:{port}") if program == "gunicorn" else ("--host", host, "--port", str(port))


def quoted(word: str) -> str:
    """A word as a shell takes it, in double quotes if it has single ones."""
    readable = "'" in word and not set(word) & set('"$`\\!')
    return f'"{word}"' if readable else shlex.quote(word)


def is_bare(call: str) -> bool:
    """Whether a call has no arguments."""
    return not call.strip("() ")


def install_command(app: App, distributions: Sequence[str]) -> str:
    """What installs these into the application's environment."""
    return shlex.join([str(app.python), "-m", "pip", "install", "--upgrade", *distributions])


GUNICORN = ("gunicorn",)
GEVENT = ("gunicorn", "gevent", "packaging")
BRIDGE_MODULES, BRIDGE_INSTALL = ("uvicorn", "greenlet", "loopbridge"), ("uvicorn", "greenlet")
PSYCOGREEN_FILE = "gunicorn_psycogreen.py"
WAYS = (
    Way("sync", "wsgi", "threads", "gunicorn", (), ("gunicorn.app.wsgiapp",), GUNICORN),
    Way("gthread", "wsgi", "threads", "gunicorn", ("--worker-class", "gthread", *THREADS),
        ("gunicorn.workers.gthread",), GUNICORN, more=CONNECTIONS),
    Way("gevent", "wsgi", "gevent", "gunicorn", ("--worker-class", "gevent"), ("gevent", "gunicorn.workers.ggevent"),
        GEVENT, more=CONNECTIONS),
    Way("gevent-psycogreen", "wsgi", "gevent", "gunicorn", ("--config", PSYCOGREEN_FILE, "--worker-class", "gevent"),
        ("gevent", "gunicorn.workers.ggevent", "psycogreen.gevent"), (*GEVENT, "psycogreen"), more=CONNECTIONS,
        file=PSYCOGREEN_FILE, write=psycogreen_file, needs="psycopg2"),
    # Flask's documentation has it so: https://flask.palletsprojects.com/en/stable/deploying/asgi/
    Way("asgiref", "wsgi", "asyncio", "uvicorn", (), ("uvicorn", "asgiref.wsgi"), ("uvicorn", "asgiref"),
        mounted="adapter_app:asgi_app", file="adapter_app.py", write=lambda app: module_file(ADAPTER, app)),
    Way("bridge-threads", "wsgi", "asyncio", "uvicorn", (), BRIDGE_MODULES, BRIDGE_INSTALL,
        mounted="bridge_app:app", file="bridge_app.py", write=lambda app: module_file(BRIDGE, app)),
    Way("bridge-inline", "wsgi", "asyncio", "uvicorn", (), BRIDGE_MODULES, BRIDGE_INSTALL,
        mounted="bridge_app:app", file="bridge_app.py",
        write=lambda app: module_file(BRIDGE, app, ', sync_views="inline"')),
    Way("granian", "wsgi", "threads", "granian", ("--interface", "wsgi", *GRANIAN_THREADS), ("granian",), ("granian",),
        only_installed=True),
    Way("uvicorn", "asgi", "asyncio", "uvicorn", (), ("uvicorn",), ("uvicorn",)),
    Way("gunicorn-asgi", "asgi", "asyncio", "gunicorn", ("--worker-class", "asgi"), ("gunicorn.workers.gasgi",),
        GUNICORN, more=CONNECTIONS),
    Way("granian-asgi", "asgi", "asyncio", "granian", ("--interface", "asgi"), ("granian",), ("granian",),
        only_installed=True),
)  # fmt: skip


def ways_for(app: App) -> list[Way]:
    """The ways that fit the application's interface, the plainest first."""
    return [way for way in WAYS if way.interface == app.facts.interface]


def ways_of(apps: Sequence[App], names: Sequence[str] | None = None) -> list[tuple[App, Way]]:
    """The ways to serve an application, and its port if there is one: all, or those of these names and the plainest.

    A port's ways are named after it. Raises BenchError for a name that there is not, and for a port that is none.
    """
    first = apps[0]
    if len({app.facts.interface for app in apps}) < len(apps):
        raise BenchError(
            f"{' and '.join(app.target for app in apps)} are both {first.facts.interface.upper()} applications; try "
            "them one after the other, and compare the two runs"
        )
    every = [
        (app, way if app is first else replace(way, name=f"{way.name} ({app.target})"))
        for app in apps
        for way in ways_for(app)
    ]
    known = [way.name for _, way in every]
    if wrong := [name for name in names or () if name not in known]:
        raise BenchError(f"{first.target} cannot be served as {', '.join(wrong)}; there are {', '.join(known)}")
    return [(app, way) for app, way in every if names is None or way.name in (known[0], *names)]
