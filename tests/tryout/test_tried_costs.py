"""What a request of somebody's application costs: real servers of applications that the bench knows nothing of."""

import json
import os
import socket
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import httpx
import psutil
import pytest

from bench.judging import judge
from bench.load import Generator, GeneratorError, LoadJob, SlicesJob, SlicesResult
from bench.results import Run, load_run, new_run
from bench.results.tried import SCENARIO
from bench.scenarios.base import Options
from bench.testbed.processes.local_http import local_get
from bench.testbed.processes.ports import HOST, free_port
from bench.testbed.processes.process import GuardedProcess, NotYet
from bench.testbed.servers.cost import family
from bench.tryout.costs import (
    Key,
    Loaded,
    carry_out,
    cycles_in,
    described,
    loads_that_fit,
    measure,
    not_started,
    twin,
)
from bench.tryout.held import Held, Looks, connections, database_ports, together, with_held
from tests.trials import ORDERS, REPORT, SYNC, tried, tried_model, waits

APP = """
import os, time

def app(environ, start_response):
    path = environ["PATH_INFO"]
    if path == "/wait":
        time.sleep(0.02)
    if path == "/die":
        os._exit(3)
    allowed = path != "/secret" or environ.get("HTTP_COOKIE") == "session=hush"
    start_response("200 OK" if allowed else "401 Unauthorized", [("Content-Length", "2")])
    return [b"ok"]
"""
WORKERS = {"sync": (), "gthread": ("--worker-class", "gthread", "--threads", "15"),
           "gevent": ("--worker-class", "gevent")}  # fmt: skip
OPTIONS = Options(generations=2, cycles=3, slice_s=0.02, budget_s=60.0)
SHORT, WAIT, SECRET, DIE = "GET /", "GET /wait", "GET /secret", "GET /die"


@dataclass(frozen=True)
class Small:
    """A server of the small application, or of any other."""

    url: str
    process: GuardedProcess

    def pids(self) -> tuple[int, ...]:
        """Its processes that are alive now."""
        return tuple(one.pid for one in family(self.process.pid))


@contextmanager
def serving(folder: Path, name: str, *options: str) -> Iterator[Small]:
    """That application under gunicorn, as anybody would start it."""
    url = f"http://{HOST}:{(port := free_port())}"
    command = [sys.executable, "-m", "gunicorn", "--bind", f"{HOST}:{port}", "--log-level", "warning", *options,
               "small:app"]  # fmt: skip

    def ask() -> None:
        try:
            local_get(url)
        except httpx.HTTPError:
            raise NotYet("it does not listen") from None

    with GuardedProcess(command, log=folder / f"{name}.log", cwd=folder, name=name) as process:
        process.until(ask, 30)
        yield Small(url, process)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The application's folder."""
    (tmp_path / "small.py").write_text(APP)
    return tmp_path


@contextmanager
def served(folder: Path, *names: str) -> Iterator[Mapping[str, Loaded]]:
    """The servers of these models; an A/A twin is one of its model."""
    with ExitStack() as ends:
        yield {name: ends.enter_context(serving(folder, name, *WORKERS[name.partition(" ")[0]])) for name in names}


def jobs(servers: Mapping[str, Loaded], *requests: str, **more: object) -> dict[Key, LoadJob]:
    """Four connections of these requests on each server."""
    return {
        (name, request): LoadJob(host=HOST, port=int(server.url.rpartition(":")[2]), path=request.split()[1],
                                 connections=4, timeout_s=5, **more)  # type: ignore[arg-type]
        for name, server in servers.items() for request in requests
    }  # fmt: skip


@pytest.fixture(scope="module")
def generator() -> Iterator[Generator]:
    """One load generator for all tests here."""
    with Generator() as ready:
        yield ready


def test_every_request_has_its_cost_under_each_model_and_servers_what_they_hold(
    folder: Path, generator: Generator
) -> None:
    with served(folder, "sync", "gthread", "gevent") as servers:
        found = measure(servers, jobs(servers, SHORT, WAIT), generator, OPTIONS, number=1)
    cells = {(cell.model, cell.workload["name"]): cell.observations[0] for cell in found.cells}
    assert cells.keys() == {(model, request) for model in WORKERS for request in (SHORT, WAIT)}
    for key, one in cells.items():
        assert one.round == 1
        assert one.state != "ERRORS", (key, one.reason)
        assert len(one.raw["slices"]["good"]) == 3
        assert one.raw["slices"]["servers"] == 3
        assert sum(map(len, one.raw["slices"]["responses_us"])) == sum(one.raw["slices"]["good"])
        assert one.figures["cpu_per_request_s"] > 0
    rates = {key: one.figures["throughput_rps"] for key, one in cells.items()}
    assert rates["gevent", WAIT] > 2 * rates["sync", WAIT]  # four at once take 20 ms and 80 ms
    assert rates["gevent", SHORT] > 2 * rates["gevent", WAIT]
    assert found.held.keys() == WORKERS.keys()
    assert all((held.memory_bytes or 0) > 1e6 for held in found.held.values())
    assert (found.held["gthread"].threads or 0) > (found.held["sync"].threads or 0)
    assert {held.database_connections for held in found.held.values()} == {None}


def test_no_header_path_or_body_of_a_request_is_in_its_cell(folder: Path, generator: Generator) -> None:
    with served(folder, "sync") as servers:
        (cell,) = measure(
            servers, jobs(servers, SECRET, headers=(("Cookie", "session=hush"),)), generator, OPTIONS
        ).cells
    assert cell.observations[0].state != "ERRORS"
    text = json.dumps([vars(cell.observations[0]), cell.workload])
    assert "hush" not in text
    assert "Cookie" not in text


def test_a_server_that_answers_otherwise_or_ends_has_an_error_and_the_others_go_on(
    folder: Path, generator: Generator
) -> None:
    with served(folder, "sync", "gthread") as servers:
        asked = {**jobs(servers, SHORT), ("sync", SECRET): jobs(servers, SECRET)["sync", SECRET]}
        cells = measure(servers, asked, generator, OPTIONS).cells
        wrong = {cell.workload["name"]: cell.observations[0] for cell in cells if cell.model == "sync"}
        died = {("gthread", DIE): jobs(servers, DIE)["gthread", DIE], **jobs({"sync": servers["sync"]}, SHORT)}
        after = {cell.model: cell.observations[0] for cell in measure(servers, died, generator, OPTIONS).cells}
    assert wrong[SHORT].state != "ERRORS"
    assert wrong[SECRET].state == "ERRORS"
    assert "bad_status" in wrong[SECRET].reason
    assert after["gthread"].state == "ERRORS"
    assert after["sync"].state != "ERRORS"


def test_the_cost_of_a_server_that_replaced_its_process_is_not_known(folder: Path, generator: Generator) -> None:
    with serving(folder, "replacing", "--max-requests", "20") as server:
        (cell,) = measure({"sync": server}, jobs({"sync": server}, SHORT), generator, OPTIONS).cells
    (one,) = cell.observations
    assert one.state in ("UNSTABLE", "ERRORS")  # a request that came just then may have been reset
    assert one.reason
    if one.state == "UNSTABLE":
        assert one.reason == "a process of the server ended meanwhile, and another began"
        assert "cpu_per_request_s" not in one.figures


class Broken(Generator):
    """A load generator that fails."""

    def slices(self, job: SlicesJob) -> SlicesResult:
        raise GeneratorError("the load generator failed with status 1: Traceback\nMemoryError")


def test_a_generator_that_fails_says_nothing_of_a_server(folder: Path) -> None:
    with served(folder, "sync") as servers, Broken() as broken:
        (cell,) = measure(servers, jobs(servers, SHORT), broken, OPTIONS).cells
    (one,) = cell.observations
    assert (one.state, one.reason) == ("UNSTABLE", "the load generator failed with status 1: Traceback")


def test_generations_of_fresh_servers_make_a_run_that_can_be_judged(folder: Path, generator: Generator) -> None:
    models = [tried_model(name, {SHORT: waits(8.0, wall_s=0.001)}) for name in ("sync", "gevent")]
    run = new_run(folder / "run", {}, {"command": "try", "options": OPTIONS.content()}, seed=1)
    described(run, tried(*models, statuses={SHORT: 200}))
    started: list[set[int]] = []

    @contextmanager
    def start(number: int) -> Iterator[Mapping[str, Loaded]]:
        with served(folder, "sync", "gevent", twin(["sync", "gevent"])[1]) as servers:
            started.append({server.process.pid for server in servers.values()})
            yield servers

    options = replace(OPTIONS, generations=3)
    held = carry_out(run, start, lambda servers: jobs(servers, SHORT), generator, options)
    assert len(started) == 3
    assert not set.intersection(*started)
    assert run.tried
    run.tried = with_held(run.tried, held)
    run.save()
    again = load_run(run.path)
    trial = judge(again).trial
    assert again.tried == run.tried
    assert trial
    assert trial.recommendation.model
    (workload,) = judge(again).workloads
    assert workload.twin is not None
    assert workload.cells["sync"].generations == [0, 1, 2]
    assert (workload.interval("gevent", "sync") is not None) == all(cell.valid for cell in workload.cells.values())
    assert again.window_s > 0


def test_the_servers_of_a_generation_may_have_nothing_to_be_asked(folder: Path, generator: Generator) -> None:
    assert measure({}, {}, generator, OPTIONS).cells == ()


def test_a_server_that_does_not_start_again_has_failed() -> None:
    (cell,) = not_started("gevent", [SHORT], 8, 2, "it ended with exit code 1; the last lines of its log:\nsecret")
    (one,) = cell.observations
    assert (one.state, one.round, one.reason) == (
        "ERRORS",
        2,
        "it ended with exit code 1; the last lines of its log:",
    )


def test_requests_that_would_take_too_long_are_left_out_the_slowest_first() -> None:
    models = [tried_model(name, {ORDERS: waits(times), REPORT: waits(times, wall_s=2.0)})
              for name, times in (("sync", 8.0), ("gevent", 1.1))]  # fmt: skip
    options = Options(generations=3, budget_s=90)
    fitting, notes = loads_that_fit([*models, replace(SYNC, name="gthread", state="failed")], options)
    assert fitting == [("sync", ORDERS), ("gevent", ORDERS), ("gevent", REPORT)]
    assert notes == ("There was no time to put GET /report under load with sync.",)
    assert loads_that_fit(models, replace(options, budget_s=0.1)) == (
        [],
        (
            "There was no time to put GET /report under load with sync and gevent.",
            "There was no time to put GET /orders under load with sync and gevent.",
        ),
    )
    everything, none = loads_that_fit(models, replace(options, budget_s=900))
    assert len(everything) == 4
    assert none == ()


@pytest.mark.parametrize(("cycle_s", "cycles"), [(0.1, 10), (3.0, 5), (20.0, 2), (100.0, 2)])
def test_there_are_as_many_cycles_as_there_is_time_for_and_never_fewer_than_two(cycle_s: float, cycles: int) -> None:
    assert cycles_in(Options(generations=3, cycles=10, budget_s=54), cycle_s) == cycles


def test_connections_to_a_database_are_counted_by_its_port() -> None:
    with socket.create_server((HOST, 0)) as database, ExitStack() as ends:
        port = database.getsockname()[1]
        for _ in range(3):
            ends.enter_context(socket.create_connection((HOST, port)))
        me = psutil.Process()
        assert connections(me, frozenset({port})) == 3
        assert connections(me, frozenset({1})) == 0
        with Looks({"sync": os.getpid()}, [port]) as looks:
            threading.Event().wait(0.1)
        memory = {"sync": {"pss_bytes": None, "rss_bytes": 5_000_000, "threads": 2}}
        assert looks.held(memory)["sync"].database_connections == 3


def test_of_a_process_that_has_ended_nothing_is_counted() -> None:
    child = psutil.Popen([sys.executable, "-c", ""])
    child.wait()
    assert connections(child, frozenset({5432})) == 0


@pytest.mark.parametrize(
    ("value", "ports"),
    [
        ("postgresql+psycopg2://me:word@db:6543/shop", {5432, 3306, 6543}),
        ("mysql://db/shop", {5432, 3306}),
        ("postgres://db:strange/shop", {5432, 3306}),
        ("http://service:9000", {5432, 3306}),
        ("", {5432, 3306}),
    ],
)
def test_ports_of_databases_are_found_in_the_urls_of_the_environment(value: str, ports: set[int]) -> None:
    assert database_ports({"ANY": value}) == ports


def test_of_all_generations_memory_is_in_the_middle_and_the_rest_is_the_most() -> None:
    found = [
        {"sync": Held(memory, threads, count)} for memory, threads, count in ((10, 1, None), (30, 5, 2), (20, 2, 1))
    ]
    assert together(found) == {"sync": Held(20, 5, 2)}
    assert together([{"sync": Held(None, None, None)}]) == {"sync": Held(None, None, None)}
    with_it = with_held(tried(SYNC), together(found)).models[0]
    assert (with_it.memory_bytes, with_it.threads, with_it.database_connections) == (20, 5, 2)


def test_what_is_measured_is_described_as_the_scenario_of_trials(tmp_path: Path) -> None:
    run = Run(tmp_path, "", {}, {}, 1)
    described(run, tried(SYNC, tried_model("gevent", 1.1)))
    assert run.scenarios[SCENARIO].workloads == (ORDERS,)
    overlap = {name: facts.python_waits_overlap for name, facts in run.models.items()}
    assert overlap == {"sync": False, "gevent": True}
