"""A PostgreSQL on a machine of its own, in a process of its own: `python -m tests.database_elsewhere HOST FOLDER`.

The embedded one listens on loopback. So others reach it through a relay, which delays every byte, because namespaces on
one machine are nearer to each other than machines are, and the kernel of many machines cannot delay packets itself. It
writes its URL, and serves until standard input ends.
"""

import asyncio
import sys
from pathlib import Path

from sqlalchemy import make_url

from bench.testbed.databases.embedded_postgres import embedded_postgres

DELAY_S = 0.0005  # each way, so that a round trip takes a millisecond more


async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Write what is read, later."""
    try:
        while data := await reader.read(65_536):
            await asyncio.sleep(DELAY_S)
            writer.write(data)
            await writer.drain()
    except OSError:
        pass
    finally:
        writer.close()


async def relay(host: str, to: tuple[str, int]) -> asyncio.Server:
    """Accept connections at the host, and pass on what comes."""

    async def accepted(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        its_reader, its_writer = await asyncio.open_connection(*to)
        await asyncio.gather(pass_on(reader, its_writer), pass_on(its_reader, writer))

    return await asyncio.start_server(accepted, host, 0)


async def serve(host: str, url: str) -> None:
    """Relay until standard input ends."""
    found = make_url(url)
    assert found.host is not None
    assert found.port is not None
    async with await relay(host, (found.host, found.port)) as server:
        port = server.sockets[0].getsockname()[1]
        print(found.set(host=host, port=port).render_as_string(hide_password=False), flush=True)
        ended = asyncio.Event()
        asyncio.get_running_loop().add_reader(sys.stdin.fileno(), ended.set)
        await ended.wait()


if __name__ == "__main__":
    with embedded_postgres(Path(sys.argv[2])) as database:
        asyncio.run(serve(sys.argv[1], database.url))
