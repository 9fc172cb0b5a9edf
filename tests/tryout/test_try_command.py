"""`python -m bench try` as people type it: on a small application, with nonsense, and ended in the middle."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import psutil
import pytest
from click.testing import CliRunner
from processes import gone, wait_until

from bench.cli import cli
from bench.results import Run, load_run
from bench.testbed.processes.ports import free_port
from bench.testbed.processes.process import GuardedProcess
from tests.in_process import Bench

ROOT = Path(__file__).parents[2]
MODELS = "sync,gevent,gevent-psycogreen,bridge-threads,bridge-inline"
TOKEN, PASSWORD = "token-that-nobody-may-see", "password-that-nobody-may-see"
APP = '''
import os
import time

from flask import Flask, jsonify, request, session

app = Flask(__name__)
app.secret_key = os.environ["SHOP_KEY"]
busy = 0


@app.post("/sign-in")
def sign_in():
    session["name"] = "anna" if request.form["password"] == os.environ["SHOP_PASSWORD"] else ""
    return jsonify(signed_in=bool(session["name"])), 200 if session["name"] else 403


@app.get("/orders")
def orders():
    assert request.headers["X-Token"]
    if not session.get("name"):
        return jsonify(error="sign in"), 401
    time.sleep(0.04)
    return jsonify(name=session["name"])


@app.get("/shared")
def shared():
    """Answers differently while another request is in it."""
    global busy
    busy += 1
    time.sleep(0.02)
    busy -= 1
    return jsonify(others=busy)
'''
REQUESTS = """
[[login]]
method = "POST"
path = "/sign-in"
form = { password = "{env:MY_PASSWORD}" }

[[request]]
path = "/orders"
"""


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a small application, with a file of requests."""
    folder = tmp_path_factory.mktemp("shop")
    (folder / "shop.py").write_text(APP)
    (folder / "requests.toml").write_text(REQUESTS)
    return folder


def arguments(shop: Path, *further: str, out: Path) -> list[str]:
    """The command line of a first look at the application."""
    return ["try", "shop:app", "--chdir", str(shop), "--requests", str(shop / "requests.toml"), "--path", "/shared",
            "--env", f"SHOP_PASSWORD={PASSWORD}", "--env", "SHOP_KEY=k", "--header", f"X-Token: {TOKEN}", "--quick",
            "--out", str(out), *further]  # fmt: skip


@pytest.fixture(scope="module")
def trial(shop: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, str]:
    """A whole trial, and what was printed of it."""
    out = tmp_path_factory.mktemp("trial") / "run"
    environment = pytest.MonkeyPatch()
    environment.setenv("MY_PASSWORD", PASSWORD)  # as a reader has it who names it in requests.toml
    try:
        done = CliRunner().invoke(cli, arguments(shop, "--models", MODELS, out=out))
    finally:
        environment.undo()
    assert done.exit_code == 0, done.output
    return load_run(out), done.output


def test_each_model_is_tried_and_none_is_recommended_that_answers_differently(trial: tuple[Run, str]) -> None:
    run, _ = trial
    assert run.tried
    models = {one.name: one for one in run.tried.models}
    assert list(models) == MODELS.split(",")
    assert models["gevent-psycogreen"].state == "not tried"
    assert {one.request for one in models["gevent"].differences} == {"GET /shared"}
    assert models["sync"].same
    assert models["bridge-inline"].same
    assert [stall.source for stall in models["bridge-inline"].stalls][:1] == ["time.sleep(0.04)"]
    assert models["bridge-inline"].waits["GET /orders"].times > 4
    assert run.tried.confirmed is None or run.tried.confirmed.model in ("sync", "bridge-inline")
    assert {cell.model for cell in run.of("try")} <= {"sync", "sync (again)", "bridge-inline"}


def test_the_terminal_the_file_and_the_page_hold_no_secret(trial: tuple[Run, str]) -> None:
    run, printed = trial
    assert "shop.py" in printed
    assert (run.folder / "report.html").exists()
    texts = [printed, *(path.read_text(errors="replace") for path in run.folder.glob("*.*"))]
    for text in texts:
        assert TOKEN not in text
        assert PASSWORD not in text


def test_the_page_is_written_again_from_the_file(trial: tuple[Run, str], bench: Bench) -> None:
    run, _ = trial
    page = (run.folder / "report.html").read_text()
    assert bench("report", str(run.folder)).returncode == 0
    assert (run.folder / "report.html").read_text() == page


def test_a_wrong_password_ends_the_trial_and_says_so(
    shop: Path, bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MY_PASSWORD", "wrong")
    done = bench(*arguments(shop, out=tmp_path / "run"))
    assert done.returncode == 2
    assert "login step 1, POST /sign-in, was answered with status 403" in done.stderr
    assert "wrong" not in done.stderr


@pytest.mark.parametrize(
    ("further", "says"),
    [
        (["nothing:app"], "there is no module 'nothing'"),
        (["shop:nothing"], "module 'shop' has no 'nothing'"),
        (["shop"], "shop:app"),
        (["shop:app", "--models", "gevnt"], "shop:app cannot be served as gevnt; there are sync, gthread, gevent"),
        (["shop:app", "--env", "SHOP"], "--env needs NAME=VALUE"),
        (["shop:app", "--header", "no colon"], "no colon"),
        (["shop:app", "--path", "orders"], "'orders' is no path to ask for: it begins with one slash"),
        (["shop:app", "--postgres", "a b"], "--postgres needs the name of a variable"),
        (["shop:app", "--also", "shop:app"], "are both WSGI applications"),
        (["shop:app", "--at-once", "1"], "is not in the range"),
        ([], "name your application, as in python -m bench try shop:app"),
        (["shop:app", "--target", "http://127.0.0.1:1"], "name your application, as in python -m bench try shop:app"),
        (["--target", "http://example.com"], "example.com is not this machine"),
        (["--target", "http://127.0.0.1:8000/orders"], "has a path; say it with --path /orders"),
        (["shop:app", "--requests", "nowhere.toml"], "does not exist"),
    ],
)
def test_bad_input_is_exit_code_2_and_nothing_is_written(
    further: Sequence[str], says: str, shop: Path, bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SHOP_KEY", "k")
    done = bench("try", *further, "--chdir", str(shop))
    assert done.returncode == 2
    assert says in one_line(done.stderr)
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_whatever_ends_the_bench_nothing_is_left_running(number: signal.Signals, shop: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "MY_PASSWORD": PASSWORD}
    command = [sys.executable, "-m", "bench", *arguments(shop, "--models", "sync,gevent", out=out)]
    bench = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        wait_until(lambda: (out / "logs" / "gevent.log").exists(), "a second model is tried", 120)
        started = [process.pid for process in psutil.Process(bench.pid).children(recursive=True)]
        bench.send_signal(number)
        _, errors = bench.communicate(timeout=120)  # it still writes the page of what it has
    finally:
        bench.kill()
        bench.communicate()
    wait_until(lambda: gone(*started), "every process has ended")
    assert bench.returncode == (130 if number == signal.SIGINT else -number)
    if number == signal.SIGINT:
        assert errors.splitlines()[-1] == "bench: interrupted; nothing is left running"
        assert json.loads((out / "results.json").read_text())["tried"]["models"][0]["name"] == "sync"


def test_a_server_that_runs_is_asked_and_no_model_is_recommended(shop: Path, bench: Bench, tmp_path: Path) -> None:
    port = free_port()
    command = [sys.executable, "-m", "gunicorn", "--bind", f"127.0.0.1:{port}", "--no-control-socket", "shop:app"]
    environment = {"SHOP_KEY": "k", "SHOP_PASSWORD": PASSWORD}
    with GuardedProcess(command, log=tmp_path / "log", environment=environment, cwd=shop) as server:
        wait_until(lambda: "Booting worker" in server.log_tail(), "the server is up")
        url = f"http://127.0.0.1:{port}"
        done = bench("try", "--target", url, "--path", "/shared", "--out", str(tmp_path / "run"))
    assert done.returncode == 0
    assert "A server that ran already was compared with itself." in one_line(done.stdout)
    run = load_run(tmp_path / "run")
    assert run.tried
    assert run.tried.models[0].waits["GET /shared"].times > 4
    assert bench("report", str(run.folder)).returncode == 0


def test_a_target_that_does_not_answer_is_exit_code_2(bench: Bench, tmp_path: Path) -> None:
    done = bench("try", "--target", f"http://127.0.0.1:{free_port()}", "--out", str(tmp_path / "run"))
    assert done.returncode == 2
    assert "does not answer (the connection was refused); start the server" in one_line(done.stderr)


def one_line(text: str) -> str:
    return " ".join(text.split())


PAIR = """
def wsgi(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "5")])
    return [environ["PATH_INFO"][:5].encode()]


async def asgi(scope, receive, send):
    if scope["type"] != "http":
        raise ValueError(scope["type"])
    body = scope["path"][:5].encode() if scope["path"] == "/same" else b"other"
    headers = [(b"content-type", b"text/plain"), (b"content-length", b"5")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})
"""


def test_a_port_to_asgi_is_compared_with_the_original(bench: Bench, tmp_path: Path) -> None:
    (tmp_path / "pair.py").write_text(PAIR)
    port = "uvicorn (pair:asgi)"
    done = bench("try", "pair:wsgi", "--also", "pair:asgi", "--chdir", str(tmp_path), "--path", "/same",
                 "--path", "/else", "--models", f"sync,{port}", "--quick", "--out", str(tmp_path / "run"))  # fmt: skip
    assert done.returncode == 0, done.stderr
    run = load_run(tmp_path / "run")
    assert run.tried
    models = {one.name: one for one in run.tried.models}
    assert list(models) == ["sync", port]
    assert {(one.request, one.when) for one in models[port].differences} == {
        ("GET /else", "alone"), ("GET /else", "at once"),
    }  # fmt: skip
