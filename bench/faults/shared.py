"""What do several faults have in common? Requests in flight, cures by other processes, and how something hangs."""

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace

from bench.faults.fault import Asked, Cure, Scene
from bench.models import Model
from bench.models.servers import PATIENTLY

ROOT = Asked(path="/", rate_rps=20.0, timeout_s=60.0, connections=1_000)
"""Asked of every server, and as cheap as a request can be: it tells when a server does not answer."""
IN_FLIGHT = (
    Asked(path="/sleep/python/?seconds=2", rate_rps=20.0, timeout_s=30.0, requests=2),
    Asked(path="/sleep/python/?seconds=3", rate_rps=20.0, timeout_s=30.0, requests=1),
)
"""Sent just before something happens to a server. A server of one request at a time works on the first of them."""
ARRIVED_S = 0.5
"""After so long they are in flight, on a busy machine too."""
FEW_CONNECTIONS = {"POOL_SIZE": "2"}
"""These faults do not ask the database, and two servers of a row may be up at once."""


def is_uvicorn(model: Model) -> bool:
    """Whether uvicorn serves it."""
    return model.distribution == "uvicorn"


def alone_on_uvicorn(model: Model) -> bool:
    """Whether one uvicorn process serves it, which nobody watches over."""
    return is_uvicorn(model) and model.workers == 1


TWO_WORKERS = Cure(
    name="two workers",
    setting="uvicorn --workers 2 --timeout-worker-healthcheck 60",
    fits=alone_on_uvicorn,
    changed=lambda model: replace(model, workers=2, arguments=(*model.arguments, *PATIENTLY)),
)
"""With more than one, uvicorn has a process that watches over the others."""


HANGS_S = 3.0
"""How long a database or a service hangs."""
# After so long it goes on in any case, and the fault has failed.
AT_MOST_S = 4 * HANGS_S


def hang(scene: Scene, frozen: Callable[[float], AbstractContextManager[None]]) -> None:
    """Something that servers wait for is stopped for a while; `frozen` stops it for so many seconds at most."""
    with frozen(AT_MOST_S):
        scene.began()
        time.sleep(HANGS_S)
        scene.ended()  # before it goes on, so that what is answered then counts as answered after it
