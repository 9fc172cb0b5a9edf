"""`python -m bench bridge`: what is measured for whom, when a target is met, and a table of 80 columns."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner
from rich.console import Console

from bench.cli import cli
from bench.measuring.plan import make_plan
from bench.models import Model, find_models
from bench.report.terminal.run import summary
from bench.results import Cell
from bench.scenarios import SCENARIOS, bridge, scale
from bench.scenarios.base import Options
from bench.scenarios.bridge import (
    BRIDGE,
    CPU,
    FLOOR,
    MODELS,
    SCENARIO,
    TARGETS,
    WAITING,
    all_met,
    comparisons,
    threads,
)
from tests.judged_runs import judged_of, run_of
from tests.observations import observations

FOUND = {model.name: model for model in find_models(",".join(MODELS))}


def asked(model: Model) -> list[str]:
    return [workload.name for workload in bridge.workloads(Options()) if SCENARIO.asks(model, workload)]


def cells(ratio: float, many_threads: int = 1) -> list[Cell]:
    """A cell for each workload and model, with three rounds; the bridge has so many times the others' figures."""
    return [cell(name, model, ratio, many_threads) for model in MODELS for name in asked(FOUND[model])]


def cell(name: str, model: str, ratio: float, many_threads: int) -> Cell:
    waiting = name == WAITING.name
    figure = 0.011_111 * (ratio if model == BRIDGE else 1)
    values = {scale.MEMORY if waiting else CPU: figure, "threads": many_threads if waiting else 1}
    rounds = tuple({"round": number, "state": "VALID", "reason": "", **values} for number in range(3))
    return Cell("bridge", model, {"name": name}, CPU, (), {}, None, observations(*rounds))


def test_a_model_is_asked_what_it_has_a_target_for() -> None:
    assert len(asked(FOUND[BRIDGE])) == 5
    assert asked(FOUND["gevent"]) == asked(FOUND[BRIDGE])
    assert asked(FOUND["quart"]) == asked(FOUND["fastapi"]) == asked(FOUND[BRIDGE])[:-1]
    assert asked(FOUND["asyncio-threads"]) == [FLOOR]
    assert SCENARIO.name not in SCENARIOS


def test_every_round_has_every_model_once_and_memory_last() -> None:
    plan = make_plan([SCENARIO], list(FOUND.values()), Options(rounds=3))
    for number in range(3):
        assert sorted(step.contestant.name for step in plan if step.round == number) == sorted(MODELS)
    assert bridge.workloads(Options())[-1] == WAITING


@pytest.mark.parametrize(
    ("ratio", "unmet"),
    [
        (0.34, ""),
        (0.36, "asyncio-threads"),
        (0.66, "asyncio-threads gevent"),
        (0.96, "asyncio-threads gevent quart"),
        (1.26, "asyncio-threads gevent quart fastapi"),
    ],
)
def test_a_target_is_met_up_to_its_ratio(ratio: float, unmet: str) -> None:
    found = comparisons(judged_of(*cells(ratio)).cells, 1)
    assert {row.target.other for row in found if not row.met} == set(unmet.split())
    assert [row.met for row in found if row.target.workload == WAITING.name] == [ratio < 1]
    assert all_met(judged_of(*cells(ratio)).cells, 1) == (not unmet)


def test_threads_may_not_grow() -> None:
    assert threads(judged_of(*cells(0.3, many_threads=2)).cells) == (1, 2)
    assert not all_met(judged_of(*cells(0.3, many_threads=2)).cells, 1)


@pytest.mark.parametrize(("state", "unmet"), [("ERRORS", {"quart", "fastapi"}), ("UNSTABLE", {"fastapi"})])
def test_what_failed_or_is_missing_is_not_met(state: str, unmet: set[str]) -> None:
    """A round without a steady state still says what a request cost."""
    every = {cell.key: cell for cell in cells(0.3) if cell.model != "fastapi"}
    for key, cell in every.items():
        if cell.model == "quart":
            first = replace(cell.observations[0], state=state, reason="why")
            every[key] = replace(cell, observations=(first, *cell.observations[1:]))
    found = judged_of(*every.values()).cells
    assert {row.target.other for row in comparisons(found, 1) if not row.met} == unmet
    assert not all_met(found, 1)
    assert not all_met([], 1)


def printed(found: Sequence[Cell], folder: Path) -> list[str]:
    run = run_of(*found, folder=folder)
    console = Console(width=80, record=True, file=(folder / "out").open("w"))
    summary(console, run, [SCENARIO])
    console.file.close()
    return console.export_text().splitlines()


def test_the_table_has_a_line_a_target_and_fits_80_columns(tmp_path: Path) -> None:
    lines = printed(cells(1.1), tmp_path)
    assert max(map(len, lines)) <= 80
    verdicts = [line for line in lines if line.rstrip().endswith(" met")]
    assert len(verdicts) == len(TARGETS) + 1
    assert any("asyncio-threads" in line and "0.35   not met" in line for line in verdicts)
    failed = replace(cells(1.1)[0], model="another")
    assert sum("not measured" in line for line in printed([failed], tmp_path)) == len(TARGETS) + 1


@pytest.mark.parametrize("arguments", [["--rounds", "1"], ["--duration", "nan"], ["--models", "sync"], ["x"]])
def test_bad_input_is_refused(arguments: list[str]) -> None:
    assert CliRunner().invoke(cli, ["bridge", *arguments]).exit_code == 2
