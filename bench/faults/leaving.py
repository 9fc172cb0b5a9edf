"""What becomes of a query whose client has left, and how long do such orphans keep others from the database?

Noted are `clients`, `queries` (how many of theirs ran when they left), `queries_left` (how many ran LOOK_S later) and
`stopped_s` (how long after they left the last one was seen; None if some still ran). All but the first are None where
the database does not say whose a query is: behind a connection pooler, or on a Unix socket.
"""

import asyncio
import socket
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace

from sqlalchemy import Connection

from bench.faults.fault import Asked, Cure, Fault, Row, Scene
from bench.faults.mixed_requests import all_rows, fill_pool
from bench.faults.sockets import CONNECT_S, address, allow_sockets, row_of_pid, row_of_port

CONNECTIONS = 15
# More than each server has connections to the database.
CLIENTS = 20
QUERY_S = 3
# They leave so soon, or a little later if the queries of one server are not under way by then.
LEAVE_AFTER_S = 0.5
LEAVE_AT_LAST_S = 2.0
# By then a time-out of a second has ended all queries, those that had to wait for a connection too. Those that nobody
# stops go on: when the first have ended by themselves, others have just begun.
LOOK_S = 3.0
PAUSE_S = 0.05
SLEEPING = (
    "SELECT client_port FROM pg_stat_activity WHERE state = 'active' AND query LIKE '%pg_sleep%'"
    " AND client_port > 0 AND pid <> pg_backend_pid()"
)
LIMIT_S = 1


def leave(scene: Scene) -> None:
    """Clients of all servers ask for something that takes the database long, and leave."""
    allow_sockets(CLIENTS * len(scene.servers))
    (database,) = {scene.testbed.database_of(row.model) for row in scene.servers}
    asyncio.run(all_rows(scene, fill_pool))
    rows = row_of_port(row_of_pid(scene), database)
    with database.connect() as connection:
        scene.began()
        began_s = time.monotonic()
        clients = [client for row in scene.servers for client in ask(scene, row)]
        before = under_way(connection, rows, began_s)
        for client in clients:
            client.close()
        scene.ended()
        look_on(scene, connection, rows, before)


def under_way(connection: Connection, rows: Mapping[int, Row], began_s: float) -> dict[Row, int]:
    """How many queries run for each row's clients, as soon as some do for all."""
    time.sleep(max(0.0, began_s + LEAVE_AFTER_S - time.monotonic()))
    while not all((running := queries(connection, rows)).values()) and time.monotonic() < began_s + LEAVE_AT_LAST_S:
        time.sleep(PAUSE_S)
    return running


def ask(scene: Scene, row: Row) -> list[socket.socket]:
    """Connections to a server, each with a request under way; fewer if it takes no more."""
    clients = []
    with suppress(OSError):
        for _ in range(CLIENTS):
            client = socket.create_connection(address(scene, row), CONNECT_S)
            clients.append(client)
            client.sendall(f"GET {row.model.database_sleep}?seconds={QUERY_S} HTTP/1.1\r\nHost: bench\r\n\r\n".encode())
    return clients


def queries(connection: Connection, rows: Mapping[int, Row]) -> dict[Row, int]:
    """How many queries run for each row's clients."""
    counts = dict.fromkeys(rows.values(), 0)
    for port in connection.exec_driver_sql(SLEEPING.replace("%", "%%")).scalars():
        if port in rows:
            counts[rows[port]] += 1
    return counts


def look_on(scene: Scene, connection: Connection, rows: Mapping[int, Row], before: Mapping[Row, int]) -> None:
    """Note until when each row's queries run."""
    left_s, running = time.monotonic(), dict(before)
    stopped_s = dict.fromkeys(before, 0.0)
    while time.monotonic() < left_s + LOOK_S:
        time.sleep(PAUSE_S)
        running, after_s = queries(connection, rows), time.monotonic() - left_s
        stopped_s |= {row: after_s for row, count in running.items() if count}
    for row in scene.servers:
        left = running.get(row)
        stopped = stopped_s.get(row) if not left else None
        scene.note(row, clients=CLIENTS, queries=before.get(row), queries_left=left, stopped_s=stopped)


STATEMENT_TIMEOUT = Cure(
    name="statement time-out",
    setting=f"PGOPTIONS='-c statement_timeout={LIMIT_S}s' in the environment of psycopg2; it ends every statement that "
    "takes longer, and none sooner because its client has left",
    fits=lambda model: model.app == "gevent_app" and model.database == "postgres",
    changed=lambda model: replace(
        model, environment={**model.environment, "PGOPTIONS": f"-c statement_timeout={LIMIT_S}s"}
    ),
)
CLIENTS_LEAVE = Fault(
    name="clients-leave",
    title="clients leave before their query has ended",
    done=f"{CLIENTS} clients of each server ask for a query of {QUERY_S} s and close their connection after "
    f"{LEAVE_AFTER_S} s, while other clients ask for / and for a row of the database.",
    asked="Is the query of a client that has left stopped, and when are others served again?",
    sources=(
        "https://github.com/netbox-community/netbox/pull/23129",
        "https://github.com/benoitc/gunicorn/issues/2577",
        "https://github.com/fastapi/fastapi/issues/3766",
        "https://www.postgresql.org/docs/current/runtime-config-client.html#GUC-STATEMENT-TIMEOUT",
        "https://www.postgresql.org/docs/current/libpq-envars.html",
    ),
    inflict=leave,
    load=(Asked(path="/", rate_rps=5.0, timeout_s=10.0), Asked(path="/todos/1", rate_rps=5.0, timeout_s=10.0)),
    cures=(STATEMENT_TIMEOUT,),
    fits=lambda model: model.database == "postgres",
    pool=CONNECTIONS,
    after_s=5.0,  # a process of several may have more clients than connections, and so serve them in two turns
)
