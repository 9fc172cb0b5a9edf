"""What if slow queries take all connections of a pool: who waits, how long, and what shortens it?"""

import time

from bench.faults.fault import Asked, Cure, Fault, Scene
from bench.faults.settings import MORE_THREADS, ON_DATABASES, ON_SQLALCHEMY, on, with_variable

POOL = 4
SLOW_S = 1.2
SLOW_REQUESTS = 3 * POOL
# The last of them begins after twice that time; the fault ends for the clients shortly before the last one does.
LASTS_S = 2.8 * SLOW_S
STATEMENT_TIMEOUT_MS = 200
ACQUIRE_TIMEOUT_S = 1
SLOW = Asked(
    path=f"{{database_sleep}}?seconds={SLOW_S}",
    rate_rps=400.0,
    timeout_s=4 * SLOW_S,
    connections=SLOW_REQUESTS,
    requests=SLOW_REQUESTS,
)
TODO = Asked(path="/todos/1", rate_rps=5.0, timeout_s=15.0)
ROOT = Asked(path="/", rate_rps=10.0, timeout_s=15.0)

ACQUIRE_TIMEOUT = Cure(
    name="time-out for a connection",
    setting=f'SQLALCHEMY_ENGINE_OPTIONS = {{"pool_timeout": {ACQUIRE_TIMEOUT_S}}}',
    fits=lambda model: on(ON_SQLALCHEMY)(model) and not model.blocks and model.workers == 1,
    changed=with_variable("POOL_TIMEOUT_S", ACQUIRE_TIMEOUT_S),
)
STATEMENT_TIMEOUTS = tuple(
    Cure(
        name="statement_timeout",
        setting=setting,
        fits=lambda model, apps=apps: on(apps)(model) and model.workers == 1,  # type: ignore[misc]
        changed=with_variable("STATEMENT_TIMEOUT_MS", STATEMENT_TIMEOUT_MS),
    )
    for apps, setting in (
        (
            ON_SQLALCHEMY,
            'SQLALCHEMY_ENGINE_OPTIONS = {"connect_args": {"options": '
            f'"-c statement_timeout={STATEMENT_TIMEOUT_MS}"}}}}',
        ),
        (ON_DATABASES, f'Database(url, server_settings={{"statement_timeout": "{STATEMENT_TIMEOUT_MS}"}})'),
    )
)


def exhaust(scene: Scene) -> None:
    """Send slow queries, three times as many as there are connections."""
    with scene.sending(SLOW):
        time.sleep(LASTS_S)
        scene.ended()


FAULTS = (
    Fault(
        name="pool-exhausted",
        title="slow queries take all connections of the pool",
        done=f"{SLOW_REQUESTS} requests come at once whose query takes {SLOW_S:g} s; the server has {POOL} "
        "connections, which its processes share out. Meanwhile clients ask for one row, and for /, which needs none.",
        asked="Who waits meanwhile, and how long?",
        sources=(
            "https://docs.sqlalchemy.org/en/20/errors.html#error-3o7r",
            "https://www.postgresql.org/docs/current/runtime-config-client.html#GUC-STATEMENT-TIMEOUT",
        ),
        inflict=exhaust,
        load=(ROOT, TODO),
        cures=(MORE_THREADS, ACQUIRE_TIMEOUT, *STATEMENT_TIMEOUTS),
        after_s=2.5,
        pool=POOL,
    ),
)
