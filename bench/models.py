"""The registry: every way to serve an app that the bench knows, one readable entry each, grouped by app."""

import difflib
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field

from bench.errors import BenchError

# The same for every model, so that none is measured by its defaults. No time-out for a busy worker, because only
# gunicorn has one; five seconds of keep-alive, uvicorn's default; room for as many connections as any scenario opens.
GUNICORN = (
    "-m", "gunicorn", "--bind", "{host}:{port}", "--workers", "1", "--timeout", "0", "--keep-alive", "5",
    "--backlog", "2048", "--log-level", "warning", "--no-control-socket",
)  # fmt: skip
GEVENT_WORKER = ("--worker-class", "gevent", "--worker-connections", "10000")
UVICORN = (
    "-m", "uvicorn", "--host", "{host}", "--port", "{port}", "--workers", "1", "--loop", "asyncio",
    "--http", "httptools", "--timeout-keep-alive", "5", "--backlog", "2048", "--log-level", "warning",
    "--no-access-log",
)  # fmt: skip


@dataclass(frozen=True)
class Model:
    """One way to serve an app: its server, worker class, driver and patches."""

    name: str
    app: str
    """The package whose views answer."""
    arguments: tuple[str, ...]
    """What follows `python` on the command line; `{host}` and `{port}` stand for the address."""
    situation: str
    """What blocks, in a few words."""
    python_waits_overlap: bool
    """Whether one server process serves other requests while a view sleeps in Python."""
    database_waits_overlap: bool
    """Whether it does while a view waits for the database."""
    driver: str = ""
    """The driver part of the database URL; empty for the app's own default."""
    published_2013_s: tuple[float, float, float] | None = None
    """Seconds of python, postgres and sum in the original example's README."""
    environment: Mapping[str, str] = field(default_factory=dict)

    def command(self, host: str, port: int) -> tuple[str, ...]:
        """The exact command line that serves this model at that address."""
        return (sys.executable, *(part.format(host=host, port=port) for part in self.arguments))


MODELS = (
    # gevent_app: the three situations of the original example.
    Model(
        "sync",
        "gevent_app",
        (*GUNICORN, "--worker-class", "sync", "gevent_app:create_app()"),
        situation="both block",
        python_waits_overlap=False,
        database_waits_overlap=False,
        published_2013_s=(25.09, 25.05, 50.15),
    ),
    Model(
        "gevent-blocking-db",
        "gevent_app",
        (*GUNICORN, *GEVENT_WORKER, "gevent_app:create_app()"),
        situation="database blocks",
        python_waits_overlap=True,
        database_waits_overlap=False,
        published_2013_s=(5.08, 25.06, 30.14),
    ),
    Model(
        "gevent",
        "gevent_app",
        (*GUNICORN, *GEVENT_WORKER, "gevent_app.wsgi:app"),
        situation="nothing blocks",
        python_waits_overlap=True,
        database_waits_overlap=True,
        published_2013_s=(5.04, 5.03, 10.07),
    ),
    # asyncio_app: the very same three.
    Model(
        "asyncio-adapter",
        "asyncio_app",
        # Without the last option, requests on a kept-alive connection now and then answer 500, "CurrentThreadExecutor
        # already quit or is broken": asgiref keeps a request's thread in a context variable, and asyncio lets it leak
        # into the connection's next request (python/cpython#140947; the option is of Kludex/uvicorn#2912).
        (*UVICORN, "--lifespan", "on", "entrypoints.adapter:app", "--reset-contextvars"),
        situation="both block",
        python_waits_overlap=False,
        database_waits_overlap=False,
    ),
    Model(
        "asyncio-blocking-db",
        "asyncio_app",
        (*UVICORN, "--lifespan", "on", "entrypoints.blocking_db:app"),
        situation="database blocks",
        python_waits_overlap=True,
        database_waits_overlap=False,
        driver="psycopg2",
    ),
    Model(
        "asyncio",
        "asyncio_app",
        (*UVICORN, "--lifespan", "on", "asyncio_app.asgi:app"),
        situation="nothing blocks",
        python_waits_overlap=True,
        database_waits_overlap=True,
    ),
)


def find_models(names: str) -> tuple[Model, ...]:
    """The models of a comma-separated list, in its order. Raises BenchError for an unknown name, with the near ones."""
    known = {model.name: model for model in MODELS}
    wanted = list(dict.fromkeys(name.strip() for name in names.split(",") if name.strip()))
    if not wanted:
        raise BenchError(f"no model is named; there are: {', '.join(known)}")
    for name in wanted:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=3, cutoff=0.5) or tuple(known)
            raise BenchError(f"there is no model {name!r}; did you mean {' or '.join(near)}? (python -m bench list)")
    return tuple(known[name] for name in wanted)
