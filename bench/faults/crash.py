"""What if a process of the server is killed while it serves, as the kernel does it when memory runs out?"""

import os
import signal
import time
from collections.abc import Mapping
from contextlib import suppress

import psutil

from bench.faults.fault import Fault, Row, Scene
from bench.faults.shared import ARRIVED_S, FEW_CONNECTIONS, IN_FLIGHT, ROOT, TWO_WORKERS
from bench.testbed.servers.cost import sockets


def crash(scene: Scene) -> None:
    """Kill a process of each server while requests are in flight."""
    before = {row: {pid: sockets_of(pid) for pid in scene.answering(row)} for row in scene.servers}
    with scene.sending(*IN_FLIGHT):
        time.sleep(ARRIVED_S)
        for row, own in before.items():
            kill_busiest(scene, row, own)
        scene.ended()


def kill_busiest(scene: Scene, row: Row, before: Mapping[int, int]) -> None:
    """Kill the process to which most connections have come."""
    came = {pid: sockets_of(pid) - earlier for pid, earlier in before.items()}
    victim = max(came, key=came.__getitem__, default=scene.servers[row].process.pid)
    scene.note(row, connections=came.get(victim, 0), killed_is_main=victim == scene.servers[row].process.pid)
    scene.began(row)
    with suppress(ProcessLookupError):
        os.kill(victim, signal.SIGKILL)


def sockets_of(pid: int) -> int:
    """How many sockets a process has open; 0 if it has ended."""
    try:
        return sockets(psutil.Process(pid))
    except psutil.NoSuchProcess:
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
