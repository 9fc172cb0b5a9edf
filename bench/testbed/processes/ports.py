"""Loopback ports: a free one from the system, and who has a taken one."""

import errno
import ipaddress
import random
import socket
from collections import deque
from pathlib import Path

import psutil

from bench.errors import BenchError

HOST = "127.0.0.1"
# A server listens a moment after it was given its port; until then the port is kept from everyone else. As many
# servers never start together.
KEPT: deque[socket.socket] = deque()
KEPT_AT_MOST = 64
LASTING: set[int] = set()
OUTGOING = Path("/proc/sys/net/ipv4/ip_local_port_range")
LASTING_FROM = 12_000  # most services that have a port of their own have one below


def check_loopback() -> None:
    """Raises BenchError unless this machine can reach itself."""
    with socket.socket(type=socket.SOCK_DGRAM) as probe:
        try:
            probe.connect((HOST, 9))  # which sends nothing, but needs a route
        except OSError as error:
            raise BenchError(
                f"this machine cannot reach itself at {HOST} ({error.strerror}); run: ip link set lo up"
            ) from None


def is_loopback(host: str) -> bool:
    """Whether a host is this machine by its name alone; no name is looked up."""
    if host == "localhost":
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return address in ipaddress.ip_network("127.0.0.0/8") or address == ipaddress.ip_address("::1")


def free_port(host: str = HOST) -> int:
    """A port for a server: the system gives it to no other process, nor to an outgoing connection, for a while.

    A bound socket that does not listen keeps it. Who asks the system for any port is given another one; a server that
    binds this very port may, since both sockets allow that the address is used again (`SO_REUSEADDR` in socket(7)).
    """
    keeper = socket.socket()
    keeper.bind((host, 0))
    keeper.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # now: with it before, another could be given the port
    KEPT.append(keeper)
    if len(KEPT) > KEPT_AT_MOST:
        KEPT.popleft().close()
    port: int = keeper.getsockname()[1]
    return port


def lasting_port() -> int:
    """A port on loopback that stays free while nobody listens, because the system gives it to no outgoing connection.

    A connection to a port that the system does give away may even be connected to itself, and then has the port.
    """
    below = outgoing_ports()[0]
    first = LASTING_FROM if below > 2 * LASTING_FROM else 1_024
    while True:
        port = random.SystemRandom().randrange(first, below)
        if port not in LASTING and is_free(port):
            LASTING.add(port)
            return port


def outgoing_ports() -> tuple[int, int]:
    """The first and the last port that the system gives to outgoing connections; those of Linux where it says none."""
    try:
        low, high = map(int, OUTGOING.read_text(encoding="utf-8").split())
    except OSError:
        return 32_768, 60_999
    return low, high


def is_free(port: int) -> bool:
    """Whether a server could listen on this port of the loopback address now. Raises BenchError if none ever could."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                return False
            raise BenchError(
                f"no server of yours may have port {port}: {error.strerror}; pass another --port"
            ) from None
    return True


def holder(port: int) -> str:
    """Who listens on a port, as far as this user may see: `pid 4242 (nginx)`."""
    try:
        for connection in psutil.net_connections("tcp"):
            listens_there = connection.status == psutil.CONN_LISTEN and connection.laddr[1:] == (port,)
            if listens_there and connection.pid:
                return f"pid {connection.pid} ({psutil.Process(connection.pid).name()})"
    except psutil.Error:
        pass
    return "another process"
