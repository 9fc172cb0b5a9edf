"""What may a server be asked in a day? Requests of all kinds, failing ones too; and so many that its pool fills."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from random import Random

from bench.faults.fault import Row, Scene
from bench.faults.sockets import address

TIMEOUT_S = 20.0
# Three times as many queries at once as there are connections reach the pool of every process.
FILL = 3
FILLING_S = 0.1
# What was cancelled ends, and connections that were left are closed.
SETTLE_S = 0.5
# A client that leaves in the middle does so while its query runs.
PATIENCE_S = 0.005


@dataclass(frozen=True)
class Kind:
    """What is sent, which answer it has to have, and how often it comes among a hundred."""

    share: int
    line: str
    status: int | None
    """The status of the answer; None: the client does not wait for one."""
    body: bytes = b""
    ends: bool = False
    """Whether no other request can follow on its connection."""

    @property
    def request(self) -> bytes:
        """As it is sent."""
        length = f"Content-Type: application/json\r\nContent-Length: {len(self.body)}\r\n" if self.body else ""
        return f"{self.line} HTTP/1.1\r\nHost: bench\r\n{length}\r\n".encode() + self.body


def kinds(database_sleep: str) -> tuple[Kind, ...]:
    """What is mixed: two thirds are well-behaved."""
    return (
        Kind(30, "GET /", 200),
        Kind(25, "GET /todos/1", 200),
        Kind(8, "GET /queries/?count=2", 200),
        Kind(3, "GET /todos/", 200),
        Kind(12, "GET /todos/1000000000", 404),
        Kind(6, "GET /nowhere", 404),
        Kind(6, "GET /cpu/?milliseconds=many", 400),
        Kind(5, "POST /todos/", 400, b'{"title": 5}'),
        Kind(3, f"GET {database_sleep}?seconds=0.02", None, ends=True),
        Kind(2, "NONSENSE", 400, ends=True),
    )


async def send_mixed(host: str, port: int, mix: tuple[Kind, ...], requests: int, seed: int) -> int:
    """So many requests, one after the other, over connections that are kept; gives how many were not answered well."""
    chosen = Random(seed).choices(mix, [kind.share for kind in mix], k=requests)
    bad = 0
    connection: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
    for kind in chosen:
        try:
            async with asyncio.timeout(TIMEOUT_S):
                connection = connection or await asyncio.open_connection(host, port)
                kept = await exchanged(*connection, kind)
        except (OSError, ValueError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            bad += 1
            kept = False
        if not kept and connection:
            connection[1].close()
            connection = None
    if connection:
        connection[1].close()
    return bad


async def exchanged(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, kind: Kind) -> bool:
    """Send a request and read its answer; whether the connection is kept. Raises ValueError for a wrong answer."""
    writer.write(kind.request)
    if kind.status is None:
        await asyncio.sleep(PATIENCE_S)
        return False
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    status = int(head.split(b" ", 2)[1])
    if status != kind.status:
        raise ValueError(f"{kind.line}: status {status}, expected {kind.status}")
    if kind.ends:
        with suppress(OSError):
            await reader.read()
        return False
    length = int(head.partition(b"content-length:")[2].split(b"\r\n")[0])
    await reader.readexactly(length)
    return b"\r\nconnection: close" not in head


async def all_rows(scene: Scene, send_one: Callable[[Scene, Row], Awaitable[int]]) -> dict[Row, int]:
    """Send to all servers at once; how many requests of each were not answered as they should be."""
    counts = await asyncio.gather(*(send_one(scene, row) for row in scene.servers))
    await asyncio.sleep(SETTLE_S)
    return dict(zip(scene.servers, counts, strict=True))


async def fill_pool(scene: Scene, row: Row) -> int:
    """So many queries at once that every process opens all connections of its pool."""
    query = (Kind(1, f"GET {row.model.database_sleep}?seconds={FILLING_S}", 200),)
    at_once = 1 if row.model.blocks else FILL * scene.servers[row].info["pool_total"]
    return sum(await asyncio.gather(*(send_mixed(*address(scene, row), query, 1, 0) for _ in range(at_once))))
