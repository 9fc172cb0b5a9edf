"""The probe on a loop: what it takes for a stall, and what it does where it cannot work."""

import ast
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from processes import wait_until

from bench.results.tried import Stall
from bench.tryout.stalls import Asked, Seen, probed, read, stalls

ROOT = Path(__file__).parents[2]
INSIDE = ROOT / "bench" / "tryout" / "inside"
MINE = ["beats", "clocks", "frames", "holders", "probe", "quietly", "stall"]

# The application is a module of its own: what runs a server is `__main__`, and never blamed.
WORK = """
import asyncio, re, sys, threading, time
from bench_tried import probe

def busy(seconds):
    until = time.perf_counter() + seconds
    while time.perf_counter() < until:
        pass

def match(letters):
    re.match("(a+)+$", "a" * letters + "b")

async def main():
    probe.start({kind!r}, sys.argv[1])
    await asyncio.sleep(0.1)
    print("began", flush=True)
    {work}
    await asyncio.sleep(0.1)
"""
RUN = {
    "asyncio": "import asyncio, work; asyncio.run(work.main())",
    "uvloop": "import uvloop, work; uvloop.run(work.main())",
}


@contextmanager
def running(
    work: str, folder: Path, *, kind: str = "asyncio", loop: str = "asyncio"
) -> Iterator[subprocess.Popen[str]]:
    """A process that does the work on its loop, watched; its stalls are in `stalls`."""
    (folder / "work.py").write_text(WORK.format(kind=kind, work=work), encoding="utf-8")
    with subprocess.Popen(
        [sys.executable, "-c", RUN[loop], str(folder / "stalls")],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(INSIDE)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def seen(work: str, folder: Path, *, kind: str = "asyncio", loop: str = "asyncio") -> list[Seen]:
    """What the probe saw of the work, which has ended."""
    with running(work, folder, kind=kind, loop=loop) as process:
        _, errors = process.communicate(timeout=60)
    assert (process.returncode, errors) == (0, "")
    return read(folder / "stalls")


def named(found: list[Seen], folder: Path) -> list[Stall]:
    """As if one request had lasted all the time."""
    return list(stalls(found, [Asked("GET /", 0.0, time.monotonic())], [folder], folder))


@pytest.mark.parametrize("loop", RUN)
def test_a_wait_that_keeps_the_loop_is_named_with_its_line(loop: str, tmp_path: Path) -> None:
    stall = named(seen("time.sleep(0.1)", tmp_path, loop=loop), tmp_path)[0]
    assert (stall.file, stall.source, stall.call) == ("work.py", "time.sleep(0.1)", "time.sleep")
    assert (stall.function, stall.doing, stall.count) == ("main", "waiting", 1)
    assert 0.05 < stall.total_s < 0.5
    assert "asyncio.sleep" in stall.advice


def test_what_computes_in_python_is_named_by_its_function(tmp_path: Path) -> None:
    stall = named(seen("busy(0.2)", tmp_path), tmp_path)[0]
    assert (stall.function, stall.doing, stall.call) == ("busy", "computing", "")


def test_what_keeps_the_gil_in_one_call_is_named_though_nobody_could_look_meanwhile(tmp_path: Path) -> None:
    work = "for _ in range(4): match(21); await asyncio.sleep(0.03)"
    stall = named(seen(work, tmp_path), tmp_path)[0]
    assert (stall.function, stall.doing, stall.call) == ("match", "computing", "re.match")
    assert "no concurrency model helps" in stall.advice


def test_many_short_callbacks_make_the_beat_late_and_none_of_them_is_to_blame(tmp_path: Path) -> None:
    """A callback that the machine has held up is seen as one that stands still; most are not."""
    work = "[asyncio.get_running_loop().call_soon(busy, 0.003) for _ in range(100)]"
    assert sum(stall.total_s for stall in named(seen(work, tmp_path), tmp_path)) < 0.1


def test_a_loop_that_turns_is_no_stall_however_long_a_task_takes(tmp_path: Path) -> None:
    assert named(seen("await asyncio.sleep(0.3)", tmp_path), tmp_path) == []


def test_a_stall_that_never_ends_is_told_all_the_same(tmp_path: Path) -> None:
    with running("time.sleep(1000)", tmp_path) as process:
        wait_until(lambda: bool(read(tmp_path / "stalls")), "the stall is told")
        process.kill()
    (one,) = read(tmp_path / "stalls")
    assert one.late_s >= 1
    (stall,) = named([one], tmp_path)
    assert stall.source == "time.sleep(1000)"


@pytest.mark.parametrize("kind", ["asyncio", "threads"])
def test_a_thread_that_keeps_the_gil_is_named_where_nothing_keeps_the_loop(kind: str, tmp_path: Path) -> None:
    work = "for letters in (1, 22, 22, 22, 22): await asyncio.to_thread(match, letters)"
    found = [(stall.function, stall.call, stall.doing) for stall in named(seen(work, tmp_path, kind=kind), tmp_path)]
    assert ("match", "re.match", "computing") in found, found  # beside what waits for it, on a busy machine


def test_threads_that_wait_keep_nobody(tmp_path: Path) -> None:
    work = "await asyncio.gather(*[asyncio.to_thread(time.sleep, 0.2) for _ in range(4)])"
    assert named(seen(work, tmp_path, kind="threads"), tmp_path) == []


def test_a_second_start_in_the_same_process_does_nothing(tmp_path: Path) -> None:
    seen("probe.start('asyncio', sys.argv[1])", tmp_path)
    assert (tmp_path / "stalls").read_text(encoding="utf-8").count("started_s") == 1
    assert probed(tmp_path / "stalls")


def test_a_probe_that_cannot_start_leaves_the_application_alone_and_says_so(tmp_path: Path) -> None:
    (tmp_path / "stalls").mkdir()
    with running("print('done')", tmp_path) as process:
        output, errors = process.communicate(timeout=60)
    assert (process.returncode, output) == (0, "began\ndone\n")
    assert "bench: the probe for stalls has ended: IsADirectoryError" in errors
    assert not probed(tmp_path / "nothing")


def test_what_runs_in_somebodys_process_can_be_read_by_python_3_9() -> None:
    for name in MINE:
        source = (INSIDE / "bench_tried" / f"{name}.py").read_text(encoding="utf-8")
        tree = ast.parse(source, feature_version=(3, 9))
        assert "annotations" in {alias.name for node in tree.body if isinstance(node, ast.ImportFrom)
                                 for alias in node.names}  # fmt: skip


def test_what_runs_in_somebodys_process_imports_the_standard_library_alone() -> None:
    found = set()
    for name in MINE:
        tree = ast.parse((INSIDE / "bench_tried" / f"{name}.py").read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                found |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.level:
                found.add((node.module or "").partition(".")[0])
    assert found - set(sys.stdlib_module_names) - {"__future__"} == {"gevent", "greenlet"}
