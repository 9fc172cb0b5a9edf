"""Does anything stay in a server of the requests that it has served, failed ones among them?

Noted are `requests`, `unexpected` (how many of them had no answer, or another one than they should have), and, before
and after them, `rss_…_bytes` (resident memory), `descriptors_…` (open files and sockets), `threads_…` and
`database_connections_…`; and `in_transaction`: how many of the last wait in a transaction that nobody ends.
"""

import asyncio
from contextlib import suppress
from dataclasses import asdict, dataclass

import psutil
from sqlalchemy import Connection

from bench.faults.fault import Fault, Row, Scene
from bench.faults.leaving import ports
from bench.faults.mixed_requests import kinds, send_mixed
from bench.faults.sockets import address
from bench.testbed.databases import Database
from bench.testbed.servers.cost import family, resident, threads

# Of each server: 20,000 for the eight models that are tried unless others are named.
REQUESTS = 2_500
# Before the first look: until then caches, pools, threads and the allocator's arenas grow to their size.
WARM_UP = 1_000
CONNECTIONS = 8
# What was cancelled ends, and connections that were left are closed.
SETTLE_S = 0.5
IN_TRANSACTION = "SELECT client_port FROM pg_stat_activity WHERE state LIKE 'idle in transaction%%'"


@dataclass(frozen=True)
class State:
    """What a server holds, all its processes together."""

    rss_bytes: int
    descriptors: int
    threads: int
    database_connections: int


def send_and_compare(scene: Scene) -> None:
    """Mixed requests to all servers at once; what each holds before them and after them."""
    asyncio.run(send_to_all(scene, WARM_UP, seed=1))
    before = {row: held(scene, row) for row in scene.servers}
    scene.began()
    bad = asyncio.run(send_to_all(scene, REQUESTS, seed=2))
    scene.ended()
    for row in scene.servers:
        scene.note(row, requests=REQUESTS, unexpected=bad[row], **named(before[row], "before"))
    for row in scene.servers:
        scene.note(row, **named(held(scene, row), "after"), in_transaction=in_transaction(scene, row))


async def send_to_all(scene: Scene, requests: int, seed: int) -> dict[Row, int]:
    """How many requests of each server were not answered as they should be."""

    async def send(row: Row) -> int:
        mix = kinds(row.model.database_sleep)
        each = requests // CONNECTIONS
        sent = [send_mixed(*address(scene, row), mix, each, seed + number) for number in range(CONNECTIONS)]
        return sum(await asyncio.gather(*sent))

    bad = dict(zip(scene.servers, await asyncio.gather(*map(send, scene.servers)), strict=True))
    await asyncio.sleep(SETTLE_S)
    return bad


def held(scene: Scene, row: Row) -> State:
    """What a server holds now."""
    pid = scene.servers[row].process.pid
    processes = family(pid)
    return State(
        rss_bytes=resident(processes),
        descriptors=sum(map(descriptors, processes)),
        threads=threads(processes),
        database_connections=len(ports(pid, scene.testbed.database_of(row.model))),
    )


def descriptors(process: psutil.Process) -> int:
    """Open files and sockets of a process; 0 if it has ended."""
    with suppress(psutil.Error):
        return int(process.num_fds())
    return 0


def named(state: State, when: str) -> dict[str, int]:
    """As facts: `rss_before_bytes`, `threads_after`, …"""
    return {
        f"{name.removesuffix('_bytes')}_{when}{'_bytes' if name.endswith('_bytes') else ''}": value
        for name, value in asdict(state).items()
    }


def in_transaction(scene: Scene, row: Row) -> int:
    """How many of a server's connections wait in a transaction."""
    database = scene.testbed.database_of(row.model)
    own = ports(scene.servers[row].process.pid, database)
    with database.connect() as connection:
        return sum(port in own for port in waiting_ports(connection, database))


def waiting_ports(connection: Connection, database: Database) -> list[int]:
    """From which ports connections come that wait in a transaction; only PostgreSQL tells."""
    return list(connection.exec_driver_sql(IN_TRANSACTION).scalars()) if database.backend == "postgresql" else []


LEAKS = Fault(
    name="leaks",
    title="thousands of requests, failing ones among them",
    done=f"{REQUESTS:,} requests to each server after {WARM_UP:,} that are not counted: reads, unknown paths and rows, "
    "refused parameters and bodies, broken HTTP, and clients that leave during a query.",
    asked="Does memory, a connection, a thread or an open file stay behind?",
    sources=(
        "https://docs.gunicorn.org/en/stable/settings.html#max-requests",
        "https://github.com/Kludex/uvicorn/issues/1226",
        "https://github.com/fastapi/fastapi/discussions/8612",
    ),
    inflict=send_and_compare,
    before_s=0.0,
    after_s=0.0,
)
