"""The same three situations on MariaDB or MySQL."""

from bench.models.model import Model
from bench.models.servers import GEVENT_WORKER, GUNICORN, LIFESPAN, UVICORN

MODELS = (
    Model(
        "sync-mysql",
        "gevent_app",
        (*GUNICORN, "--worker-class", "sync", "gevent_app:create_app()"),
        situation="both block",
        python_waits_overlap=False,
        database_waits_overlap=False,
        database="mysql",
        driver="pymysql",
        note="One request at a time, as `sync`, with Flask-SQLAlchemy on PyMySQL.",
        packages=("pymysql",),
        extra="mysql",
    ),
    Model(
        "gevent-mysql",
        "gevent_app",
        (*GUNICORN, *GEVENT_WORKER, "gevent_app:create_app()"),
        loop="gevent",
        database="mysql",
        driver="pymysql",
        note="PyMySQL is written in Python, so gevent's own patching is all it needs; mysqlclient, in C, would block.",
        packages=("pymysql",),
        extra="mysql",
    ),
    Model(
        "asyncio-mysql",
        "asyncio_app",
        (*UVICORN, *LIFESPAN, "asyncio_app.asgi:app"),
        loop="asyncio",
        database="mysql",
        driver="asyncmy",
        note="`databases` on asyncmy, which opens the connections of its pool one at a time.",
        packages=("asyncmy", "pymysql"),
        extra="mysql",
    ),
)
