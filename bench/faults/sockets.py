"""How do a fault's own clients reach all servers, and which connections to the database are whose?"""

from collections.abc import Mapping
from contextlib import suppress
from urllib.parse import urlsplit

import psutil
from sqlalchemy import make_url

from bench.errors import BenchError
from bench.faults.fault import Row, Scene
from bench.load.worker import SPARE_FILES, raise_file_limit
from bench.testbed.databases import Database

# Hundreds of connections to each of ten servers on a busy machine.
CONNECT_S = 3.0


def address(scene: Scene, row: Row) -> tuple[str, int]:
    """Host and port of a row's server."""
    url = urlsplit(scene.servers[row].url)
    return str(url.hostname), int(url.port or 80)


def allow_sockets(count: int) -> None:
    """Let this process have so many sockets. Raises BenchError if the system does not let it."""
    try:
        raise_file_limit(count + SPARE_FILES)
    except OSError as error:
        raise BenchError(str(error)) from None


def row_of_pid(scene: Scene) -> dict[int, Row]:
    """Whose each process is; asked before a fault, because it takes some milliseconds for every server."""
    return {pid: row for row, server in scene.servers.items() for pid in server.pids()}


def row_of_port(owners: Mapping[int, Row], database: Database) -> dict[int, Row]:
    """Whose connections to the database come from which port of this machine; empty where the system does not tell."""
    remote = make_url(database.url).port
    found: dict[int, Row] = {}
    with suppress(psutil.AccessDenied):  # all processes at once: each by itself would read all of the kernel's table
        for one in psutil.net_connections("tcp"):
            if one.raddr and one.laddr and one.raddr.port == remote and one.pid in owners:
                found[one.laddr.port] = owners[one.pid or 0]
    return found
