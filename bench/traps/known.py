"""The traps that are known. Each was met by somebody: the sources say where."""

from bench.scenarios.pool_setups import ABOVE, KEPT
from bench.traps.loads import burst_above_max_connections, callers, keep_alive, sleepers
from bench.traps.trap import Expected, Trap

TRAPS = (
    Trap(
        name="one-thread-adapter",
        model="asyncio-adapter",
        load=sleepers,
        expected=Expected(python_serial=True, database_serial=True),
        cause="WsgiToAsgi calls Flask through asgiref's thread-sensitive mode, which has one thread for the whole "
        "process. A request keeps that thread while its async view waits on the event loop, and the next one waits "
        "for the thread.",
        cure="Put the bridge in the adapter's place: LoopBridge(app) holds no thread while an async view waits.",
        cured_by="asyncio-bridge",
        sources=(
            "https://flask.palletsprojects.com/en/stable/deploying/asgi/",
            "https://github.com/django/asgiref#synchronous-code--threads",
        ),
    ),
    Trap(
        name="leaking-context",
        model="trap-leaking-context",
        load=keep_alive("/", connections=16, requests=300),
        expected=Expected(failed_share=0.1, error="CurrentThreadExecutor already quit or is broken"),
        cause="asgiref keeps the executor of a request's thread in a context variable, and asyncio lets a connection's "
        "next request begin in the context of the one before. Where that one has ended, the next finds an executor "
        "that takes no more work.",
        cure="uvicorn's --reset-contextvars begins every request in a context of its own.",
        cured_by="asyncio-threads",
        sources=(
            "https://github.com/python/cpython/issues/140947",
            "https://github.com/Kludex/uvicorn/pull/2912",
            "https://github.com/django/asgiref/issues/491",
            "https://github.com/django/asgiref/issues/526",
        ),
    ),
    Trap(
        name="pool-across-loops",
        model="trap-pool-across-loops",
        load=keep_alive("/todos/1", connections=5, requests=10),
        expected=Expected(failed_share=1.0, error="attached to a different loop|another operation is in progress"),
        cause="On a WSGI server Flask runs every async view on an event loop of its own, and a connection of asyncpg "
        "belongs to the loop that opened it. So what one pool holds, no request can use.",
        cure="Put the views on one loop, with the bridge on an ASGI server; on a WSGI server do without a pool.",
        cured_by="asyncio-bridge",
        sources=(
            "https://github.com/MagicStack/asyncpg/issues/946",
            "https://github.com/psycopg/psycopg/issues/322",
            "https://flask.palletsprojects.com/en/stable/async-await/",
        ),
    ),
    Trap(
        name="blocking-driver",
        model="gevent-blocking-db",
        load=sleepers,
        expected=Expected(database_serial=True),
        cause="psycopg2 waits for PostgreSQL in C, where monkey-patching does not reach. Its greenlet lets no other "
        "run meanwhile, so the whole worker stands still until the database has answered.",
        cure="Register psycogreen's wait callback before anything connects, as gevent_app/wsgi.py does.",
        cured_by="gevent",
        sources=("https://github.com/psycopg/psycogreen",),
    ),
    Trap(
        name="async-views-on-gevent",
        model="trap-async-on-gevent",
        load=keep_alive("/", connections=16, requests=300),
        expected=Expected(
            failed_share=0.5,
            error="You cannot use AsyncToSync in the same thread as an async event loop",
        ),
        cause="Patched by gevent, the thread that Flask starts for a view's event loop is a greenlet in the one thread "
        "of all requests. Every other request that comes meanwhile finds a running loop in its thread, and asgiref "
        "refuses to start another.",
        cure="Override Flask.async_to_sync to run all views on one loop in a greenlet, as Flask's page on gevent does.",
        cured_by="gevent-async-views",
        sources=(
            "https://github.com/pallets/flask/issues/5881",
            "https://flask.palletsprojects.com/en/stable/gevent/",
            "https://github.com/django/asgiref/issues/443",
        ),
    ),
    Trap(
        name="blocking-view",
        model="trap-blocking-view",
        load=sleepers,
        expected=Expected(python_serial=True, database_serial=True),
        cause='sync_views="inline" calls synchronous views on the event loop\'s own thread. One that calls time.sleep '
        "or psycopg2 keeps the loop, and with it every other request, until it returns.",
        cure='Leave sync_views at its default, "thread", unless no synchronous view ever blocks.',
        cured_by="bridge-threads",
        sources=("https://docs.python.org/3/library/asyncio-dev.html",),
    ),
    Trap(
        name="connection-held-during-a-call",
        model="gevent",
        load=callers,
        expected=Expected(calls_in_turns=True),
        cause="Flask-SQLAlchemy's session takes a connection for its first statement and keeps it until a commit, a "
        "rollback or the request's end. A view that reads and then calls another service holds it for the whole call, "
        "so that no more requests than the pool has connections can call at once.",
        cure="End the transaction before the call: db.session.commit() gives the connection back, as in "
        "entrypoints/commit_first.py.",
        cured_by="gevent-commit-first",
        sources=(
            "https://docs.sqlalchemy.org/en/20/orm/session_basics.html",
            "https://github.com/langgenius/dify/tree/main/api/core/app/apps",
        ),
    ),
    Trap(
        name="pool-above-max-connections",
        model="gevent",
        load=burst_above_max_connections,
        expected=Expected(failed_share=0.01, error="too many clients|remaining connection slots"),
        cause="The pool may grow beyond PostgreSQL's max_connections, 100 unless set, and under enough load it does. "
        "From there on PostgreSQL refuses each connection at once, where a smaller pool would let the request wait.",
        cure="Keep pool size and overflow, times the number of processes, below max_connections.",
        cured_by="gevent",
        sources=(
            "https://github.com/TracecatHQ/tracecat/pull/1034",
            "https://www.postgresql.org/docs/current/runtime-config-connection.html",
        ),
        setup=ABOVE,
        cured_setup=KEPT,
    ),
    Trap(
        name="no-adapter",
        model="trap-no-adapter",
        load=keep_alive("/", connections=5, requests=10),
        expected=Expected(failed_share=1.0, error="missing 1 required positional argument: 'start_response'"),
        cause="uvicorn takes an object whose call is no coroutine function for an application of ASGI 2, and calls it "
        "with one argument. Flask wants WSGI's two, so the server starts without complaint and every request fails.",
        cure="Serve LoopBridge(app), or asgiref's WsgiToAsgi(app), or start uvicorn with --interface wsgi.",
        cured_by="asyncio-bridge",
        sources=(
            "https://github.com/Kludex/uvicorn/issues/1969",
            "https://github.com/jocxfin/pwgen/issues/15",
        ),
    ),
)
