"""What if a process of the server is killed while it serves, as the kernel does it when memory runs out?"""

import os
import signal
import time
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress

import psutil

from bench.faults.fault import Fault, Row, Scene
from bench.faults.shared import ARRIVED_S, FEW_CONNECTIONS, IN_FLIGHT, ROOT, TWO_WORKERS
from bench.testbed.servers.life import Server


def crash(scene: Scene) -> None:
    """Kill a process of each server while requests are in flight."""
    with scene.sending(*IN_FLIGHT):
        time.sleep(ARRIVED_S)
        connections = clients()
        for row in scene.servers:
            kill_busiest(scene, row, connections)
        scene.ended()


def kill_busiest(scene: Scene, row: Row, connections: Mapping[tuple[int, int], int]) -> None:
    """Kill the process with most connections."""
    server = scene.servers[row]
    at_port = {pid: count for (pid, port), count in connections.items() if port == port_of(server)}
    victim = max(at_port, key=at_port.__getitem__, default=server.info["pid"])
    scene.note(row, connections=at_port.get(victim, 0), killed_is_main=victim == server.process.pid)
    scene.began(row)
    with suppress(ProcessLookupError):
        os.kill(victim, signal.SIGKILL)


def clients() -> Counter[tuple[int, int]]:
    """By process and port, how many clients are connected: of all servers in one look, which takes a while."""
    found: Counter[tuple[int, int]] = Counter()
    for one in psutil.net_connections("tcp4"):
        if one.pid and one.laddr and one.status == psutil.CONN_ESTABLISHED:
            found[one.pid, one.laddr.port] += 1
    return found


def port_of(server: Server) -> int:
    """The port at which it serves."""
    return int(server.url.rpartition(":")[2])


FAULTS = (
    Fault(
        name="crash",
        title="a process of the server is killed (SIGKILL) while it serves",
        done="The process with most connections is killed, as the kernel does it when memory runs out, while 20 "
        "requests a second for `/` are under way, and three that wait 2 and 3 s in Python.",
        asked="Which requests are lost, and who starts the process again?",
        sources=(
            "https://github.com/Kludex/uvicorn/issues/517",
            "https://github.com/Kludex/uvicorn/pull/2931",
            "https://gunicorn.org/signals/",
        ),
        inflict=crash,
        load=(ROOT,),
        cures=(TWO_WORKERS,),
        after_s=4.0,
        environment=FEW_CONNECTIONS,
    ),
)
