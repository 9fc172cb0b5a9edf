"""What do clients see of a deploy, when a server is told to end and the next one starts, or to reload?"""

import signal
import time
from collections.abc import Sequence
from dataclasses import replace

from bench.faults.fault import Asked, Cure, Fault, Row, Scene
from bench.faults.shared import ARRIVED_S, FEW_CONNECTIONS, IN_FLIGHT, ROOT, TWO_WORKERS, is_uvicorn
from bench.models import Model
from bench.testbed.processes.process import GuardedProcess
from bench.testbed.servers.life import Server

# Servers end within 3 to 7 s where they have a core to themselves. One that needs longer is killed, as systemd does it
# after TimeoutStopSec (90 s).
ENDS_WITHIN_S = 20.0
# uvicorn replaces its workers one after the other, and waits for each one's requests: some 3 s a worker where it has a
# core to itself. gunicorn ends the old workers before the new ones have imported the application, so nobody answers
# for a while.
RELOADS_WITHIN_S = 90.0
LOOK_S = 0.05


def deploy(scene: Scene, in_flight: Sequence[Asked] = IN_FLIGHT) -> None:
    """Every server is told to end (SIGTERM to its main process) and is followed by another at the same address.

    The next one starts when the last one has ended, as `systemctl restart` has it. Only a row whose servers are given
    their socket has the next one first.
    """
    ahead = [row for row in scene.servers if row.model.takes_socket]
    old = dict(scene.servers)
    scene.each(lambda row: start_next(scene, row), ahead)
    with scene.sending(*in_flight):
        time.sleep(ARRIVED_S)
        scene.each(lambda row: replace_server(scene, row, old[row]))


def start_next(scene: Scene, row: Row) -> None:
    """Start the next server beside the one that serves."""
    scene.began(row)
    scene.start(row)


def replace_server(scene: Scene, row: Row, old: Server) -> None:
    """End the server, and start the next one unless it is there."""
    if scene.servers[row] is old:
        scene.began(row)
    began = time.monotonic()
    code = ended(old.process)
    scene.note(row, exit_code=code, exit_s=round(time.monotonic() - began, 2))
    if scene.servers[row] is old:
        scene.start(row)
    scene.ended(row)


def ended(process: GuardedProcess) -> int | None:
    """Tell the server to end, and wait for it; it is killed if it takes too long. Its exit code."""
    process.signal(signal.SIGTERM)
    if process.wait(ENDS_WITHIN_S) is None:
        process.signal(signal.SIGKILL)
    return process.wait(ENDS_WITHIN_S)


def reload(scene: Scene) -> None:
    """Every server is told to reload (SIGHUP to its main process)."""
    old = {row: scene.answering(row) for row in scene.servers}
    with scene.sending(*IN_FLIGHT):
        time.sleep(ARRIVED_S)
        scene.each(lambda row: reload_one(scene, row, old[row]))


def reload_one(scene: Scene, row: Row, old: set[int]) -> None:
    """Tell the server to reload, and wait until new workers have followed all old ones, or the server has ended."""
    server = scene.servers[row]
    scene.began(row)
    server.process.signal(signal.SIGHUP)
    until = time.monotonic() + RELOADS_WITHIN_S
    while server.process.running and old & set(server.pids()) and time.monotonic() < until:
        time.sleep(LOOK_S)
    while server.process.running and len(scene.answering(row)) < len(old) and time.monotonic() < until:
        time.sleep(LOOK_S)
    scene.ended(row)
    left = set(server.pids())
    scene.note(row, reloaded=bool(left) and not old & left)


def given_socket(model: Model, own: tuple[str, ...], given: tuple[str, ...]) -> Model:
    """The model with these arguments in place of those by which it opens its socket itself."""
    place = model.arguments.index(own[0])
    arguments = (*model.arguments[:place], *given, *model.arguments[place + len(own) :])
    return replace(model, arguments=arguments)


GUNICORN_BINDS = ("--bind", "{host}:{port}")
UVICORN_BINDS = ("--host", "{host}", "--port", "{port}")
OUTLIVING = "a socket that outlives the server"
OUTLIVING_SOCKET = (
    Cure(
        name=OUTLIVING,
        setting="gunicorn --bind fd://3, where 3 is a listening socket that stays open; start the next server, then "
        "end the last one (SIGTERM)",
        fits=lambda model: model.distribution == "gunicorn",
        changed=lambda model: given_socket(model, GUNICORN_BINDS, ("--bind", "fd://{fd}")),
    ),
    Cure(
        name=OUTLIVING,
        setting="uvicorn --fd 3, where 3 is a listening socket that stays open; start the next server, then end the "
        "last one (SIGTERM)",
        fits=is_uvicorn,
        changed=lambda model: given_socket(model, UVICORN_BINDS, ("--fd", "{fd}")),
    ),
)

DEPLOY = Fault(
    name="deploy",
    title="the server is told to end (SIGTERM) while it serves, and the next one starts",
    done="SIGTERM to the main process while 20 requests a second for `/` are under way, and three that wait 2 and "
    "3 s in Python; when it has ended, the next server starts on the same port, as `systemctl restart` does it.",
    asked="Are requests in flight finished, and what becomes of those that come meanwhile?",
    sources=(
        "https://github.com/benoitc/gunicorn/issues/3397",
        "https://github.com/Kludex/uvicorn/issues/2757",
        "https://github.com/benoitc/gunicorn/issues/922",
        "https://gunicorn.org/signals/",
    ),
    inflict=deploy,
    load=(ROOT,),
    cures=OUTLIVING_SOCKET,
    after_s=3.0,
    environment=FEW_CONNECTIONS,
)
RELOAD = Fault(
    name="reload",
    title="the server is told to reload (SIGHUP) while it serves",
    done="SIGHUP to the main process while 20 requests a second for `/` are under way, and three that wait 2 and "
    "3 s in Python.",
    asked="Does it load its code anew without losing a request?",
    sources=(
        "https://gunicorn.org/signals/",
        "https://github.com/Kludex/uvicorn/pull/2183",
        "https://github.com/Kludex/uvicorn/pull/2931",
    ),
    inflict=reload,
    load=(ROOT,),
    cures=(TWO_WORKERS,),
    after_s=3.0,
    environment=FEW_CONNECTIONS,
)
