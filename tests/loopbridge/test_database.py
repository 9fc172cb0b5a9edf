"""Requests whose clients go away while the view waits in the database, or for one of its connections."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack
from urllib.parse import urlsplit

import pytest
from served_apps import until
from sqlalchemy import text

from bench.load.burst import send_at_once
from bench.models import find_models
from bench.testbed.servers.life import Server, serving
from bench.testbed.testbed import TestBed

POOL = 4
WAVE_S = 0.8
(ASYNCIO,) = find_models("asyncio-bridge")


@pytest.fixture
def server(test_bed: TestBed) -> Iterator[Server]:
    environment = test_bed.environment(ASYNCIO) | {"POOL_SIZE": str(POOL)}
    with serving(ASYNCIO, environment, test_bed.logs) as running:
        yield running


def sleeping(test_bed: TestBed) -> int:
    """How many of PostgreSQL's processes are in pg_sleep."""
    with test_bed.database_of(ASYNCIO).connect() as connection:
        return int(
            connection.execute(text("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'")).scalar_one()
        )


def test_abandoned_requests_give_their_connections_back(test_bed: TestBed, server: Server) -> None:
    """Three times as many as there are connections: a third is in the database, the others wait for the pool."""
    address = urlsplit(server.url)
    with ExitStack() as clients:
        for _ in range(3 * POOL):
            client = clients.enter_context(socket.create_connection((address.hostname, address.port), timeout=30))
            client.sendall(b"GET /sleep/postgres/?seconds=50 HTTP/1.1\r\nHost: x\r\n\r\n")
        until(lambda: sleeping(test_bed) == POOL)
    until(lambda: sleeping(test_bed) == 0)

    answers = send_at_once(server.url, f"/sleep/postgres/?seconds={WAVE_S}", 3 * POOL, 30, lambda _: None)
    assert [answer.status for answer in answers] == [200] * 3 * POOL
    ends = [answer.end_s for answer in answers]
    assert ends[POOL - 1] < 2 * WAVE_S <= ends[POOL]  # full waves: as many connections as before, and no more
    assert ends[2 * POOL - 1] < 3 * WAVE_S <= ends[2 * POOL]
    assert sleeping(test_bed) == 0
