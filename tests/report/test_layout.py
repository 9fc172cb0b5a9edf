"""A run on a cluster: its machines in the file, drawn in the page, and compared with runs of the same layout only."""

import json
from pathlib import Path
from typing import Any

import pytest

from bench.report.page.page import page
from bench.results import Run, check_same, load_run
from bench.results.layout import incomparable, places
from tests.in_process import Bench
from tests.report_runs import sample_run

SERVER = {"role": "server", "name": "lab-server", "host": "10.0.0.4", "kernel": "6", "cpu": "A processor", "cores": 8,
          "server_cores": [7], "other_cores": [0, 1], "round_trip_s": 0.00021}  # fmt: skip
LOAD = {**SERVER, "role": "load", "name": "<lab-load>", "host": "10.0.0.5", "generators": 4, "round_trip_s": 0.0003}
DATABASE = {"role": "database", "name": "10.0.0.9", "host": "10.0.0.9", "round_trip_s": None}


def on(folder: Path, **machines: dict[str, Any]) -> Run:
    """A run with these machines."""
    folder.mkdir()
    run = sample_run(folder)
    run.environment = {**run.environment, **({"machines": machines} if machines else {})}
    run.save()
    return load_run(folder)


def test_the_page_draws_every_machine_with_its_cores_and_the_round_trips(tmp_path: Path) -> None:
    shown = page(on(tmp_path / "a", server=SERVER, load=LOAD, database=DATABASE))
    drawing = shown[shown.index("The machines") : shown.index("<h3>Environment")]
    for said in (">lab-server<", ">&lt;lab-load&gt;<", ">load, 4 generators<", ">10.0.0.9<", ">0.21 ms<", ">0.30 ms<",
                 ">not reached<", ">8 cores<", ">bench<"):  # fmt: skip
        assert said in drawing, said
    assert "The machines" not in page(on(tmp_path / "b"))


@pytest.mark.parametrize(
    ("before", "after", "says"),
    [
        ({}, {}, ""),
        ({"server": SERVER, "a": LOAD}, {"server": SERVER, "b": {**LOAD, "name": "other"}}, ""),
        ({}, {"server": SERVER, "a": LOAD},
         "A was measured on one machine, and B on a server of 8 cores with load from 1 machine (4 generators)"),
        ({"server": SERVER, "a": LOAD}, {"server": SERVER, "a": LOAD, "b": LOAD},
         "A was measured on a server of 8 cores with load from 1 machine (4 generators), and B on a server of 8 cores "
         "with load from 2 machines (8 generators)"),
        ({"server": SERVER, "a": LOAD}, {"server": SERVER, "a": LOAD, "d": DATABASE},
         "A was measured on a server of 8 cores with load from 1 machine (4 generators), and B on a server of 8 cores "
         "with load from 1 machine (4 generators), the database elsewhere"),
    ],
)  # fmt: skip
def test_runs_of_one_layout_are_comparable(
    tmp_path: Path, before: dict[str, Any], after: dict[str, Any], says: str
) -> None:
    assert incomparable(on(tmp_path / "a", **before), on(tmp_path / "b", **after)) == says


def test_compare_refuses_another_layout(tmp_path: Path, bench: Bench) -> None:
    on(tmp_path / "a")
    on(tmp_path / "b", server=SERVER, load=LOAD)
    done = bench("compare", str(tmp_path / "a"), str(tmp_path / "b"))
    assert done.returncode == 2
    assert "no figure of one says anything of the other; measure both in one layout" in done.stderr


def test_a_run_goes_on_where_round_trips_differ_and_not_on_another_machine(tmp_path: Path) -> None:
    run = on(tmp_path / "a", server=SERVER)
    slower = {**run.environment, "machines": {"server": {**SERVER, "round_trip_s": 0.5}}}
    check_same(run, slower, run.arguments)
    other = {**run.environment, "machines": {"server": {**SERVER, "host": "10.0.0.99"}}}
    with pytest.raises(Exception, match=r"machines\.server\.host was 10\.0\.0\.4 and is 10\.0\.0\.99"):
        check_same(run, other, run.arguments)


def test_a_machine_that_the_schema_does_not_know_is_damage(tmp_path: Path) -> None:
    run = on(tmp_path / "a", server=SERVER)
    content = json.loads(run.path.read_text(encoding="utf-8"))
    content["environment"]["machines"]["server"]["role"] = "printer"
    run.path.write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(Exception, match=r"is damaged: \$\.environment\.machines\.server\.role"):
        load_run(run.folder)


def test_places_are_read_as_they_were_written(tmp_path: Path) -> None:
    found = places(on(tmp_path / "a", server=SERVER, load=LOAD, database=DATABASE))
    assert [(one.role, one.cores, one.generators) for one in found] == [
        ("server", 8, 0),
        ("load", 8, 4),
        ("database", 0, 0),
    ]
