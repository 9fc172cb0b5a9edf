"""Loopback ports: a free one from the system, and who has a taken one."""

import errno
import ipaddress
import socket

import psutil

from bench.errors import BenchError

HOST = "127.0.0.1"
# Several servers start together, and each listens a moment after it was given its port.
GIVEN: set[int] = set()


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
    """A port that nobody listened on a moment ago, and that this process has not been given before."""
    while True:
        with socket.socket() as probe:
            probe.bind((host, 0))
            port: int = probe.getsockname()[1]
        if port not in GIVEN:
            GIVEN.add(port)
            return port


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
