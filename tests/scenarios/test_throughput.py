"""What `throughput` asks of its servers, and what it says of them: also who does not serve all clients alike."""

import random
from collections.abc import Callable
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from bench.load import Generator
from bench.results import Cell
from bench.scenarios import throughput
from bench.scenarios.base import Contestant, MeasurementContext, Options
from bench.scenarios.generation import Generation
from bench.scenarios.throughput import ONE_READ, SCENARIO, UNEQUAL, unequal
from bench.testbed.servers.life import Server
from bench.testbed.testbed import TestBed
from tests.judged_runs import rates, scenario_of

OPTIONS = Options(cycles=2, slice_s=0.02)
LEVEL = (1000.0,) * 5


def cell(model: str, longest_s: float, **more: object) -> Cell:
    """One whose mean answer takes 10 ms."""
    return rates(model, LEVEL, response_s=0.010, longest_s=longest_s, **more)  # type: ignore[arg-type]


def test_a_longest_answer_of_many_times_the_mean_is_told() -> None:
    found = scenario_of(cell("gevent", 0.25), cell("asyncio-bridge", 0.02), cell("gthread", 0.01 * UNEQUAL))
    said = "25.0 times the mean with gevent and 2.5 times the mean with gthread"
    assert unequal(found.cells) == f"Clients are not served alike: the longest answer of a slice takes {said}."
    assert SCENARIO.finding(found).endswith(unequal(found.cells))


@pytest.mark.parametrize(
    "other",
    [
        cell("asyncio-bridge", 0.0249),
        cell("gevent (again)", 0.25),
        cell("gevent", 0.25, workload="GET /"),
        cell("gevent", 0.25, state="SATURATED"),
    ],
)
def test_nothing_is_told_of_others(other: Cell) -> None:
    assert "Clients are not served alike" not in SCENARIO.finding(scenario_of(other))


@pytest.mark.parametrize("workload", SCENARIO.workloads(OPTIONS), ids=lambda workload: workload.name)
def test_servers_answer_every_workload_and_the_todos_are_as_before(
    workload: throughput.Workload, serve: Callable[[str], Server], test_bed: TestBed
) -> None:
    servers = {name: serve(name) for name in ("gevent", "asyncio-bridge")}
    with Generator() as generator:
        contexts = {
            name: MeasurementContext(
                Contestant(name, server.model), server, test_bed, OPTIONS, random.Random(1), generator, lambda _: None
            )
            for name, server in servers.items()
        }
        readings = throughput.measure(Generation(contexts, test_bed, OPTIONS, random.Random(1), generator), workload)
    assert list(readings) == list(servers)
    for name, reading in readings.items():
        assert reading.judgement.state in ("VALID", "UNSTABLE", "GENERATOR-LIMITED"), reading.judgement.reason
        assert sum(reading.raw["slices"]["good"]) > 0
        assert reading.window_s == sum(reading.raw["slices"]["wall_s"])
        assert contexts[name].fetch("/todos/").count(b'"id"') == 50


class TwoFaced(BaseHTTPRequestHandler):
    """Answers with other bytes each time, or breaks off."""

    protocol_version = "HTTP/1.1"
    answers = 0

    def do_GET(self) -> None:
        TwoFaced.answers += 1
        body = f"{TwoFaced.answers:08d}".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body) + 100 * (self.path == "/broken")))
        self.end_headers()
        self.wfile.write(body)
        self.close_connection = self.path == "/broken"

    def log_message(self, format: str, *args: object) -> None:
        pass


def test_answers_that_are_not_those_of_before_or_not_whole_are_errors_of_that_server_alone(
    serve: Callable[[str], Server], test_bed: TestBed
) -> None:
    good = serve("asyncio-bridge")
    with ThreadingHTTPServer(("127.0.0.1", 0), TwoFaced) as fake, Generator() as generator:
        Thread(target=fake.serve_forever, daemon=True).start()
        odd = replace(good, url=f"http://127.0.0.1:{fake.server_port}")
        contexts = {
            name: MeasurementContext(
                Contestant(name, server.model), server, test_bed, OPTIONS, random.Random(1), generator, lambda _: None
            )
            for name, server in {"asyncio-bridge": good, "odd": odd}.items()
        }
        generation = Generation(contexts, test_bed, OPTIONS, random.Random(1), generator)
        found = throughput.measure(generation, throughput.Workload("GET /", {"path": "/"}))
        with pytest.raises(OSError, match="/broken gave no whole answer: IncompleteRead"):
            contexts["odd"].fetch("/broken")
        fake.shutdown()
    assert found["odd"].judgement.state == "ERRORS"
    assert "requests failed, for instance" in found["odd"].judgement.reason
    assert found["asyncio-bridge"].judgement.state != "ERRORS"
    assert ONE_READ in [workload.name for workload in SCENARIO.workloads(OPTIONS)]
