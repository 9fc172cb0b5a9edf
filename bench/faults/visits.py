"""How is a client slow: in sending a request's head, or in reading its answer?"""

import asyncio
import socket
from collections.abc import Callable, Coroutine
from itertools import cycle
from typing import Any

from bench.faults.sockets import CONNECT_S

# So often does a byte of a head go, or a part of an answer come.
PAUSE_S = 1.0
HEAD = b"GET / HTTP/1.1\r\nHost: bench\r\nX-Slow: " + b"x" * 100
PART_BYTES = 8 * 1024
# What the kernel takes for a reader that does not read; its default would be more than a hundred KiB.
RECEIVE_BUFFER_BYTES = 16 * 1024
# As on Ethernet. Loopback's segments are of 64 KiB, and the kernel at the other end would keep ten of them and more.
SEGMENT_BYTES = 1460
# All that will be served are, once no other one has been for so long; that is looked at so often at most.
SETTLED_S = 1.0
SETTLING = 10


class Visit:
    """When do slow clients leave, and how many of them are being served?"""

    def __init__(self) -> None:
        self.over: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.served = 0

    async def settled(self, count: int) -> None:
        """Wait until all are served, or no other one has been for a while: some servers never serve them all."""
        for _ in range(SETTLING):
            seen = self.served
            await asyncio.sleep(SETTLED_S)
            if self.served in (seen, count):
                break

    async def until_over(self, other: "asyncio.Future[bytes]", limit_s: float | None = None) -> None:
        """Wait until the visit is over or the other is done, and no longer than that."""
        futures: set[asyncio.Future[Any]] = {self.over, other}
        await asyncio.wait(futures, timeout=limit_s, return_when=asyncio.FIRST_COMPLETED)


Client = Callable[[str, int, Visit], Coroutine[Any, Any, bool]]
"""Goes to a host and port and is slow there until the visit is over; tells whether the server let it stay."""


async def send_head_slowly(host: str, port: int, visit: Visit) -> bool:
    """Send a byte of a request's head now and then, and never its end."""
    try:
        reader, writer = await asyncio.wait_for(asyncio.open_connection(host, port), CONNECT_S)
    except OSError:
        return False
    visit.served += 1
    answer = asyncio.ensure_future(reader.read())
    for byte in cycle(HEAD):
        writer.write(bytes([byte]))
        await visit.until_over(answer, PAUSE_S)
        if visit.over.done() or answer.done():
            break
    return await left(writer, answer)


async def read_slowly(host: str, port: int, visit: Visit, path: str) -> bool:
    """Ask for an answer and read a part of it now and then."""
    try:
        reader, writer = await connected(host, port)
    except OSError:
        return False
    writer.write(f"GET {path} HTTP/1.1\r\nHost: bench\r\n\r\n".encode())
    part = asyncio.ensure_future(reader.read(PART_BYTES))
    await visit.until_over(part)
    visit.served += part.done()
    while part.done() and not ended(part) and not visit.over.done():
        await asyncio.wait({visit.over}, timeout=PAUSE_S)
        part = asyncio.ensure_future(reader.read(PART_BYTES))
        await visit.until_over(part)
    return await left(writer, part)


async def connected(host: str, port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A connection for which neither the kernel nor asyncio holds much that has not been read. Raises OSError."""
    client = socket.socket()
    try:
        client.setblocking(False)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, SEGMENT_BYTES)
        await asyncio.wait_for(asyncio.get_running_loop().sock_connect(client, (host, port)), CONNECT_S)
        return await asyncio.open_connection(sock=client, limit=PART_BYTES)
    except OSError:
        client.close()
        raise


async def left(writer: asyncio.StreamWriter, reading: "asyncio.Future[bytes]") -> bool:
    """Leave at once; whether the server had not ended the connection before."""
    stayed = not (reading.done() and ended(reading))
    writer.transport.abort()
    await asyncio.gather(reading, return_exceptions=True)
    return stayed


def ended(reading: "asyncio.Future[bytes]") -> bool:
    """Whether reading found the connection's end."""
    return reading.exception() is not None or not reading.result()
