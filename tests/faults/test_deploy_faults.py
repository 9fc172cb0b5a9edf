"""Deploys, reloads and crashes of real servers: what is lost, what is not, and which setting cures it."""

import os
import socket
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path

from bench.faults.deploy import OUTLIVING
from bench.faults.fault import Fault
from bench.faults.known import find_faults
from bench.faults.shared import IN_FLIGHT, TWO_WORKERS
from bench.models import MODELS, find_models
from bench.testbed.processes.connected import clients, listed
from bench.testbed.processes.ports import HOST
from tests.faults.tiny_rows import ASYNCIO, SYNC, outcomes, rows, tried

TWO_S, THREE_S = (asked.path for asked in IN_FLIGHT)


def named(name: str) -> Fault:
    (fault,) = find_faults([name])
    return replace(fault, before_s=0.5, after_s=2.5)


def test_a_deploy_finishes_what_it_has_accepted_refuses_the_rest_and_loses_none_on_a_socket_that_outlives_it(
    tmp_path: Path,
) -> None:
    deploy = named("deploy")
    cells = tried(deploy, tmp_path, rows(SYNC, ASYNCIO, cures=deploy.cures))
    assert {cell.state for cell in cells.values()} == {"measured"}
    sync, asyncio = cells[SYNC.name, ""], cells[ASYNCIO.name, ""]
    for cell in cells.values():
        assert (cell.facts["alive"], cell.facts["workers_after"]) == (True, 1)
        assert cell.lasted_s > 0
    assert outcomes(asyncio, TWO_S) + outcomes(asyncio, THREE_S) == {"ok": 3}
    assert outcomes(asyncio)["refused"] > 5
    # One request at a time: the others wait in the backlog of a socket that is closed.
    in_flight = outcomes(sync, TWO_S) + outcomes(sync, THREE_S)
    assert (in_flight["ok"], in_flight["reset"]) == (1, 2)
    assert outcomes(sync)["reset"] > 5
    for model in (SYNC, ASYNCIO):
        cured = cells[model.name, OUTLIVING]
        assert outcomes(cured, TWO_S) + outcomes(cured, THREE_S) == {"ok": 3}
        assert set(outcomes(cured)) <= {"ok", "stale"}, model.name
        assert cured.facts["exit_code"] == cells[model.name, ""].facts["exit_code"]


def test_a_crash_is_over_where_somebody_starts_the_process_again(tmp_path: Path) -> None:
    crash = named("crash")
    cells = tried(crash, tmp_path, rows(SYNC, ASYNCIO, cures=crash.cures))
    sync, alone, two = (cells[key] for key in ((SYNC.name, ""), (ASYNCIO.name, ""), (ASYNCIO.name, TWO_WORKERS.name)))
    assert [cell.facts["alive"] for cell in (sync, alone, two)] == [True, False, True]
    assert [cell.facts["workers_after"] for cell in (sync, alone, two)] == [1, 0, 2]
    assert [cell.facts["killed_is_main"] for cell in (sync, alone, two)] == [False, True, False]
    assert alone.facts["exit_code"] == 137
    assert all(cell.facts["connections"] for cell in (sync, alone, two))
    for cell in (sync, alone, two):
        lost = outcomes(cell, TWO_S) + outcomes(cell, THREE_S)
        assert lost["empty"] + lost["reset"] > 0
    assert outcomes(alone)["refused"] > 5
    assert outcomes(sync)["ok"] > 5
    assert outcomes(two)["refused"] == 0


def test_a_reload_ends_one_process_of_uvicorn_and_replaces_workers_elsewhere(tmp_path: Path) -> None:
    reload = named("reload")
    cells = tried(reload, tmp_path, rows(SYNC, ASYNCIO, cures=reload.cures))
    sync, alone, two = (cells[key] for key in ((SYNC.name, ""), (ASYNCIO.name, ""), (ASYNCIO.name, TWO_WORKERS.name)))
    assert [cell.facts["reloaded"] for cell in (sync, alone, two)] == [True, False, True]
    assert [cell.facts["alive"] for cell in (sync, alone, two)] == [True, False, True]
    assert alone.facts["exit_code"] == 129
    assert outcomes(sync)["refused"] == outcomes(two)["refused"] == 0
    assert outcomes(two, TWO_S) + outcomes(two, THREE_S) == {"ok": 3}


def test_the_clients_of_a_process_are_counted_by_their_port() -> None:
    own = os.getpid()
    with closing(socket.create_server((HOST, 0))) as listener, closing(socket.create_server((HOST, 0))) as other:
        port = listener.getsockname()[1]
        assert clients([own], port) == {own: 0}
        with ExitStack() as opened:
            for server in (listener, listener, other):
                opened.enter_context(socket.create_connection(server.getsockname()))
                opened.enter_context(server.accept()[0])
            assert clients([own, 999_999_999], port) == {own: 2, 999_999_999: 0}
            assert len(list(listed(own, port))) == 2


def test_every_cure_changes_the_command_of_the_models_that_it_fits_and_of_no_other() -> None:
    faults = find_faults(["deploy", "reload", "crash"])
    for model in MODELS:
        fitting = [cure for fault in faults for cure in fault.cures if cure.fits(model)]
        for cure in fitting:
            changed = cure.changed(model)
            assert changed.command("127.0.0.1", 8000, 7) != model.command("127.0.0.1", 8000, 7), model.name
            assert (changed.takes_socket, "{port}" in " ".join(changed.arguments)) in ((True, False), (False, True))
    (granian,) = find_models("asyncio-granian")
    assert not [cure for fault in faults for cure in fault.cures if cure.fits(granian)]
    (gevent,) = find_models("gevent")
    (cured,) = [cure.changed(gevent) for cure in faults[0].cures if cure.fits(gevent)]
    assert cured.command("127.0.0.1", 8000, 7)[1:5] == ("-m", "gunicorn", "--bind", "fd://7")
