"""Guards that fire on real servers: one whose answers wait, one that is no bottleneck, one that is never idle."""

import random
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from processes import held_up

from bench.judging import JudgedWorkload, judge
from bench.judging.judged import IDLE
from bench.load import Generator
from bench.measuring.checks import NO_DELAY, check_delay
from bench.measuring.plan import make_plan
from bench.measuring.run import execute
from bench.measuring.subjects import model_facts, questions
from bench.models import Model, find_models, with_workers
from bench.results import Run, new_run
from bench.scenarios import SCENARIOS, latency
from bench.scenarios.base import Contestant, MeasurementContext, Options, Scenario, Workload
from bench.scenarios.generation import Generation
from bench.testbed.processes.ports import HOST
from bench.testbed.servers.life import Server
from bench.testbed.testbed import TestBed
from tests.listeners import Heard

GEVENT, ASYNCIO = find_models("gevent,asyncio-bridge")
WAITS = Workload("waits", {"path": "/sleep/python/?seconds=0.05"})
EMPTY = Workload("GET /", {"path": "/"})


@pytest.fixture
def run_on(test_bed: TestBed, tmp_path: Path) -> Callable[[Workload, Model, Options], Run]:
    """A function that has gevent and another model answer a workload in slices."""

    def measured(workload: Workload, model: Model, options: Options) -> Run:
        scenario: Scenario = replace(SCENARIOS["throughput"], workloads=lambda options: [workload])
        models = [GEVENT, model]
        run = new_run(tmp_path / "run", {}, {}, seed=options.seed)
        run.scenarios, run.models = questions([scenario], options), model_facts(models)
        with Generator() as generator:
            execute(make_plan([scenario], models, options), test_bed, options, run, generator, Heard())
        return run

    return measured


def workload_of(run: Run) -> JudgedWorkload:
    """The one that was measured."""
    (workload,) = judge(run).workloads
    return workload


def test_a_server_whose_answers_wait_for_an_acknowledgement_is_named_and_not_compared(
    run_on: Callable[[Workload, Model, Options], Run],
) -> None:
    """uvicorn with two processes on asyncio's own loop; the run goes on with the other server."""
    (several,) = with_workers([ASYNCIO], 2)
    workload = workload_of(run_on(EMPTY, several, Options(generations=1, cycles=3, budget_s=0)))
    cell = workload.cells["asyncio-bridge"]
    assert cell.judgement.state == "UNSTABLE"
    assert re.match(r"\d+ of 15 bodies came \d\d ms after their heads on a connection that is kept open", cell.reason)
    assert "TCP_NODELAY is not set on the server's connections" in cell.reason
    assert NO_DELAY in cell.reason
    assert "asyncio-bridge" not in {*workload.ranks, *workload.medians}
    assert workload.cells["gevent"].median("throughput_rps")


@pytest.mark.parametrize(
    ("no_delay", "head_s", "body_s", "state"),
    [(0, 0, 0, "UNSTABLE"), (1, 0, 0, "VALID"), (1, 0.06, 0, "VALID"), (1, 0, 0.06, "VALID")],
)
def test_head_and_body_in_two_segments_wait_only_without_tcp_nodelay(
    no_delay: int, head_s: float, body_s: float, state: str
) -> None:
    with answering(no_delay, head_s, body_s) as url:
        judgement = check_delay(Server(ASYNCIO, url, {}, None))  # type: ignore[arg-type]  # nothing asks the process
    assert judgement.state == state


@contextmanager
def answering(no_delay: int, head_s: float, body_s: float) -> Iterator[str]:
    """A server that sends the head of an answer and then its body, and takes so long for each."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def setup(self) -> None:
            self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, no_delay)
            super().setup()

        def do_GET(self) -> None:
            time.sleep(head_s)
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            time.sleep(body_s)
            self.wfile.write(b"{}")

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer((HOST, 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://{HOST}:{server.server_port}"
        server.shutdown()
        thread.join()


def test_servers_that_wait_are_not_what_limits_the_rate_and_are_ranked_by_requests_a_second(
    run_on: Callable[[Workload, Model, Options], Run],
) -> None:
    options = Options(generations=1, cycles=3, slice_s=0.15, budget_s=0, chosen={"connections": 2})
    run = run_on(WAITS, ASYNCIO, options)
    workload = workload_of(run)
    assert all((cell.median("core_use") or 1) < 0.5 for cell in workload.cells.values())
    # Whatever else runs on the servers' core is not idle time: there the core was full, though not of the server.
    idle = max(cell.median("core_idle") or 0.0 for cell in workload.cells.values()) > IDLE
    assert workload.figure == ("throughput_rps" if idle else "cpu_per_request_s")
    for cell in list(run.cells.values()):
        (one,) = cell.observations
        untold = replace(one, figures={**one.figures, "core_idle": None})
        run.cells[cell.key] = replace(cell, observations=(untold,))
    workload = workload_of(run)
    assert (workload.figure, workload.beside) == ("throughput_rps", "cpu_per_request_s")
    assert " % of its core idle" in workload.why


def test_a_server_that_is_never_idle_makes_the_others_unstable(
    run_on: Callable[[Workload, Model, Options], Run],
) -> None:
    arguments = tuple("tests.apps.busy:app" if word == "asyncio_app.asgi:app" else word for word in ASYNCIO.arguments)
    assert arguments != ASYNCIO.arguments
    busy = replace(ASYNCIO, name="busy", arguments=arguments)
    cells = workload_of(run_on(EMPTY, busy, Options(generations=1, cycles=5, budget_s=0))).cells
    assert cells["gevent"].judgement.state == "UNSTABLE"
    assert "the other servers, which had nothing to do, used " in cells["gevent"].reason
    assert "the other servers" not in cells["busy"].reason


def test_a_generator_that_is_kept_from_sending_limits_an_open_loop(
    serve: Callable[[str], Server], test_bed: TestBed
) -> None:
    server, options = serve("asyncio-bridge"), Options(slice_s=0.02)
    with Generator() as generator:
        context = MeasurementContext(
            Contestant("asyncio-bridge", server.model),
            server,
            test_bed,
            options,
            random.Random(1),
            generator,
            lambda _: None,
        )
        generation = Generation(
            {"asyncio-bridge": context}, test_bed, options, random.Random(1), generator, {"rate_rps": 200.0}
        )
        generation.closed(lambda context: context.job(latency.PATH), 1)
        assert generator._worker is not None
        with held_up(generator._worker.process.pid, for_s=0.05, every_s=0.25):
            reading = latency.measure(generation, latency.workloads(options)[0])["asyncio-bridge"]
    assert reading.judgement.state == "GENERATOR-LIMITED"
    assert "of the requests were sent more than 5 ms late, up to " in reading.judgement.reason
