"""Machines for tests that are network namespaces: each has an address, a loopback and ports of its own, on one wire."""

import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from typing import Literal

PREFIX = "flaskbench"
NETWORK = "10.77.0"


def why_not() -> str:
    """Why no namespaces can be made here; empty if they can."""
    if shutil.which("ip") is None:
        return "network namespaces take `ip`, of the package iproute2"
    if os.geteuid() != 0:
        return "network namespaces take root"
    made = subprocess.run(["ip", "netns", "add", f"{PREFIX}-{os.getpid()}-try"], capture_output=True, text=True)
    if made.returncode:
        return f"no network namespace can be made: {made.stderr.strip()}"
    ip("netns", "delete", f"{PREFIX}-{os.getpid()}-try")
    return ""


def ip(*arguments: str) -> None:
    """Run `ip`. Raises CalledProcessError."""
    subprocess.run(["ip", *arguments], check=True, capture_output=True)


def address(place: int) -> str:
    """The address of the namespace in that place, from 1."""
    return f"{NETWORK}.{place}"


def inside(name: str) -> Sequence[str]:
    """What to put before a command that is to run in a namespace."""
    return ["ip", "netns", "exec", full(name)]


def cable(name: str, state: Literal["up", "down"]) -> None:
    """Pull a namespace's cable, or put it back."""
    ip("-n", full(name), "link", "set", "eth0", state)


def connected(name: str) -> str:
    """The addresses at the other ends of a namespace's established connections."""
    command = [*inside(name), "ss", "--no-header", "--tcp", "--numeric", "state", "established"]
    lines = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    return " ".join(line.split()[3] for line in lines)


def full(name: str) -> str:
    """The namespace's name on this machine, where other tests may have theirs."""
    return f"{PREFIX}-{os.getpid()}-{name}"


@contextmanager
def namespaces(names: Sequence[str]) -> Iterator[None]:
    """A namespace for each name, all on one bridge; deleted at the end, with those that a killed test has left."""
    delete_left()
    with ExitStack() as ends:
        for name in ("wire", *names):
            ip("netns", "add", full(name))
            ends.callback(ip, "netns", "delete", full(name))
            ip("-n", full(name), "link", "set", "lo", "up")
        ip("-n", full("wire"), "link", "add", "bridge", "type", "bridge")
        ip("-n", full("wire"), "link", "set", "bridge", "up")
        for place, name in enumerate(names, start=1):
            port = f"port{place}"
            ip("link", "add", "eth0", "netns", full(name), "type", "veth", "peer", "name", port, "netns", full("wire"))
            ip("-n", full("wire"), "link", "set", port, "master", "bridge", "up")
            ip("-n", full(name), "address", "add", f"{address(place)}/24", "dev", "eth0")
            ip("-n", full(name), "link", "set", "eth0", "up")
        yield


def delete_left() -> None:
    """Delete the namespaces of tests that are gone."""
    listed = subprocess.run(["ip", "netns", "list"], check=True, capture_output=True, text=True).stdout
    for name in (line.split()[0] for line in listed.splitlines() if line.startswith(f"{PREFIX}-")):
        if not os.path.exists(f"/proc/{name.split('-')[1]}"):
            with suppress(subprocess.CalledProcessError):
                ip("netns", "delete", name)
