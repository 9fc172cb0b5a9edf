"""Slices on servers in turn: what each server was asked is what its slices say, and no load meets another's."""

import asyncio
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from itertools import groupby, pairwise
from typing import Any

import pytest
import uvloop

from bench.load import Generator, LoadJob, Slice, SlicesJob, SlicesResult, Target
from bench.load.null_server import NullServer, null_server
from bench.load.turns import Turns
from bench.testbed.processes.ports import HOST, free_port

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
FAILED = b"HTTP/1.1 500 Broken\r\nContent-Length: 2\r\n\r\nno"
CONNECTIONS = 4
Answer = Callable[[int], bytes | None]


class Asked:
    """A server in the loop of the load; `answer` gives the bytes for its n-th request, None for never an answer."""

    def __init__(self, name: str, heard: list[str], answer: Answer = lambda number: OK) -> None:
        self.name, self.heard, self.answer = name, heard, answer
        self.requests = self.connections = 0
        self.keep_alive_s = 5.0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), self.keep_alive_s):
                self.heard.append(self.name)
                self.requests += 1
                answer = self.answer(self.requests)
                if answer is None:
                    await asyncio.sleep(60)
                writer.write(answer or b"")
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError, TimeoutError):
            pass
        finally:
            writer.close()


def turns(*servers: Asked, cycles: int = 3, **changes: Any) -> SlicesResult:
    """Slices on these servers."""

    async def go() -> SlicesResult:
        async with asyncio.TaskGroup() as tasks:
            running = [await asyncio.start_server(one.serve, HOST, 0) for one in servers]
            targets = tuple(target(each.sockets[0].getsockname()[1]) for each in running)
            job = SlicesJob(targets=targets, cycles=cycles, **{"slice_s": 0.02, "lead_in_s": 0.002} | changes)
            found = await tasks.create_task(Turns(job, asyncio.get_running_loop()).run())
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
    impatient, other = Asked("a", []), Asked("b", [])
    impatient.keep_alive_s = 0.05
    found = turns(impatient, other, cycles=6, slice_s=0.2)
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
    assert [one.errors for one in of(found, 1)] == [CONNECTIONS, CONNECTIONS]
    assert [one.errors for one in of(found, 2)] == [0, 0]
    assert found.error_examples == (
        "bad_status: status 500, expected 200", "timeout: no complete answer within 0.3 s", "",
    )  # fmt: skip


def test_a_server_that_is_not_there_has_no_answers_and_an_error_in_every_slice() -> None:
    nobody = SlicesJob(targets=(target(free_port()),), cycles=2, slice_s=0.001)

    async def go() -> SlicesResult:
        return await Turns(nobody, asyncio.get_running_loop()).run()

    found = uvloop.run(go())
    assert [(one.good, one.errors, one.response_mean_s) for one in found.slices] == [(0, 1, None), (0, 1, None)]
    assert found.error_examples == ("refused: no connection could be made",)


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


def test_ctrl_c_ends_it_and_the_next_job_has_a_process_of_its_own() -> None:
    with two_processes() as servers, Generator() as generator:
        job = SlicesJob(targets=tuple(target(one.port) for one in servers), cycles=1_000)
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
        ({"targets": (target(1, rate_rps=5.0),)}, "targets"),
        ({"cycles": 0}, "cycles"),
        ({"slice_s": 0.0}, "slice_s"),
        ({"lead_in_s": -1.0}, "lead_in_s"),
    ],
)
def test_a_job_that_makes_no_sense_names_its_field(changes: dict[str, Any], name: str) -> None:
    with pytest.raises(ValueError, match=f"^{name} is "):
        SlicesJob(**{"targets": (target(1),), "cycles": 1} | changes)


def test_a_job_crosses_the_border_as_it_is() -> None:
    job = SlicesJob(targets=(target(1, (2, 3), body=b"\xff", method="POST"),), cycles=1, database_pids=(4,), cores=(0,))
    assert SlicesJob.from_json(job.to_json()) == job
