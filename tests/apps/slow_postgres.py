"""A PostgreSQL of the bench's own that seems to be far away: every answer of it comes so many milliseconds later.

    python -m tests.apps.slow_postgres 20

It prints the address, an empty database, and serves until Ctrl-C.
"""

import asyncio
import sys
from contextlib import suppress
from urllib.parse import urlsplit

from bench.testbed.databases.embedded_postgres import embedded_postgres
from bench.testbed.processes.ports import HOST
from bench.testbed.processes.temporary import temporary_folder

CHUNK_BYTES = 65_536


async def relayed(source: asyncio.StreamReader, target: asyncio.StreamWriter, delay_s: float) -> None:
    """Pass on what comes, each piece so much later, in its order; a delay holds up no piece behind it."""
    loop = asyncio.get_running_loop()
    last: asyncio.TimerHandle | None = None
    while piece := await source.read(CHUNK_BYTES):
        last = loop.call_later(delay_s, target.write, piece)
    if last is not None:
        await asyncio.sleep(max(0.0, last.when() - loop.time()))
    target.close()


async def serve(port: int, delay_s: float) -> asyncio.Server:
    """A listener that connects each client to that port, and delays what comes back."""

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            database, to_database = await asyncio.open_connection(HOST, port)
            await asyncio.gather(relayed(reader, to_database, 0), relayed(database, writer, delay_s))

    return await asyncio.start_server(connected, HOST, 0)


async def main(url: str, delay_s: float) -> None:
    """Say where it is, and serve."""
    address = urlsplit(url)
    assert address.port is not None
    server = await serve(address.port, delay_s)
    port = server.sockets[0].getsockname()[1]
    print(url.replace(f":{address.port}/", f":{port}/"), flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    with (
        temporary_folder("slow-postgres-") as logs,
        embedded_postgres(logs.path) as database,
        suppress(KeyboardInterrupt),
    ):
        asyncio.run(main(database.url, float(sys.argv[1]) / 1e3))
