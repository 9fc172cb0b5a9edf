"""Who else is answered while one request computes?

`computed_s` is noted: how long the request took that computed, None if it failed.
"""

import time
from dataclasses import replace
from http.client import HTTPConnection, HTTPException

from bench.faults.fault import Asked, Cure, Fault, Row, Scene
from bench.faults.sockets import address
from bench.models import MODELS, Model

COMPUTING_S = 1.0
# The bench's servers share their core with each other, and a busy machine may have little of it left.
TIMEOUT_S = 20 * COMPUTING_S
# So many servers compute at a time: others, and the load, need cores too.
AT_ONCE = 2
WORKERS = 2


def compute(scene: Scene, path: str = f"/cpu/?milliseconds={COMPUTING_S * 1000:.0f}") -> None:
    """One request of each server that computes, of two servers at a time: on more cores than two, all the better."""

    def ask(row: Row) -> None:
        scene.began(row)
        scene.note(row, computed_s=asked_once(scene, row, path))
        scene.ended(row)

    rows = list(scene.servers)
    for first in range(0, len(rows), AT_ONCE):
        scene.each(ask, rows[first : first + AT_ONCE])


def asked_once(scene: Scene, row: Row, path: str) -> float | None:
    """How long an answer takes; None if there is none, or a bad one."""
    began_s = time.monotonic()
    connection = HTTPConnection(*address(scene, row), timeout=TIMEOUT_S)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        answer.read()
        return time.monotonic() - began_s if answer.status == 200 else None
    except (OSError, HTTPException):
        return None
    finally:
        connection.close()


def has_sibling(model: Model) -> bool:
    """Whether the registry has the same with more processes, which needs no cure to be tried."""
    return any(other.app == model.app and other.loop == model.loop and other.workers > 1 for other in MODELS)


MORE_WORKERS = Cure(
    name=f"{WORKERS} workers",
    setting=f"--workers {WORKERS}",
    fits=lambda model: model.workers == 1 and model.threads == 1 and model.has_workers and not has_sibling(model),
    changed=lambda model: replace(model, workers=WORKERS),
)
COMPUTING = Fault(
    name="computing",
    title="one request computes",
    done=f"One request to /cpu/ computes for {COMPUTING_S:.0f} s of CPU time while other clients ask for /.",
    asked="Who else is answered while one request computes?",
    sources=(
        "https://docs.python.org/3/library/asyncio-dev.html#running-blocking-code",
        "https://www.gevent.org/intro.html#cooperative-multitasking",
        "https://docs.gunicorn.org/en/stable/design.html#how-many-workers",
    ),
    inflict=compute,
    load=(Asked(path="/", rate_rps=20.0, timeout_s=TIMEOUT_S),),
    cures=(MORE_WORKERS,),
    after_s=3.0,
    leaves_servers=True,
)
