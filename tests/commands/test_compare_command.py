"""Two runs beside each other: what counts as changed, what fails a build, and what is no run at all."""

import io
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from bench.cli import main
from bench.judging.differences import Difference, difference, differences, floors_of
from bench.results import Cell, Run, new_run
from tests.observations import observations

BASE = (100.0, 102.0, 98.0, 101.0, 99.0, 100.0)
WORKLOAD = "GET /"


def cell(
    model: str, values: tuple[float, ...], scenario: str = "throughput", workload: str = WORKLOAD, state: str = "VALID"
) -> Cell:
    """A cell of rates, or of times for a scenario where less is better."""
    figure = "throughput_rps" if scenario == "throughput" else "wait_s"
    rounds = tuple({"round": n, "state": state, "reason": "", figure: value} for n, value in enumerate(values))
    return Cell(scenario, model, {"name": workload}, figure, (), {}, None, observations(*rounds))


def times(factor: float) -> tuple[float, ...]:
    """The rounds times a factor."""
    return tuple(value * factor for value in BASE)


def one(old: Cell, new: Cell, *floors: float) -> Difference:
    """The difference, with such noise floors in A and B."""
    return difference(old, new, [{("throughput", WORKLOAD): floor} for floor in (*floors, 1.0, 1.0)[:2]])


CHANGES = [
    ("throughput", 1.0, (), "no difference shown"),
    ("throughput", 0.8, (), "worse"),
    ("throughput", 1.3, (), "better"),
    ("throughput", 0.97, (), "no difference shown"),
    ("throughput", 0.8, (1.3,), "no difference shown"),
    ("throughput", 0.8, (1.0, 1.3), "no difference shown"),
    ("throughput", 0.8, (1.1, 1.1), "worse"),
    ("latency", 1.3, (), "worse"),
    ("latency", 0.7, (), "better"),
]


@pytest.mark.parametrize(("scenario", "factor", "floors", "change"), CHANGES)
def test_a_change_clears_the_margin_and_both_noise_floors(
    scenario: str, factor: float, floors: tuple[float, ...], change: str
) -> None:
    assert one(cell("m", BASE, scenario), cell("m", times(factor), scenario), *floors).change == change


def test_few_rounds_and_other_states_are_no_verdict_on_speed() -> None:
    assert one(cell("m", BASE[:4]), cell("m", times(0.5))).change == "too few rounds"
    assert one(cell("m", BASE[:1]), cell("m", times(0.5)[:1])).interval is None
    broken = one(cell("m", BASE), cell("m", times(0.5), state="ERRORS"))
    assert (broken.change, broken.failed, broken.interval) == ("state", True, None)
    assert not one(cell("m", BASE), cell("m", BASE, state="GENERATOR-LIMITED")).failed
    assert not one(cell("m", BASE, state="ERRORS"), cell("m", BASE, state="ERRORS")).failed


def test_the_loss_is_a_share_of_the_speed_whatever_the_figure() -> None:
    assert one(cell("m", BASE), cell("m", times(0.8))).loss == pytest.approx(0.2)
    assert one(cell("m", BASE, "latency"), cell("m", times(1.25), "latency")).loss == pytest.approx(0.2)
    assert one(cell("m", BASE), cell("m", times(1.25))).loss == 0


def run_of(folder: Path, *cells: Cell, environment: dict[str, Any] | None = None, seed: int = 1) -> Run:
    """A saved run."""
    run = new_run(folder, environment or {}, {"command": "all", "options": {"seed": seed}}, seed)
    for each in cells:
        run.add(each)
    run.save()
    return run


def test_floors_come_from_the_pairs_of_a_run(tmp_path: Path) -> None:
    run = run_of(tmp_path, cell("gevent", BASE), cell("gevent (again)", times(1.2)), cell("asyncio", BASE))
    ((key, floor),) = floors_of(run).items()
    assert key == ("throughput", WORKLOAD)
    assert 1.15 < floor < 1.3


def test_facts_are_compared_one_by_one_and_twins_not_at_all(tmp_path: Path) -> None:
    before = run_of(tmp_path / "a", cell("m", BASE), cell("m (again)", BASE), cell("old", BASE),
                    environment={"cpu": "x", "packages": {"flask": "3.1", "gone": "1"}})  # fmt: skip
    after = run_of(tmp_path / "b", cell("m", times(2)), cell("new", BASE),
                   environment={"cpu": "x", "packages": {"flask": "3.2"}}, seed=2)  # fmt: skip
    found = differences(before, after)
    assert found.facts == (("packages.flask", "3.1", "3.2"), ("packages.gone", "1", None), ("options.seed", 1, 2))
    assert ([each.model for each in found.cells], found.middle) == (["m"], pytest.approx(2))
    assert (found.only_before, found.only_after) == (("throughput, old, GET /",), ("throughput, new, GET /",))


@dataclass(frozen=True)
class Done:
    """What a command left."""

    returncode: int
    stdout: str
    stderr: str


Compare = Callable[..., Done]


@pytest.fixture
def compare(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Compare:
    """The command, called as a function; its input is no terminal."""
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr("sys.stdin", io.StringIO())

    def run(*arguments: object) -> Done:
        monkeypatch.setattr("sys.argv", ["bench", "compare", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        return Done(int(ended.value.code or 0), *capsys.readouterr())

    return run


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """Two runs: one model a fifth slower, one that fails, one that stays."""
    same = cell("a-model-with-quite-a-long-name", BASE, workload="GET /queries/?count=20 and a few words more")
    run_of(tmp_path / "a", cell("slow", BASE), cell("broken", BASE), same)
    run_of(tmp_path / "b", cell("slow", times(0.8)), cell("broken", BASE, state="ERRORS"),
           replace(same, observations=cell("m", times(1.2)).observations))  # fmt: skip
    return tmp_path / "a", tmp_path / "b"


def test_the_report_names_what_changed_within_80_columns(compare: Compare, folders: tuple[Path, Path]) -> None:
    done = compare(*folders)
    assert (done.returncode, done.stderr) == (0, "")
    assert "3 cells in both: 1 worse, 1 better, 0 with no difference shown, 1 in another" in done.stdout
    assert "0.80 (0.7" in done.stdout
    assert "VALID → ERRORS" in done.stdout
    assert max(len(line) for line in done.stdout.splitlines()[3:]) <= 80


def test_a_regression_is_exit_code_1_only_if_asked_for(compare: Compare, folders: tuple[Path, Path]) -> None:
    strict = compare(*folders, "--fail-on-regression", "10")
    assert strict.returncode == 1
    assert "regression: throughput, slow, GET /: worse by 20%" in strict.stderr
    assert "regression: throughput, broken, GET /: VALID before, ERRORS now" in strict.stderr
    lenient = compare(*folders, "--fail-on-regression", "30")
    assert lenient.returncode == 1
    assert "slow" not in lenient.stderr
    assert compare(folders[0], folders[0], "--fail-on-regression", "0").returncode == 0


def test_json_has_every_cell(compare: Compare, folders: tuple[Path, Path]) -> None:
    found = json.loads(compare(*folders, "--json").stdout)
    assert [each["change"] for each in found["cells"]] == ["worse", "state", "better"]
    assert found["cells"][0]["interval"]["rounds"] == 6


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (None, "cannot read"),
        ("not json", "is no results file: it is not JSON"),
        ('{"hello": 1}', "is no results file of this bench"),
        ('{"schema": 999}', "has another schema"),
        ('{"schema": 2, "cells": [{"scenario": "s"}]}', "is damaged"),
    ],
)
def test_what_is_no_run_is_one_line_and_exit_code_2(
    compare: Compare, folders: tuple[Path, Path], tmp_path: Path, text: str | None, says: str
) -> None:
    other = tmp_path / "other.json"
    if text is not None:
        other.write_text(text)
    done = compare(folders[0], other)
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    assert says in done.stderr


def test_a_percentage_must_be_one(compare: Compare, folders: tuple[Path, Path]) -> None:
    for wrong in ("nan", "-1", "101"):
        assert compare(*folders, "--fail-on-regression", wrong).returncode == 2
