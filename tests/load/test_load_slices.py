"""Slices on servers in turn: what each server was asked is what its slices say, and no load meets another's."""

import asyncio
import importlib
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from itertools import groupby, pairwise
from typing import Any

import pytest
import uvloop
from processes import held_up

from bench.load import Generator, LoadJob, Slice, SlicesJob, SlicesResult, Target
from bench.load.client import Connection
from bench.load.null_server import NullServer, null_server
from bench.load.pacing import schedule
from bench.load.server_load import ServerLoad
from bench.load.turns import Turns
from bench.testbed.processes.ports import HOST, free_port

clocks_module = importlib.import_module("bench.load.clocks")

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
CLOSING = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok"
FAILED = b"HTTP/1.1 500 Broken\r\nContent-Length: 2\r\n\r\nno"
CONNECTIONS = 4
Answer = Callable[[int], bytes | None]


class Asked:
    """A server in the loop of the load; `answer` gives the bytes for its n-th request, None for never an answer.

    `load` changes the load that it gets. `served` counts the requests of each of its connections.
    """

    def __init__(self, name: str, heard: list[str], answer: Answer = lambda number: OK, **load: Any) -> None:
        self.name, self.heard, self.answer, self.load = name, heard, answer, load
        self.requests = self.connections = 0
        self.served: list[int] = []
        self.writers: set[asyncio.StreamWriter] = set()
        self.takes_s = 0.0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        own = self.connections
        self.connections += 1
        self.served.append(0)
        self.writers.add(writer)
        try:
            while await reader.readuntil(b"\r\n\r\n"):
                self.heard.append(self.name)
                self.requests += 1
                self.served[own] += 1
                answer = self.answer(self.requests)
                if answer is None or self.takes_s:
                    await asyncio.sleep(self.takes_s or 60)
                writer.write(answer or b"")
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass
        finally:
            self.writers.discard(writer)
            writer.close()

    def hang_up(self, number: int) -> bytes:
        """As another server's answer: close all connections, as a server does whose keep-alive time is over."""
        for writer in self.writers:
            writer.close()
        return OK


def turns(
    *servers: Asked, cycles: int = 3, begun: Callable[[Turns], object] = lambda turns: None, **changes: Any
) -> SlicesResult:
    """Slices on these servers; `begun` is called before the first."""

    async def go() -> SlicesResult:
        async with asyncio.TaskGroup() as tasks:
            running = [await asyncio.start_server(one.serve, HOST, 0) for one in servers]
            ports = [each.sockets[0].getsockname()[1] for each in running]
            targets = tuple(target(port, **one.load) for port, one in zip(ports, servers, strict=True))
            job = SlicesJob(targets=targets, cycles=cycles, **{"slice_s": 0.02, "lead_in_s": 0.002} | changes)
            begun(made := Turns(job, asyncio.get_running_loop()))
            found = await tasks.create_task(made.run())
            for each in running:
                each.close()
        return found

    return uvloop.run(go())


def target(port: int, pids: tuple[int, ...] = (), **changes: Any) -> Target:
    usual: dict[str, Any] = {"host": HOST, "port": port, "connections": CONNECTIONS, "timeout_s": 0.3}
    return Target(job=LoadJob(**usual | changes), pids=pids)


def orders(found: SlicesResult) -> list[list[int]]:
    """By cycle, the targets in the order of their slices."""
    return [[one.target for one in cycle] for _, cycle in groupby(found.slices, key=lambda one: one.cycle)]


def of(found: SlicesResult, index: int) -> list[Slice]:
    return [one for one in found.slices if one.target == index]


def test_every_cycle_has_a_slice_of_each_server_in_an_order_of_its_own() -> None:
    servers = [Asked(name, []) for name in "abcd"]
    first = orders(turns(*servers, cycles=8, slice_s=0.002, seed=3))
    assert [sorted(order) for order in first] == [[0, 1, 2, 3]] * 8
    assert len({tuple(order) for order in first}) > 1
    assert orders(turns(*servers, cycles=8, slice_s=0.002, seed=3)) == first
    assert orders(turns(*servers, cycles=8, slice_s=0.002, seed=4)) != first


def test_a_server_hears_of_nothing_while_another_has_its_slice() -> None:
    heard: list[str] = []
    found = turns(Asked("a", heard), Asked("b", heard), cycles=6)
    blocks = ["ab".index(name) for name, _ in groupby(heard)]
    served = [index for index, _ in groupby(one.target for one in found.slices)]
    assert blocks == served


def test_all_that_a_server_answered_is_counted_over_connections_that_stay_open() -> None:
    a, b = Asked("a", []), Asked("b", [])
    found = turns(a, b, cycles=5, lead_in_s=0.0)
    for index, server in enumerate((a, b)):
        slices = of(found, index)
        assert sum(one.good for one in slices) == server.requests
        assert server.connections == CONNECTIONS
        assert [one.connects for one in slices] == [CONNECTIONS, 0, 0, 0, 0]
        assert all(one.errors == 0 and one.wall_s >= 0.02 and 0 < one.first_half_good < one.good for one in slices)
        assert all(0 < (one.response_mean_s or 0) <= (one.response_max_s or 0) <= one.wall_s for one in slices)


def test_the_lead_in_is_sent_and_not_counted() -> None:
    server = Asked("a", [])
    found = turns(server, cycles=4, lead_in_s=0.01)
    assert sum(one.good for one in found.slices) < server.requests


def test_connections_that_the_server_closed_are_made_anew_and_are_no_errors_of_the_next_slice() -> None:
    impatient = Asked("a", [])
    found = turns(impatient, Asked("b", [], impatient.hang_up), cycles=6)
    assert sum(one.errors for one in found.slices) == 0
    later = [(before.target, one.target, one.connects) for before, one in pairwise(found.slices) if one.cycle]
    assert (1, 0, CONNECTIONS) in later
    assert {(1, 0, CONNECTIONS), (0, 1, 0), (0, 0, 0), (1, 1, 0)} >= set(later)


def test_a_server_that_fails_or_hangs_has_its_errors_counted_and_the_others_go_on() -> None:
    broken = Asked("a", [], lambda number: OK if number % 2 else FAILED)
    hanging = Asked("b", [], lambda number: OK if number <= 8 else None)
    good = Asked("c", [])
    found = turns(broken, hanging, good, cycles=2)
    assert sum(one.errors for one in of(found, 0)) > 0 < sum(one.good for one in of(found, 0))
    assert [one.errors for one in of(found, 1)] == [CONNECTIONS], "one that has failed gets no further slice"
    assert [one.errors for one in of(found, 2)] == [0, 0]
    assert found.error_examples == (
        "bad_status: status 500, expected 200", "timeout: no complete answer within 0.3 s", "",
    )  # fmt: skip


def test_a_server_that_is_not_there_has_no_answers_and_an_error_in_its_one_slice() -> None:
    nobody = SlicesJob(targets=(target(free_port()),), cycles=2, slice_s=0.001)

    async def go() -> SlicesResult:
        return await Turns(nobody, asyncio.get_running_loop()).run()

    found = uvloop.run(go())
    assert [(one.good, one.errors, one.response_mean_s) for one in found.slices] == [(0, 1, None)]
    assert found.error_examples == ("refused: no connection could be made",)


# Open loops:

RATE_RPS = 400.0


def offered(rate_rps: float, slice_s: float, cycles: int, seed: int) -> list[int]:
    """How many requests the pacer has due in the slices of each cycle."""
    job = SlicesJob(targets=(target(1),), cycles=cycles, seed=seed)
    return [len([*schedule("poisson", rate_rps, slice_s, job.arrivals_seed(cycle))]) for cycle in range(cycles)]


def assert_nothing_lost(found: SlicesResult) -> None:
    """Every request that was due in an open loop has its answer or its error, and every answer its times."""
    for one in found.slices:
        assert one.good + one.errors == one.offered
        assert len(one.responses_us) == len(one.services_us) == one.good
        assert all(0 < service <= response for response, service in zip(one.responses_us, one.services_us, strict=True))


def test_in_one_cycle_all_servers_have_the_same_arrivals_and_in_the_next_one_others() -> None:
    load = {"rate_rps": RATE_RPS, "arrival": "poisson"}
    servers = Asked("a", [], **load), Asked("b", [], **load, seed=9)
    found = turns(*servers, cycles=6, slice_s=0.1, seed=3)
    expected = offered(RATE_RPS, 0.1, cycles=6, seed=3)
    assert len(set(expected)) > 2
    assert [one.offered for one in of(found, 0)] == [one.offered for one in of(found, 1)] == expected
    assert expected != offered(RATE_RPS, 0.1, cycles=6, seed=4)
    assert_nothing_lost(found)


def test_an_open_slice_lasts_its_time_and_its_requests_are_answered() -> None:
    server = Asked("a", [], rate_rps=RATE_RPS)
    found = turns(server, cycles=4, slice_s=0.1)
    assert [one.offered for one in found.slices] == [40] * 4
    for one in found.slices:
        assert one.wall_s >= 0.1
        assert 0 < one.first_half_good < one.good == 40
        assert one.response_mean_s == pytest.approx(sum(one.responses_us) / one.good / 1e6, abs=2e-6)
        assert one.response_max_s == pytest.approx(max(one.responses_us) / 1e6, abs=2e-6)
        assert one.lag_max_s is not None
        assert one.lag_max_s >= 0
    assert_nothing_lost(found)


def test_a_slice_in_which_nothing_is_due_is_one_all_the_same() -> None:
    (one,) = turns(Asked("a", [], rate_rps=0.001, arrival="poisson"), cycles=1).slices
    assert (one.offered, one.good, one.errors, one.late_sends, one.lag_max_s) == (0, 0, 0, 0, None)
    assert one.wall_s >= 0.02


def test_open_and_closed_loops_go_together() -> None:
    found = turns(Asked("a", []), Asked("b", [], rate_rps=RATE_RPS))
    for one in of(found, 0):
        assert (one.offered, one.late_sends, one.lag_max_s, one.responses_us, one.services_us) == (0, 0, None, (), ())
        assert one.good > 0
    assert [one.offered for one in of(found, 1)] == [8, 8, 8]


def test_without_a_free_connection_a_request_waits_and_that_is_no_lag_of_the_generator() -> None:
    slow = Asked("a", [], rate_rps=RATE_RPS, connections=1, timeout_s=5.0)
    slow.takes_s = 0.01
    found = turns(slow, cycles=2, slice_s=0.1)
    assert slow.connections == 1
    assert_nothing_lost(found)
    for one in found.slices:
        assert (one.offered, one.errors) == (40, 0)
        assert sum(one.responses_us) > 3 * sum(one.services_us)
        assert one.late_sends < one.offered / 2
        assert one.first_half_good < one.good / 2, "most are answered after the slice's time"


def test_an_open_loop_keeps_its_connections_and_uses_the_last_one_again() -> None:
    server = Asked("a", [], rate_rps=RATE_RPS, connections=20)
    found = turns(server, Asked("b", []), cycles=5, slice_s=0.1, lead_in_s=0.0)
    assert [one.connects for one in of(found, 0)] == [0] * 5, "they were made when the first slice was rehearsed"
    assert server.requests == 6 * 40
    assert max(server.served) > 3 * server.requests / 20, "if they took turns, each would have a twentieth"


def test_connections_of_an_open_loop_that_the_server_closed_are_made_and_used_before_the_next_slice() -> None:
    impatient = Asked("a", [], rate_rps=RATE_RPS)
    found = turns(impatient, Asked("b", [], impatient.hang_up), cycles=4, slice_s=0.2, lead_in_s=0.0)
    replaced = [one.connects for before, one in pairwise(found.slices) if (before.target, one.target) == (1, 0)]
    assert replaced
    assert all(replaced)
    assert impatient.requests >= 40 + 4 * 80 + sum(replaced), "each carries a request that is not counted"
    assert sum(one.errors for one in found.slices) == 0
    assert_nothing_lost(replace(found, slices=tuple(of(found, 0))))


def test_a_server_that_closes_after_each_answer_has_no_connection_beforehand() -> None:
    closing = Asked("a", [], lambda number: CLOSING, rate_rps=RATE_RPS)
    found = turns(closing, cycles=2, slice_s=0.1)
    assert [(one.connects, one.good) for one in found.slices] == [(0, 40)] * 2
    assert closing.connections == closing.requests == 3 * 40


def test_an_open_loop_that_fails_or_hangs_in_its_rehearsal_has_no_slice_and_says_why() -> None:
    hanging = Asked("a", [], lambda number: None, rate_rps=RATE_RPS, connections=2)
    broken = Asked("b", [], lambda number: OK if number % 2 else FAILED, rate_rps=RATE_RPS)
    good = Asked("c", [])
    found = turns(hanging, broken, good, cycles=2, slice_s=0.1)
    assert of(found, 0) == of(found, 1) == [], "they have failed in the rehearsal"
    assert [one.good > 0 == one.errors for one in of(found, 2)] == [True, True]
    assert found.error_examples == (
        "timeout: no connection was free within 0.3 s", "bad_status: status 500, expected 200", "",
    )  # fmt: skip


def test_every_request_of_an_open_loop_to_nobody_is_refused() -> None:
    nobody = SlicesJob(targets=(target(free_port(), rate_rps=RATE_RPS),), cycles=2, slice_s=0.05)

    async def go() -> SlicesResult:
        return await Turns(nobody, asyncio.get_running_loop()).run()

    found = uvloop.run(go())
    assert found.slices == ()
    assert found.error_examples[0].startswith("refused: ")


@pytest.mark.parametrize(("at_request", "slices"), [(20, 0), (60, 1), (100, 2)])
def test_a_stop_lets_the_open_slice_under_way_come_to_its_end(at_request: int, slices: int) -> None:
    """The first 40 requests are the rehearsal's."""
    stops: list[Callable[[], None]] = []

    def answer(number: int) -> bytes:
        if number == at_request:
            stops[0]()
        return OK

    server = Asked("a", [], answer, rate_rps=RATE_RPS)
    found = turns(server, cycles=1_000, slice_s=0.1, lead_in_s=0.0, begun=lambda made: stops.append(made.stop))
    assert found.interrupted
    assert [(one.offered, one.good) for one in found.slices] == [(40, 40)] * slices
    assert server.requests == (slices + 1) * 40


def test_a_connection_lost_in_the_lead_in_is_made_anew_for_the_slice() -> None:
    closing = Asked("a", [], lambda number: CLOSING)
    (one,) = turns(closing, cycles=1).slices
    assert (one.connects, one.good, one.errors) == (2 * CONNECTIONS, CONNECTIONS, 0)


def test_idle_time_is_read_at_both_ends_of_a_slice(monkeypatch: pytest.MonkeyPatch) -> None:
    readings: list[tuple[int, ...]] = []

    def idle_s(cores: tuple[int, ...]) -> float | None:
        readings.append(cores)
        return len(readings) ** 2 if cores else None

    monkeypatch.setattr(clocks_module, "idle_s", idle_s)
    found = turns(Asked("a", []), Asked("b", [], rate_rps=RATE_RPS), cycles=2, server_cores=(1, 2))
    assert [one.idle_s for one in found.slices] == [3, 7, 11, 15]
    assert set(readings) == {(1, 2)}
    assert [one.idle_s for one in turns(Asked("a", []), cycles=1).slices] == [None]


# Generators and servers in processes of their own:


@contextmanager
def two_processes() -> Iterator[list[NullServer]]:
    with ExitStack() as stack:
        yield [stack.enter_context(null_server(())) for _ in range(2)]


def test_the_generators_process_reads_the_cpu_time_of_each_server() -> None:
    with two_processes() as servers, Generator() as generator:
        targets = tuple(target(one.port, (one.pid,)) for one in servers)
        found = generator.slices(SlicesJob(targets=targets, cycles=4, slice_s=0.1, database_pids=(os.getpid(),)))
    assert len(found.slices) == 8
    for one in found.slices:
        assert one.good > 0 == one.errors
        assert one.cpu_s > 5 * one.others_cpu_s >= 0, "the other server has nothing to do"
        assert one.generator_cpu_s > 0
        assert one.database_cpu_s < one.wall_s


@pytest.mark.skipif(sys.platform != "linux", reason="the system does not tell")
def test_the_generators_process_reads_how_long_the_servers_cores_were_idle() -> None:
    core = min(os.sched_getaffinity(0))
    with null_server((core,)) as server, Generator() as generator:
        targets = (target(server.port, rate_rps=20.0),)
        found = generator.slices(SlicesJob(targets=targets, cycles=4, slice_s=0.3, server_cores=(core,)))
    assert_nothing_lost(found)
    idle = [one.idle_s for one in found.slices if one.idle_s is not None]
    assert len(idle) == 4
    assert 0 <= sum(idle) < 1.5 * sum(one.wall_s for one in found.slices)


def test_a_generator_that_is_held_up_says_how_late_it_sent() -> None:
    with null_server(()) as server, Generator() as generator:
        job = SlicesJob(targets=(target(server.port, rate_rps=RATE_RPS),), cycles=3, slice_s=0.3)
        generator.slices(replace(job, cycles=1, slice_s=0.01))
        assert generator._worker is not None
        with held_up(generator._worker.process.pid, for_s=0.05, every_s=0.15):
            found = generator.slices(job)
    assert_nothing_lost(found)
    for one in found.slices:
        assert one.lag_max_s is not None
        assert one.lag_max_s > 0.03
        assert 0.01 * one.offered < one.late_sends <= one.offered == 120


@pytest.mark.parametrize("rate_rps", [None, RATE_RPS], ids=["closed", "open"])
def test_ctrl_c_ends_it_and_the_next_job_has_a_process_of_its_own(rate_rps: float | None) -> None:
    with two_processes() as servers, Generator() as generator:
        job = SlicesJob(targets=tuple(target(one.port, rate_rps=rate_rps) for one in servers), cycles=1_000)
        threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT)).start()
        began = time.monotonic()
        with pytest.raises(KeyboardInterrupt):
            generator.slices(job)
        assert time.monotonic() - began < 30
        assert len(generator.slices(replace(job, cycles=1)).slices) == 2


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"targets": ()}, "targets"),
        ({"cycles": 0}, "cycles"),
        ({"slice_s": 0.0}, "slice_s"),
        ({"lead_in_s": -1.0}, "lead_in_s"),
    ],
)
def test_a_job_that_makes_no_sense_names_its_field(changes: dict[str, Any], name: str) -> None:
    with pytest.raises(ValueError, match=f"^{name} is "):
        SlicesJob(**{"targets": (target(1),), "cycles": 1} | changes)


def test_a_job_crosses_the_border_as_it_is() -> None:
    targets = (target(1, (2, 3), body=b"\xff", method="POST"), target(2, rate_rps=5.0, arrival="poisson"))
    job = SlicesJob(targets=targets, cycles=1, database_pids=(4,), server_cores=(1, 3), cores=(0,))
    assert SlicesJob.from_json(job.to_json()) == job


def test_a_result_crosses_the_border_as_it_is() -> None:
    found = turns(Asked("a", []), Asked("b", [], rate_rps=400.0))
    assert SlicesResult.from_json(found.to_json()) == found


def test_connections_that_a_server_closes_while_others_are_made_are_replaced_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def go() -> ServerLoad:
        server = Asked("a", [])
        async with await asyncio.start_server(server.serve, HOST, 0) as running:
            port = running.sockets[0].getsockname()[1]
            load = ServerLoad(target(port).job, asyncio.get_running_loop())
            assert await load.prepare(0.0) == CONNECTIONS
            connect = load.connect
            load.idle[0].abort()

            async def connecting(count: int, timeout_s: float) -> list[Connection]:
                made = await connect(count, timeout_s)
                monkeypatch.setattr(load, "connect", connect)
                for connection in load.idle:
                    connection.abort()
                return made

            monkeypatch.setattr(load, "connect", connecting)
            assert await load.prepare(0.0) == CONNECTIONS
            await asyncio.wait_for(load.send_again(0.01, CONNECTIONS), 5)
            load.close()
        return load

    load = uvloop.run(go())
    assert (load.errors, load.good >= CONNECTIONS) == (0, True)
