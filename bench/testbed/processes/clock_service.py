"""How does a load generator on another machine read the CPU clocks of the servers? It asks this service, line by line.

A server is idle at both ends of a slice, so a clock that is read a fraction of a millisecond later shows the same. A
line is a JSON object with the service's secret, process ids and cores; the answer is a line too, with the CPU time of
each process (None for one that has ended) and the time that the cores were idle. It is run by the server's machine in a
process of its own, which ends with its standard input.
"""

import json
import secrets
import selectors
import socket
import sys
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from bench.testbed.processes.core_clock import idle_s
from bench.testbed.processes.cpu_clock import cpu_s

__all__ = ["ClockAddress", "clock", "question"]

LONGEST_LINE = 1 << 20


@dataclass(frozen=True)
class ClockAddress:
    """Where a service is, and the secret without which it does not answer."""

    host: str
    port: int
    secret: str


def question(address: ClockAddress, pids: list[int], cores: list[int]) -> bytes:
    """The line that asks for these clocks."""
    return json.dumps({"secret": address.secret, "pids": pids, "cores": cores}).encode() + b"\n"


def answer(line: bytes, secret: str) -> bytes | None:
    """The line that answers a question; None for what is none."""
    try:
        asked: dict[str, Any] = json.loads(line)
        if not secrets.compare_digest(str(asked["secret"]), secret):
            return None
        clocks = [clock(int(pid)) for pid in asked["pids"]]
        return json.dumps({"cpu_s": clocks, "idle_s": idle_s([int(core) for core in asked["cores"]])}).encode() + b"\n"
    except (ValueError, KeyError, TypeError):
        return None


def clock(pid: int) -> float | None:
    """The CPU time of a process; None for one that has ended."""
    with suppress(OSError):
        return cpu_s([pid])
    return None


def serve(listener: socket.socket, secret: str) -> None:
    """Answer whoever asks, until standard input ends."""
    with selectors.DefaultSelector() as selector:
        selector.register(sys.stdin.fileno(), selectors.EVENT_READ)
        selector.register(listener, selectors.EVENT_READ)
        unread: dict[socket.socket, bytes] = {}
        while True:
            for key, _ in selector.select():
                if key.fileobj is listener:
                    sock, _address = listener.accept()
                    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    unread[sock] = b""
                    selector.register(sock, selectors.EVENT_READ)
                elif isinstance(key.fileobj, socket.socket):
                    if (rest := answered(key.fileobj, unread[key.fileobj], secret)) is None:
                        selector.unregister(key.fileobj)
                        del unread[key.fileobj]
                        key.fileobj.close()
                    else:
                        unread[key.fileobj] = rest
                else:
                    return


def answered(sock: socket.socket, unread: bytes, secret: str) -> bytes | None:
    """Answer the whole lines that have come; give what is left of a line, None when the connection is over."""
    try:
        data = sock.recv(65_536)
        *lines, rest = (unread + data).split(b"\n")
        answers = [answer(line, secret) for line in lines]
        if not data or len(rest) > LONGEST_LINE or None in answers:
            return None
        sock.sendall(b"".join(filter(None, answers)))
    except OSError:
        return None
    return rest


def main() -> None:
    """Listen at the host of the command line; the first line on standard output is the port and the secret."""
    secret = secrets.token_urlsafe(16)
    with socket.create_server((sys.argv[1], 0)) as listener:
        sys.stdout.write(json.dumps({"port": listener.getsockname()[1], "secret": secret}) + "\n")
        sys.stdout.flush()
        serve(listener, secret)


if __name__ == "__main__":
    main()
