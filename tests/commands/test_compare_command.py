"""Two runs beside each other: what counts as changed, what fails a build, and what is no run at all."""

import io
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bench.cli import main
from bench.judging import judge
from bench.judging.differences import Difference, differences
from bench.results import Cell, Run, new_run
from tests.judged_runs import judged_of, rates, times, waits
from tests.observations import described

BASE = (1000.0, 1020.0, 980.0, 1010.0, 990.0, 1000.0)
WORKLOAD = "GET /"
OTHERS = ("gevent", "asyncio-bridge")


def cell(model: str, values: Sequence[float] = BASE, workload: str = WORKLOAD, **slices: Any) -> Cell:
    """A cell of throughput with these rates, generation by generation."""
    return rates(model, values, workload, **slices)


def one(old: Cell, new: Cell, machine: float = 1.0) -> Difference:
    """The difference of a cell between two runs in which two other models stay as they are.

    The machine was so many times as fast in the second run.
    """
    before = [old, *(cell(name, times(0.7, BASE)) for name in OTHERS)]
    after = [new, *(cell(name, times(0.7 * machine, BASE)) for name in OTHERS)]
    return next(each for each in differences(judged_of(*before), judged_of(*after)).cells if each.model == old.model)


CHANGES = [
    (1.0, "equal"),
    (0.8, "worse"),
    (0.9, "worse"),
    (1.3, "better"),
    (0.98, "equal"),
]


@pytest.mark.parametrize("machine", [1.0, 0.5])
@pytest.mark.parametrize(("factor", "kind"), CHANGES)
def test_a_change_exceeds_the_margin_however_fast_the_machine_is(factor: float, kind: str, machine: float) -> None:
    found = one(cell("m"), cell("m", times(factor * machine, BASE)), machine)
    assert found.outcome.kind == kind
    assert found.speed == pytest.approx(factor, rel=0.02)
    assert found.plain == pytest.approx(factor * machine, rel=0.02)


def test_a_cell_that_was_restless_in_one_run_is_not_told_apart() -> None:
    assert one(cell("m"), cell("m", (1000, 1300, 800, 1250, 790, 1100))).outcome.kind == "not told apart"


def test_beside_models_that_all_failed_nothing_is_said_and_a_model_that_is_alone_is_compared_as_it_is() -> None:
    """Without another model nothing tells a slower machine from a slower server."""
    alone = [judged_of(cell("m", times(factor, BASE))) for factor in (1.0, 0.5)]
    assert [each.outcome.kind for each in differences(*alone).cells] == ["worse"]
    failed = [judged_of(cell("m", times(factor, BASE)), cell("gevent", errors=1)) for factor in (1.0, 0.5)]
    found = {each.model: each.outcome for each in differences(*failed).cells}
    assert (found["m"].kind, found["m"].reason.partition(",")[0]) == (
        "not comparable", "no other model is valid in both runs",
    )  # fmt: skip


def test_times_that_users_wait_are_compared_as_well() -> None:
    before, after = (
        judged_of(waits("gevent", [0.002] * 3), waits("asyncio-bridge", [p90_s] * 3)) for p90_s in (0.003, 0.004)
    )
    found = {each.model: each.outcome.kind for each in differences(before, after).cells}
    assert found["asyncio-bridge"] == "worse"


def test_few_generations_and_other_states_say_nothing_of_speed() -> None:
    few = one(cell("m", BASE[:2]), cell("m", times(0.5, BASE)[:2])).outcome
    assert (few.kind, few.reason) == ("not comparable", "2 generations of both, and 3 are needed")
    assert one(cell("m", BASE[:1]), cell("m", times(0.5, BASE)[:1])).outcome.interval is None
    broken = one(cell("m"), cell("m", errors=1))
    assert (broken.outcome.kind, broken.other_state, broken.failed) == ("not comparable", True, True)
    assert not one(cell("m"), cell("m", generator_use=0.9)).failed
    assert not one(cell("m", errors=1), cell("m", errors=1)).failed


def test_the_loss_is_a_share_of_the_speed() -> None:
    assert one(cell("m"), cell("m", times(0.8, BASE))).loss == pytest.approx(0.2, abs=0.01)
    assert one(cell("m"), cell("m", times(1.25, BASE))).loss == 0


def test_the_figure_is_the_one_that_b_is_ranked_by() -> None:
    """In B the server left its core idle, so requests a second count in both."""
    found = one(cell("m"), cell("m", times(0.8, BASE), idle=0.4))
    assert found.higher_is_better
    assert (found.outcome.kind, found.speed) == ("worse", pytest.approx(0.8, rel=0.02))


def saved(folder: Path, *cells: Cell, environment: dict[str, Any] | None = None, seed: int = 1) -> Run:
    """A saved run."""
    run = new_run(folder, environment or {}, {"command": "all", "options": {"seed": seed}}, seed)
    for each in cells:
        run.add(each)
    described(run).save()
    return run


def test_facts_are_compared_one_by_one_and_twins_not_at_all(tmp_path: Path) -> None:
    before = saved(tmp_path / "a", cell("m"), cell("m (again)"), cell("old"),
                   environment={"cpu": "x", "packages": {"flask": "3.1", "gone": "1"}})  # fmt: skip
    after = saved(tmp_path / "b", cell("m", times(2, BASE)), cell("new"),
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


LONG = "a-model-with-quite-a-long-name"


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """Two runs: one model a fifth slower, one a fifth faster, one that fails, and two that stay."""
    stay = [cell("gevent"), cell("asyncio-bridge", times(1.5, BASE))]
    saved(tmp_path / "a", *stay, cell("slow"), cell("broken"), cell(LONG))
    saved(tmp_path / "b", *stay, cell("slow", times(0.8, BASE)), cell("broken", errors=1),
          cell(LONG, times(1.2, BASE)))  # fmt: skip
    return tmp_path / "a", tmp_path / "b"


def test_the_report_names_what_changed_within_80_columns(compare: Compare, folders: tuple[Path, Path]) -> None:
    done = compare(*folders)
    assert (done.returncode, done.stderr) == (0, "")
    assert "5 cells in both: 1 better, 1 worse, 2 equal, 0 not told apart, 0 not" in done.stdout
    assert "1 in another state" in done.stdout
    assert "1.33 (1.33" in done.stdout  # CPU time, beside that of the others
    assert "VALID → ERRORS" in done.stdout
    assert max(len(line) for line in done.stdout.splitlines()[3:]) <= 80


def test_a_regression_is_exit_code_1_only_if_asked_for(compare: Compare, folders: tuple[Path, Path]) -> None:
    strict = compare(*folders, "--fail-on-regression", "10")
    assert strict.returncode == 1
    assert "regression: throughput, slow, GET /: worse by 2" in strict.stderr
    assert "regression: throughput, broken, GET /: VALID before, ERRORS now" in strict.stderr
    lenient = compare(*folders, "--fail-on-regression", "30")
    assert lenient.returncode == 1
    assert "slow" not in lenient.stderr
    assert compare(folders[0], folders[0], "--fail-on-regression", "0").returncode == 0


def test_json_has_every_cell(compare: Compare, folders: tuple[Path, Path]) -> None:
    found = json.loads(compare(*folders, "--json").stdout)
    kinds = {each["model"][:6]: each["outcome"]["kind"] for each in found["cells"]}
    assert kinds == {
        "slow": "worse", "broken": "not comparable", "a-mode": "better", "gevent": "equal", "asynci": "equal",
    }  # fmt: skip
    assert found["cells"][0]["outcome"]["interval"]["generations"] == 6
    assert [each["after"] for each in found["cells"] if each["model"] == "broken"] == ["ERRORS"]


def test_runs_of_which_nothing_can_be_compared_fail_where_regressions_are_asked_for(
    compare: Compare, folders: tuple[Path, Path], tmp_path: Path
) -> None:
    """A build that compares nothing must not be green."""
    saved(tmp_path / "other", cell("another"))
    saved(tmp_path / "short", cell("slow", BASE[:2]))
    asked = ("--fail-on-regression", "10")
    apart = compare(folders[0], tmp_path / "other", *asked)
    assert (apart.returncode, len(apart.stderr.splitlines())) == (2, 1)
    assert "the runs have no cell in common, so nothing is known of regressions" in apart.stderr
    few = compare(folders[0], tmp_path / "short", *asked)
    assert (few.returncode, len(few.stderr.splitlines())) == (2, 1)
    assert "no cell can be compared, so nothing is known of regressions (first: 2 generations of both" in few.stderr
    assert compare(folders[0], tmp_path / "other").returncode == 0


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (None, "cannot read"),
        ("not json", "is no results file: it is not JSON"),
        ('{"hello": 1}', "is no results file of this bench"),
        ('{"schema": 999}', "has schema 999, another one"),
        ('{"schema": 3, "cells": [{"scenario": "s"}]}', "is damaged"),
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
