"""What is special about each of the other ways to serve gevent_app, on its real server."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import pytest

from bench.files import ROOT
from bench.judging.validity import VALID
from bench.load.burst import Answer, send_at_once
from bench.measuring.checks import check_overlap, judge_info
from bench.models import POOL, Model, find_models
from bench.scenarios.pool import waves
from bench.testbed.processes.local_http import local_client
from bench.testbed.processes.ports import HOST
from bench.testbed.processes.process import GuardedProcess
from bench.testbed.servers.life import Server, serving
from bench.testbed.testbed import TestBed

KINDS = find_models("gthread,gevent-psycopg3,gevent-pywsgi,eventlet,granian-wsgi")
ENTRYPOINTS = find_models("gevent-pywsgi,eventlet")
SLEEPERS, SLEEP_S = 20, 0.5
ENDED_WITHIN_S = 10.0


@pytest.fixture(scope="module", params=KINDS, ids=lambda model: model.name)
def server(request: pytest.FixtureRequest, test_bed: TestBed) -> Iterator[Server]:
    """Each of the models in turn."""
    if request.param.unavailable:
        pytest.skip(f"{request.param.name}: {request.param.unavailable}")
    with serving(request.param, test_bed.environment(request.param), test_bed.logs) as running:
        yield running


def test_it_is_what_its_entry_says(server: Server) -> None:
    assert judge_info(server, server.model.pool) == VALID
    judgement, _ = check_overlap(server)
    assert judgement == VALID


def test_the_hub_of_a_greenlet_server_is_named(server: Server) -> None:
    hubs = {"gevent": "gevent.", "eventlet": "eventlet.hubs.", None: "None"}
    assert str(server.info["loop"]).startswith(hubs[server.model.loop])


def test_only_psycopg2_is_hooked_by_psycogreen(server: Server) -> None:
    assert server.info["driver"] == (server.model.driver or "psycopg2")
    assert ("psycopg2" in server.info["patched"]) == (server.model.loop is not None and not server.model.driver)


def test_as_many_wait_at_once_as_there_are_threads(server: Server) -> None:
    """20 sleepers are one wave under greenlets, and two on 15 threads."""
    bound = [POOL, SLEEPERS - POOL] if server.model.threads == POOL else [SLEEPERS]
    assert in_waves(server, "/sleep/python/") == bound


def test_waits_in_the_database_come_in_waves_of_the_pool(server: Server) -> None:
    assert in_waves(server, "/sleep/postgres/") == [POOL, SLEEPERS - POOL]


def in_waves(server: Server, endpoint: str) -> list[int]:
    """How many of the sleepers were answered together, after as many that have filled the pool."""
    for seconds in (0.0, SLEEP_S):
        answers = send_at_once(server.url, f"{endpoint}?seconds={seconds}", SLEEPERS, 30, lambda _: None)
        assert [answer.status for answer in answers] == [200] * SLEEPERS
    return list(waves([answer.end_s for answer in answers], SLEEP_S / 2))


def test_a_kept_connection_is_no_slower_than_a_new_one(server: Server) -> None:
    """An answer in two segments would wait 40 ms for the first one's acknowledgement, but not on a new connection."""
    kinds: dict[str, list[float]] = {"keep-alive": [], "close": []}
    with local_client(server.url) as keeping, local_client(server.url) as closing:
        for _ in range(21):
            for client, (kind, times_s) in zip((keeping, closing), kinds.items(), strict=True):
                times_s.append(client.get("/", headers={"Connection": kind}).elapsed.total_seconds())
    kept_s, new_s = map(median, kinds.values())
    assert kept_s < 3 * new_s


@pytest.mark.parametrize("model", ENTRYPOINTS, ids=lambda model: model.name)
def test_an_entrypoint_that_is_to_end_answers_first(model: Model, test_bed: TestBed) -> None:
    """SIGTERM while one connection idles and one waits for its answer: the answer comes, and the exit code is 0."""
    answers: list[Answer] = []
    with (
        serving(model, test_bed.environment(model), test_bed.logs) as server,
        local_client(server.url) as idle,
    ):
        assert idle.get("/").status_code == 200
        waiting = threading.Thread(
            target=send_at_once, args=(server.url, "/sleep/python/?seconds=0.5", 1, 30, answers.append)
        )
        waiting.start()
        time.sleep(0.2)
        os.kill(server.process.pid, signal.SIGTERM)
        assert server.process.wait(ENDED_WITHIN_S) == 0
        waiting.join()
    assert [answer.status for answer in answers] == [200]


@pytest.mark.parametrize("model", ENTRYPOINTS, ids=lambda model: model.name)
def test_an_entrypoint_does_not_share_its_port(model: Model, test_bed: TestBed, tmp_path: Path) -> None:
    environment = test_bed.environment(model)
    with serving(model, environment, test_bed.logs) as server:
        command = model.command(HOST, int(server.url.rpartition(":")[2]))
        with GuardedProcess(command, log=tmp_path / "log", environment=environment, cwd=ROOT) as second:
            assert second.wait(ENDED_WITHIN_S) == 1
            assert "Address already in use" in second.log_tail()
