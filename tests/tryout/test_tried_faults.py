"""Faults on a reader's own application: which of its requests each takes, and what they do to real servers of it."""

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from bench.faults.fault import Get, Row
from bench.judging import judge
from bench.judging.fault_rules import found
from bench.load import Generator
from bench.models import Model
from bench.results import load_run, new_run
from bench.results.faults import FaultCell
from bench.results.tried import TriedRequest
from bench.testbed.processes.ports import free_port
from bench.tryout.answers import Reference
from bench.tryout.app import app_of
from bench.tryout.asking import Answer
from bench.tryout.comparing import Comparison
from bench.tryout.fault_servers import FaultServers, model_of
from bench.tryout.faults import FAULTS, KnownGet, Planned, gets, plan, try_faults
from bench.tryout.script import Asked, Script, Step
from bench.tryout.ways import WAYS, ways_of
from tests.in_process import Bench
from tests.trials import SYNC as TRIED_SYNC
from tests.trials import tried, waits

APP = """
import time

from flask import Flask, abort, session

app = Flask(__name__)
app.secret_key = "the same in every process"


@app.post("/sign-in")
def sign_in():
    session["name"] = "ann"
    return "welcome"


@app.get("/")
def home():
    return session["name"] if session.get("name") else abort(401)


@app.get("/slow")
def slow():
    time.sleep(0.8)
    return home()
"""
HOME, SLOW = Asked(name="GET /", path="/"), Asked(name="GET /slow", path="/slow")
SIGN_IN = Step(path="/sign-in", method="POST")
QUICK, LONG = KnownGet(HOME.name, 0.01), KnownGet(SLOW.name, 0.8)
OUTLIVING = "a socket that outlives the server"


def planned(requests: Sequence[KnownGet]) -> dict[str, Planned]:
    """All faults by name."""
    return {one.fault.name: one for one in plan(requests)}


def test_two_faults_reach_two_ways_to_serve_an_application_that_wants_a_login(tmp_path: Path) -> None:
    (tmp_path / "tiny.py").write_text(APP)
    app = app_of("tiny:app", python=None, folder=tmp_path, environment=dict(os.environ))
    ways = {way.name: (app, way) for app, way in ways_of([app], ["sync", "bridge-threads"])}
    script = Script(login=(SIGN_IN,), requests=(HOME, SLOW))
    run = new_run(tmp_path / "run", {"python": "3"}, {"command": "try"}, seed=1)
    run.tried = tried(*[type(TRIED_SYNC)(**{**vars(TRIED_SYNC), "name": name}) for name in ways])
    every = planned([QUICK, LONG])
    servers = FaultServers(ways, script, 10.0, tmp_path / "logs")
    several = [Row(replace(model_of(*both), workers=2), name) for name, both in ways.items()]
    assert [servers.can_start(row) for row in several] == [True, False]
    with Generator() as generator:
        for names, cures in ((["deploy"], True), (["slow-heads", "slow-readers"], False)):
            chosen = [every[name] for name in names]
            try_faults(chosen, servers, generator, run, lambda *_: None, cures=cures)
    saved = load_run(run.folder).faults
    assert saved
    cells = saved.cells
    assert {cell.state for cell in cells.values() if cell.fault != "slow-readers"} == {"measured"}, cells
    for name in ways:
        plain, cured = (cells["deploy", name, cure] for cure in ("", OUTLIVING))
        assert answered(plain, HOME.name) > 10, "the visitor is logged in"
        assert (plain.facts["alive"], plain.facts["workers_after"]) == (True, 1)
        assert {one.endpoint for one in plain.requests} == {HOME.name, SLOW.name}
        sent = sum(len(one.outcome) for one in cured.requests if one.endpoint == HOME.name)
        assert sent - answered(cured, HOME.name) <= 3, "a connection that is just being closed may cost one or two"
        assert cured.facts["alive"]
        assert "no answer has 256 KiB" in cells["slow-readers", name, ""].reason
    words = {name: found(cells["slow-heads", name, ""]).word for name in ways}
    assert words == {"sync": "starves", "bridge-threads": "serves"}
    assert judge(load_run(run.folder)).faults.models == list(ways)
    assert "ann" not in (run.folder / "results.json").read_text()


def answered(cell: FaultCell, endpoint: str) -> int:
    """How many requests for an endpoint were answered as they should be."""
    return sum(one.outcome.count("ok") for one in cell.requests if one.endpoint == endpoint)


@pytest.mark.parametrize(
    ("requests", "left_out"),
    [
        ([QUICK], {"slow-readers", "clients-leave", "computing"}),
        ([QUICK, LONG], {"slow-readers", "computing"}),
        ([QUICK, KnownGet("GET /large", 0.02, body_bytes=2_000_000)], {"clients-leave", "computing"}),
        ([QUICK, KnownGet("GET /report", 0.9, cpu_s=0.8)], {"slow-readers"}),
        ([LONG], {fault.name for fault in FAULTS}),
        ([], {fault.name for fault in FAULTS}),
    ],
)
def test_what_no_request_can_show_is_not_tried(requests: Sequence[KnownGet], left_out: set[str]) -> None:
    found = planned(requests)
    assert list(found) == [fault.name for fault in FAULTS]
    assert {name for name, one in found.items() if one.reason} == left_out


def test_the_first_quick_request_stands_for_all_others_and_does_not_load_a_server() -> None:
    found = planned([LONG, KnownGet("GET /{id}", 0.05), QUICK])
    for one in found.values():
        (load,) = one.fault.load
        assert (load.path, one.fault.bystander) == ("GET /{id}", "GET /{id}")
        assert load.rate_rps * 0.05 <= 0.25
        assert "GET /{id}" in one.fault.done
    assert SLOW.name in found["deploy"].fault.done
    assert SLOW.name in found["clients-leave"].fault.done


def test_only_a_get_that_is_answered_with_200_is_taken() -> None:
    asked = {name: Asked(name=name, path="/", method=method)
             for name, method in (("home", "GET"), ("save", "POST"), ("missing", "GET"))}  # fmt: skip
    answers = (Answer(status=200, sent_s=1.0, done_s=1.5), Answer(status=200, sent_s=1.0, done_s=1.25))
    references = {name: Reference(one, answers) for name, one in asked.items()}
    requests = tuple(TriedRequest(name=name, method=one.method, status=404 if name == "missing" else 200, body_bytes=7)
                     for name, one in asked.items())  # fmt: skip
    first = type(TRIED_SYNC)(**{**vars(TRIED_SYNC), "waits": {"home": waits(8.0, cpu_s=0.125)}})
    made = type(tried(first))(**{**vars(tried(first)), "requests": requests})
    assert gets(made, Comparison(cast(Any, None), references)) == [KnownGet("home", 0.25, 0.125, 7)]


def test_the_cures_that_are_settings_of_a_server_fit_the_ways_that_have_it(tmp_path: Path) -> None:
    app = cast(Any, type("App", (), {"target": "shop:app", "facts": tried(TRIED_SYNC).app})())
    models: dict[str, Model] = {way.name: model_of(app, way) for way in WAYS}
    every = planned([QUICK, LONG, KnownGet("GET /large", 0.02, 0.9, 2_000_000)])
    fits = {name: {model.name for model in models.values() if any(cure.fits(model) for cure in one.fault.cures)}
            for name, one in every.items()}  # fmt: skip
    unsocketed = {"granian", "granian-asgi"}
    assert fits["deploy"] == set(models) - unsocketed
    assert fits["crash"] == {"asgiref", "bridge-threads", "bridge-inline", "uvicorn"}
    assert fits["slow-heads"] == fits["slow-readers"] == {"gthread"}
    assert (fits["clients-leave"], "gthread" in fits["computing"], "gevent" in fits["computing"]) == (
        set(),
        False,
        True,
    )


def test_a_request_goes_out_with_the_headers_of_its_visitor() -> None:
    get = Get("/orders?page=2", (("Cookie", "a=b"),))
    assert get.head("127.0.0.1", 80) == b"GET /orders?page=2 HTTP/1.1\r\nHost: 127.0.0.1:80\r\nCookie: a=b\r\n\r\n"


def test_faults_are_refused_on_a_server_that_runs_already(bench: Bench) -> None:
    done = bench("try", "--target", f"http://127.0.0.1:{free_port()}", "--faults")
    assert done.returncode == 2
    assert "--faults ends servers and starts others" in done.stderr
