"""Idle is what the kernel calls idle, of the cores that were named and of no others."""

import os
import subprocess
import sys
import time

import pytest

from bench.testbed.processes.core_clock import idle_s, idle_ticks

STAT = b"""cpu  1135901 30174 267153 822964 2949 0 24726 1535 0 0
cpu0 490524 15364 138606 484081 1166 0 8813 777 0 0
cpu1 645377 14810 128546 338882 1783 0 15912 757 0 0
cpu10 645377 14810 128546 7 8 0 15912 757 0 0
intr 19869281 0 0 1 2
ctxt 38881
"""


@pytest.mark.parametrize(
    ("cores", "ticks"),
    [
        ((0,), 485_247),
        ((1,), 340_665),
        ((10,), 15),
        ((0, 1), 825_912),
        ((1, 0, 1), 825_912),
        ((2,), None),
        ((0, 2), None),
    ],
)
def test_idle_ticks_are_those_of_the_cores(cores: tuple[int, ...], ticks: int | None) -> None:
    assert idle_ticks(STAT, cores) == ticks


def test_without_cores_there_is_no_idle_time() -> None:
    assert idle_s(()) is None


@pytest.mark.skipif(sys.platform != "linux", reason="the system does not tell")
def test_a_core_that_has_something_to_do_is_not_idle() -> None:
    core = min(os.sched_getaffinity(0))
    code = f"import os; os.sched_setaffinity(0, [{core}]); print(flush=True)\nwhile True: pass"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as busy:
        try:
            assert busy.stdout is not None
            busy.stdout.readline()
            before_s, began = idle_s((core,)), time.monotonic()
            time.sleep(0.5)
            after_s, took_s = idle_s((core,)), time.monotonic() - began
        finally:
            busy.kill()
    assert before_s is not None
    assert after_s is not None
    assert 0 <= after_s - before_s < took_s / 4
    assert before_s > 0
