"""What if a process of the server is killed, as the kernel does it when memory runs out?"""

import os
import signal
from contextlib import suppress

import psutil

from bench.faults.fault import Asked, Fault, Row, Scene
from bench.testbed.servers.life import Server

ROOT = Asked(path="/", rate_rps=20.0, timeout_s=10.0)


def crash(scene: Scene) -> None:
    scene.began()
    scene.each(lambda row: kill_busiest(scene, row))


def kill_busiest(scene: Scene, row: Row) -> None:
    """Kill the process with most connections; of a server with a master, none but a worker."""
    server = scene.servers[row]
    main = server.process.pid
    workers = [pid for pid in server.pids() if pid != main or server.info["pid"] == main]
    victim = max(workers, key=lambda pid: clients_of(pid, server))
    scene.note(row, connections=clients_of(victim, server))
    with suppress(ProcessLookupError):
        os.kill(victim, signal.SIGKILL)


def clients_of(pid: int, server: Server) -> int:
    """How many clients are connected to a process of the server."""
    port = int(server.url.rpartition(":")[2])
    with suppress(psutil.Error):
        connections = psutil.Process(pid).net_connections("tcp")
        return sum(one.status == psutil.CONN_ESTABLISHED and one.laddr[1] == port for one in connections)
    return 0


FAULTS = (
    Fault(
        name="crash",
        title="a process is killed (SIGKILL) while it serves",
        done="x",
        asked="x",
        sources=("https://x",),
        inflict=crash,
        load=(ROOT,),
    ),
)
