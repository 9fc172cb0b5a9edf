"""Do clients that are slow keep others waiting, and how much memory do they take?

Some send the head of their request a byte at a time, others read a large answer a little at a time. Noted of both are
`slow_clients`, how many came to each server, and `slow_ended`, how many of these it has sent away; of readers also
`rss_before_bytes` and `rss_bytes`, the resident memory of the server's processes before they came and while they read,
and `held_bytes`, the difference.
"""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from bench.faults.fault import Asked, Cure, Fault, Row, Scene
from bench.faults.settings import with_threads
from bench.faults.sockets import address, allow_sockets, head
from bench.faults.visits import PART_BYTES, PAUSE_S, Client, Visit, read_slowly, send_head_slowly
from bench.models import Model
from bench.testbed.servers.cost import family, resident

HEADS = 200
READERS = 100
# Both go on for so long from when all are there that the servers let in.
SLOW_S = 3.0
LARGE = "/large/"
# Where an application is served with a large answer as well, by where it is served from without.
WITH_LARGE = {
    "gevent_app:create_app()": "entrypoints.large.plain:app",
    "gevent_app.wsgi:app": "entrypoints.large.gevent_wsgi:app",
    "asyncio_app.asgi:app": "entrypoints.large.bridge:app",
    "reference_apps.quart_app:app": "entrypoints.large.quart_large:app",
    "reference_apps.fastapi_app:app": "entrypoints.large.fastapi_large:app",
}


def with_large(model: Model) -> Model:
    """The model on an entry point that has a large answer."""
    return replace(model, arguments=tuple(WITH_LARGE.get(argument, argument) for argument in model.arguments))


def has_large(model: Model) -> bool:
    """Whether there is such an entry point."""
    return any(argument in WITH_LARGE for argument in model.arguments)


def send_heads(scene: Scene) -> None:
    """Clients of all servers at once that never finish the head of their request."""
    be_slow(scene, lambda row: send_head_slowly, HEADS)


def read_large(scene: Scene, path: str = LARGE) -> None:
    """Clients of all servers at once that read a large answer a little at a time."""
    before = held(scene)

    def look() -> None:
        for row, rss_bytes in held(scene).items():
            more = max(0, rss_bytes - before[row]) if scene.servers[row].process.running else None
            scene.note(row, rss_before_bytes=before[row], rss_bytes=rss_bytes, held_bytes=more)

    be_slow(scene, lambda row: partial(read_slowly, head=head(scene, row, path)), READERS, look)


def held(scene: Scene) -> dict[Row, int]:
    """Resident memory of each server's processes, in bytes."""
    return {row: resident(family(server.process.pid)) for row, server in scene.servers.items()}


def be_slow(scene: Scene, client: Callable[[Row], Client], count: int, look: Callable[[], None] = lambda: None) -> None:
    """So many clients of each server, all at once; `look` is called shortly before they leave."""
    allow_sockets(count * len(scene.servers))
    for row, stayed in zip(scene.servers, asyncio.run(visit_all(scene, client, count, look)), strict=True):
        scene.note(row, slow_clients=count, slow_ended=count - stayed)


async def visit_all(scene: Scene, client: Callable[[Row], Client], count: int, look: Callable[[], None]) -> list[int]:
    """How many clients could stay with each server until the end."""
    visit = Visit()
    visits = [
        asyncio.ensure_future(client(row)(*address(scene, row), visit)) for row in scene.servers for _ in range(count)
    ]
    await visit.settled(len(visits))
    scene.began()
    await asyncio.sleep(SLOW_S)
    look()
    scene.ended()
    visit.over.set_result(None)
    stayed = await asyncio.gather(*visits)
    return [sum(stayed[first : first + count]) for first in range(0, len(stayed), count)]


MORE_THREADS = Cure(
    name="more threads than slow clients",
    setting=f"gunicorn --threads {HEADS + 50}; a buffering proxy in front, nginx for example, needs no such number",
    fits=lambda model: "gthread" in model.arguments,
    changed=with_threads(HEADS + 50),
)
IN_PIECES = Cure(
    name="streamed in pieces",
    setting="Response(pieces()) of an async generator that yields 64 KiB at a time (FastAPI: StreamingResponse), "
    "in place of one body",
    fits=lambda model: model.framework in ("Quart", "FastAPI"),
    changed=lambda model: replace(model, environment={**model.environment, "LARGE_ANSWER": "pieces"}),
)


# Longer than clients are slow, so that what merely waits for them is told from what fails.
WATCHED = Asked(path="/", rate_rps=10.0, timeout_s=SLOW_S + 7.0)

SLOW_HEADS = Fault(
    name="slow-heads",
    title="clients send their requests slowly",
    done=f"{HEADS} connections to each server send the head of a request a byte at a time, one a second, for "
    f"{SLOW_S:.0f} s and never finish it, while other clients ask for /.",
    asked="Are other clients served while some are slow to ask?",
    sources=(
        "https://gunicorn.org/deploy",
        "https://github.com/benoitc/gunicorn/issues/2652",
        "https://github.com/benoitc/gunicorn/pull/3519",
    ),
    inflict=send_heads,
    load=(WATCHED,),
    cures=(MORE_THREADS,),
    leaves_servers=True,
)
SLOW_READERS = Fault(
    name="slow-readers",
    title="clients read a large answer slowly",
    done=f"{READERS} connections to each server ask for an answer of 2 MiB, which its process keeps, and read "
    f"{PART_BYTES // 1024} KiB of it every {PAUSE_S:.0f} s for {SLOW_S:.0f} s, while other clients ask for /.",
    asked="Are other clients served while some are slow to read, and how much memory do those take?",
    sources=(
        "https://gunicorn.org/deploy",
        "https://asgi.readthedocs.io/en/latest/specs/www.html#response-body-send-event",
        "https://docs.python.org/3/library/asyncio-protocol.html#asyncio.BaseProtocol.pause_writing",
    ),
    inflict=read_large,
    load=(WATCHED,),
    cures=(MORE_THREADS, IN_PIECES),
    fits=has_large,
    changed=with_large,
)
