"""Does anything stay in a server of the requests that it has served, failed ones among them?

Noted are `requests`, `unexpected` (how many of them had no answer, or another one than they should have), and, before
and after them, `rss_…_bytes` (resident memory), `descriptors_…` (open files and sockets), `threads_…` and
`database_connections_…`; and `in_transaction`, how many of the last wait after them in a transaction that nobody ends.
"""

import asyncio
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

import psutil

from bench.faults.fault import Fault, Row, Scene
from bench.faults.mixed_requests import all_rows, fill_pool, kinds, send_mixed
from bench.faults.sockets import address, row_of_pid, row_of_port
from bench.testbed.databases import Database
from bench.testbed.servers.cost import family, resident, threads

# Of each server: 20,000 for the eight models that are tried unless others are named.
REQUESTS = 2_500
# Before the first look: until then caches, threads and the allocator's arenas grow to their size.
WARM_UP = 500
CONNECTIONS = 8
IN_TRANSACTION = "SELECT client_port FROM pg_stat_activity WHERE state LIKE 'idle in transaction%%'"


@dataclass(frozen=True)
class State:
    """What a server holds, all its processes together."""

    rss_bytes: int
    descriptors: int
    threads: int
    database_connections: int
    in_transaction: int


def send_and_compare(scene: Scene) -> None:
    """Mixed requests to all servers at once; what each holds before them and after them."""
    asyncio.run(all_rows(scene, fill_pool))
    asyncio.run(all_rows(scene, partial(send, requests=WARM_UP, seed=1)))
    before = held(scene)
    scene.began()
    bad = asyncio.run(all_rows(scene, partial(send, requests=REQUESTS, seed=2)))
    scene.ended()
    after = held(scene)
    for row, unexpected in bad.items():
        states = named(before[row], "before") | named(after[row], "after")
        waiting = after[row].in_transaction
        scene.note(row, requests=REQUESTS, unexpected=unexpected, **states, in_transaction=waiting)


async def send(scene: Scene, row: Row, requests: int, seed: int) -> int:
    """The mix to one server."""
    mix, each = kinds(row.model.database_sleep), requests // CONNECTIONS
    sent = [send_mixed(*address(scene, row), mix, each, seed * CONNECTIONS + place) for place in range(CONNECTIONS)]
    return sum(await asyncio.gather(*sent))


def held(scene: Scene) -> dict[Row, State]:
    """What each server holds now."""
    owners = row_of_pid(scene)
    connections, waiting = Counter[Row](), Counter[Row]()
    for database in {scene.testbed.database_of(row.model) for row in scene.servers}:
        ports = row_of_port(owners, database)
        connections.update(ports.values())
        waiting.update(ports[port] for port in in_transaction(database) if port in ports)
    return {row: state(server.process.pid, connections[row], waiting[row]) for row, server in scene.servers.items()}


def state(pid: int, connections: int, waiting: int) -> State:
    """What a server's processes hold."""
    processes = family(pid)
    return State(
        rss_bytes=resident(processes),
        descriptors=sum(map(descriptors, processes)),
        threads=threads(processes),
        database_connections=connections,
        in_transaction=waiting,
    )


def descriptors(process: psutil.Process) -> int:
    """Open files and sockets of a process; 0 if it has ended."""
    with suppress(psutil.Error):
        return int(process.num_fds())
    return 0


def in_transaction(database: Database) -> list[int]:
    """From which ports connections come that wait in a transaction; only PostgreSQL tells."""
    if database.backend != "postgresql":
        return []
    with database.connect() as connection:
        return list(connection.exec_driver_sql(IN_TRANSACTION).scalars())


def named(one: State, when: str) -> dict[str, int]:
    """As facts: `rss_before_bytes`, `threads_before`, …"""
    return {
        f"rss_{when}_bytes": one.rss_bytes,
        f"descriptors_{when}": one.descriptors,
        f"threads_{when}": one.threads,
        f"database_connections_{when}": one.database_connections,
    }


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
    leaves_servers=True,
)
