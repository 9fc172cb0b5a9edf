"""The CPU clocks of another machine: told over a socket by a process of its own, and the same as they are there."""

import json
import os
import socket
import subprocess
from collections.abc import Iterator

import pytest

from bench.files import ROOT
from bench.load import LoadJob, SlicesJob, Target
from bench.load.clocks import clocks_for
from bench.testbed.processes.clock_service import ClockAddress
from bench.testbed.processes.piped import end_piped, first_answer, start_piped
from bench.testbed.processes.ports import HOST

GONE = 2**22 - 1  # above the largest pid of a usual Linux


@pytest.fixture
def service() -> "Iterator[tuple[ClockAddress, subprocess.Popen[bytes]]]":
    process = start_piped(["-m", "bench.testbed.processes.clock_service", HOST], cwd=ROOT)
    told = first_answer(process)
    yield ClockAddress(HOST, told["port"], told["secret"]), process
    end_piped(process)


def job(clocks: ClockAddress | None, *pids: int) -> SlicesJob:
    """Slices of one server with these processes."""
    target = Target(job=LoadJob(host=HOST, port=9), pids=pids)
    cores = tuple(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else ()
    return SlicesJob(targets=(target,), cycles=1, server_cores=cores, clocks=clocks)


def test_clocks_told_from_elsewhere_lie_between_two_looks_here(
    service: "tuple[ClockAddress, subprocess.Popen[bytes]]",
) -> None:
    here, there = clocks_for(job(None, os.getpid(), GONE)), clocks_for(job(service[0], os.getpid(), GONE))
    before, told, after = here.look(), there.look(), here.look()
    there.close()
    assert before.cpu_s[0] <= told.cpu_s[0] <= after.cpu_s[0]
    assert before.idle_s is not None
    assert told.idle_s is not None
    assert after.idle_s is not None
    assert before.idle_s <= told.idle_s <= after.idle_s


def test_a_job_takes_the_address_along_to_the_generator() -> None:
    asked = job(ClockAddress("10.0.0.3", 4321, "secret"), 1)
    assert SlicesJob.from_json(asked.to_json()) == asked
    assert SlicesJob.from_json(job(None).to_json()).clocks is None


def test_without_the_secret_nothing_is_told(service: "tuple[ClockAddress, subprocess.Popen[bytes]]") -> None:
    address, _ = service
    for line in (b"no JSON\n", b"[]\n", json.dumps({"secret": "guess", "pids": [1], "cores": []}).encode() + b"\n"):
        with socket.create_connection((address.host, address.port), 5) as sock:
            sock.sendall(line)
            assert sock.recv(100) == b""


def test_clocks_that_nobody_tells_any_more_are_an_error_with_their_address(
    service: "tuple[ClockAddress, subprocess.Popen[bytes]]",
) -> None:
    address, process = service
    clocks = clocks_for(job(address, os.getpid()))
    clocks.look()
    end_piped(process)
    with pytest.raises(OSError, match=rf"cannot be read at {HOST}:{address.port}: "):
        clocks.look()
    clocks.close()
