"""What if a process of the server is killed while it serves, as the kernel does it when memory runs out?"""

import os
import signal
import time
from collections.abc import Sequence
from contextlib import suppress

from bench.faults.fault import Asked, Fault, Row, Scene
from bench.faults.shared import ARRIVED_S, FEW_CONNECTIONS, IN_FLIGHT, ROOT, TWO_WORKERS
from bench.testbed.processes.connected import clients


def crash(scene: Scene, in_flight: Sequence[Asked] = IN_FLIGHT) -> None:
    """Kill a process of each server while requests are in flight."""
    workers = {row: scene.answering(row) for row in scene.servers}
    with scene.sending(*in_flight):
        time.sleep(ARRIVED_S)
        for row, pids in workers.items():
            kill_busiest(scene, row, pids)
        scene.ended()


def kill_busiest(scene: Scene, row: Row, pids: set[int]) -> None:
    """Kill the process with most connections."""
    server = scene.servers[row]
    connections = clients(pids, int(server.url.rpartition(":")[2]))
    victim = max(connections, key=connections.__getitem__, default=server.info["pid"])
    scene.note(row, connections=connections.get(victim, 0), killed_is_main=victim == server.process.pid)
    scene.began(row)
    with suppress(ProcessLookupError):
        os.kill(victim, signal.SIGKILL)


CRASH = Fault(
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
)
