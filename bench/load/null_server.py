"""What can the generator do at most? The target to calibrate it against: the cheapest correct HTTP/1.1 server.

One thread, one epoll (so Linux only), one fixed answer. A plain GET in one piece, once recognised, is known again by
its bytes; a connection that sends anything else gets a parser, which handles bodies, pipelining, split heads and
`Connection: close`. Sending blocks, so a client that does not read would stop all others; a calibration has none.
Run as `python -m bench.load.null_server`; it writes its port to stdout and serves until it is terminated.
"""

import argparse
import select
import socket
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol

from httptools import HttpParserError, HttpRequestParser

from bench.files import ROOT
from bench.testbed.processes.ports import HOST, check_loopback
from bench.testbed.processes.process import GuardedProcess, NotYet
from bench.testbed.processes.temporary import temporary_folder

__all__ = ["NullServer", "null_server", "serve"]

HEAD_END = b"\r\n\r\n"
START_TIMEOUT_S = 30.0  # it listens after 0.1 s on an idle machine


@dataclass(frozen=True, slots=True, kw_only=True)
class NullServer:
    port: int
    pid: int


class Client:
    """An accepted socket and, once it needs one, its parser."""

    plain = b""  # the plain GET seen last, on any connection

    def __init__(self, sock: socket.socket, answer: bytes) -> None:
        self.sock, self.answer = sock, answer
        self.parser: HttpRequestParser | None = None
        self.answers = 0
        self.keep_alive = True

    def on_message_complete(self) -> None:
        assert self.parser is not None
        self.answers += 1
        self.keep_alive = self.parser.should_keep_alive()

    def serve(self, data: bytes) -> bool:
        """Answers what is complete; False when the connection is over."""
        if self.parser is None and (data == Client.plain or _is_plain_get(data)):
            Client.plain = data
            self.sock.sendall(self.answer)
            return True
        self.parser = self.parser or HttpRequestParser(self)
        self.answers = 0
        self.parser.feed_data(data)
        self.sock.sendall(self.answer * self.answers)
        return self.keep_alive


def _is_plain_get(data: bytes) -> bool:
    lowered = data.lower()
    plain = data.startswith(b"GET ") and data.endswith(HEAD_END) and data.count(HEAD_END) == 1 and b" HTTP/1.1" in data
    return plain and not any(name in lowered for name in (b"\nconnection:", b"\ncontent-length:", b"\ntransfer-"))


def serve(listener: socket.socket, body: bytes) -> None:
    """Serves for ever; only the answer's body can be chosen."""
    answer = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
    epoll, clients = select.epoll(), dict[int, Client]()
    listener.setblocking(False)
    epoll.register(listener, select.EPOLLIN)
    while True:
        for fd, _ in epoll.poll():
            if fd == listener.fileno():
                _accept(listener, epoll, clients, answer)
            elif not _serve_one(clients[fd]):
                clients.pop(fd).sock.close()


def _accept(listener: socket.socket, epoll: select.epoll, clients: dict[int, Client], answer: bytes) -> None:
    with suppress(BlockingIOError):
        while True:
            sock, _ = listener.accept()
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            clients[sock.fileno()] = Client(sock, answer)
            epoll.register(sock, select.EPOLLIN)


def _serve_one(client: Client) -> bool:
    try:
        data = client.sock.recv(65_536)
        return bool(data) and client.serve(data)
    except (OSError, HttpParserError):
        return False


class Start(Protocol):
    """Starts a command, here or on another machine."""

    def __call__(
        self, command: Sequence[str], *, log: Path, environment: Mapping[str, str], cores: Sequence[int]
    ) -> GuardedProcess: ...


def start_here(
    command: Sequence[str], *, log: Path, environment: Mapping[str, str], cores: Sequence[int]
) -> GuardedProcess:
    """The command on this machine."""
    return GuardedProcess(command, log=log, environment=environment, cores=cores, cwd=ROOT, name="the null server")


@contextmanager
def null_server(
    cores: tuple[int, ...] = (), body: bytes = b"Hello, world!", host: str = HOST, start: Start = start_here
) -> Iterator[NullServer]:
    """A null server in a process of its own, pinned to `cores`, ended on leaving or with the bench.

    `start` starts it, on the machine that has the address `host`.

    Raises BenchError, with the end of its log, when it does not start, or when this machine cannot reach itself.
    """
    check_loopback()
    command = [sys.executable, "-m", "bench.load.null_server", "--host", host, "--body", body.decode("latin-1")]
    with (
        temporary_folder("bench-null-server-") as folder,
        start(command, log=folder.path / f"{folder.path.name}.log", environment={}, cores=cores) as process,
    ):
        yield NullServer(port=process.until(partial(_port, process), START_TIMEOUT_S), pid=process.pid)


def _port(process: GuardedProcess) -> int:
    """The port it has written. Raises NotYet."""
    port, newline, _ = process.log_since(0).partition("\n")
    if not (newline and port.isdecimal()):
        raise NotYet("no port is in its log")
    return int(port)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--host", default=HOST)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--body", default="Hello, world!")
    arguments = parser.parse_args()
    listener = socket.create_server((arguments.host, arguments.port), backlog=4096)
    sys.stdout.write(f"{listener.getsockname()[1]}\n")
    sys.stdout.flush()
    serve(listener, arguments.body.encode("latin-1"))


if __name__ == "__main__":
    main()
