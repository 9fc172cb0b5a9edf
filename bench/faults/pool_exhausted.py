"""What if slow queries take all connections of a pool: who waits, how long, and what shortens it?"""

import time
from collections.abc import Callable

from bench.faults.fault import Asked, Cure, Fault, Scene
from bench.faults.settings import MORE_THREADS, ON_SQLALCHEMY, on, with_variable
from bench.models import Model

POOL = 4
SLOW_S = 1.2
SLOW_REQUESTS = 3 * POOL
# The last of them begins after twice that time; the fault ends for the clients shortly before the last one does.
LASTS_S = 2.8 * SLOW_S
STATEMENT_TIMEOUT_MS = 100
ACQUIRE_TIMEOUT_S = 1
SLOW = Asked(
    path=f"{{database_sleep}}?seconds={SLOW_S}",
    rate_rps=400.0,
    timeout_s=4 * SLOW_S,
    connections=SLOW_REQUESTS,
    requests=SLOW_REQUESTS,
)
# Each on a connection of its own, or it were chance whether they reach the process whose connections are taken. With
# them a server of 15 threads has none left after 0.2 s, and each one that becomes free is taken at once.
TODO = Asked(path="/todos/1", rate_rps=20.0, timeout_s=15.0, connections=80, keep_alive=False)
ROOT = Asked(path="/", rate_rps=10.0, timeout_s=15.0)


def one_process(apps: tuple[str, ...]) -> Callable[[Model], bool]:
    """Whether a model has one of these apps in one process, which has all connections to itself."""
    return lambda model: on(apps)(model) and model.workers == 1


def statement_timeout(setting: str, *apps: str) -> Cure:
    """The time-out for statements, as one writes it for these apps."""
    changed = with_variable("STATEMENT_TIMEOUT_MS", STATEMENT_TIMEOUT_MS)
    return Cure(name="statement_timeout", setting=setting, fits=one_process(apps), changed=changed)


ACQUIRE_TIMEOUT = Cure(
    name="time-out for a connection",
    setting=f'SQLALCHEMY_ENGINE_OPTIONS = {{"pool_timeout": {ACQUIRE_TIMEOUT_S}}}',
    fits=lambda model: one_process(ON_SQLALCHEMY)(model) and not model.blocks,
    changed=with_variable("POOL_TIMEOUT_S", ACQUIRE_TIMEOUT_S),
)
OPTIONS = f'{{"connect_args": {{"options": "-c statement_timeout={STATEMENT_TIMEOUT_MS}"}}}}'
STATEMENT_TIMEOUTS = (
    statement_timeout(f"SQLALCHEMY_ENGINE_OPTIONS = {OPTIONS}", *ON_SQLALCHEMY),
    statement_timeout(
        f'Database(url, server_settings={{"statement_timeout": "{STATEMENT_TIMEOUT_MS}"}})', "asyncio_app"
    ),
)


def exhaust(scene: Scene) -> None:
    """Send slow queries, three times as many as there are connections."""
    with scene.sending(SLOW):
        scene.began()
        time.sleep(LASTS_S)
        scene.ended()


POOL_EXHAUSTED = Fault(
    name="pool-exhausted",
    title="slow queries take all connections of the pool",
    done=f"{SLOW_REQUESTS} requests come at once whose query takes {SLOW_S:g} s; the server has {POOL} "
    "connections, which its processes share out. Meanwhile clients ask for one row, and for `/`, which needs none.",
    asked="Who waits meanwhile, and how long?",
    sources=(
        "https://docs.sqlalchemy.org/en/20/errors.html#error-3o7r",
        "https://www.postgresql.org/docs/current/runtime-config-client.html#GUC-STATEMENT-TIMEOUT",
    ),
    inflict=exhaust,
    load=(ROOT, TODO),
    cures=(MORE_THREADS, ACQUIRE_TIMEOUT, *STATEMENT_TIMEOUTS),
    after_s=3.0,
    pool=POOL,
)
