"""What do a fault's own clients need to reach the servers of all rows with hundreds of connections?"""

from urllib.parse import urlsplit

from bench.errors import BenchError
from bench.faults.fault import Row, Scene
from bench.load.worker import SPARE_FILES, raise_file_limit

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
