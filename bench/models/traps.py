"""Configurations that look concurrent and are not, or that break under load, for bench/traps/; and one that cures."""

from bench.models.model import Model
from bench.models.servers import GEVENT_WORKER, GUNICORN, LIFESPAN, UVICORN

TRAPS = ("traps",)

MODELS = (
    Model(
        "trap-leaking-context",
        "asyncio_app",
        (*UVICORN, *LIFESPAN, "entrypoints.threads:app"),
        situation="fails under load",
        loop="asyncio",
        threads=None,
        note="asyncio-threads without --reset-contextvars: requests on kept-alive connections answer 500.",
        families=TRAPS,
    ),
    Model(
        "trap-pool-across-loops",
        "asyncio_app",
        (*GUNICORN, "--worker-class", "gthread", "--threads", "15", "entrypoints.shared_pool:app"),
        situation="always fails",
        loop="asyncio",
        threads=15,
        note="asyncio-wsgi with one pool, opened once: no request's loop can use it.",
        families=TRAPS,
    ),
    Model(
        "trap-async-on-gevent",
        "asyncio_app",
        (*GUNICORN, *GEVENT_WORKER, "asyncio_app:create_app()"),
        situation="fails under load",
        loop="asyncio",
        note="Async views under gevent's patching and nothing else: two requests at once are one too many.",
        families=TRAPS,
    ),
    Model(
        "trap-blocking-view",
        "gevent_app",
        (*UVICORN, *LIFESPAN, "entrypoints.sync_views:inline"),
        situation="both block",
        python_waits_overlap=False,
        database_waits_overlap=False,
        loop="asyncio",
        note='Synchronous views that block, in the bridge with sync_views="inline": each has the loop to itself.',
        families=TRAPS,
    ),
    Model(
        "trap-no-adapter",
        "asyncio_app",
        (*UVICORN, "--factory", "asyncio_app:create_app"),
        situation="always fails",
        loop="asyncio",
        note="uvicorn serves the Flask object itself, and calls it as ASGI; Flask is WSGI.",
        families=TRAPS,
    ),
    # No trap, but what trap-blocking-view should be.
    Model(
        "bridge-threads",
        "gevent_app",
        (*UVICORN, *LIFESPAN, "entrypoints.sync_views:threaded"),
        threads=40,
        note="gevent_app without gevent, unchanged in the bridge: every view in a thread, 40 of them at most.",
    ),
)
