"""The database that seems to be far away: all of its answers arrive, in order, and none before its time."""

import asyncio
import time

from bench.testbed.processes.ports import HOST
from tests.apps.slow_postgres import serve

DELAY_S = 0.05
PIECES = [bytes([number]) * 100_000 for number in range(5)]


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer with what was asked."""
    writer.write(await reader.read(1))
    for piece in PIECES:
        writer.write(piece)
    await writer.drain()
    writer.close()


async def asked() -> tuple[bytes, float]:
    """What came through the delay, and when the first byte of it did."""
    async with (
        await asyncio.start_server(echo, HOST, 0) as database,
        await serve(database.sockets[0].getsockname()[1], DELAY_S) as slow,
    ):
        reader, writer = await asyncio.open_connection(*slow.sockets[0].getsockname())
        began_s = time.monotonic()
        writer.write(b"?")
        first = await reader.read(1)
        took_s = time.monotonic() - began_s
        whole = first + await reader.read()
        writer.close()
        await writer.wait_closed()
    return whole, took_s


def test_every_answer_arrives_whole_and_not_before_its_time() -> None:
    whole, took_s = asyncio.run(asked())
    assert whole == b"?" + b"".join(PIECES)
    assert took_s >= DELAY_S
