"""Flask's own tests of async views, from its source distribution, with the bridge where they call the application."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from served_apps import HERE, flask_source

PLUGIN = '''
"""Every request that a test client makes goes through a LoopBridge, on an event loop of its own."""
import asyncio
import pytest
import werkzeug.test
from flask import Flask
from loopbridge import LoopBridge

requests = 0
original = werkzeug.test.run_wsgi_app


def run_wsgi_app(app, environ, buffered=False):
    global requests
    if not isinstance(app, Flask):  # Werkzeug calls this for the pages of its exceptions too
        return original(app, environ, buffered)
    requests += 1
    body, answer, chunks = environ["wsgi.input"].read(), {}, []
    headers = [(key[5:].replace("_", "-").lower().encode(), value.encode("latin-1"))
               for key, value in environ.items() if key.startswith("HTTP_")]
    for key in ("CONTENT_TYPE", "CONTENT_LENGTH"):
        if environ.get(key):
            headers.append((key.replace("_", "-").lower().encode(), environ[key].encode("latin-1")))
    scope = {"type": "http", "http_version": "1.1", "method": environ["REQUEST_METHOD"],
             "path": environ["PATH_INFO"].encode("latin-1").decode(), "headers": headers,
             "query_string": environ["QUERY_STRING"].encode(), "scheme": environ["wsgi.url_scheme"],
             "server": (environ["SERVER_NAME"], int(environ["SERVER_PORT"])), "root_path": environ["SCRIPT_NAME"]}

    async def main():
        done, messages = asyncio.Event(), [{"type": "http.request", "body": body}]

        async def receive():
            if not messages:
                await done.wait()
            return messages.pop() if messages else {"type": "http.disconnect"}

        async def send(message):
            answer.update(message)
            chunks.append(message.get("body", b""))

        await LoopBridge(app, sync_views=MODE)(scope, receive, send)

    asyncio.run(main())
    pairs = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in answer["headers"]]
    return chunks, f"{answer['status']} OK", werkzeug.datastructures.Headers(pairs)


werkzeug.test.run_wsgi_app = run_wsgi_app


@pytest.fixture
def app():  # Flask's conftest.py has these two; what else it does needs an older pytest
    app = Flask("flask_test")
    app.config.update(TESTING=True, SECRET_KEY="test key")
    return app


@pytest.fixture
def client(app):
    return app.test_client()


def pytest_terminal_summary(terminalreporter):
    terminalreporter.write_line(f"{requests} requests through the bridge")
'''


@pytest.mark.parametrize("mode", ["thread", "inline"])
@pytest.mark.parametrize("name", ["test_async.py", "test_views.py"])
def test_flasks_own_tests_pass_through_the_bridge(tmp_path: Path, name: str, mode: str) -> None:
    shutil.copy(flask_source() / "tests" / name, tmp_path)
    Path(tmp_path, "bridge_plugin.py").write_text(PLUGIN.replace("MODE", repr(mode)))
    Path(tmp_path, "pytest.ini").write_text("[pytest]\n")
    options = ["-q", "-W", "error", "-p", "no:cacheprovider", "-p", "bridge_plugin", name]
    environment = {"PYTHONPATH": f"{tmp_path}:{HERE.parents[2]}"}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options], cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    passed, requests = (int(re.findall(rf"(\d+) {what}", done.stdout)[0]) for what in ("passed", "requests"))
    assert passed >= 8, done.stdout
    assert requests >= passed, done.stdout
