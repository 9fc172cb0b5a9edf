"""Twenty thousand requests of every kind, after which nothing of them is left in the server."""

from __future__ import annotations

import asyncio
import random
from typing import Any

from served_apps import Server, serve, until

REQUESTS = 20_000
CONNECTIONS = 40
GROWTH_BYTES = 8 << 20  # of 20,000 requests: 400 bytes kept by each would be as much

# path, status, what the body has to hold, and how many of a hundred requests
MIX: list[tuple[str, int, bytes, int]] = [
    ("GET /async/where", 200, b'"thread":false', 30),
    ("GET /sync/where", 200, b'"thread":true', 14),
    ("GET /context/async/leak?user=ada", 200, b'"before":"nothing"', 14),
    ("GET /context/sync/leak?user=ada", 200, b'"before":"nothing"', 4),
    ("GET /async/wait?seconds=0.002", 200, b"waited", 10),
    ("GET /sync/wait?seconds=0.002", 200, b"waited", 2),
    ("GET /async/stream?count=3&seconds=0.001", 200, b"data: 2\n\n", 6),
    ("GET /sync/stream?count=3&seconds=0.001", 200, b"data: 2\n\n", 1),
    ("POST /async/echo", 200, b"x" * 5000, 6),
    ("POST /sync/echo", 200, b"x" * 5000, 2),
    ("GET /async/nowhere", 404, b"Not Found", 2),
    ("GET /context/raise?user=ada", 418, b'"error":"ada"', 2),
    ("GET /async/error", 500, b"Internal Server Error", 1),
]
LEFT = ["async/wait", "async/gone", "async/stream?count=999", "async/endless", "sync/wait", "sync/stream?count=999"]
wrong: list[Any] = []


async def read_response(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    status = int(head.split(b" ", 2)[1])
    if b"transfer-encoding: chunked" not in head:
        length = int(head.partition(b"content-length: ")[2].split(b"\r\n")[0])
        return status, await reader.readexactly(length)
    body = b""
    while size := int(await reader.readline(), 16):
        body += (await reader.readexactly(size + 2))[:-2]
    await reader.readline()
    return status, body


async def client(port: int, count: int, seed: int) -> None:
    """A keep-alive connection after another; every few dozen requests one is left in the middle."""
    rng = random.Random(seed)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for _ in range(count):
        if rng.random() < 0.03:
            writer.write(f"GET /{rng.choice(LEFT)} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            await asyncio.sleep(rng.random() * 0.02)
            writer.transport.abort() if rng.random() < 0.5 else writer.close()
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            continue
        what, status, part, _ = rng.choices(MIX, [weight for *_, weight in MIX])[0]
        body = b"x" * 5000 if what.startswith("POST") else b""
        writer.write(f"{what} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
        answer = await read_response(reader)
        if answer[0] != status or part not in answer[1]:
            wrong.append((what, answer))
    writer.close()
    await writer.wait_closed()


async def load(port: int, requests: int) -> None:
    await asyncio.gather(*(client(port, requests // CONNECTIONS, seed) for seed in range(CONNECTIONS)))


def test_nothing_is_wrong_and_nothing_is_left() -> None:
    with serve("both_apps") as server:
        asyncio.run(load(server.port, REQUESTS // 10))  # every thread, cache and pool has its size now
        before = settled(server)
        asyncio.run(load(server.port, REQUESTS))
        after = settled(server)
    assert wrong == []
    grown = after.pop("resident_bytes") - before.pop("resident_bytes")
    assert max(after.pop("threads"), before.pop("threads")) <= 81  # the loop's, and two pools' of 40
    assert after == before
    assert grown < GROWTH_BYTES, f"{grown / REQUESTS:.0f} bytes a request"


def settled(server: Server) -> dict[str, int]:
    """The server's state once what was cancelled has ended."""
    server.post("/forget", b"")
    until(lambda: (state := server.get("/state").json())["opened"] == 0 and state["exchanges"] == 1)
    return dict(server.get("/state").json())
