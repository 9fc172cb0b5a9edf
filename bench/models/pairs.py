"""Matched pairs: the same data layer under gevent and under asyncio, so that the concurrency model is what differs.

The same statements, transactions and pool (reference_apps/layers/), on servers of one class. The user's two apps stay
what teams have: Flask-SQLAlchemy's session with Core's statements on psycopg2, and `databases` on asyncpg.
"""

from bench.models.model import Model
from bench.models.servers import GEVENT_WORKER, GUNICORN, LIFESPAN, UVICORN

# The layers, in the words of the report.
RAW, BARE, PSYCOPG = "raw driver", "raw driver, autocommit", "psycopg 3"
CORE, ORM = "SQLAlchemy Core", "ORM session"
PSYCOGREEN = ("--config", "python:entrypoints.gunicorn_psycogreen")
# psycopg 3 waits cooperatively by itself.
PSYCOPG3 = ("psycopg", "psycopg_binary", "psycopg_pool")


def on_layer(
    name: str, layer: str, place: str, note: str, packages: tuple[str, ...] = (), *, default: bool = False
) -> Model:
    """A layer under the model that its name begins with; `place` is the module and the application in it."""
    side = name.partition("-")[0]
    gevent = (*GUNICORN, *GEVENT_WORKER, *(() if packages else PSYCOGREEN))
    return Model(
        name,
        f"reference_apps.layers.{place.partition(':')[0]}",
        (*(gevent if side == "gevent" else (*UVICORN, *LIFESPAN)), f"reference_apps.layers.{place}"),
        loop=side,
        layer=layer,
        note=note,
        packages=packages,
        extra="psycopg3" if packages else "",
        families=("pairs", "default") if default else ("pairs",),
    )


MODELS = (
    on_layer("gevent-raw", RAW, "sync_raw:app", "psycopg2 by itself, with psycogreen: SQL as text.", default=True),
    on_layer("asyncio-raw", RAW, "async_raw:app", "asyncpg by itself, in the bridge: SQL as text.", default=True),
    on_layer("gevent-core", CORE, "sync_core:app", "SQLAlchemy Core on psycopg2, no session.", default=True),
    on_layer("asyncio-core", CORE, "async_core:app", "SQLAlchemy Core on asyncpg, no session.", default=True),
    on_layer("gevent-orm", ORM, "sync_orm:app", "Flask-SQLAlchemy with a mapped class, on psycopg2.", default=True),
    on_layer("asyncio-orm", ORM, "async_orm:app", "AsyncSession with a mapped class, on asyncpg.", default=True),
    on_layer("gevent-psycopg", PSYCOPG, "sync_psycopg:app", "psycopg 3 and its own pool, under gevent.", PSYCOPG3),
    on_layer("asyncio-psycopg", PSYCOPG, "async_psycopg:app", "psycopg 3 and its own pool, in the bridge.", PSYCOPG3),
    on_layer("gevent-raw-autocommit", BARE, "sync_raw:autocommit", "gevent-raw without transactions."),
    on_layer("asyncio-raw-autocommit", BARE, "async_raw:autocommit", "asyncio-raw without transactions."),
    on_layer(
        "asyncio-raw-reset",
        "raw driver, connections reset",
        "async_raw:resetting",
        "asyncio-raw as asyncpg's pool is by default: a reset query whenever a connection comes back.",
    ),
)
