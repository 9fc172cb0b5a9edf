"""A server of several processes: all of them answer, share the pool, are measured, and end."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

import bench.testbed.servers.life as life
from bench.judging.validity import VALID
from bench.load.burst import send_at_once
from bench.measuring.checks import check_overlap, judge_info
from bench.measuring.environment import packages
from bench.models import MODELS, POOL, Model, find_models, with_workers
from bench.scenarios.classic import at_once
from bench.testbed.databases.connections import connections
from bench.testbed.processes.process import GUARD
from bench.testbed.servers.cost import CostMeter
from bench.testbed.servers.life import Server, serving
from bench.testbed.servers.machine import HERE
from bench.testbed.testbed import TestBed
from tests.in_process import Bench

SEVERAL = (*find_models("gevent-4-workers"), *with_workers(find_models("sync,asyncio-bridge,granian-wsgi"), 2))


@pytest.fixture(scope="module", params=SEVERAL, ids=lambda model: model.name)
def started(request: pytest.FixtureRequest, test_bed: TestBed) -> Iterator[tuple[Server, int]]:
    """Each server in turn, and how many connections its database had before. Afterwards no process of it is left."""
    model: Model = request.param
    before = connections(test_bed.database_of(model))
    with serving(model, test_bed.environment(model), test_bed.logs) as server:
        family = [psutil.Process(server.process.pid), *psutil.Process(server.process.pid).children(recursive=True)]
        yield server, before
    assert len(family) > model.workers
    assert [process for process in family if process.is_running()] == []


def test_every_process_is_there_and_shares_the_pool(started: tuple[Server, int], test_bed: TestBed) -> None:
    server, before = started
    assert judge_info(server, server.model.pool) == VALID
    assert server.info["processes"] == server.model.workers
    assert POOL <= server.info["pool_total"] == server.model.workers * server.info["pool"] < POOL + server.model.workers
    answers = send_at_once(server.url, "/sleep/postgres/?seconds=0.2", 2 * POOL, 30, lambda _: None)
    assert all(answer.ok for answer in answers)
    opened = connections(test_bed.database_of(server.model)) - before
    assert server.model.workers <= opened <= server.info["pool_total"]


def test_the_probe_of_overlap_counts_processes(started: tuple[Server, int]) -> None:
    server, _ = started
    judgement, _ = check_overlap(server)
    assert judgement == VALID


def test_the_cost_is_that_of_all_processes(started: tuple[Server, int]) -> None:
    server, _ = started
    own = psutil.Process(server.process.pid)
    workers = [child for child in own.children(recursive=True) if "resource_tracker" not in " ".join(child.cmdline())]
    assert all(HERE.in_group(worker.pid, server.process.pid) for worker in workers)
    assert len(workers) == server.model.workers
    with CostMeter(server.process.pid) as meter:
        send_at_once(server.url, "/cpu/?milliseconds=50", 4 * len(workers), 30, lambda _: None)
    assert meter.cost.processes >= 1 + len(workers)
    assert meter.cost.cpu_s > 0.05 * 4 * len(workers)


def test_a_process_is_ended_even_if_the_bench_is_gone_before_it_hears_of_it(tmp_path: Path) -> None:
    """The guard finds both its pipes closed: nothing to say its process's id to, and nobody left to serve."""
    reader, writer = os.pipe()
    os.close(reader)
    script = f"import os, time; open({str(tmp_path / 'pid')!r}, 'w').write(str(os.getpid())); time.sleep(600)"
    job = {"command": [sys.executable, "-c", script], "log": str(tmp_path / "log"), "cores": [], "account": None,
           "stop_signal": 15, "grace_s": 3.0, "inherited": []}  # fmt: skip
    guard = [sys.executable, "-I", "-S", str(GUARD), json.dumps(job)]
    done = subprocess.run(guard, stdin=subprocess.DEVNULL, stdout=writer, stderr=subprocess.PIPE, timeout=60)
    os.close(writer)
    assert done.stderr == b""
    written = tmp_path / "pid"
    assert not (written.exists() and written.read_text() and psutil.pid_exists(int(written.read_text())))


@pytest.mark.parametrize(
    ("cores", "workers", "for_server", "for_others"),
    [
        ({0}, 1, (), ()),
        ({0, 1}, 1, (1,), (0,)),
        ({0, 1}, 2, (1,), (0,)),
        ({0, 1, 2}, 2, (1, 2), (0,)),
        ({2, 3, 4, 5, 6, 7}, 4, (4, 5, 6, 7), (2, 3)),
        ({0, 1, 2, 3}, 4, (3,), (0, 1, 2)),
    ],
)
def test_each_process_has_a_core_where_one_is_left_for_the_rest(
    monkeypatch: pytest.MonkeyPatch,
    cores: set[int],
    workers: int,
    for_server: tuple[int, ...],
    for_others: tuple[int, ...],
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: cores, raising=False)
    assert life.server_cores(workers) == for_server
    assert life.other_cores(workers) == for_others


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"app": "other"}, "app is gevent_app, not other"),
        ({"server": "uvicorn"}, "server is gunicorn, not uvicorn"),
        ({"driver": "psycopg"}, "driver is psycopg2, not psycopg"),
        ({"loop": "asyncio"}, "event loop is gevent, not asyncio"),
        ({"workers": 2}, "processes is 4, not 2; connections of each process is 4, not 8"),
    ],
)
def test_a_server_that_is_not_what_its_entry_says_is_not_measured(change: dict[str, object], says: str) -> None:
    (model,) = find_models("gevent-4-workers")
    info = {"app": "gevent_app", "server": "gunicorn 27.0.1", "driver": "psycopg2", "processes": 4, "threads": 1,
            "loop": "gevent.libev.corecext.loop", "pool": 4, "pool_total": 16}  # fmt: skip
    assert judge_info(Server(model, "", info, None), 4) == VALID  # type: ignore[arg-type]  # nothing asks the process
    claimed = replace(model, **change)
    judgement = judge_info(Server(claimed, "", info, None), claimed.pool)  # type: ignore[arg-type]
    assert judgement.state == "ERRORS"
    assert says in judgement.reason


@pytest.mark.parametrize(
    ("name", "workers", "number"),
    [("sync", 1, 1), ("sync", 4, 4), ("gthread", 1, 15), ("gthread", 2, 30), ("gevent", 4, float("inf"))],
)
def test_processes_and_threads_bound_what_waits_at_once(name: str, workers: int, number: float) -> None:
    (model,) = with_workers(find_models(name), workers)
    assert at_once(model, model.python_waits_overlap) == number


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["classic", "--models", "gevent,gevent-pywsgi,eventlet"], "gevent-pywsgi, eventlet can have one process only"),
        (["serve", "eventlet"], "eventlet can have one process only; leave out --workers"),
        (["all", "--models", "eventlet", "--quick"], "eventlet can have one process only"),
        (["throughput", "--workers", "0"], "'--workers': 0 is not in the range"),
        (["pool", "--models", "gevent"], "pool has no question to gevent; name others"),
    ],
)
def test_what_cannot_have_workers_is_exit_code_2(
    arguments: list[str], says: str, bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = bench(arguments[0], "--workers", "2", *arguments[1:])
    assert (done.returncode, done.stdout) == (2, "")
    assert says in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_run_records_its_workers_and_is_resumed_with_as_many(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    arguments = ("classic", "--seconds", "0.2", "--requests", "4", "--models", "sync")
    done = bench(*arguments, "--workers", "2", "--out", "o")
    assert (done.returncode, done.stderr) == (0, "")
    results = json.loads((tmp_path / "o" / "results.json").read_text())
    assert results["arguments"]["workers"] == 2
    (cell,) = results["cells"]
    assert cell["command"][cell["command"].index("--workers") + 1] == "2"
    assert (cell["info"]["processes"], cell["info"]["pool_total"]) == (2, 16)
    assert cell["observations"][0]["figures"]["ideal_s"] == pytest.approx(2 * 0.4)
    refused = bench(*arguments, "--workers", "3", "--resume", "o")
    assert refused.returncode == 2
    assert "--workers was 2 and is 3" in refused.stderr


def test_the_environment_has_the_version_of_whatever_a_model_uses() -> None:
    found = packages()
    for model in MODELS:
        if not model.unavailable and not model.distribution.startswith(("entrypoints", "reference_apps")):
            assert model.distribution in found, model.name
    assert {"greenlet", "werkzeug", "sqlalchemy", "h11", "psycopg-binary", "starlette"} <= set(found)
