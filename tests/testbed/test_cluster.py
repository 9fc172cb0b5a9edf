"""The cluster of the faults goes and comes back, and hangs; it does not outlive the bench, and is not left stopped."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psutil
import psycopg2
import pytest
from processes import PATIENCE_S, gone, wait_until

from bench.errors import BenchError
from bench.testbed.databases.cluster import Cluster, Shutdown
from bench.testbed.databases.embedded_postgres import embedded_postgres
from bench.testbed.processes.process import GuardedProcess

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with embedded_postgres(tmp_path_factory.mktemp("cluster")) as database:
        assert isinstance(database.server, Cluster)
        yield database.server


def connected(cluster: Cluster, seconds: int = 10) -> "closing[psycopg2.extensions.connection]":
    """A connection outside any transaction, refused or made within so many seconds."""
    connection = psycopg2.connect(cluster.files.url, connect_timeout=seconds)
    connection.autocommit = True
    return closing(connection)


def number(connection: psycopg2.extensions.connection, query: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(query)
        return int(cursor.fetchone()[0])


def processes(cluster: Cluster) -> list[psutil.Process]:
    """The cluster's own, the first one first."""
    first = psutil.Process(cluster.pid)
    return [first, *first.children(recursive=True)]


def stopped(found: list[psutil.Process]) -> list[bool]:
    return [process.status() == psutil.STATUS_STOPPED for process in found]


@pytest.mark.parametrize("shutdown", ["fast", "immediate"])
def test_a_restart_ends_connections_and_keeps_port_and_data(cluster: Cluster, shutdown: Shutdown) -> None:
    table, before = f"kept_{shutdown}", cluster.pid
    with connected(cluster) as connection:
        with connection.cursor() as cursor:
            cursor.execute(f"SET synchronous_commit = on; CREATE TABLE {table} AS SELECT 7 AS n")
        with cluster.stopped(shutdown):
            with pytest.raises(psycopg2.OperationalError, match=r"terminating connection|closed the connection"):
                number(connection, "SELECT 1")
            with pytest.raises(psycopg2.OperationalError, match="refused"):
                connected(cluster)
            assert gone(before)
    assert cluster.pid != before
    with connected(cluster) as connection:
        assert number(connection, f"SELECT n FROM {table}") == 7


def test_a_frozen_cluster_answers_nobody_and_then_all(cluster: Cluster) -> None:
    with connected(cluster) as connection:
        backend = number(connection, "SELECT pg_backend_pid()")
        with cluster.frozen(60):
            found = processes(cluster)
            assert backend in [process.pid for process in found]
            assert all(stopped(found))
            with pytest.raises(psycopg2.OperationalError, match="timeout expired"):
                connected(cluster, seconds=2)  # libpq's least
        wait_until(lambda: not any(stopped(processes(cluster))), "all go on")
        assert number(connection, "SELECT 1") == 1


def test_what_is_frozen_for_too_long_goes_on_by_itself(cluster: Cluster) -> None:
    with pytest.raises(BenchError, match=r"was to be stopped for 0\.01 s at most"), cluster.frozen(0.01):
        wait_until(lambda: not any(stopped(processes(cluster))), "all go on")
    with cluster.frozen(60):  # and can be frozen again
        assert all(stopped(processes(cluster)))


def test_what_has_ended_cannot_be_frozen(tmp_path: Path) -> None:
    with GuardedProcess([sys.executable, "-c", ""], log=tmp_path / "log", name="the command") as process:
        assert process.wait(PATIENCE_S) == 0
        with pytest.raises(BenchError, match="the command cannot be stopped for a while"), process.frozen(1):
            pass


BENCH = """
import sys, time
from pathlib import Path
import psycopg2
from bench.testbed.databases.embedded_postgres import embedded_postgres
with embedded_postgres(Path(sys.argv[1])) as database:
    connection = psycopg2.connect(database.url)
    cluster = database.server
    print("pids", cluster.pid, connection.info.backend_pid, flush=True)
    with getattr(cluster, sys.argv[2])(*map(float, sys.argv[3:])):
        print("ready", flush=True)
        time.sleep(600)
"""


@pytest.mark.parametrize("first_killed", ["bench", "postmaster"])
def test_kill_9_leaves_nothing_stopped_and_nothing_running(first_killed: str, tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", BENCH, str(tmp_path), "frozen", "600"], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as bench:
        assert bench.stdout is not None
        _, *pids = bench.stdout.readline().split()
        assert bench.stdout.readline() == "ready\n"
        left = [process.pid for process in psutil.Process(bench.pid).children(recursive=True)]
        assert {int(pid) for pid in pids} < set(left)
        assert all(psutil.Process(int(pid)).status() == psutil.STATUS_STOPPED for pid in pids)
        if first_killed == "postmaster":
            psutil.Process(int(pids[0])).kill()
        bench.kill()
    wait_until(lambda: gone(*left), "every process has ended")


def test_kill_9_while_the_cluster_is_down_leaves_nothing_running(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", BENCH, str(tmp_path), "stopped"], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as bench:
        assert bench.stdout is not None
        assert [bench.stdout.readline()[:4], bench.stdout.readline()] == ["pids", "ready\n"]
        left = [process.pid for process in psutil.Process(bench.pid).children(recursive=True)]
        bench.kill()
    wait_until(lambda: gone(*left), "every process has ended")
