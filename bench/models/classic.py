"""The original example's three situations under gevent, and the very same three under asyncio."""

from bench.models.model import Model
from bench.models.servers import GEVENT_WORKER, GUNICORN, LIFESPAN, UVICORN

# asyncio_app's data layer, in the words of the report.
DATABASES = "`databases`, with a cache of compiled statements"

MODELS = (
    Model(
        "sync",
        "gevent_app",
        (*GUNICORN, "--worker-class", "sync", "gevent_app:create_app()"),
        situation="both block",
        python_waits_overlap=False,
        database_waits_overlap=False,
        note="One request at a time: what Flask does under gunicorn unless told otherwise.",
        families=("default", "classic"),
        published_2013_s=(25.09, 25.05, 50.15),
    ),
    Model(
        "gevent-blocking-db",
        "gevent_app",
        (*GUNICORN, *GEVENT_WORKER, "gevent_app:create_app()"),
        situation="database blocks",
        database_waits_overlap=False,
        loop="gevent",
        note="gevent without psycogreen: psycopg2 waits in C, where gevent's patching does not reach.",
        families=("default", "classic", "traps"),
        published_2013_s=(5.08, 25.06, 30.14),
    ),
    Model(
        "gevent",
        "gevent_app",
        (*GUNICORN, *GEVENT_WORKER, "gevent_app.wsgi:app"),
        loop="gevent",
        layer="Flask-SQLAlchemy's session with Core statements",
        note="The original's answer: everything is patched, psycopg2 too, and the code stays as it is.",
        families=("default", "classic"),
        published_2013_s=(5.04, 5.03, 10.07),
    ),
    Model(
        "asyncio-adapter",
        "asyncio_app",
        # Without the last option, requests on a kept-alive connection now and then answer 500, "CurrentThreadExecutor
        # already quit or is broken": asgiref keeps a request's thread in a context variable, and asyncio lets it leak
        # into the connection's next request (python/cpython#140947; the option is of Kludex/uvicorn#2912).
        (*UVICORN, *LIFESPAN, "entrypoints.adapter:app", "--reset-contextvars"),
        situation="both block",
        python_waits_overlap=False,
        database_waits_overlap=False,
        loop="asyncio",
        note="Async views as Flask's documentation serves them: asgiref's adapter has one thread for all requests.",
        families=("default", "classic", "traps"),
    ),
    Model(
        "asyncio-blocking-db",
        "asyncio_app",
        (*UVICORN, *LIFESPAN, "entrypoints.blocking_db:app"),
        situation="database blocks",
        database_waits_overlap=False,
        loop="asyncio",
        driver="psycopg2",
        note="Async views that call a synchronous driver: while psycopg2 waits, so does the event loop.",
        families=("default", "classic"),
    ),
    Model(
        "asyncio-bridge",
        "asyncio_app",
        (*UVICORN, *LIFESPAN, "asyncio_app.asgi:app"),
        loop="asyncio",
        layer=DATABASES,
        note="The bridge: async views on the server's own event loop, with an async driver.",
        families=("default", "classic"),
    ),
)
