"""A run on several machines: what is asked of a machine that is not the bench's own, and one results file of it."""

import os
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("distributed", reason="the extra 'cluster' is not installed")

from bench.cluster.connection import Address, AgentOf, Connection
from bench.cluster.joined import Cluster, check_alike, joining
from bench.errors import BenchError
from bench.load import LoadJob, SlicesJob, Target
from bench.measuring.session import Inquiry, Place, Session
from bench.models import find_models
from bench.results import load_run
from bench.scenarios import SCENARIOS
from bench.scenarios.base import Options, Workload
from bench.testbed.servers.life import ServerFailed, serving
from bench.testbed.testbed import TestBed
from tests.clusters import Machines, on_loopback
from tests.listeners import Heard
from tests.processes import gone, wait_until

MODEL, ASYNCIO = find_models("gevent,asyncio-bridge")


@pytest.fixture(scope="module")
def machines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machines]:
    with on_loopback(tmp_path_factory.mktemp("cluster")) as ready:
        yield ready


@pytest.fixture
def cluster(machines: Machines) -> Iterator[Cluster]:
    with Connection(Address(machines.url)) as connection:
        yield Cluster(connection)


def test_a_server_there_is_asked_the_same_as_one_here(cluster: Cluster, test_bed: TestBed, tmp_path: Path) -> None:
    server_machine = cluster.server
    with serving(MODEL, test_bed.environment(MODEL), tmp_path, machine=server_machine) as server:
        assert server.url.startswith("http://127.0.0.3:")
        pids = server.pids()
        assert set(pids) >= {server.process.pid, server.info["pid"]}
        if len(os.sched_getaffinity(0)) > 1:
            assert all(os.sched_getaffinity(pid) == set(server_machine.server_cores()) for pid in pids)
        with server.meter() as meter:
            pass
        assert meter.cost.processes == len(pids)
        assert server.held().rss_bytes > 10_000_000
        assert server_machine.file_limit(server.info["pid"]) is not None
        assert server.process.running
        assert server.process.ended() == ""
        assert server.process.log_since(server.process.log_bytes()) == ""
    assert gone(*pids)
    assert (tmp_path / "gevent.log").exists(), "its log has come here"


def test_a_worker_that_has_served_a_bench_has_all_its_cores_for_the_next(machines: Machines) -> None:
    found = []
    for _ in range(2):
        with Connection(Address(machines.url)) as connection:
            cluster = Cluster(connection)
            agents = (cluster.server.agent, *cluster.loads)
            found.append([(one.facts["server_cores"], one.facts["other_cores"]) for one in agents])
    assert found[0] == found[1]
    if len(os.sched_getaffinity(0)) > 1:
        assert all(own and other for own, other in found[0])


def test_a_server_that_does_not_start_there_says_why_with_its_log(cluster: Cluster, tmp_path: Path) -> None:
    with (
        pytest.raises(ServerFailed, match=r"lab-server \(127\.0\.0\.3\), ended with exit code [1-9]"),
        serving(ASYNCIO, {"DATABASE_URL": "no url"}, tmp_path, machine=cluster.server),
    ):
        pass


def test_several_load_machines_send_slices_and_the_clocks_of_the_server_are_read_there(
    cluster: Cluster, test_bed: TestBed, tmp_path: Path
) -> None:
    with (
        serving(MODEL, test_bed.environment(MODEL), tmp_path, machine=cluster.server) as server,
        cluster.generator(cluster.generators) as generator,
    ):
        assert generator.processes == 2
        host, port = server.url.removeprefix("http://").split(":")
        target = Target(job=LoadJob(host=host, port=int(port), connections=4), pids=server.pids())
        clocks = cluster.server.clocks
        found = generator.slices(SlicesJob(targets=(target,), cycles=3, slice_s=0.05, clocks=clocks))
        generator.processes = 1
        alone = generator.slices(SlicesJob(targets=(target,), cycles=3, slice_s=0.05, clocks=clocks))
    for result in (found, alone):
        assert len(result.slices) == 3
        assert all(one.good and not one.errors and one.cpu_s > 0 for one in result.slices)
    assert all(len(one.shares_offered) == 2 for one in found.slices)


def test_a_run_on_a_cluster_is_a_results_file_like_any_other(machines: Machines, tmp_path: Path) -> None:
    scenario = replace(SCENARIOS["throughput"], workloads=lambda options: [Workload("GET /", {"path": "/"})])
    options = Options(generations=1, cycles=2, budget_s=0, seed=1)
    heard, place = Heard(), Place(out=tmp_path / "run", joined=joining(Address(machines.url)))
    run = Session(place).carry_out(Inquiry("throughput", [scenario], [MODEL, ASYNCIO], options), heard)
    read = load_run(run.folder)
    assert {cell.model for cell in read.cells.values()} == {"gevent", "gevent (again)", "asyncio-bridge"}
    assert not [one.reason for cell in read.cells.values() for one in cell.observations if one.state == "ERRORS"]
    found = read.environment["machines"]
    assert found.keys() == {"server", "load lab-load-1", "load lab-load-2"}
    assert all(one["round_trip_s"] > 0 and one["cores"] for one in found.values())
    assert (run.folder / "logs" / "gevent.log").exists()
    assert "servers on lab-server (127.0.0.3); load from lab-load-1" in " ".join(heard.names)


def test_machines_that_are_not_alike_are_refused_by_name(cluster: Cluster) -> None:
    agent = cluster.loads[1]
    check_alike([agent])
    odd = odd_one(agent)
    with pytest.raises(BenchError, match=r"lab-load-2 \(127.0.0.5\) is not like this machine: python 3.9.1 there and "
                                         r"3.* here; flask 0.1 there and .* here; install the same"):  # fmt: skip
        check_alike([agent, odd])


def odd_one(agent: AgentOf) -> AgentOf:
    """The same machine with other versions."""
    odd = object.__new__(AgentOf)
    odd.worker = agent.worker
    odd.facts = {**agent.facts, "python": "3.9.1", "packages": {**agent.facts["packages"], "flask": "0.1"}}
    return odd


def test_what_a_bench_has_started_ends_with_its_lease(machines: Machines, test_bed: TestBed, tmp_path: Path) -> None:
    connection = Connection(Address(machines.url))
    cluster = Cluster(connection)
    started = serving(MODEL, test_bed.environment(MODEL), tmp_path, machine=cluster.server)
    server = started.__enter__()
    generator = cluster.generator(1)
    worker = generator.started(0)
    pids = server.pids()
    connection._closed.set()  # nobody renews the lease any more
    began = time.monotonic()
    wait_until(lambda: gone(*pids), "the end of a server whose bench is not heard of", 40)
    assert time.monotonic() - began < 30
    worker.end()
    connection.client.close(timeout=2)
