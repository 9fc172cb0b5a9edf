"""Two runs beside each other: what counts as changed, what fails a build, and what is no run at all."""

import io
import json
import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from bench.cli import main
from bench.judging import judge
from bench.judging.differences import Difference, differences
from bench.results import Cell, Run, new_run
from tests.judged_runs import judged_of, run_of
from tests.observations import described, observations

BASE = (100.0, 102.0, 98.0, 101.0, 99.0, 100.0)
WORKLOAD = "GET /"


def cell(
    model: str,
    values: tuple[float, ...],
    scenario: str = "throughput",
    workload: str = WORKLOAD,
    state: str = "VALID",
    spread_limit: float | None = None,
) -> Cell:
    """A cell of rates, or of times for a scenario where less is better."""
    figure = "throughput_rps" if scenario == "throughput" else "p90_s"
    rounds = tuple({"round": n, "state": state, "reason": "", figure: value} for n, value in enumerate(values))
    return Cell(scenario, model, {"name": workload}, figure, (), {}, spread_limit, observations(*rounds))


def times(factor: float) -> tuple[float, ...]:
    """The rounds times a factor."""
    return tuple(value * factor for value in BASE)


def one(old: Cell, new: Cell, *noisy: bool) -> Difference:
    """The difference; whether A and B have an A/A pair whose halves differ by a third."""
    runs = []
    for each, noise in zip((old, new), (*noisy, False, False)[:2], strict=True):
        twin = cell("m (again)", tuple(value * 1.3 for value in values_of(each)), each.scenario)
        runs.append(judged_of(each, *([twin] if noise else [])))
    return differences(*runs).cells[0]


def values_of(of: Cell) -> tuple[float, ...]:
    """Its figure in every round."""
    return tuple(of.values(of.figure))


CHANGES = [
    ("throughput", 1.0, (), "equal"),
    ("throughput", 0.8, (), "worse"),
    ("throughput", 1.3, (), "better"),
    ("throughput", 0.97, (), "equal"),
    ("throughput", 0.955, (), "not told apart"),
    ("throughput", 0.8, (True,), "not told apart"),
    ("throughput", 0.8, (False, True), "not told apart"),
    ("throughput", 0.6, (True, True), "worse"),
    ("latency", 1.3, (), "worse"),
    ("latency", 0.7, (), "better"),
]


@pytest.mark.parametrize(("scenario", "factor", "noisy", "kind"), CHANGES)
def test_a_change_exceeds_the_margin_and_the_noise_of_both_runs(
    scenario: str, factor: float, noisy: tuple[bool, ...], kind: str
) -> None:
    assert one(cell("m", BASE, scenario), cell("m", times(factor), scenario), *noisy).outcome.kind == kind


def test_few_rounds_and_other_states_say_nothing_of_speed() -> None:
    few = one(cell("m", BASE[:4]), cell("m", times(0.5)[:4])).outcome
    assert (few.kind, few.reason) == ("not comparable", "4 rounds of both, and 5 are needed")
    assert one(cell("m", BASE[:1]), cell("m", times(0.5)[:1])).outcome.interval is None
    broken = one(cell("m", BASE), cell("m", times(0.5), state="ERRORS"))
    assert (broken.outcome.kind, broken.other_state, broken.failed) == ("not comparable", True, True)
    assert not one(cell("m", BASE), cell("m", BASE, state="GENERATOR-LIMITED")).failed
    assert not one(cell("m", BASE, state="ERRORS"), cell("m", BASE, state="ERRORS")).failed


def test_the_loss_is_a_share_of_the_speed_whatever_the_figure() -> None:
    assert one(cell("m", BASE), cell("m", times(0.8))).loss == pytest.approx(0.2)
    assert one(cell("m", BASE, "latency"), cell("m", times(1.25), "latency")).loss == pytest.approx(0.2)
    assert one(cell("m", BASE), cell("m", times(1.25))).loss == 0


def saved(folder: Path, *cells: Cell, environment: dict[str, Any] | None = None, seed: int = 1) -> Run:
    """A saved run."""
    run = new_run(folder, environment or {}, {"command": "all", "options": {"seed": seed}}, seed)
    for each in cells:
        run.add(each)
    described(run).save()
    return run


def test_the_noise_is_that_of_the_tables_by_the_runs_own_seed() -> None:
    rng = random.Random(1)
    cells = [cell(name, tuple(rng.lognormvariate(5, 0.2) for _ in range(10))) for name in ("m", "m (again)")]
    margins = set()
    for seed in (1, 2, 3):
        before, after = judge(run_of(*cells, seed=seed)), judge(run_of(cell("m", BASE), seed=seed))
        found = differences(before, after).cells[0]
        assert found.margin == before.workloads[0].floor
        margins.add(found.margin)
    assert len(margins) > 1


def test_facts_are_compared_one_by_one_and_twins_not_at_all(tmp_path: Path) -> None:
    before = saved(tmp_path / "a", cell("m", BASE), cell("m (again)", BASE), cell("old", BASE),
                   environment={"cpu": "x", "packages": {"flask": "3.1", "gone": "1"}})  # fmt: skip
    after = saved(tmp_path / "b", cell("m", times(2)), cell("new", BASE),
                  environment={"cpu": "x", "packages": {"flask": "3.2"}}, seed=2)  # fmt: skip
    found = differences(judge(before), judge(after))
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
    saved(tmp_path / "a", cell("slow", BASE), cell("broken", BASE), same)
    saved(tmp_path / "b", cell("slow", times(0.8)), cell("broken", BASE, state="ERRORS"),
          replace(same, observations=cell("m", times(1.2)).observations))  # fmt: skip
    return tmp_path / "a", tmp_path / "b"


def test_the_report_names_what_changed_within_80_columns(compare: Compare, folders: tuple[Path, Path]) -> None:
    done = compare(*folders)
    assert (done.returncode, done.stderr) == (0, "")
    assert "3 cells in both: 1 better, 1 worse, 0 equal, 0 not told apart, 0 not" in done.stdout
    assert "1 in another state" in done.stdout
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
    kinds = {each["model"][:6]: each["outcome"]["kind"] for each in found["cells"]}
    assert kinds == {"slow": "worse", "broken": "not comparable", "a-mode": "better"}
    assert found["cells"][0]["outcome"]["interval"]["rounds"] == 6
    assert [each["after"] for each in found["cells"] if each["model"] == "broken"] == ["ERRORS"]


def test_runs_of_which_nothing_can_be_compared_fail_where_regressions_are_asked_for(
    compare: Compare, folders: tuple[Path, Path], tmp_path: Path
) -> None:
    """A build that compares nothing must not be green."""
    saved(tmp_path / "other", cell("another", BASE))
    saved(tmp_path / "short", cell("slow", BASE[:2]))
    asked = ("--fail-on-regression", "10")
    apart = compare(folders[0], tmp_path / "other", *asked)
    assert (apart.returncode, len(apart.stderr.splitlines())) == (2, 1)
    assert "the runs have no cell in common, so nothing is known of regressions" in apart.stderr
    few = compare(folders[0], tmp_path / "short", *asked)
    assert (few.returncode, len(few.stderr.splitlines())) == (2, 1)
    assert "no cell can be compared, so nothing is known of regressions (first: 2 rounds of both" in few.stderr
    assert compare(folders[0], tmp_path / "other").returncode == 0


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (None, "cannot read"),
        ("not json", "is no results file: it is not JSON"),
        ('{"hello": 1}', "is no results file of this bench"),
        ('{"schema": 999}', "has schema 999, another one"),
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
