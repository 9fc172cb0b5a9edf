"""The two apps can be read side by side: same files, same public names in the same order, nothing shared."""

import ast
from collections.abc import Callable
from pathlib import Path

import pytest

from bench.judging.app_code import pairs
from bench.testbed.processes.local_http import local_client
from bench.testbed.servers.life import Server

ROOT = Path(__file__).parents[2]
GEVENT, ASYNCIO = ROOT / "gevent_app", ROOT / "asyncio_app"
# What only one app has, and why.
ONLY_IN = {
    "wsgi.py": "gevent_app is a WSGI application; asgi.py is its counterpart",
    "asgi.py": "asyncio_app is an ASGI application; wsgi.py is its counterpart",
    "statements.py": "SQLAlchemy's engine has a cache of compiled statements; `databases` has none",
    "lifespan": "asyncio's pool belongs to a running event loop, so it is opened by the server",
    "POOL_TIMEOUT_S": "`databases` has no time-out for a full pool; SQLAlchemy has one",
    "POOL_PRE_PING": "asyncpg's pool knows when a connection was closed; SQLAlchemy's must ask",
    "POOL_MIN_SIZE": "SQLAlchemy opens a connection when one is needed; asyncpg's pool opens its minimum at the start",
}
SHARED_FILES = sorted({path.name for path in GEVENT.glob("*.py")} & {path.name for path in ASYNCIO.glob("*.py")})


def test_both_apps_have_the_same_files() -> None:
    names = {path.name for path in GEVENT.glob("*.py")} ^ {path.name for path in ASYNCIO.glob("*.py")}
    assert names <= set(ONLY_IN)
    assert len(SHARED_FILES) >= 9


@pytest.mark.parametrize("name", SHARED_FILES)
def test_both_files_define_the_same_names_in_the_same_order(name: str) -> None:
    assert defined(GEVENT / name) == defined(ASYNCIO / name)


def defined(path: Path) -> list[str]:
    """Functions, classes and constants at the top level, in order."""
    names = []
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.append(node.name)
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id.isupper():
            names.append(node.targets[0].id)
    return [name for name in names if name not in ONLY_IN]


@pytest.mark.parametrize("app", ["gevent_app", "asyncio_app"])
def test_an_app_imports_neither_the_other_nor_the_bench(app: str) -> None:
    others = {"gevent_app", "asyncio_app", "bench", "entrypoints"} - {app}
    for path in (ROOT / app).glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            modules = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            modules += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not {module.partition(".")[0] for module in modules} & others, path


@pytest.mark.parametrize("app", ["gevent_app", "asyncio_app"])
def test_a_view_reads_no_environment(app: str) -> None:
    assert "environ" not in (ROOT / app / "views.py").read_text()


def test_nested_json_is_the_same_400_at_every_depth(serve: Callable[[str], Server]) -> None:
    """Each server leaves the parser another depth of the stack; a body above 64 KiB is too large before it is read."""
    depths = (1, 100, *range(850, 1_000, 10), 1_000, 30_000, 100_000)
    answers = {}
    for app in ("gevent", "asyncio-bridge", "quart"):
        with local_client(serve(app).url, timeout=30) as client:
            answers[app] = [
                (depth, answer.status_code, answer.content)
                for depth in depths
                for text in ("[" * depth + "]" * depth, '{"colour": 1, "title": ' + "[" * depth + "]" * depth + "}")
                for answer in [client.post("/todos/", content=text, headers={"content-type": "application/json"})]
            ]
    assert answers["gevent"] == answers["asyncio-bridge"] == answers["quart"]
    assert {(depth > 30_000, status) for depth, status, _ in answers["gevent"]} == {(False, 400), (True, 413)}


def test_every_view_is_in_both_apps_and_differs_where_it_waits(capsys: pytest.CaptureFixture[str]) -> None:
    found = pairs()
    assert len(found) >= 14
    for pair in found:
        assert (pair.gevent.name, pair.gevent.endpoint) == (pair.asyncio.name, pair.asyncio.endpoint)
        assert pair.differing_lines >= 1
    lines = sum(max(len(pair.gevent.lines), len(pair.asyncio.lines)) for pair in found)
    differing = sum(pair.differing_lines for pair in found)
    with capsys.disabled():
        print(f"\nviews.py: {differing} of {lines} lines differ ({differing / lines:.0%})")
    assert differing / lines < 0.6
