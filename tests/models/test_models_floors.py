"""A floor does the work that it is the floor of, and nothing else is answered in another way than without it."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from bench.models import find_models
from bench.testbed.processes.process import clean_environment
from bench.testbed.servers.life import Server
from bench.testbed.testbed import TestBed

ROOT = Path(__file__).parents[2]
BEGINNING = """
import asyncio
from entrypoints import flask_floor as floor

async def answer(view):
    floor.flask.view_functions["views.index"] = view
    sent = []
    async def send(message):
        sent.append(message)
    await floor.app({"type": "http", "path": "/", "method": "GET"}, None, send)
    return [message.get("status") or message["body"] for message in sent]
"""


def run(test_bed: TestBed, text: str) -> "subprocess.CompletedProcess[str]":
    """That program, in the environment of the floor's server."""
    (model,) = find_models("asyncio-floor")
    environment = clean_environment() | test_bed.environment(model)
    command = [sys.executable, "-c", BEGINNING + text]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60)


def test_it_answers_as_the_bridge_does(serve: Callable[[str], Server]) -> None:
    for method, path in (("GET", "/"), ("POST", "/"), ("HEAD", "/"), ("GET", "/todos/1"), ("GET", "/nowhere")):
        floor, bridge = (
            httpx.request(method, serve(name).url + path, trust_env=False)
            for name in ("asyncio-floor", "asyncio-bridge")
        )
        assert (floor.status_code, floor.content) == (bridge.status_code, bridge.content)
        heads = [{**answer.headers, "date": "", "allow": ""} for answer in (floor, bridge)]
        assert heads[0] == heads[1]


def test_every_request_runs_the_view_and_finds_an_environ_of_its_own(test_bed: TestBed) -> None:
    done = run(test_bed, """
from flask import request
async def view():
    request.environ["seen"] = request.environ.get("seen", 0) + 1
    return {"path": request.path, "seen": request.environ["seen"]}
print([asyncio.run(answer(view)) for _ in range(2)])
""")  # fmt: skip
    body = b'{"path":"/","seen":1}\n'
    assert (done.stdout, done.stderr) == (f"{[[200, body]] * 2}\n", "")


@pytest.mark.parametrize("wait", ["await asyncio.sleep(0)", "await asyncio.sleep(1)"])
def test_a_view_that_waits_is_an_error(test_bed: TestBed, wait: str) -> None:
    done = run(test_bed, f"async def view():\n    {wait}\nasyncio.run(answer(view))\n")
    assert "RuntimeError: a view that waits cannot be called without a bridge" in done.stderr
