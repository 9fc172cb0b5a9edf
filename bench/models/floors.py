"""What is the least that a request costs? No way to serve anything, but what the ways to serve are held against."""

from bench.models.model import Model
from bench.models.servers import GEVENT_WORKER, GUNICORN, LIFESPAN, UVICORN, UVICORN_BEST

FLOORS = ("floors",)

FLOOR = "entrypoints.flask_floor:app"

MODELS = (
    Model(
        "gevent-bare",
        "gevent_app",
        (*GUNICORN, *GEVENT_WORKER, "reference_apps.bare_wsgi:app"),
        loop="gevent",
        note="GET / without Flask: a bare WSGI callable; else gevent.",
        families=FLOORS,
    ),
    Model(
        "asyncio-floor",
        "asyncio_app",
        (*UVICORN, *LIFESPAN, FLOOR),
        loop="asyncio",
        note="GET / without a bridge: Flask on a prepared environ, with a prepared head; else asyncio-bridge.",
        families=FLOORS,
    ),
    Model(
        "asyncio-floor-best",
        "asyncio_app",
        (*UVICORN_BEST, *LIFESPAN, FLOOR),
        loop="uvloop",
        note="asyncio-floor, on uvicorn's faster parser and loop.",
        families=FLOORS,
    ),
)
