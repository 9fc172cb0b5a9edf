"""Runs a load generator whose orders and answers go over sockets, so that a bench on another machine can give them.

It is run on a load machine, by the agent there, as a script of the standard library: it listens at the host it is told,
says its port and a secret, waits for two connections that begin with the secret, one for orders and one for answers,
and gives them to the generator as its standard input and output. Its own standard input is a pipe of the agent's: at
its end the generator is killed. A generator whose bench is gone reads the end of its orders, and ends by itself.
"""

import contextlib
import json
import os
import secrets
import socket
import subprocess
import sys
import threading
from typing import Any

CONNECTED_WITHIN_S = 10.0
LONGEST_GREETING = 100


def main() -> int:
    """Read the job from the command line; give the generator's exit code."""
    job: dict[str, Any] = json.loads(sys.argv[1])
    if job["cores"] and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, job["cores"])
    secret = secrets.token_urlsafe(16)
    with socket.create_server((job["host"], 0)) as listener:
        os.write(1, json.dumps({"port": listener.getsockname()[1], "secret": secret}).encode() + b"\n")
        listener.settimeout(CONNECTED_WITHIN_S)
        try:
            sockets = connected(listener, secret)
        except OSError as error:
            sys.stderr.write(f"the bench has not connected: {error}\n")
            return 1
    with sockets["orders"] as orders, sockets["answers"] as answers:
        command: list[str] = job["command"]
        child = subprocess.Popen(command, stdin=orders.fileno(), stdout=answers.fileno())
    threading.Thread(target=kill_at_end_of_file, args=(child,), daemon=True).start()
    return child.wait()


def connected(listener: socket.socket, secret: str) -> dict[str, socket.socket]:
    """The two connections, by what they are for. Raises OSError if they do not come."""
    found: dict[str, socket.socket] = {}
    while found.keys() != {"orders", "answers"}:
        sock, _ = listener.accept()
        sock.settimeout(CONNECTED_WITHIN_S)
        given, _, kind = greeting(sock).partition(" ")
        if not secrets.compare_digest(given, secret) or kind not in ("orders", "answers") or kind in found:
            sock.close()
            continue
        sock.settimeout(None)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        found[kind] = sock
    return found


def greeting(sock: socket.socket) -> str:
    """The first line; empty if there is none."""
    line = b""
    with contextlib.suppress(OSError):
        while not line.endswith(b"\n") and len(line) < LONGEST_GREETING and (data := sock.recv(1)):
            line += data
    return line.decode(errors="replace").rstrip("\n")


def kill_at_end_of_file(child: "subprocess.Popen[bytes]") -> None:
    """Kill the generator, which keeps nothing that has to be saved first, when the agent is gone."""
    while os.read(0, 1024):
        pass
    child.kill()


if __name__ == "__main__":
    sys.exit(main())
