"""What people would pick instead, and other async database stacks: same contract, a file each in reference_apps/."""

from bench.models.model import Model
from bench.models.servers import LIFESPAN, UVICORN, UVICORN_BEST


def on_uvicorn(
    name: str,
    module: str,
    note: str,
    packages: tuple[str, ...] = (),
    families: tuple[str, ...] = (),
    framework: str = "Flask",
    server: tuple[str, ...] = UVICORN,
) -> Model:
    """An app of reference_apps, all of whose waits overlap."""
    app = f"reference_apps.{module}"
    return Model(
        name,
        app,
        (*server, *LIFESPAN, f"{app}:app"),
        loop="asyncio" if server == UVICORN else "uvloop",
        note=note,
        packages=packages,
        extra="references" if packages else "",
        families=("references", *families),
        framework=framework,
    )


MODELS = (
    on_uvicorn(
        "quart",
        "quart_app",
        "Flask's API on asyncio, the views nearly as they are; `databases` as in asyncio_app.",
        packages=("quart",),
        families=("default",),
        framework="Quart",
    ),
    on_uvicorn(
        "fastapi",
        "fastapi_app",
        "A rewrite in FastAPI, parameters declared by type; `databases` as in asyncio_app.",
        packages=("fastapi",),
        families=("default",),
        framework="FastAPI",
    ),
    on_uvicorn(
        "quart-best",
        "quart_app",
        "quart, on uvicorn's faster parser and loop.",
        packages=("quart",),
        framework="Quart",
        server=UVICORN_BEST,
    ),
    on_uvicorn(
        "fastapi-best",
        "fastapi_app",
        "fastapi, on uvicorn's faster parser and loop, which `fastapi[standard]` installs.",
        packages=("fastapi",),
        framework="FastAPI",
        server=UVICORN_BEST,
    ),
    on_uvicorn(
        "asyncio-bare",
        "bare_asgi",
        "The floor: no framework and no SQL toolkit, a bare ASGI callable on raw asyncpg.",
        framework="",
    ),
    on_uvicorn(
        "asyncio-tortoise",
        "tortoise_app",
        "Flask in the bridge, on Tortoise ORM, with aiohttp for the outgoing calls.",
        packages=("aiohttp", "tortoise"),
    ),
    Model(
        "implicit-asyncio",
        "gevent_app",
        (*UVICORN, *LIFESPAN, "entrypoints.implicit_asyncio:app"),
        situation="Python blocks",
        python_waits_overlap=False,
        loop="asyncio",
        driver="asyncpg",
        note="The unchanged synchronous app in the bridge: its database waits overlap, through asyncpg; no others do.",
        families=("references",),
    ),
    Model(
        "implicit-asyncio-orm",
        "reference_apps.layers.sync_orm",
        (*UVICORN, *LIFESPAN, "entrypoints.implicit_orm:app"),
        situation="Python blocks",
        python_waits_overlap=False,
        loop="asyncio",
        driver="asyncpg",
        note="gevent-orm's code in the bridge: its database waits overlap, through asyncpg; no others do.",
        families=("references",),
    ),
)
