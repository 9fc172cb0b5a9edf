"""A fault is inflicted on all rows at once, each row has its cell, and nothing is left of their servers."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from processes import gone, wait_until

from bench.errors import BenchError
from bench.faults.fault import Asked, Cure, Fault, Row, Scene
from bench.faults.known import FAULTS, find_faults
from bench.faults.running import try_faults
from bench.load import Generator
from bench.measuring.subjects import model_facts
from bench.results import Run, load_run, new_run
from bench.testbed.servers.life import ServerFailed
from tests.faults.tiny_rows import ASYNCIO, BROKEN, MISSING, SYNC, bed, outcomes, rows, tried

ROOT = Path(__file__).parents[2]
OFTEN = Asked(path="/", rate_rps=40.0, timeout_s=10.0)


def fault(name: str = "tiny", inflict: object = lambda scene: None, **more: object) -> Fault:
    usual = {"title": "t", "done": "d", "asked": "a?", "sources": ("https://example.org",), "load": (OFTEN,),
             "before_s": 0.3, "after_s": 0.5}  # fmt: skip
    return Fault(**{"name": name, "inflict": inflict, **usual, **more})  # type: ignore[arg-type]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    run = new_run(tmp_path / "out", {"python": "3"}, {}, seed=0)
    run.models = model_facts([SYNC, ASYNCIO, MISSING])
    return run


@pytest.fixture(scope="module")
def generator() -> Iterator[Generator]:
    with closing(Generator()) as ready:
        yield ready


def left_running() -> list[int]:
    """Servers of these applications that have not ended."""
    return [
        child.pid for child in psutil.Process().children(recursive=True) if "tiny_apps" in " ".join(child.cmdline())
    ]


def test_a_fault_hits_one_row_while_the_others_go_on_and_a_server_that_does_not_start_has_a_reason(
    tmp_path: Path,
) -> None:
    def kill_one(scene: Scene) -> None:
        (row,) = [row for row in scene.servers if row.name == ASYNCIO.name]
        with scene.sending(Asked(path="/info", rate_rps=40.0, timeout_s=5.0, requests=2)):
            time.sleep(0.2)
        scene.began(row)
        scene.servers[row].process.signal(signal.SIGKILL)
        scene.servers[row].process.wait(5.0)
        scene.note(row, exit_code=-1, seen=True)

    cells = tried(fault(inflict=kill_one), tmp_path, rows(SYNC, BROKEN, ASYNCIO))
    sync, broken, killed = (cells[model.name, ""] for model in (SYNC, BROKEN, ASYNCIO))
    assert (sync.state, set(outcomes(sync))) == ("measured", {"ok"})
    assert (sync.facts["alive"], sync.facts["exit_code"], sync.facts["workers_after"]) == (True, None, 1)
    assert (broken.state, "it was told to fail" in broken.reason, broken.requests) == ("failed", True, ())
    assert (killed.facts["alive"], killed.facts["workers_after"], killed.facts["seen"]) == (False, 0, True)
    assert killed.facts["exit_code"] == -1, "what the fault has noted stands"
    assert outcomes(killed)["refused"] > 5
    assert outcomes(killed, "/info") == {"ok": 2}
    (root,) = [one for one in killed.requests if one.endpoint == "/"]
    before = [outcome for sent_s, outcome in zip(root.sent_s, root.outcome, strict=True) if sent_s < -0.1]
    assert len(before) > 5
    assert set(before) == {"ok"}
    assert killed.watched_s >= 0.5
    assert not left_running()


def test_a_fault_that_cannot_be_inflicted_fails_every_row_and_one_row_that_fails_does_not_stop_the_others(
    tmp_path: Path,
) -> None:
    def refuse(scene: Scene) -> None:
        raise BenchError("the machine has no such thing")

    cells = tried(fault(inflict=refuse), tmp_path, rows(ASYNCIO))
    assert [(cell.state, cell.reason) for cell in cells.values()] == [
        ("failed", "the fault could not be inflicted: the machine has no such thing")
    ]

    def some(scene: Scene) -> None:
        def act(row: Row) -> None:
            if row.name == SYNC.name:
                raise ServerFailed("it did not come back")
            scene.note(row, done=True)

        scene.each(act)

    cells = tried(fault(inflict=some), tmp_path, rows(SYNC, ASYNCIO))
    assert cells[SYNC.name, ""].facts["error"] == "it did not come back"
    assert cells[ASYNCIO.name, ""].facts["done"] is True
    assert not left_running()


def test_the_next_server_of_a_row_has_the_same_address(tmp_path: Path) -> None:
    def follow(scene: Scene) -> None:
        for row, server in dict(scene.servers).items():
            server.process.stop()
            after = scene.start(row)
            scene.note(row, same=after.url == server.url, other=after.process.pid != server.process.pid)

    (cell,) = tried(fault(inflict=follow), tmp_path, rows(ASYNCIO)).values()
    assert (cell.facts["same"], cell.facts["other"], cell.facts["workers_after"]) == (True, True, 1)
    assert (cell.lasted_s > 0, outcomes(cell)["refused"] > 0) == (True, True)


def test_a_server_that_a_fault_leaves_as_it_was_goes_on_to_the_next_and_others_are_fresh(
    run: Run, generator: Generator, tmp_path: Path
) -> None:
    pids: list[dict[str, int]] = []

    def note(scene: Scene) -> None:
        pids.append({row.name: server.process.pid for row, server in scene.servers.items()})

    def kill_one(scene: Scene) -> None:
        note(scene)
        (row,) = [row for row in scene.servers if row.name == ASYNCIO.name]
        scene.servers[row].process.stop()

    left = {"inflict": note, "leaves_servers": True}
    faults = [
        fault("first", **left),
        fault("second", kill_one, leaves_servers=True),
        fault("third", note),
        fault("fourth", **left),
        fault("another pool", **left, pool=3),
    ]
    try_faults(faults, [SYNC, ASYNCIO], bed(tmp_path), generator, run, lambda *_: None)
    first, second, third, fourth, fifth = pids
    assert second == first
    assert third[SYNC.name] == first[SYNC.name]
    assert third[ASYNCIO.name] != first[ASYNCIO.name], "it was ended by the fault before"
    assert not set(third.values()) & set(fourth.values()), "the fault does not leave servers as they were"
    assert not set(fourth.values()) & set(fifth.values()), "it has another environment"
    assert not left_running()


def test_faults_are_saved_one_by_one_and_those_that_are_done_are_not_tried_again(
    run: Run, generator: Generator, tmp_path: Path
) -> None:
    def stop(scene: Scene) -> None:
        raise KeyboardInterrupt

    cure = Cure(name="nothing", setting="--nothing", fits=lambda model: model.name == ASYNCIO.name)
    first = fault("first", cures=(cure,), fits=lambda model: model.name != SYNC.name)
    steps: list[tuple[int, int, str]] = []

    def hear(number: int, total: int, what: str, left_s: float) -> None:
        steps.append((number, total, what))

    models = [SYNC, ASYNCIO, MISSING]
    with pytest.raises(KeyboardInterrupt):
        try_faults([first, fault("second", stop)], models, bed(tmp_path), generator, run, hear)
    assert not left_running()
    again = load_run(run.folder)
    assert again.faults is not None
    assert again.steps_done == ["faults/first"]
    assert [(key, cell.state) for key, cell in again.faults.cells.items()] == [
        (("first", SYNC.name, ""), "not tried"),
        (("first", ASYNCIO.name, ""), "measured"),
        (("first", ASYNCIO.name, "nothing"), "measured"),
        (("first", MISSING.name, ""), "not tried"),
    ]
    assert "no_such_package missing" in again.faults.cells["first", MISSING.name, ""].reason
    hurting = fault("second", hurts_database=True)
    try_faults([first, hurting], models[:1], bed(tmp_path, origin="own"), generator, again, hear)
    assert steps == [(1, 2, "fault first"), (2, 2, "fault second"), (2, 2, "fault second")]
    assert again.steps_done == ["faults/first", "faults/second"]
    refused = load_run(run.folder).faults
    assert refused is not None
    assert "leave out --database-url" in refused.cells["second", SYNC.name, ""].reason


KILLED = """
import signal, time
from pathlib import Path
from bench.load import Generator
from tests.faults.test_faults_running import fault
from tests.faults.tiny_rows import ASYNCIO, SYNC, bed, rows
from bench.faults.running import inflict

def hang(scene):
    print(*(pid for server in scene.servers.values() for pid in server.pids()), flush=True)
    with scene.sending(*scene.fault.load):
        time.sleep(60)

with Generator() as generator, Generator() as watcher:
    inflict(fault(inflict=hang), rows(SYNC, ASYNCIO), bed(Path("logs")), generator, watcher)
"""


def test_nothing_is_left_running_when_the_bench_is_killed_in_the_middle_of_a_fault(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    path = os.pathsep.join([str(ROOT), str(ROOT / "tests")])
    with subprocess.Popen(
        [sys.executable, "-c", KILLED], cwd=tmp_path, env={**os.environ, "PYTHONPATH": path}, stdout=subprocess.PIPE
    ) as bench:
        assert bench.stdout is not None
        servers = [int(pid) for pid in bench.stdout.readline().split()]
        started = [child.pid for child in psutil.Process(bench.pid).children(recursive=True)]
        bench.kill()
    assert len(servers) == 3
    wait_until(lambda: gone(*servers, *started), "every process has ended")


def test_faults_are_known_by_name_and_each_says_what_it_is_and_who_reports_it() -> None:
    assert find_faults() == FAULTS
    assert [one.name for one in find_faults(["crash", "deploy"])] == ["deploy", "crash"]
    with pytest.raises(BenchError, match="no fault 'cras'; there are deploy, reload, crash"):
        find_faults(["cras"])
    assert len({one.name for one in FAULTS}) == len(FAULTS)
    for one in FAULTS:
        assert one.done.endswith("."), one.name
        assert one.asked.endswith("?"), one.name
        assert one.sources, one.name
        assert all(source.startswith("https://") for source in one.sources), one.name
        assert all(cure.name and cure.setting for cure in one.cures), one.name
        assert json.dumps([one.title, one.done, one.asked]), one.name


def test_a_cure_is_another_row_of_the_same_model() -> None:
    model = replace(ASYNCIO, environment={"A": "1"})
    cure = Cure(name="c", setting="s", fits=lambda model: True)
    assert Row(model, model.name) != Row(model, model.name, cure)
    assert len({Row(model, model.name), Row(ASYNCIO, model.name), Row(model, model.name, cure)}) == 2
