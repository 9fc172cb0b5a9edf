"""`python -m bench decide` as people type it: on a real results file, with and without flags, and with nonsense."""

import json
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest

from bench.results import new_run
from tests.in_process import Bench
from tests.observations import described
from tests.prediction.examples import cell, throughput


@pytest.fixture(autouse=True)
def _in_the_folder_of_results(results: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(results)


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder `results` with a run of two models, and beside it a newer one without throughput cells."""
    home = tmp_path_factory.mktemp("home")
    run = new_run(home / "results" / "a", {"python": "3"}, {"models": ["gevent", "asyncio-bridge"]}, seed=1)
    serial = {"python": 4.0, "database": 4.0}
    for one in (*throughput("gevent"), *throughput("asyncio-bridge"), *throughput("sync", overlap=serial)[1:]):
        run.add(one)
    described(run).save()
    other = new_run(home / "results" / "b", {}, {}, seed=1)
    other.add(cell("gevent", "1 call", "fanout"))
    described(other).save()
    return home


def one_line(text: str) -> str:
    """Without the breaks of 80 columns."""
    return " ".join(text.split())


def test_without_flags_it_says_what_it_assumes_within_80_columns(bench: Bench) -> None:
    done = bench("decide")
    said = one_line(done.stdout)
    assert (done.returncode, done.stderr) == (0, "")
    assert "From results/a/results.json (6 generations of servers" in done.stdout
    assert "Assumed: --db-wait-ms 50 --queries 1" in done.stdout
    assert "Your 20 database connections are the limit: gevent and asyncio-bridge each come to about" in said
    assert "No prediction for sync (no cell for GET /); python -m bench throughput --models sync" in said
    assert max(map(len, done.stdout.splitlines())) <= 80


def test_what_is_given_is_not_assumed_and_json_has_it_all(bench: Bench) -> None:
    done = bench("decide", "--results", "results/a", "--rate", "300", "--db-wait-ms", "2.5", "--json")
    found = json.loads(done.stdout)
    assert (found["demand"]["rate_rps"], found["demand"]["concurrency"]) == (300.0, None)
    assert found["demand"]["db_wait_s"] == 0.0025
    assert {row["prediction"]["model"] for row in found["rows"]} == {"gevent", "asyncio-bridge"}
    assert found["not_measured"][0]["name"] == "sync"
    assert found["verdict"]["sentence"].startswith("All 2 models keep 300 requests a second")
    assert found["verdict"]["sentences"][0]["code"] == "all_keep"
    assert found["verdict"]["sentences"][0]["values"]["rate"] == 300.0
    text = bench("decide", "--results", "results/a", "--rate", "300", "--db-wait-ms", "2.5").stdout
    assert "Assumed: --queries 1 --upstream-wait-ms 0 --cpu-ms 1 --db-connections 20" in text


def test_models_whose_calls_were_not_measured_are_left_out_when_there_are_calls(bench: Bench) -> None:
    done = bench("decide", "--upstream-wait-ms", "20")
    assert done.returncode == 0
    assert "No model of this run has all the cells that this prediction needs." in done.stdout
    assert "gevent, asyncio-bridge (no valid fanout cells)" in one_line(done.stdout)


def test_connection_and_data_layer_are_asked_for_and_said(bench: Bench) -> None:
    for flag, answer in (("--connection-held", "held"), ("--connection-given-back", "given back")):
        assert json.loads(bench("decide", flag, "--json").stdout)["demand"]["connection"] == answer
        assert f"its connection {answer} during calls" in one_line(bench("decide", flag).stdout)
    assert json.loads(bench("decide", "--json").stdout)["demand"]["connection"] == "own"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--data-layer", "raw"], "This run cannot tell what another data layer would cost"),
        (["--data-layer", "sqlite"], "'sqlite' is not one of"),
        (["--rate", "nan"], "nan is not a number"),
        (["--db-wait-ms", "-1"], "-1.0 is not in the range"),
        (["--cores", "0"], "0 is not in the range"),
        (["--rate", "5", "--concurrency", "5"], "--rate and --concurrency both say how many"),
        (["--queries", "0", "--db-wait-ms", "5"], "with --queries 0 there is none"),
        (["--results", "nowhere"], "cannot read nowhere: No such file"),
    ],
)
def test_nonsense_is_exit_code_2(bench: Bench, arguments: list[str], says: str) -> None:
    done = bench("decide", *arguments)
    assert done.returncode == 2
    assert says in done.stderr
    assert "Traceback" not in done.stderr


def test_without_a_run_it_says_what_to_do(bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    done = bench("decide")
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    assert "no run in results/ has throughput cells; run python -m bench all" in done.stderr


DAMAGES = (
    '{"round": 0}',
    '{"round": 0, "state": "VALID", "reason": "", "figures": {"cpu_per_request_s": "x"}, "raw": {}}',
    "5",
)


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_results_file_is_one_line(bench: Bench, results: Path, tmp_path: Path, damage: str) -> None:
    content = json.loads((results / "results" / "a" / "results.json").read_text())
    content["cells"][0]["observations"] = [json.loads(damage)]
    (tmp_path / "results.json").write_text(json.dumps(content))
    for arguments in (["decide", "--results", str(tmp_path)], ["compare", str(tmp_path), str(tmp_path)]):
        done = bench(*arguments)
        assert "Traceback" not in done.stderr
        assert done.returncode in (0, 2)
        assert len(done.stderr.splitlines()) == (1 if done.returncode else 0)


def test_in_a_terminal_it_asks(results: Path) -> None:
    mine, its = pty.openpty()
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2]), "COLUMNS": "80"}
    command = [sys.executable, "-m", "bench", "decide"]
    asking = subprocess.Popen(command, stdin=its, stdout=its, stderr=its, cwd=results, env=environment)
    os.close(its)
    answers = ["n", "", "", "", "", "7", "9", "", "", "", "n", "n", "y", "held", ""]
    os.write(mine, ("\n".join(answers) + "\n").encode())
    shown = b""
    while chunk := read(mine):
        shown += chunk
    assert asking.wait(30) == 0
    os.close(mine)
    text = re.sub(r"\s+", " ", re.sub(r"\x1b\[[0-9;]*m", "", shown.decode()))
    assert "Requests at once [200]" in text
    assert "7 requests at once" in text
    assert "9 connections" in text
    assert "its connection held during calls" in text
    assert "Assumed" not in text
    assert "Existing synchronous code runs unchanged under gevent" in text


def read(terminal: int) -> bytes:
    """What the other end wrote; nothing once it has ended."""
    try:
        return os.read(terminal, 65_536)
    except OSError:
        return b""


def test_what_nothing_can_be_predicted_from_is_exit_code_2(bench: Bench, tmp_path: Path) -> None:
    run = new_run(tmp_path / "run", {"python": "3"}, {"models": ["gevent"]}, seed=1)
    for one in throughput("gevent")[1:]:
        run.add(one)
    described(run).save()
    done = bench("decide", "--results", str(run.folder))
    assert (done.returncode, done.stdout) == (2, "")
    assert "has nothing to predict from (gevent: no cell for GET /); run python -m bench throughput" in done.stderr


def test_a_check_takes_no_figures_of_the_reader(bench: Bench, results: Path) -> None:
    done = bench("decide", "--results", str(results / "results" / "a"), "--check", "--db-wait-ms", "50")
    assert (done.returncode, done.stdout) == (2, "")
    assert "--check measures loads of its own; leave out your figures, or leave out --check" in done.stderr
