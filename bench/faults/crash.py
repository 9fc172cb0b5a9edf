"""What if a process of the server is killed while it serves, as the kernel does it when memory runs out?"""

import os
import signal
import time
from contextlib import suppress

import psutil

from bench.faults.fault import Fault, Row, Scene
from bench.faults.shared import ARRIVED_S, FEW_CONNECTIONS, IN_FLIGHT, ROOT, TWO_WORKERS
from bench.testbed.servers.life import Server


def crash(scene: Scene) -> None:
    """Kill a process of each server while requests are in flight."""
    with scene.sending(*IN_FLIGHT):
        time.sleep(ARRIVED_S)
        scene.each(lambda row: kill_busiest(scene, row))
        scene.ended()


def kill_busiest(scene: Scene, row: Row) -> None:
    """Kill the process with most connections; of a server with a master, none but a worker."""
    server = scene.servers[row]
    main = server.process.pid
    workers = [pid for pid in server.pids() if pid != main or server.info["pid"] == main]
    connections = {pid: clients_of(pid, server) for pid in workers}
    victim = max(connections, key=connections.__getitem__)
    scene.note(row, connections=connections[victim], killed_is_main=victim == main)
    scene.began(row)
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
