"""What is the least that a request costs? No way to serve anything, but what the ways to serve are held against."""

from bench.models.model import Model
from bench.models.servers import LIFESPAN, UVICORN

FLOORS = ("floors",)

MODELS = (
    Model(
        "asyncio-floor",
        "asyncio_app",
        (*UVICORN, *LIFESPAN, "entrypoints.flask_floor:app"),
        loop="asyncio",
        note="GET / without a bridge: Flask on a prepared environ, with a prepared head; all else as in asyncio.",
        families=FLOORS,
    ),
)
