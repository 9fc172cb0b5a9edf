"""What is special about each of the other ways to serve asyncio_app, on its real server."""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import httpx
import psutil
import pytest

from bench.judging.validity import VALID
from bench.load.burst import send_at_once
from bench.measuring.checks import HELPER_THREADS, check_overlap, judge_info
from bench.models import Model, find_models, with_workers
from bench.models.asyncio_side import MODELS
from bench.scenarios import pool
from bench.scenarios.base import Options
from bench.testbed.databases.connections import connections
from bench.testbed.processes.local_http import local_get
from bench.testbed.servers.life import Server, serving
from bench.testbed.testbed import TestBed

# One of each kind; the contract's tests run over asyncio's own loop as well.
KINDS = find_models(
    "asyncio-threads,asyncio-a2wsgi,asyncio-wsgi,gevent-async-views,"
    "asyncio-bridge-best,asyncio-hypercorn-uvloop,asyncio-granian-uvloop,asyncio-gunicorn-asgi-uvloop"
)
IN_FLIGHT, SLEEP_S = 40, 0.3
# Flask runs the event loop of a request in a thread beside the one that the server gives it (asgiref's AsyncToSync).
THREADS = {"asyncio-threads": (IN_FLIGHT, 2 * IN_FLIGHT), "asyncio-a2wsgi": (15, 15), "asyncio-wsgi": (15, 30)}


@pytest.fixture(scope="module", params=KINDS, ids=lambda model: model.name)
def server(request: pytest.FixtureRequest, test_bed: TestBed) -> Iterator[Server]:
    """Each of the models in turn."""
    with started(request.param, test_bed) as running:
        yield running


@contextmanager
def started(model: Model, test_bed: TestBed) -> Iterator[Server]:
    """A server of the model, unless a package is missing."""
    if model.unavailable:
        pytest.skip(f"{model.name}: {model.unavailable}")
    with serving(model, test_bed.environment(model), test_bed.logs) as running:
        yield running


def named(name: str) -> Model:
    """One model of the registry."""
    (model,) = find_models(name)
    return model


def test_it_runs_on_the_loop_that_its_command_line_names(server: Server) -> None:
    assert judge_info(server, server.model.pool) == VALID
    assert server.info["loop"].startswith("uvloop." if "uvloop" in server.model.arguments else "asyncio.")


def test_waits_overlap_as_its_entry_says(server: Server) -> None:
    judgement, _ = check_overlap(server)
    assert judgement == VALID


def test_threads_grow_with_the_requests_only_where_its_entry_says_so(server: Server) -> None:
    least, most = THREADS.get(server.model.name, (1, 1))
    process, ended, seen = psutil.Process(server.info["pid"]), threading.Event(), [0]

    def watch() -> None:
        while not ended.wait(0.02):
            seen.append(process.num_threads())

    watcher = threading.Thread(target=watch)
    watcher.start()
    answers = send_at_once(server.url, f"/sleep/python/?seconds={SLEEP_S}", IN_FLIGHT, 30, lambda _: None)
    ended.set()
    watcher.join()
    assert [answer.status for answer in answers] == [200] * IN_FLIGHT
    assert least <= max(seen) <= most + HELPER_THREADS
    assert answers[-1].end_s < IN_FLIGHT * SLEEP_S / 3


def test_a_body_that_arrives_slowly_holds_up_its_own_request_only(server: Server) -> None:
    body = json.dumps({"title": "slowly"}).encode()
    address = httpx.URL(server.url)
    with socket.create_connection((address.host, address.port or 80), timeout=30) as connection:
        head = (
            f"POST /todos/ HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        connection.sendall(head.encode() + body[:5])
        for path in ("/todos/1", "/sleep/python/?seconds=0.1"):  # time enough for the slow one to begin
            assert local_get(server.url + path).status_code == 200
        connection.sendall(body[5:])
        heard = connection.recv(65536)
        while not heard.endswith(b"}\n"):
            heard += connection.recv(65536)
    assert heard.startswith(b"HTTP/1.1 201 ")
    key = json.loads(heard[heard.rindex(b"{") :])["id"]
    assert httpx.delete(f"{server.url}/todos/{key}", trust_env=False).status_code == 204


def test_nothing_was_logged(server: Server) -> None:
    assert Path(server.process.log).read_text() == ""


def test_a_loop_for_each_request_keeps_no_connection(test_bed: TestBed) -> None:
    model = named("asyncio-wsgi")
    before = connections(test_bed.database_of(model))
    with started(model, test_bed) as server:
        send_at_once(server.url, "/sleep/postgres/?seconds=0.1", IN_FLIGHT, 30, lambda _: None)
        kept = connections(test_bed.database_of(model))
        for _ in range(100):  # PostgreSQL's process ends a moment after its connection
            if kept > before:
                kept = connections(test_bed.database_of(model))
        assert kept == before
    assert model.pool == 0
    assert not any(pool.SCENARIO.asks(model, workload) for workload in pool.SCENARIO.workloads(Options()))


@pytest.mark.parametrize("name", ["asyncio-hypercorn", "asyncio-granian", "asyncio-gunicorn-asgi"])
def test_two_workers_are_two_processes(test_bed: TestBed, name: str) -> None:
    (model,) = with_workers([named(name)], 2)
    with started(model, test_bed) as server:
        for _ in range(100):  # the second one may still be starting
            info = local_get(f"{server.url}/info").json()
            if info["processes"] == 2:
                break
        assert judge_info(replace(server, info=info), model.pool) == VALID


@pytest.mark.parametrize(
    "model", [model for model in MODELS if model.name.endswith("-uvloop")], ids=lambda model: model.name
)
def test_a_uvloop_model_differs_from_its_sibling_in_the_loop_alone(model: Model) -> None:
    sibling = named(model.name.removesuffix("-uvloop"))
    pairs = zip(model.arguments, sibling.arguments, strict=True)
    assert [pair for pair in pairs if pair[0] != pair[1]] == [("uvloop", "asyncio")]
