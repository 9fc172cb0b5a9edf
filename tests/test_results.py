"""The results file: whole at every moment, refused when it is not ours, and good enough to go on from."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from bench.errors import BenchError
from bench.results import SCHEMA, Cell, Run, check_same, load_run, new_run
from tests.observations import observations

CELL = Cell("s", "gevent", {"name": "w", "n": 1}, "rate", ("python",), {"pid": 1}, 0.6,
            observations({"rate": 10.0}))  # fmt: skip


def fresh(folder: Path) -> Run:
    """A run with a cell in it, saved."""
    run = new_run(folder / "run", {"python": "3.11"}, {"rounds": 6}, seed=7)
    run.add(CELL)
    run.steps_done.append("s//gevent/0")
    run.save()
    return run


def test_a_run_comes_back_from_its_file_as_it_was(tmp_path: Path) -> None:
    run = fresh(tmp_path)
    again = load_run(tmp_path / "run")
    assert json.dumps(again.arguments) == json.dumps(run.arguments)
    assert (again.seed, again.steps_done) == (7, ["s//gevent/0"])
    again.save()
    assert load_run(tmp_path / "run" / "results.json").of("s")[0].values("rate") == [10.0]


def test_rounds_of_a_cell_are_put_together(tmp_path: Path) -> None:
    run = fresh(tmp_path)
    run.add(replace(CELL, observations=observations({"round": 1, "rate": 11.0})))
    (cell,) = run.of("s")
    assert cell.values("rate") == [10.0, 11.0]
    run.save()
    saved = json.loads(run.path.read_text())["cells"][0]
    assert (saved["state"], len(saved["observations"])) == ("VALID", 2)
    assert not list(run.folder.glob("*.new"))


def test_a_folder_with_results_is_not_used_again(tmp_path: Path) -> None:
    fresh(tmp_path)
    with pytest.raises(BenchError, match="has results already; pass another --out, or --resume"):
        new_run(tmp_path / "run", {}, {}, seed=1)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (None, "cannot read .*: No such file"),
        ("", "is not JSON"),
        ('{"schema": 2, ', "is not JSON"),
        ("[]", "no results file of this bench"),
        ('{"hello": 1}', "no results file of this bench"),
        ('{"schema": 999, "cells": []}', f"has another schema than this bench's {SCHEMA}"),
        ('{"schema": 2}', "is damaged"),
        ('{"schema": 2, "cells": [{"state": "VALID", "reason": "", "what": 1}]}', "is damaged"),
        ('{"schema": 2, "cells": [], "strange": 1}', "is damaged"),
        ('{"schema": 2, "cells": 5}', "is damaged"),
    ],
)
def test_what_is_no_results_file_is_refused_in_one_line(tmp_path: Path, text: str | None, says: str) -> None:
    if text is not None:
        (tmp_path / "results.json").write_text(text)
    with pytest.raises(BenchError, match=says) as caught:
        load_run(tmp_path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("environment", "arguments", "says"),
    [
        ({"python": "3.12"}, {"rounds": 6}, "its environment differ .*python: '3.11' then, '3.12' now"),
        ({"python": "3.11"}, {"rounds": 5}, "its arguments differ .*rounds: 6 then, 5 now"),
        ({"python": "3.11", "cpu": "x"}, {"rounds": 6}, "cpu: None then, 'x' now"),
    ],
)
def test_another_machine_or_other_arguments_cannot_resume(
    tmp_path: Path, environment: dict[str, object], arguments: dict[str, object], says: str
) -> None:
    with pytest.raises(BenchError, match=says):
        check_same(fresh(tmp_path), environment, arguments)


def test_the_same_circumstances_can_resume(tmp_path: Path) -> None:
    check_same(fresh(tmp_path), {"python": "3.11"}, {"rounds": 6})
