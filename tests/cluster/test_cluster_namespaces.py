"""Five machines in network namespaces, as a laboratory has them: bench, two for load, server, database."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import takewhile
from pathlib import Path

import pytest

pytest.importorskip("distributed", reason="the extra 'cluster' is not installed")

from bench.files import ROOT
from bench.judging import judge
from bench.results import load_run
from tests.clusters import SETTINGS, Machines
from tests.namespaces import address, cable, connected, inside, namespaces, why_not
from tests.processes import wait_until

NAMES = ("planner", "load-1", "load-2", "server", "database")
ADDRESSES = {name: address(place) for place, name in enumerate(NAMES, start=1)}
LIMIT_S = 600


@pytest.fixture(scope="module")
def machines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machines]:
    if reason := why_not():
        pytest.skip(reason)
    url, logs = f"tcp://{ADDRESSES['planner']}:8786", tmp_path_factory.mktemp("laboratory")
    where = {**{name: inside(name) for name in NAMES}, "scheduler": inside("planner")}
    with namespaces(NAMES), ExitStack() as ends:
        ready = Machines(url, logs, ends, where)
        ready.scheduler(ADDRESSES["planner"], 8786)
        for name, role in (("server", {"server": 1}), ("load-1", {"load": 1}), ("load-2", {"load": 1})):
            ready.worker(name, ADDRESSES[name], wait=False, **role)
        for name in ("server", "load-1", "load-2"):
            ready.wait_for(name, "Registered to:")
        yield ready
        for process in ready.processes.values():
            process.ask_to_end()


@pytest.fixture(scope="module")
def database(machines: Machines) -> Iterator[str]:
    """The URL of a PostgreSQL in the database's namespace."""
    command = [*inside("database"), sys.executable, "-m", "tests.database_elsewhere", ADDRESSES["database"],
               str(machines.logs)]  # fmt: skip
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        yield process.stdout.readline().strip()
        process.stdin.close()


def bench(*arguments: str) -> "subprocess.CompletedProcess[str]":
    """A command of the bench in the planner's namespace."""
    return subprocess.run(
        [*inside("planner"), sys.executable, "-m", "bench", *arguments],
        cwd=ROOT, capture_output=True, text=True, timeout=LIMIT_S, env={**os.environ, **SETTINGS},
    )  # fmt: skip


def test_a_run_across_five_machines_is_one_results_file(machines: Machines, database: str, tmp_path: Path) -> None:
    done = bench("all", "--quick", "--scenarios", "throughput,fanout", "--models", "gevent,asyncio-bridge",
                 "--generations", "1", "--cycles", "2", "--cluster", machines.url, "--database-url", database,
                 "--out", str(tmp_path / "run"))  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    run = load_run(tmp_path / "run")
    assert {cell.scenario for cell in run.cells.values()} == {"throughput", "fanout"}
    assert not [cell.reason for cell in judge(run).cells if cell.judgement.state == "ERRORS"]
    found = run.environment["machines"]
    assert {name: one["host"] for name, one in found.items()} == {
        "server": ADDRESSES["server"], "load load-1": ADDRESSES["load-1"], "load load-2": ADDRESSES["load-2"],
        "database": ADDRESSES["database"],
    }  # fmt: skip
    assert found["database"]["round_trip_s"] is not None
    assert run.calibration is not None
    assert run.calibration["generators"] == 2


def test_the_machines_are_looked_at_before_a_run(machines: Machines) -> None:
    done = bench("cluster", "--cluster", machines.url)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "servers on server (10.77.0.4); load from load-1 (10.77.0.2) with 1 generator and load-2" in done.stdout
    rows = [line.split() for line in done.stdout.splitlines() if "10.77.0." in line and " ms " in line]
    assert [(row[0], row[-1].endswith("/s")) for row in rows] == [("server", False), ("load-1", True), ("load-2", True)]


def test_a_load_machine_whose_cable_is_cut_is_lost_by_name_and_the_run_goes_on_without_it(
    machines: Machines, database: str, tmp_path: Path
) -> None:
    command = [*inside("planner"), sys.executable, "-m", "bench", "throughput", "--models", "gevent",
               "--generations", "2", "--cycles", "8", "--budget-s", "0", "--cluster", machines.url,
               "--database-url", database, "--out", str(tmp_path / "run")]  # fmt: skip
    measuring = "[1/2] throughput, generation 1;"
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          env={**os.environ, **SETTINGS}) as bench:  # fmt: skip
        assert bench.stdout is not None
        before = [*takewhile(lambda line: measuring not in line, iter(bench.stdout.readline, ""))]
        assert bench.poll() is None, before
        wait_until(lambda: ADDRESSES["server"] in connected("load-1"), "load-1 sends requests to the server", LIMIT_S)
        cable("load-1", "down")
        try:
            said, _ = bench.communicate(timeout=LIMIT_S)
        finally:
            cable("load-1", "up")
    assert "Traceback" not in said
    run = load_run(tmp_path / "run")
    assert len(run.steps_done) == 2
    rounds = {one.round: set[str]() for cell in run.cells.values() for one in cell.observations}
    for cell in run.cells.values():
        for one in cell.observations:
            rounds[one.round].add(one.state)
            assert one.state != "ERRORS" or "the machine load-1 (10.77.0.2) is lost: " in one.reason
    assert "ERRORS" in rounds[0]
    assert "ERRORS" not in rounds[1]


def test_servers_elsewhere_and_a_database_here_are_refused(machines: Machines, tmp_path: Path) -> None:
    done = bench("classic", "--models", "gevent", "--cluster", machines.url, "--out", str(tmp_path / "none"))
    assert done.returncode == 2
    assert "servers on server (10.77.0.4) cannot reach a database of the bench's own, which listens" in done.stderr
    assert "pass --database-url" in done.stderr
