"""`python -m bench faults` as people type it: which faults on which models, how it ends, and who else tells."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from bench.commands import faults as command
from bench.commands.measure import USUAL_FAULTS
from bench.commands.weak_points import served_alike, weakness_of
from bench.faults.fault import Fault
from bench.faults.known import FAULTS
from bench.faults.running import facts_of
from bench.models import find_models
from bench.results import Run, load_run, new_run
from bench.results.faults import FaultCell, Faults
from tests.fault_runs import cell, eight, fault_run, requests
from tests.in_process import Bench
from tests.observations import described
from tests.prediction.examples import throughput

HURTING = next(fault.name for fault in FAULTS if fault.hurts_database)


class Inflicted:
    """What the command asked for; every fault loses a request of every model, and a cure none."""

    def __init__(self) -> None:
        self.asked: list[tuple[list[str], list[str], bool]] = []
        self.stop_after = len(FAULTS)

    def __call__(
        self, faults: Sequence[Fault], models: Sequence[Any], testbed: object, generator: object, run: Run,
        on_step: Any, *, cures: bool = True,
    ) -> None:  # fmt: skip
        self.asked.append(([one.name for one in faults], [one.name for one in models], cures))
        run.faults = run.faults or Faults()
        for number, fault in enumerate(faults, start=1):
            if f"faults/{fault.name}" in run.steps_done:
                continue
            if number > self.stop_after:
                raise KeyboardInterrupt
            on_step(number, len(faults), f"fault {fault.name}", 1.0)
            run.faults.faults[fault.name] = facts_of(fault)
            for one in (cell(fault.name, model.name, requests((0.0, "reset"))) for model in models):
                run.faults.cells[one.key] = one
            run.steps_done.append(f"faults/{fault.name}")
            run.save()


@pytest.fixture(name="inflicted")
def stubbed(monkeypatch: pytest.MonkeyPatch) -> Inflicted:
    """The command without databases, servers and loads."""
    found = Inflicted()

    @contextmanager
    def workbench(*_: object, **__: object) -> Iterator[Any]:
        yield SimpleNamespace(testbed=SimpleNamespace(versions=dict), generator=None)

    monkeypatch.setattr("bench.measuring.session.workbench", workbench)
    monkeypatch.setattr("bench.commands.run.try_faults", found)
    monkeypatch.delenv("BENCH_DATABASE_URL", raising=False)
    return found


def test_every_fault_is_inflicted_on_eight_models_with_cures_unless_it_is_to_be_quick(
    inflicted: Inflicted, bench: Bench, tmp_path: Path
) -> None:
    done = bench("faults", "--out", str(tmp_path / "a"))
    assert (done.returncode, done.stderr) == (0, "")
    assert bench("faults", "--quick", "--out", str(tmp_path / "b")).returncode == 0
    every = [fault.name for fault in FAULTS]
    assert inflicted.asked == [(every, command.MODELS.split(","), True), (every, command.MODELS.split(","), False)]
    assert len(find_models(command.MODELS)) == 8
    assert f"[1/{len(FAULTS)}] fault {every[0]}; " in done.stdout
    assert "Hurt, as they are: sync by" in done.stdout
    assert done.stdout.splitlines()[-2:] == [f"{tmp_path}/a/report.html", f"{tmp_path}/a/results.json"]
    run = load_run(tmp_path / "a")
    assert run.arguments["faults"] == every
    assert run.faults is not None
    assert len(run.faults.cells) == len(FAULTS) * 8


def test_named_faults_on_named_models(inflicted: Inflicted, bench: Bench, tmp_path: Path) -> None:
    arguments = ("--faults", "crash, deploy", "--models", "gevent,asyncio-bridge", "--out", str(tmp_path / "o"))
    assert bench("faults", *arguments).returncode == 0
    assert inflicted.asked == [(["deploy", "crash"], ["gevent", "asyncio-bridge"], True)]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--faults", "crush"], "there is no fault 'crush'; there are deploy, "),
        (["--faults", " ,"], "no fault is named; there are deploy, "),
        (["--models", "gevnt"], "there is no model 'gevnt'; did you mean gevent"),
        (["--faults", f"crash,{HURTING}", "--database-url", "postgresql://me@db/shop"],
         f"{HURTING} would hurt your own database, and everybody who uses it; leave out --database-url"),
        (["--faults", "clients-leave", "--models", "gevent-mysql"], "clients-leave cannot happen to gevent-mysql"),
        (["--out", "a", "--resume", "."], "--resume goes on in its own folder"),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_one_line_and_exit_code_2(
    inflicted: Inflicted, bench: Bench, arguments: list[str], says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bench.commands.faults.available_models", find_models)
    done = bench("faults", *arguments)
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    assert says in done.stderr
    assert inflicted.asked == []


def test_a_users_own_database_is_no_reason_to_refuse_faults_that_nobody_named(
    inflicted: Inflicted, bench: Bench, tmp_path: Path
) -> None:
    """Those that would hurt it are then not tried, and the table says why."""
    arguments = ("--database-url", "postgresql://me@db/shop", "--out", str(tmp_path / "o"))
    assert bench("faults", *arguments).returncode == 0
    assert len(inflicted.asked[0][0]) == len(FAULTS)


def test_a_run_that_is_stopped_shows_what_there_is_and_goes_on_from_there(
    inflicted: Inflicted, bench: Bench, tmp_path: Path
) -> None:
    folder = str(tmp_path / "o")
    inflicted.stop_after = 1
    arguments = ("faults", "--faults", "deploy,crash", "--models", "gevent")
    stopped = bench(*arguments, "--out", folder)
    assert stopped.returncode == 130
    assert "loses 1" in stopped.stdout
    assert (
        f"go on with: python -m bench faults --faults deploy,crash --models gevent --resume {folder}" in stopped.stderr
    )
    inflicted.stop_after = 2
    assert bench(*arguments, "--resume", folder).returncode == 0
    assert load_run(tmp_path / "o").steps_done == ["faults/deploy", "faults/crash"]
    assert bench("faults", "--faults", "crash", "--models", "gevent", "--resume", folder).returncode == 2


def test_a_run_of_everything_has_two_faults_on_the_classic_six(
    inflicted: Inflicted, bench: Bench, tmp_path: Path
) -> None:
    assert set(USUAL_FAULTS) <= {fault.name for fault in FAULTS}
    done = bench("all", "--scenarios", "faults", "--out", str(tmp_path / "o"))
    assert (done.returncode, done.stderr) == (0, "")
    ((faults, models, cures),) = inflicted.asked
    assert (sorted(faults), models, cures) == (
        sorted(USUAL_FAULTS),
        [one.name for one in find_models("classic")],
        False,
    )
    assert "python -m bench faults has all faults" in " ".join(done.stdout.split())
    assert "Faults, as in production: gevent is hurt by 1 of 2 (deploy)" in " ".join(done.stdout.split())
    assert bench("all", "--scenarios", "faults", "--models", "quart", "--out", str(tmp_path / "p")).returncode == 0
    assert inflicted.asked[1][1] == ["quart"]


def test_a_report_of_faults_alone_is_a_report(bench: Bench, tmp_path: Path) -> None:
    run = fault_run(tmp_path / "run", eight())
    assert bench("report", str(run.folder)).returncode == 0
    assert '"word": "loses"' in bench("report", str(run.folder), "--format", "json").stdout


def cells(model: str) -> list[FaultCell]:
    """A deploy that loses a request, and the setting that cures it."""
    return [cell("deploy", model, requests((0.0, "reset"))),
            cell("deploy", model, requests(), cure="a socket", setting="--bind fd://3"),
            cell("crash", model, requests())]  # fmt: skip


def test_decide_names_the_faults_that_hurt_the_model_it_advises_and_where_it_knows_that_from(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    run = new_run(tmp_path / "results" / "a", {"python": "3"}, {}, seed=1)
    for one in (*throughput("gevent"), *throughput("asyncio-bridge")):
        run.add(one)
    described(run).save()
    advised = json.loads(bench("decide", "--json").stdout)["verdict"]["advised"]
    assert f"What faults do to {advised} is not known" in one_line(bench("decide").stdout)
    fault_run(tmp_path / "results" / "b", cells(advised))
    text = one_line(bench("decide", "--results", "results/a").stdout)
    assert f"Faults that hurt {advised}, of 2 tried, by results/b/results.json, 2026-11-22" in text
    assert "deploy: what deploy is; loses 1. Cured by a socket (--bind fd://3): none lost." in text
    found = json.loads(bench("decide", "--json").stdout)["faults"]
    assert (found["model"], found["tried"], len(found["hurt_by"])) == (advised, 2, 1)


def one_line(text: str) -> str:
    """A text as one line."""
    return " ".join(text.split())


@pytest.mark.parametrize(
    ("model", "known"),
    [
        ("gevent", "gevent"), ("gevent-psycogreen", "gevent"), ("gevent-4-workers", "gevent-4-workers"),
        ("bridge-threads", "asyncio-bridge"), ("uvicorn", "asyncio-bridge"), ("asyncio-bridge-best", "asyncio-bridge"),
        ("granian", ""), ("geventual", ""),
    ],
)  # fmt: skip
def test_a_model_that_no_fault_was_inflicted_on_is_taken_for_the_one_that_is_served_alike(
    model: str, known: str
) -> None:
    assert served_alike(model, ["sync", "gevent", "gevent-4-workers", "asyncio-bridge"]) == known


def test_a_model_that_faults_were_inflicted_on_itself_is_taken_for_no_other() -> None:
    assert served_alike("bridge-threads", ["sync", "bridge-inline", "bridge-threads"]) == "bridge-threads"


def test_of_the_readers_application_only_what_the_server_does_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert weakness_of("gevent") is None
    hurt = [*cells("gevent"), cell("connections-ended", "gevent", requests((3.1, "500")))]
    fault_run(tmp_path / "results", hurt).folder.joinpath("results.json").rename(tmp_path / "kept")
    (tmp_path / "results" / "r").mkdir()
    (tmp_path / "kept").rename(tmp_path / "results" / "r" / "results.json")
    every, served = weakness_of("gevent"), weakness_of("gevent", faults=("deploy", "crash"))
    assert every is not None
    assert served is not None
    assert [one.fault.name for one in every.points] == ["deploy", "connections-ended"]
    assert ([one.fault.name for one in served.points], served.tried) == (["deploy"], 2)
    assert weakness_of("granian") is None
