"""An application that nobody here wrote: `flaskr`, from the tutorial of Flask's documentation, and the bridge."""

from __future__ import annotations

import http.client
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest
from served_apps import HERE, Server, flask_source, serve

ADDED = """
from loopbridge import LoopBridge
from flaskr import create_app
from flaskr.db import init_db

flask = create_app({"SECRET_KEY": "test", "DATABASE": DATABASE})
with flask.app_context():
    init_db()
app = LoopBridge(flask)
"""


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    Path(tmp_path, "served.py").write_text(ADDED.replace("DATABASE})", f"{str(tmp_path / 'db.sqlite')!r}}})"))
    folders = (tmp_path, flask_source() / "examples" / "tutorial")
    monkeypatch.setenv("PYTHONPATH", ":".join(map(str, folders)))
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    with serve("app", module="served") as running:
        yield running


class Browser:
    """Follows redirects and keeps the session's cookie."""

    def __init__(self, server: Server) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
        self.cookie = ""

    def __enter__(self) -> Browser:
        return self

    def __exit__(self, *error: object) -> None:
        self.connection.close()

    def open(self, path: str, **form: str) -> tuple[int, str]:
        headers = {"Cookie": self.cookie, "Content-Type": "application/x-www-form-urlencoded"}
        self.connection.request("POST" if form else "GET", path, urlencode(form) if form else None, headers)
        response = self.connection.getresponse()
        text = response.read().decode()
        self.cookie = (response.headers["Set-Cookie"] or self.cookie).split(";")[0]
        if response.status == 302:
            return self.open(response.headers["Location"])
        return response.status, text


def test_the_tutorial_runs_unchanged(server: Server) -> None:
    with Browser(server) as ada, Browser(server) as bob:
        read_and_write(ada, bob)
    assert "Traceback" not in server.log.read_text()


def read_and_write(ada: Browser, bob: Browser) -> None:
    for browser, name in ((ada, "ada"), (bob, "bob")):
        assert "Log In" in browser.open("/auth/register", username=name, password="secret")[1]
        assert name in browser.open("/auth/login", username=name, password="secret")[1]
    assert "already registered" in bob.open("/auth/register", username="ada", password="x")[1]
    status, page = ada.open("/create", title="Grüße", body="first ✓")
    assert (status, "Grüße" in page, "first ✓" in page, "/1/update" in page) == (200, True, True, True)
    assert "/1/update" not in bob.open("/")[1]
    assert bob.open("/1/update", title="mine", body="now")[0] == 403
    assert "changed" in ada.open("/1/update", title="changed", body="second")[1]
    assert bob.open("/9/delete", x="y")[0] == 404
    assert "changed" not in ada.open("/1/delete", x="y")[1]
    assert "Log Out" not in ada.open("/auth/logout")[1]
    assert bob.open("/static/style.css")[0] == 200


def test_the_tutorial_under_many_readers_and_writers(server: Server) -> None:
    """SQLite's connections refuse to change their thread, so this holds only if a request keeps to one."""

    def visit(number: int) -> None:
        with Browser(server) as browser:
            browser.open("/auth/register", username=f"user{number}", password="x")
            browser.open("/auth/login", username=f"user{number}", password="x")
            statuses.extend(browser.open("/create", title=f"title{number}-{turn}", body="b")[0] for turn in range(3))
            statuses.extend(browser.open(path)[0] for path in ("/", "/hello") * 5)

    statuses: list[int] = []
    threads = [threading.Thread(target=visit, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [200] * 8 * 13
    assert server.get("/").body.count(b"<h1>title") == 24
    assert "Traceback" not in server.log.read_text()


def test_the_pages_example_answers_as_it_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = Path(HERE.parents[2], "docs", "loopbridge.md").read_text()
    example = page.partition("```console\n")[2].partition("```")[0]
    source, _, session = example.partition("$ cat hello.py\n")[2].partition("$ uvicorn hello:app")
    Path(tmp_path, "hello.py").write_text(source)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    asked = re.findall(r"^\$ curl http://127.0.0.1:8000(\S+)\n(.*\n)", session, re.MULTILINE)
    assert len(asked) == 2
    with serve("app", module="hello") as server:
        assert [server.get(path).body.decode() for path, _ in asked] == [answer for _, answer in asked]
