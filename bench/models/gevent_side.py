"""The other ways to serve gevent_app: other servers, worker classes and drivers, the app unchanged."""

from bench.models.model import Model
from bench.models.servers import GEVENT_WORKER, GUNICORN, GUNICORN_BEST

# granian has one HTTP parser (hyper's); the time it gives a request's head to arrive is its keep-alive as well. Its
# backpressure counts connections, idle ones included, not requests (emmett-framework/granian#789).
GRANIAN_WSGI = (
    "-m", "granian", "--host", "{host}", "--port", "{port}", "--workers", "{workers}", "--interface", "wsgi",
    "--blocking-threads", "15", "--runtime-mode", "st", "--runtime-threads", "1", "--loop", "asyncio", "--http", "1",
    "--no-ws", "--http1-header-read-timeout", "5000", "--backlog", "2048", "--backpressure", "10000",
    "--log-level", "warning", "--factory",
)  # fmt: skip
ENTRYPOINT_ADDRESS = ("--host", "{host}", "--port", "{port}")


def gthread(threads: str) -> tuple[str, ...]:
    """gunicorn with so many threads, and room for as many connections as any other model."""
    return (*GUNICORN, "--worker-class", "gthread", "--threads", threads, "--worker-connections", "10000")


MODELS = (
    Model(
        "gthread",
        "gevent_app",
        (*gthread("15"), "gevent_app:create_app()"),
        threads=15,
        families=("default",),
        note="No event loop but threads, one for each connection of the pool: 15 requests wait at once, no more.",
    ),
    Model(
        "gthread-100",
        "gevent_app",
        (*gthread("100"), "gevent_app:create_app()"),
        threads=100,
        note="Threads for 100 waits at once; waits in the database still share the pool of 15.",
    ),
    Model(
        "gevent-best",
        "gevent_app",
        (*GUNICORN_BEST, *GEVENT_WORKER, "gevent_app.wsgi:app"),
        loop="gevent",
        note="gevent, with gunicorn's HTTP parser in C; it comes as source, so that installing it takes a compiler.",
        packages=("gunicorn_h1c",),
        extra="fast",
    ),
    Model(
        "gevent-yielding",
        "gevent_app",
        (*GUNICORN, *GEVENT_WORKER, "--config", "python:entrypoints.gunicorn_yield", "gevent_app.wsgi:app"),
        loop="gevent",
        note="gevent, with a hook that gives way after each answer: fewer clients wait long while others are served.",
    ),
    Model(
        "gevent-commit-first",
        "gevent_app",
        (*GUNICORN, *GEVENT_WORKER, "entrypoints.commit_first:app"),
        loop="gevent",
        note="gevent, with a commit in /mixed/ before its call, so that the call holds no database connection.",
        commits_first=True,
    ),
    Model(
        "gevent-psycopg3",
        "gevent_app",
        (*GUNICORN, *GEVENT_WORKER, "gevent_app:create_app()"),
        loop="gevent",
        driver="psycopg",
        note="psycopg 3 notices gevent's patching by itself (since 3.1.14), so it needs no psycogreen.",
        packages=("psycopg", "psycopg_binary"),
        extra="psycopg3",
        environment={"PSYCOPG_IMPL": "binary"},
    ),
    Model(
        "gevent-pywsgi",
        "gevent_app",
        ("-m", "entrypoints.pywsgi", *ENTRYPOINT_ADDRESS),
        loop="gevent",
        server="gevent",
        note="gevent's own server, with TCP_NODELAY set (else 40 ms an answer); it never closes an idle connection.",
    ),
    Model(
        "gevent-4-workers",
        "gevent_app",
        (*GUNICORN, *GEVENT_WORKER, "gevent_app.wsgi:app"),
        loop="gevent",
        workers=4,
        note="Four processes with 4 connections each, on cores of their own where there are five or more.",
    ),
    Model(
        "eventlet",
        "gevent_app",
        ("-m", "entrypoints.eventlet_wsgi", *ENTRYPOINT_ADDRESS),
        loop="eventlet",
        server="eventlet",
        note="gunicorn 26 dropped its eventlet worker, and eventlet advises against new use: for who has it already.",
        packages=("eventlet",),
        extra="servers",
    ),
    Model(
        "granian-wsgi",
        "gevent_app",
        (*GRANIAN_WSGI, "gevent_app:create_app"),
        threads=15,
        note="15 threads under a server that speaks HTTP in Rust; before 2.7.9 its threads could starve (granian#873).",
        packages=("granian",),
        extra="servers",
    ),
)
