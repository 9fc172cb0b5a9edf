"""What `python -m bench bridge` ends with: a line for each target, whatever was measured in slices and once."""

import io
from pathlib import Path

import pytest
from rich.console import Console

from bench.report.page.page import page
from bench.report.terminal.bridge import conclusion
from bench.results import Cell
from bench.scenarios import scale
from bench.scenarios.bridge import BRIDGE, LOADS, TARGETS, WAITING
from tests.judged_runs import run_of
from tests.observations import closed_slices, loaded, observations

OTHERS = tuple(dict.fromkeys(target.other for target in TARGETS))


def cells(ratio: float, many_threads: int = 1) -> list[Cell]:
    """All that the command measures; the bridge has so many times the others' figures."""
    asked = [(load, model) for load in LOADS for model in (BRIDGE, *OTHERS)]
    return [
        *(closed(load, model, ratio) for load, model in asked),
        *(waiting(model, ratio, many_threads) for model in (BRIDGE, "gevent")),
    ]


def closed(load: str, model: str, ratio: float) -> Cell:
    """A cell of a closed loop in three generations, in which nothing is the same twice."""
    cpu_s = 0.0002 * (ratio if model == BRIDGE else 1)
    measured = [loaded(closed_slices(1000, cpu_s, disturbance=[1 + 0.001 * number]), threads=1) for number in range(3)]
    return Cell("bridge", model, {"name": load}, "cpu_per_request_s", (), {}, observations(*measured))


def waiting(model: str, ratio: float, threads: int) -> Cell:
    """The cell of requests that wait, measured once."""
    held = {scale.MEMORY: 20_000.0 * (ratio if model == BRIDGE else 1), "threads": threads}
    return Cell("waiting", model, {"name": WAITING.name}, scale.MEMORY, (), {}, observations(held))


def printed(*found: Cell) -> list[str]:
    """What a terminal of 80 columns shows."""
    console = Console(width=80, record=True, file=io.StringIO())
    conclusion(console, run_of(*found, folder=Path()))
    return console.export_text().splitlines()


def test_every_target_has_a_line_and_what_has_none_is_for_comparison() -> None:
    lines = printed(*cells(0.5))
    assert max(map(len, lines)) <= 80
    targets = [target for target in TARGETS if target.at_most is not None]
    assert sum(line.endswith(" met") for line in map(str.rstrip, lines)) == len(targets) + 1
    compared = [line for line in lines if line.strip().startswith("fastapi-best")]
    assert len(compared) == len(TARGETS) - len(targets)
    assert all(line.rstrip().endswith("–") for line in compared)


def test_cpu_time_has_an_interval_and_memory_none() -> None:
    lines = printed(*cells(0.5))
    (memory,) = [line for line in lines if "kB" in line and "gevent" in line]
    assert memory.split() == ["gevent", "20.0", "kB", "0.50", "1.00", "met"]
    assert any("asyncio-floor-best" in line and "0.50 (0.50–0.50)" in line for line in lines)


@pytest.mark.parametrize(("ratio", "not_met"), [(0.75, 3), (1.1, 9), (1.5, 10)])
def test_what_costs_too_much_is_not_met(ratio: float, not_met: int) -> None:
    assert sum(line.rstrip().endswith("  not met") for line in printed(*cells(ratio))) == not_met


def test_the_page_says_which_figure_was_measured_once() -> None:
    text = page(run_of(*cells(0.5), folder=Path()))
    assert '>bridge <span class="tag">in slices, 3 generations of servers</span>' in text
    assert '>waiting <span class="tag">measured once</span>' in text


def test_threads_that_grow_and_what_is_missing_are_told() -> None:
    assert any("threads" in line and "not met" in line for line in printed(*cells(0.5, many_threads=9)))
    only = [cell for cell in cells(0.5) if cell.model == BRIDGE]
    assert sum("not measured" in line for line in printed(*only)) == len(TARGETS)
