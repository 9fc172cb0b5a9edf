"""How many connections are left, and how many servers that is enough for."""

from contextlib import ExitStack
from pathlib import Path

import pytest

from bench.models import POOL, find_models
from bench.testbed.databases.connections import MARGIN, MAX_CONNECTIONS, ConnectionHeadroom
from bench.testbed.testbed import open_testbed

(GEVENT,) = find_models("gevent")


@pytest.mark.parametrize(
    ("headroom", "pool", "servers"),
    [
        (ConnectionHeadroom(MAX_CONNECTIONS, 3, 0, 0), POOL, 12),
        (ConnectionHeadroom(100, 3, 0, 0), POOL, 5),
        (ConnectionHeadroom(100, 3, 27, 27), POOL, 4),
        (ConnectionHeadroom(100, 3, 28, 28), POOL, 3),
        (ConnectionHeadroom(100, 3, 80, 80), POOL, 1),
        (ConnectionHeadroom(100, 3, 97, 97), POOL, 1),
        (ConnectionHeadroom(100, 3, 0, 0), 60, 1),
        (ConnectionHeadroom(100, 3, 0, 0), 0, 87),
    ],
)
def test_as_many_servers_fit_as_have_their_pools_and_leave_some_connections(
    headroom: ConnectionHeadroom, pool: int, servers: int
) -> None:
    assert headroom.servers_that_fit(pool) == servers


def test_a_new_embedded_server_has_room_for_twelve_servers(tmp_path: Path) -> None:
    with open_testbed(None, tmp_path) as ready, ExitStack() as opened:
        before = ready.headroom(GEVENT)
        assert (before.max_connections, before.servers_that_fit(POOL)) == (MAX_CONNECTIONS, 12)
        for _ in range(12 * POOL):
            opened.enter_context(ready.database_of(GEVENT).connect())
        after = ready.headroom(GEVENT)
        assert after.taken == before.taken + 12 * POOL
        assert MARGIN <= after.free < MARGIN + POOL
        assert after.servers_that_fit(POOL) == 1
