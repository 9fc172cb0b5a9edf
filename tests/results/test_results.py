"""The results file: whole at every moment, checked when it is read, refused when it is not ours, fit to go on from."""

import json
import re
import subprocess
import sys
from dataclasses import fields, replace
from pathlib import Path
from subprocess import PIPE
from typing import Any, get_args

import pytest
from jsonschema_rs import meta

from bench.errors import BenchError
from bench.report.presentation import presentation_of
from bench.results import SCHEMA, Cell, ModelFacts, Observation, Question, Run, State, check_same, load_run, new_run
from bench.results.faults import FaultCell, FaultFacts, Faults, Requests
from bench.results.file import problems, schema
from bench.results.tried import Confirmed, Difference, Stall, Tried, TriedApp, TriedModel, TriedRequest, Waits
from bench.scenarios import SCENARIOS, bridge
from tests.fault_runs import cell, fault_run, requests
from tests.observations import closed_slices, described, observations
from tests.report_runs import sample_run

ROOT = Path(__file__).parents[2]
# A request that was answered, as a fault's cell has it.
COLUMNS = {"endpoint": "/", "sent_s": [0.1], "took_s": [0.1], "outcome": ["ok"]}
CELL = Cell("s", "gevent", {"name": "w", "n": 1}, "rate", ("python",), {"pid": 1}, observations({"rate": 10.0}))


def fresh(folder: Path) -> Run:
    """A run with a cell in it, saved."""
    run = new_run(folder / "run", {"python": "3.11"}, {"options": {"cycles": 6}}, seed=7)
    run.add(CELL)
    described(run)
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
    assert len(saved["observations"]) == 2
    assert not {"state", "reason"} & saved.keys()  # what follows from the observations is not in the file
    assert not list(run.folder.glob("*.new"))


def test_a_folder_with_results_is_not_used_again(tmp_path: Path) -> None:
    fresh(tmp_path)
    with pytest.raises(BenchError, match="has results already, or a bench is writing them now; pass another"):
        new_run(tmp_path / "run", {}, {}, seed=1)


def test_a_folder_named_like_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(BenchError, match=r"cannot write to .*; pass another --out"):
        new_run(tmp_path / "file", {}, {}, seed=1)


BEGIN = """
import sys
from pathlib import Path
from bench.errors import BenchError
from bench.results import new_run
print("ready", flush=True)
input()
try:
    print(new_run(Path(sys.argv[1]), {}, {}, seed=1).path.name)
except BenchError as error:
    print(error)
"""


def test_of_benches_that_begin_in_one_folder_one_has_it_and_the_others_say_so(tmp_path: Path) -> None:
    command = [sys.executable, "-c", BEGIN, str(tmp_path / "out")]
    benches = [subprocess.Popen(command, stdin=PIPE, stdout=PIPE, text=True, cwd=ROOT) for _ in range(4)]
    for bench in benches:
        assert bench.stdout is not None
        assert bench.stdout.readline() == "ready\n"
    told = [bench.communicate("\n", timeout=60)[0].strip() for bench in benches]
    assert told.count("results.json") == 1
    others = [text for text in told if text != "results.json"]
    assert all("has results already, or a bench is writing them now; pass another --out" in text for text in others)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (None, "cannot read .*: No such file"),
        ("", "is not JSON"),
        ('{"schema": 3, ', "is not JSON"),
        ("[" * 100_000, "is not JSON"),
        ("[]", "no results file of this bench"),
        ('{"hello": 1}', "no results file of this bench"),
        ('{"schema": 999, "cells": []}', f"has schema 999, another one than this bench's {SCHEMA}; measure again, or"),
        (
            '{"schema": 1, "cells": []}',
            f"has schema 1, an older one than this bench's {SCHEMA}; measure again, or read",
        ),
        ('{"schema": true}', "has schema true, another one"),
        (
            '{"schema": 2, "cells": []}',
            f"has schema 2, an older one than this bench's {SCHEMA}; measure again, or read",
        ),
        ('{"schema": 3}', 'is damaged: .*"started_utc" is a required property'),
        ('{"schema": 3, "seed": NaN}', "is damaged: NaN is no number"),
        ('{"schema": 3, "seed": 1e999}', "is damaged: 1e999 is larger than any number"),
        (f'{{"schema": 3, "seed": {"9" * 5000}}}', "is damaged: 9+… is larger than any number"),
        ('{"schema": 3, "started_utc": "\\ud800"}', "is not UTF-8"),
    ],
)
def test_what_is_no_results_file_is_refused_in_one_line(tmp_path: Path, text: str | None, says: str) -> None:
    if text is not None:
        (tmp_path / "results.json").write_text(text)
    with pytest.raises(BenchError, match=says) as caught:
        load_run(tmp_path)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize(
    ("before", "after", "says"),
    [
        ('"round": 0', '"round": "0"', r'cells\[0\].observations\[0\].round: "0" is not of type "integer"'),
        ('"rate": 10.0', '"rate": "fast"', r'figures.rate: "fast" is not of types "null", "number"'),
        ('"rate": 10.0', '"rate": true', r"figures.rate: true is not of type"),
        ('"state": "VALID"', '"state": "FINE"', '"FINE" is not one of'),
        ('"info": {"pid": 1}', '"info": 5', r'info: 5 is not of type "object"'),
        ('"trap": false', '"trap": false, "odd": 1', r"models.gevent: .*'odd' was unexpected"),
        ('"models": {"gevent"', '"models": {"other"', "nothing is said of its model"),
        ('"scenarios": {"s"', '"scenarios": {"t"', "nothing is said of its scenario"),
        ('"raw": {}', '"raw": {"load": {"raw": [{"done_s": 1}]}}', r'load.raw\[0\]: "kind" is a required property'),
        ('"raw": {}', '"raw": {"load": {"histogram": [[1]]}}', r"histogram\[0\]: \[1\] has less than 2 items"),
    ],
)
def test_damage_is_named_by_its_place(tmp_path: Path, before: str, after: str, says: str) -> None:
    path = fresh(tmp_path).path
    text = path.read_text()
    assert text.count(before) == 1
    path.write_text(text.replace(before, after))
    with pytest.raises(BenchError, match=f"is damaged: .*{says}") as caught:
        load_run(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("column", "value", "says"),
    [
        ("good", [50], "the slices of round 0 do not fit together"),
        ("responses_us", [[1.5], []], r'slices.responses_us\[0\]\[0\]: 1.5 is not of type "integer"'),
        ("responses_us", [[-1], []], r"slices.responses_us\[0\]\[0\]: -1 is less than the minimum"),
        ("errors", [0, -1], r"slices.errors\[1\]: -1 is less than the minimum"),
        ("wall_s", None, '"wall_s" is a required property'),
    ],
)
def test_slices_that_do_not_fit_together_are_damage(tmp_path: Path, column: str, value: Any, says: str) -> None:
    run = fresh(tmp_path)
    columns = dict(closed_slices(cycles=2))
    for spoilt in (False, True):
        run.cells = {}
        run.add(replace(CELL, observations=observations({"slices": columns})))
        run.path.write_text(json.dumps(run.content()))
        if not spoilt:
            assert load_run(run.path).of("s")[0].observations[0].raw["slices"] == columns
        columns = {name: column_ for name, column_ in {**columns, column: value}.items() if column_ is not None}
    with pytest.raises(BenchError, match=f"is damaged: .*{says}"):
        load_run(run.path)


def test_a_cell_or_a_round_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    run = fresh(tmp_path)
    content = json.loads(run.path.read_text())
    content["cells"][0]["observations"] *= 2
    run.path.write_text(json.dumps(content))
    with pytest.raises(BenchError, match="a round is there twice"):
        load_run(run.path)
    content["cells"][0]["observations"].pop()
    content["cells"] *= 2
    run.path.write_text(json.dumps(content))
    with pytest.raises(BenchError, match="the cell is there twice"):
        load_run(run.path)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"fault": "other"}, "nothing is said of its fault"),
        ({"model": "other"}, "nothing is said of its model"),
        ({"state": "fine"}, "fine. is not one of"),
        ({"facts": {"alive": [1]}}, "facts.alive"),
        ({"watched_s": -1.0}, "-1.0 is less than the minimum"),
        *(({"requests": [{**COLUMNS, **column}]}, "its requests do not fit together")
          for column in ({"sent_s": []}, {"sent_s": ["now"]}, {"sent_s": [True]}, {"took_s": [-1.0]},
                         {"outcome": ["lost"]}, {"outcome": [None]}, {"outcome": ["99"]})),
    ],
)  # fmt: skip
def test_faults_that_do_not_fit_together_are_damage(tmp_path: Path, change: dict[str, Any], says: str) -> None:
    path = fault_run(tmp_path, [cell("deploy", "gevent", requests())]).path
    content = json.loads(path.read_text())
    assert load_run(path).faults is not None
    content["faults"]["cells"][0] |= change
    path.write_text(json.dumps(content))
    with pytest.raises(BenchError, match=rf"is damaged: \$.faults.cells\[0\].*{says}"):
        load_run(path)


def test_a_fault_or_its_cell_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    path = fault_run(tmp_path, [cell("deploy", "gevent", requests())]).path
    for part, says in (("cells", "the cell is there twice"), ("faults", "a name is there twice")):
        content = json.loads(path.read_text())
        content["faults"][part] *= 2
        (tmp_path / "twice.json").write_text(json.dumps(content))
        with pytest.raises(BenchError, match=says):
            load_run(tmp_path / "twice.json")


def test_what_the_bench_writes_keeps_the_schema(tmp_path: Path) -> None:
    meta.validate(schema())
    for run in (fresh(tmp_path), sample_run(tmp_path), new_run(tmp_path / "empty", {}, {}, seed=1)):
        assert list(problems(json.loads(json.dumps(run.content())))) == []


def test_schema_and_dataclasses_have_the_same_fields() -> None:
    parts = (
        (Question, "question"), (ModelFacts, "model"), (Cell, "cell"), (Observation, "observation"), (Tried, "trial"),
        (TriedModel, "tried"), (Difference, "difference"), (Waits, "waits"), (Stall, "stall"),
    )  # fmt: skip
    for kind, name in parts:
        assert {field.name for field in fields(kind)} == definition(name).keys(), name
    inside = definition("trial")
    assert {field.name for field in fields(TriedApp)} == inside["app"]["properties"].keys()
    assert {field.name for field in fields(TriedRequest)} == inside["requests"]["items"]["properties"].keys()
    assert {field.name for field in fields(Confirmed)} == inside["confirmed"]["properties"].keys()
    faults = definition("faults")
    assert {field.name for field in fields(Faults)} == faults.keys()
    cell = faults["cells"]["items"]["properties"]
    for kind, found in ((FaultFacts, faults["faults"]["items"]["properties"]), (FaultCell, cell),
                        (Requests, cell["requests"]["items"]["properties"])):  # fmt: skip
        assert {field.name for field in fields(kind)} == found.keys()
    assert {field.name for field in fields(Run)} - {"folder", "file"} == schema()["properties"].keys() - {"schema"}
    assert schema()["properties"]["schema"]["const"] == SCHEMA
    assert tuple(definition("observation")["state"]["enum"]) == get_args(State)


def definition(name: str) -> dict[str, Any]:
    """The fields of a part of the file."""
    found: dict[str, Any] = schema()["$defs"][name]["properties"]
    return found


def test_every_figure_that_a_table_shows_is_in_the_schema_under_its_one_name() -> None:
    known = definition("observation")["figures"]["properties"]
    for scenario in (*SCENARIOS.values(), bridge.SCENARIO):
        shown = {scenario.figure, *(column.value for column in presentation_of(scenario.name).columns)}
        assert shown <= known.keys(), scenario.name


def sections(page: str) -> dict[str, set[str]]:
    """The fields of each table of the page, by its heading."""
    parts = re.split(r"^## (.+)$", page, flags=re.MULTILINE)[1:]
    return {
        heading: set(re.findall(r"^\| `([^`]+)` \|", text, re.MULTILINE))
        for heading, text in zip(parts[::2], parts[1::2], strict=True)
    }


def described_fields(part: dict[str, Any], before: str = "") -> set[str]:
    """The fields that a part of the schema has beneath it, by a name with dots."""
    found = set()
    for name, one in part.get("properties", {}).items():
        found |= {f"{before}{name}"} | described_fields(one, f"{before}{name}.")
        found |= described_fields(one.get("items", {}), f"{before}{name}[].")
    return found


def test_the_page_names_every_field_of_the_schema_and_no_other() -> None:
    page = sections((ROOT / "docs" / "schema.md").read_text(encoding="utf-8"))
    whole = schema()
    assert page.pop("The run") == described_fields(whole)
    observation = dict(whole["$defs"]["observation"]["properties"])
    assert page.pop("Figures") == observation.pop("figures")["properties"].keys()
    parts = {**whole["$defs"], "observation": {"properties": observation}}
    assert {name.lower(): found for name, found in page.items()} == {
        name: described_fields(part) for name, part in parts.items()
    }


@pytest.mark.parametrize(
    ("environment", "options", "says"),
    [
        (
            {"python": "3.12"},
            {"cycles": 6},
            "measured elsewhere: python was 3.11 and is 3.12; start a new run",
        ),
        (
            {"python": "3.11"},
            {"cycles": 5},
            "other options were given for it: --cycles was 6 and is 5; start",
        ),
        ({"python": "3.11", "cpu": "x"}, {"cycles": 6}, "cpu was nothing and is x"),
        ({"python": "3.11"}, {"cycles": 6, "models": ["a", "b"]}, "options.models was nothing and is a,b"),
    ],
)
def test_another_machine_or_other_options_cannot_go_on(
    tmp_path: Path, environment: dict[str, object], options: dict[str, object], says: str
) -> None:
    with pytest.raises(BenchError, match=says):
        check_same(fresh(tmp_path), environment, {"options": options}, {"cycles": "--cycles"})


def test_a_run_that_knows_how_it_was_begun_says_how_to_go_on(tmp_path: Path) -> None:
    run = fresh(tmp_path)
    run.arguments = {**run.arguments, "given": ["latency", "--models", "a b"]}
    with pytest.raises(BenchError, match=r"; to go on: python -m bench latency --models 'a b' --resume .*/run$"):
        check_same(run, {"python": "3.11"}, {"options": {"cycles": 5}, "given": []})


def test_the_same_circumstances_can_go_on_however_they_were_typed(tmp_path: Path) -> None:
    check_same(fresh(tmp_path), {"python": "3.11"}, {"options": {"cycles": 6}, "given": ["latency", "--cycles", "6"]})


def test_variables_that_no_server_got_do_not_make_another_run(tmp_path: Path) -> None:
    facts = {"python": "3.11", "cleared_variables": ["PYTHONDEVMODE"]}
    check_same(fresh(tmp_path), facts, {"options": {"cycles": 6}})


def test_a_run_of_another_command_is_called_that_and_nothing_else(tmp_path: Path) -> None:
    with pytest.raises(BenchError, match=r"cannot go on with .*, which is a run of another command; start a new run$"):
        check_same(fresh(tmp_path), {"python": "3.12"}, {"command": "classic", "options": {"seconds": 1}})
