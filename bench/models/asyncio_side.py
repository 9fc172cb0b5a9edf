"""The other ways to serve asyncio_app: other adapters, other servers for the bridge, other event loops."""

from bench.models.model import Model
from bench.models.servers import GEVENT_WORKER, GUNICORN, IN_C, LIFESPAN, PATIENTLY, UVICORN, UVICORN_BEST

# hypercorn has one HTTP parser (h11), and no more than 1,000 requests on a connection unless a file says so.
HYPERCORN = (
    "-m", "hypercorn", "--bind", "{host}:{port}", "--workers", "{workers}", "--worker-class", "asyncio",
    "--keep-alive", "5", "--backlog", "2048", "--log-level", "WARNING",
)  # fmt: skip
# granian has one HTTP parser (hyper's); the time it gives a request's head to arrive is its keep-alive as well.
GRANIAN = (
    "-m", "granian", "--host", "{host}", "--port", "{port}", "--workers", "{workers}", "--interface", "asgi",
    "--loop", "asyncio", "--http", "1", "--no-ws", "--runtime-mode", "st", "--runtime-threads", "1",
    "--http1-header-read-timeout", "5000", "--backlog", "2048", "--backpressure", "10000", "--log-level", "warning",
)  # fmt: skip
# gunicorn's worker gives asyncio the listening socket without a backlog, and asyncio sets it to its own default, 100.
GUNICORN_ASGI = (
    *GUNICORN, "--worker-class", "asgi", "--asgi-loop", "asyncio", "--asgi-lifespan", "on",
    "--worker-connections", "10000",
)  # fmt: skip
# As many threads as the other models have connections, for here each thread has one.
GTHREAD = ("--worker-class", "gthread", "--threads", "15", "--worker-connections", "10000")
BRIDGE = "asyncio_app.asgi:app"


def on_uvloop(arguments: tuple[str, ...]) -> tuple[str, ...]:
    """The same command line with the other event loop."""
    return tuple("uvloop" if argument == "asyncio" else argument for argument in arguments)


MODELS = (
    Model(
        "asyncio-threads",
        "asyncio_app",
        (*UVICORN, *LIFESPAN, "entrypoints.threads:app", "--reset-contextvars"),
        loop="asyncio",
        threads=None,
        note="WsgiToAsgi as Django calls it: a thread for each request in flight, however many there are.",
    ),
    Model(
        "asyncio-a2wsgi",
        "asyncio_app",
        (*UVICORN, *LIFESPAN, "entrypoints.a2wsgi_pool:app"),
        loop="asyncio",
        threads=15,
        note="a2wsgi with 15 threads; async views on the server's loop, which takes an override of Flask.",
        packages=("a2wsgi",),
        extra="servers",
    ),
    Model(
        "asyncio-wsgi",
        "asyncio_app",
        (*GUNICORN, *GTHREAD, "entrypoints.loop_per_request:app"),
        loop="asyncio",
        threads=15,
        note="Flask as it is on a WSGI server: an event loop and a database connection for every request, no pool.",
        environment={"POOL_SIZE": "0"},
    ),
    Model(
        "gevent-async-views",
        "asyncio_app",
        (*GUNICORN, *GEVENT_WORKER, "entrypoints.gevent_loop:app"),
        loop="asyncio",
        note="An asyncio loop inside gevent's, as Flask's page on gevent has it, with asyncio's drivers.",
    ),
    Model(
        "asyncio-bridge-best",
        "asyncio_app",
        (*UVICORN_BEST, *LIFESPAN, BRIDGE),
        loop="uvloop",
        families=("default",),
        note="The bridge under uvicorn with what `uvicorn[standard]` adds: httptools as its parser, and uvloop.",
    ),
    Model(
        "asyncio-bridge-httptools",
        "asyncio_app",
        (*(IN_C["h11"] if argument == "h11" else argument for argument in UVICORN), *LIFESPAN, BRIDGE),
        loop="asyncio",
        note="Between asyncio-bridge and asyncio-bridge-best: httptools as parser, and asyncio's own loop.",
    ),
    Model(
        "asyncio-bridge-4-workers",
        "asyncio_app",
        (*UVICORN, *PATIENTLY, *LIFESPAN, BRIDGE),
        loop="asyncio",
        workers=4,
        note="Four processes with 4 connections each, and a fifth that replaces one that has ended.",
    ),
    Model(
        "asyncio-hypercorn",
        "asyncio_app",
        (*HYPERCORN, BRIDGE),
        loop="asyncio",
        note="The bridge under hypercorn, whose parser is written in Python.",
        packages=("hypercorn",),
        extra="servers",
    ),
    Model(
        "asyncio-hypercorn-uvloop",
        "asyncio_app",
        (*on_uvloop(HYPERCORN), BRIDGE),
        loop="uvloop",
        note="The bridge under hypercorn, with uvloop in place of Python's own event loop.",
        packages=("hypercorn",),
        extra="servers",
    ),
    Model(
        "asyncio-granian",
        "asyncio_app",
        (*GRANIAN, BRIDGE),
        loop="asyncio",
        note="The bridge under granian, which speaks HTTP in Rust, in a thread of its own.",
        packages=("granian",),
        extra="servers",
    ),
    Model(
        "asyncio-granian-uvloop",
        "asyncio_app",
        (*on_uvloop(GRANIAN), BRIDGE),
        loop="uvloop",
        note="The bridge under granian, with uvloop in place of Python's own event loop.",
        packages=("granian",),
        extra="servers",
    ),
    Model(
        "asyncio-gunicorn-asgi",
        "asyncio_app",
        (*GUNICORN_ASGI, BRIDGE),
        loop="asyncio",
        note="The bridge under gunicorn's own asgi worker; no more than 100 connections can wait to be accepted.",
    ),
    Model(
        "asyncio-gunicorn-asgi-uvloop",
        "asyncio_app",
        (*on_uvloop(GUNICORN_ASGI), BRIDGE),
        loop="uvloop",
        note="The bridge under gunicorn's own asgi worker, with uvloop in place of Python's own event loop.",
    ),
    Model(
        "asyncio-databases",
        "asyncio_app",
        (*UVICORN, *LIFESPAN, "entrypoints.published_databases:app"),
        loop="asyncio",
        layer="`databases` as published",
        families=("pairs", "default"),
        note="The bridge, with `databases` as published: every statement is compiled anew each time.",
    ),
)
