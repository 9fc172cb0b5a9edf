"""The registry: how models are chosen and listed, what becomes of one that cannot be started, and how to add one."""

import json
import random
import re
import shlex
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import pytest
from click.testing import CliRunner
from generators import NoLoad

import bench.models
from bench.cli import cli
from bench.errors import BenchError
from bench.measuring.plan import make_plan
from bench.measuring.run import execute
from bench.measuring.subjects import model_facts, questions
from bench.models import (
    FAMILIES,
    MODELS,
    Model,
    available_models,
    family,
    find_models,
    group,
    is_floor,
    is_only_a_trap,
    left_out,
)
from bench.models.servers import GUNICORN
from bench.report.terminal.registry import pasteable, words
from bench.results import Cell, new_run
from bench.scenarios import SCENARIOS
from bench.scenarios.base import Options
from bench.scenarios.classic import SECONDS
from bench.testbed.processes.local_http import local_get
from bench.testbed.processes.ports import free_port, is_free
from bench.testbed.processes.process import clean_environment
from bench.testbed.testbed import TestBed

ROOT = Path(__file__).parents[2]
# A model of one's own, as the README shows it.
OWN_MODEL = """Model(
    "gthread-50",
    "gevent_app",
    (*GUNICORN, "--worker-class", "gthread", "--threads", "50", "gevent_app:create_app()"),
    threads=50,
    note="What we run today.",
)"""
MISSING = Model("ours", "gevent_app", GUNICORN, packages=("no_such_module",), extra="servers")


def names(models: Sequence[Model]) -> list[str]:
    return [model.name for model in models]


@pytest.fixture
def with_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A registry with a model whose package is not there."""
    monkeypatch.setattr(bench.models, "MODELS", (*MODELS, MISSING))


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
def test_an_entry_says_what_it_is(model: Model) -> None:
    assert re.fullmatch(r"[a-z0-9-]+", model.name)
    assert model.name not in FAMILIES
    assert 0 < len(model.situation) <= 16
    assert re.fullmatch(r"\S.{20,118}\.", model.note)
    assert set(model.families) <= set(FAMILIES)
    assert bool(model.extra) >= bool(model.packages)
    assert is_only_a_trap(model) == model.name.startswith("trap-")


def test_names_are_unique() -> None:
    assert len(set(names(MODELS))) == len(MODELS)


@pytest.mark.parametrize("name", FAMILIES)
def test_every_family_has_models(name: str) -> None:
    assert family(name)
    assert find_models(name) == family(name)


def test_families_by_app_have_no_models_that_are_only_traps_and_no_floors() -> None:
    assert {"sync", "gevent", "gevent-blocking-db"} <= set(names(family("gevent_app")))
    assert {"asyncio-bridge", "asyncio-adapter"} <= set(names(family("asyncio_app")))
    assert not any(map(is_only_a_trap, (*family("gevent_app"), *family("asyncio_app"), *family("default"))))
    assert not any(map(is_floor, (*family("gevent_app"), *family("asyncio_app"), *family("default"))))
    assert names([*filter(is_floor, MODELS)]) == names(family("floors")) == [
        "gevent-bare", "asyncio-floor", "asyncio-floor-best",
    ]  # fmt: skip
    assert {"trap-no-adapter", "asyncio-adapter"} <= set(names(family("traps")))
    assert {model.database for model in family("mysql")} == {"mysql"}
    assert family("every") == MODELS


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("gevent", ["gevent"]),
        (" asyncio-bridge , gevent,asyncio-bridge", ["asyncio-bridge", "gevent"]),
        ("asyncio-bl*", ["asyncio-blocking-db"]),
        ("*-blocking-db", ["gevent-blocking-db", "asyncio-blocking-db"]),
        ("syn?", ["sync"]),
        ("[gs]*-blocking-db,sync", ["gevent-blocking-db", "sync"]),
        (
            "gevent,classic",
            ["gevent", "sync", "gevent-blocking-db", "asyncio-adapter", "asyncio-blocking-db", "asyncio-bridge"],
        ),
    ],
)
def test_a_list_is_names_families_and_wildcards_in_its_order_each_once(text: str, expected: list[str]) -> None:
    assert names(find_models(text)) == expected


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("gevnt", "there is no model 'gevnt'; did you mean gevent"),
        ("Gevent", "there is no model 'Gevent'; did you mean gevent"),
        ("gevent,asyncio-brigde", "there is no model 'asyncio-brigde'; did you mean asyncio-bridge"),
        ("refrences", "did you mean references"),
        ("adapter", " or asyncio-adapter?"),
        ("gevent-zzz*", "there is no model 'gevent-zzz*'; did you mean gevent"),
        ("zzz", "there is no model 'zzz'; python -m bench list shows all"),
        ("*x-y", "there is no model '*x-y'; "),
        ("", "no model is named; there are: sync, "),
        (" , ", "no model is named; there are: sync, "),
    ],
)
def test_an_unknown_name_is_an_error_with_the_near_ones(text: str, says: str) -> None:
    with pytest.raises(BenchError, match=re.escape(says)) as raised:
        find_models(text)
    assert len(str(raised.value)) < 160 or not text.strip(" ,")


@pytest.mark.usefixtures("with_missing")
def test_a_model_that_cannot_be_started_is_an_error_by_name_and_left_out_otherwise() -> None:
    remedy = "no_such_module missing; run make bench, or install the extra 'servers'"
    with pytest.raises(BenchError, match=f"ours cannot be started here: {remedy}"):
        available_models("gevent, ours")
    assert "ours" not in names(available_models("gevent_app"))
    assert f"ours ({remedy})" in left_out("gevent_app")
    assert left_out("gevent_app").startswith("left out: ")
    assert left_out("gevent") == ""
    with pytest.raises(BenchError, match=f"no model of our\\* can be started here: {remedy}"):
        available_models("our*")


@pytest.mark.usefixtures("with_missing")
def test_the_commands_refuse_it_by_name_and_list_it_with_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    for command in (["serve", "ours"], ["classic", "--models", "ours"], ["all", "--models", "gevent,ours"]):
        done = CliRunner().invoke(cli, command)
        assert isinstance(done.exception, BenchError)
        assert "install the extra 'servers'" in str(done.exception)
    monkeypatch.setattr("bench.report.terminal.registry.MODELS", (MISSING,))
    assert "Cannot be started here: no_such_module missing" in CliRunner().invoke(cli, ["list"]).output
    (told,) = json.loads(CliRunner().invoke(cli, ["list", "--json"]).output)["models"]
    assert (told["available"], told["unavailable"]) == (False, MISSING.unavailable)


def listed(width: int) -> str:
    return CliRunner().invoke(cli, ["list"], env={"COLUMNS": str(width)}).output


@pytest.mark.parametrize("width", [60, 80, 400])
def test_the_list_has_every_model_once_and_each_command_can_be_pasted(width: int) -> None:
    text = listed(width)
    assert max(map(len, text.splitlines())) <= width
    assert not re.search(r"\\ +$", text, re.MULTILINE)
    joined = re.sub(r" \\\n +", " ", text)
    for model in MODELS:
        assert len(re.findall(rf"^{model.name}  {model.situation}; ", text, re.MULTILINE)) == 1
        assert model.note in re.sub(r"\s+", " ", text)
        assert f"\n  {' '.join(words(model))}\n" in joined
        assert shlex.split(pasteable(model, width).replace("\\\n", "")) == [
            *(f"{name}={value}" for name, value in model.environment.items()),
            "python",
            *model.command("127.0.0.1", 8000)[1:],
        ]
        assert find_spec(model.arguments[1] if model.arguments[0] == "-m" else model.arguments[0])
    headings = [line.partition(":")[0] for line in text.splitlines() if line.partition(":")[0] in FAMILIES]
    assert headings == list(dict.fromkeys(map(group, MODELS)))


def test_a_command_from_the_list_serves_when_pasted_into_a_shell(test_bed: TestBed) -> None:
    (model,) = find_models("asyncio-bridge")
    port = free_port()
    text = pasteable(model, 78).replace("8000", str(port)).replace("python", shlex.quote(sys.executable), 1)
    environment = clean_environment() | test_bed.environment(model)
    shell = subprocess.Popen(["sh", "-c", f"exec {text}"], cwd=ROOT, env=environment)
    try:
        deadline = time.monotonic() + 30
        while is_free(port):
            assert time.monotonic() < deadline
            assert shell.poll() is None
            time.sleep(0.05)
        assert local_get(f"http://127.0.0.1:{port}/info").json()["app"] == "asyncio_app"
    finally:
        shell.terminate()
        shell.wait()


def test_the_list_for_programs_has_all_that_the_registry_knows() -> None:
    told = json.loads(CliRunner().invoke(cli, ["list", "--json"]).output)
    assert [model["name"] for model in told["models"]] == names(MODELS)
    assert told["families"] == FAMILIES
    assert list(told["scenarios"]) == list(SCENARIOS)
    gevent = next(model for model in told["models"] if model["name"] == "gevent")
    known = {"group": "classic", "loop": "gevent", "threads": 1, "workers": 1, "database": "postgres", "pool": 15}
    assert known.items() <= gevent.items()
    assert gevent["families"] == ["default", "classic"]
    assert shlex.split(gevent["command"])[:3] == ["python", "-m", "gunicorn"]


class Silent:
    """A listener of a run that nobody looks at."""

    def __getattr__(self, name: str) -> object:
        return lambda *_: None


def test_a_model_of_ones_own_takes_seven_lines(test_bed: TestBed, tmp_path: Path) -> None:
    """And is measured like any other: checked, started, judged."""
    assert len(OWN_MODEL.splitlines()) <= 7
    assert OWN_MODEL in (ROOT / "README.md").read_text()
    model = eval(OWN_MODEL, {"Model": Model, "GUNICORN": GUNICORN})
    options = Options(chosen={SECONDS.name: 0.1})
    run = new_run(tmp_path / "o", {}, {}, seed=random.getrandbits(8))
    run.scenarios, run.models = questions([SCENARIOS["classic"]], options), model_facts([model])
    plan = make_plan([SCENARIOS["classic"]], [model], options)
    execute(plan, replace(test_bed, logs=tmp_path), options, run, NoLoad(), Silent())
    cell: Cell
    (cell,) = run.cells.values()
    (seen,) = cell.observations
    assert seen.state == "VALID", seen.reason
    assert (cell.model, cell.info["app"]) == ("gthread-50", "gevent_app")
    assert seen.figures["total_s"] < 0.8 * 2 * 5 * 0.1
