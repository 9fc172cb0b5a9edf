"""What if the database goes away: it is restarted, ends idle connections, or is not there when a server starts?"""

import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace

from bench.faults.fault import Asked, Cure, Fault, Row, Scene
from bench.faults.own_cluster import own_cluster
from bench.faults.settings import ON_DATABASES, ON_SQLALCHEMY, on, with_variable
from bench.models import Model
from bench.models.servers import PATIENTLY
from bench.testbed.servers.life import ServerFailed

DOWN_S = 1.0
# A server or a worker that starts has started, or given up, within this time; if not, the database is back before.
# uvicorn may take 5 s to see that a worker is dead: so long it waits for a sign of life.
STARTED_WITHIN_S = 12.0
LOOK_S = 0.2
# As many requests at once as each server keeps connections.
AT_ONCE = 8
BURST_RPS = 400.0
TODO = Asked(path="/todos/1", rate_rps=10.0, timeout_s=10.0)
FEW = Asked(path="/todos/1", rate_rps=5.0, timeout_s=10.0)
ROOT = Asked(path="/", rate_rps=5.0, timeout_s=10.0)
FILL = Asked(path="{database_sleep}?seconds=0.15", rate_rps=BURST_RPS, timeout_s=10.0, requests=AT_ONCE)
BURST = Asked(path="/todos/1", rate_rps=BURST_RPS, timeout_s=10.0, requests=AT_ONCE)
# For connections to become idle, and for servers to be told that theirs have ended.
PAUSE_S = 0.3
# How long requests go on after these.
WATCHED_S = 2.5
# Connections of clients to this database that do nothing now, whichever server has them.
END_IDLE = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND backend_type = 'client backend' AND state = 'idle' AND pid <> pg_backend_pid()
"""

PRE_PING = Cure(
    name="pool_pre_ping",
    setting='SQLALCHEMY_ENGINE_OPTIONS = {"pool_pre_ping": True}',
    fits=on(ON_SQLALCHEMY),
    changed=with_variable("POOL_PRE_PING", 1),
)
EMPTY_POOL = Cure(
    name="min_size=0",
    setting="Database(url, min_size=0)",
    fits=on(ON_DATABASES),
    changed=with_variable("POOL_MIN_SIZE", 0),
)


def restart(scene: Scene) -> None:
    """The database is down for a moment."""
    with own_cluster(scene.testbed).stopped():
        time.sleep(DOWN_S)


def end_connections(scene: Scene) -> None:
    """The database ends the connections of full pools, all idle, and after a moment all are used again at once."""
    own_cluster(scene.testbed)
    with scene.sending(FILL):
        pass
    with scene.testbed.databases["postgres"].connect() as connection:
        time.sleep(PAUSE_S)
        scene.began()
        connection.exec_driver_sql(END_IDLE).all()
    time.sleep(PAUSE_S)
    scene.ended()
    with scene.sending(BURST):
        pass
    with scene.sending(TODO):
        time.sleep(WATCHED_S)


def start_without(scene: Scene) -> None:
    """Servers or workers start while the database is down; it comes back once they have started or given up."""
    with ThreadPoolExecutor(1) as pool:
        with own_cluster(scene.testbed).stopped():
            starts = pool.submit(scene.each, lambda row: begin_again(scene, row))
            with suppress(TimeoutError):
                starts.result(STARTED_WITHIN_S)
        starts.result()


def begin_again(scene: Scene, row: Row) -> None:
    """Kill a worker, which the server is to replace; a server that is one process is started again itself."""
    server = scene.servers[row]
    if server.info["pid"] != server.process.pid:
        scene.note(row, started="worker")
        kill_worker(scene, row)
        return
    scene.note(row, started="server")
    server.process.signal(signal.SIGKILL)
    server.process.stop()
    with suppress(ServerFailed):  # its end is what is looked for
        scene.start(row)


def with_its_own_patience(model: Model) -> Model:
    """The model as uvicorn is by default, if it is on uvicorn: with patience, it waits for a dead worker for long."""
    return replace(model, arguments=tuple(word for word in model.arguments if word not in PATIENTLY))


def kill_worker(scene: Scene, row: Row) -> None:
    """Kill a worker, and wait until another one answers or the whole server has ended."""
    server, old = scene.servers[row], scene.answering(row)
    with suppress(ProcessLookupError):
        os.kill(server.info["pid"], signal.SIGKILL)
    until = time.monotonic() + STARTED_WITHIN_S
    while server.process.running and not scene.answering(row) - old and time.monotonic() < until:
        time.sleep(LOOK_S)


DATABASE_RESTART = Fault(
    name="database-restart",
    title="the database is restarted",
    done=f"PostgreSQL is shut down (fast), stays away for {DOWN_S:.0f} s and is started again, while clients ask "
    "for `/` and for one row.",
    asked="Do requests fail although the database is back?",
    sources=(
        "https://docs.sqlalchemy.org/en/20/core/pooling.html#dealing-with-disconnects",
        "https://github.com/MagicStack/asyncpg/issues/421",
    ),
    inflict=restart,
    load=(ROOT, TODO),
    after_s=3.0,
    hurts_database=True,
    leaves_servers=True,
)
CONNECTIONS_ENDED = Fault(
    name="connections-ended",
    title="the database ends idle connections",
    done=f"Each server has used all connections of its pool at once. pg_terminate_backend() ends them, as an "
    f"administrator, a proxy or a firewall may, and {AT_ONCE} requests for one row come at once.",
    asked="Do requests fail for which a new connection could have been opened?",
    sources=(
        "https://docs.sqlalchemy.org/en/20/core/pooling.html#disconnect-handling-pessimistic",
        "https://github.com/MagicStack/asyncpg/issues/205",
    ),
    inflict=end_connections,
    cures=(PRE_PING,),
    before_s=0.0,
    after_s=0.0,
    hurts_database=True,
    pool=AT_ONCE,
    leaves_servers=True,
)
START_WITHOUT_DATABASE = Fault(
    name="start-without-database",
    title="a server or a worker starts while the database is down",
    done="PostgreSQL is shut down. Then one worker of each server is killed, for its server to replace it; a "
    "server that is one process is started again itself. PostgreSQL is back once all have started or ended.",
    asked="Is the server there when the database is?",
    sources=(
        "https://github.com/Kludex/uvicorn/pull/3001",
        "https://github.com/Kludex/uvicorn/issues/1115",
        "https://magicstack.github.io/asyncpg/current/api/index.html#connection-pools",
    ),
    inflict=start_without,
    changed=with_its_own_patience,
    load=(FEW,),
    cures=(EMPTY_POOL,),
    after_s=3.0,
    hurts_database=True,
)
