"""The results file of a trial is read by every command that reads results, and damage in it is said in one line."""

import copy
import io
import json
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bench.cli import main
from bench.commands.results import sound_run
from bench.errors import BenchError
from bench.prediction.tried import decide_for_app, demand_of_trial
from bench.results import Run, load_run, write_published
from bench.results.tried import Confirmed, Tried
from tests.judged_runs import LEVEL, times
from tests.trials import CONNECT, GTHREAD, HUNG, ORDERS, SYNC, load, trial_of, tried, tried_model

STRANGE = (None, True, -1, 0, 1e308, "", "strange", [], {}, [[]], {"a": {}})
USUAL = {"concurrency": 200, "db_connections": 20, "cores": 4, "memory_mb": 4000, "slo_ms": 1000}

FEW = LEVEL[:3]

Command = Callable[..., tuple[int, str, str]]


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """The command line, called as a function in a folder of its own: exit code, output, errors."""
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr("sys.stdin", io.StringIO())
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["bench", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        return (int(ended.value.code or 0), *capsys.readouterr())

    return run


def whole() -> Tried:
    """A trial that has something in every field."""
    gevent = tried_model("gevent", 7.9, stalls=(CONNECT,), database_connections=6, files={"psycogreen.py": "x = 1"})
    hanging = tried_model("asgiref", differences=(HUNG,), install=("uvicorn",))
    confirmed = Confirmed(model="gthread", differences=())
    return tried(SYNC, GTHREAD, gevent, hanging, notes=("Your gunicorn.conf.py was read.",), confirmed=confirmed)


def saved(folder: Path, found: Tried | None = None, factor: float = 1.0) -> Run:
    """A run of that trial, with a load of three models, in its file."""
    folder.mkdir(parents=True)
    cells = (load("sync", FEW), load("gthread", times(factor, FEW)), load("gevent", times(0.8, FEW)))
    run = trial_of(found or whole(), *cells, folder=folder)
    run.save()
    return run


def test_a_trial_comes_back_from_its_file_as_it_was(tmp_path: Path) -> None:
    run = saved(tmp_path / "run")
    assert load_run(run.path).tried == run.tried
    assert json.loads(json.dumps(load_run(run.path).content())) == json.loads(run.path.read_text())


def test_a_run_that_is_no_trial_may_leave_it_out(tmp_path: Path) -> None:
    run = saved(tmp_path / "run")
    content = json.loads(run.path.read_text())
    del content["tried"]
    run.path.write_text(json.dumps(content))
    assert load_run(run.path).tried is None


def test_every_command_that_reads_results_reads_a_trial(tmp_path: Path, bench: Command) -> None:
    one, other = str(saved(tmp_path / "one").path), str(saved(tmp_path / "other", factor=0.8).path)
    code, said, _ = bench("compare", one, other)
    assert code == 0
    assert "gthread" in said
    for form, expected in (("csv", "try,GET /orders,gthread"), ("json", '"Take gthread."'), ("md", "Take gthread.")):
        code, said, _ = bench("report", one, "--format", form)
        assert (code, expected in said) == (0, True), (form, said)
    code, said, _ = bench("report", one)
    assert code == 0
    assert ORDERS in Path(said.strip()).read_text(encoding="utf-8")


def test_programs_get_the_lines_and_the_recommendation(tmp_path: Path, bench: Command) -> None:
    _, said, _ = bench("report", str(saved(tmp_path / "one").path), "--format", "json")
    trial = json.loads(said)["trial"]
    assert trial["recommendation"]["model"] == "gthread"
    assert [(line["model"], line["verdict"]) for line in trial["lines"]][-1] == ("asgiref", "hangs")


def test_a_published_trial_has_no_folders_of_its_machine(tmp_path: Path) -> None:
    path = write_published(saved(tmp_path / "run"), tmp_path)
    assert path.name == "try.json.xz"
    found = load_run(path).tried
    assert found
    assert (found.app.folder, found.app.python) == ("shop", "python")


def test_a_trial_that_put_nothing_under_load_is_reported(tmp_path: Path, bench: Command) -> None:
    run = trial_of(whole(), folder=tmp_path)
    run.save()
    assert bench("report", str(tmp_path), "--format", "md")[0] == 0


def test_decide_answers_for_the_application(tmp_path: Path, bench: Command) -> None:
    path = str(saved(tmp_path / "run").path)
    code, said, _ = bench("decide", "--results", path, "--rate", "100", "--cores", "2")
    assert code == 0
    assert f"From {path} (a trial of shop:app, " in " ".join(said.split("\n"))
    assert "100 requests/s, as in the trial; 20 connections, 2 cores" in " ".join(said.split())
    assert "The trial recommends gthread: it would come to" in " ".join(said.split())
    assert "· asgiref: hangs" in said
    assert max(map(len, said.splitlines()[1:])) <= 80
    code, said, _ = bench("decide", "--results", path, "--json")
    assert {row["prediction"]["model"] for row in json.loads(said)["rows"]} == {"sync", "gthread", "gevent"}


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--queries", "3", "--cpu-ms", "2"), "application's own requests; leave out --queries and --cpu-ms"),
        (("--streaming",), "leave out --streaming"),
        (("--rate", "3", "--concurrency", "2"), "give one of them"),
        (("--check",), "--check is for the bench's own models"),
    ],
)
def test_decide_does_not_ask_what_a_trial_knows(
    tmp_path: Path, bench: Command, arguments: tuple[str, ...], says: str
) -> None:
    code, _, said = bench("decide", "--results", str(saved(tmp_path / "run").path), *arguments)
    assert code == 2
    assert says in " ".join(said.split())


def test_decide_takes_no_trial_by_itself(tmp_path: Path, bench: Command) -> None:
    saved(tmp_path / "results" / "trial")
    code, _, said = bench("decide")
    assert code == 2
    assert "no run in results/ has throughput cells" in said


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda found: found["requests"].append(found["requests"][0]), r"tried.requests: a name is there twice"),
        (lambda found: found["models"].append(found["models"][0]), r"tried.models: a name is there twice"),
        (lambda found: found["models"][1]["waits"].update({"GET /x": found["models"][1]["waits"][ORDERS]}),
         r"tried.models\[1\].waits: nobody was asked for GET /x"),
        (lambda found: found["models"][0]["waits"][ORDERS].update(alone_s=0), "alone_s: 0 is less than or equal to"),
        (lambda found: found["models"][0].update(state="fine"), '"fine" is not one of'),
        (lambda found: found["models"][0].update(cookie="a"), "'cookie' was unexpected"),
        (lambda found: found["app"].pop("target"), '"target" is a required property'),
        (lambda found: found["confirmed"].update(differences=[{}]), '"request" is a required property'),
    ],
)  # fmt: skip
def test_damage_in_a_trial_is_named_by_its_place(
    tmp_path: Path, change: Callable[[dict[str, Any]], object], says: str
) -> None:
    run = saved(tmp_path / "run")
    content = json.loads(run.path.read_text())
    change(content["tried"])
    run.path.write_text(json.dumps(content))
    with pytest.raises(BenchError, match=f"is damaged: .*{says}") as caught:
        load_run(run.path)
    assert "\n" not in str(caught.value)


def places(value: Any, at: tuple[str | int, ...]) -> Iterator[tuple[str | int, ...]]:
    """Every place in a value."""
    yield at
    for name, one in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from places(one, (*at, name))


def refusal(path: Path) -> str:
    """Why a file can be read, judged or predicted from by no command; empty if it can."""
    try:
        found = sound_run(path)
        if found.tried:
            decide_for_app(found, demand_of_trial(found, USUAL))
    except BenchError as error:
        return str(error)
    return ""


def test_whatever_stands_in_a_trial_is_refused_in_one_line_or_can_be_judged(tmp_path: Path) -> None:
    rng, run = random.Random(5), saved(tmp_path / "run")
    content = json.loads(run.path.read_text())
    refused = 0
    every = list(places(content["tried"], ("tried",)))
    for place in every:
        spoilt = copy.deepcopy(content)
        holder: Any = spoilt
        for step in place[:-1]:
            holder = holder[step]
        holder[place[-1]] = rng.choice(STRANGE)
        run.path.write_text(json.dumps(spoilt))
        said = refusal(run.path)
        assert "\n" not in said, place
        refused += bool(said)
    assert refused > len(every) / 2
