"""One real database and upstream for the whole session, and a real server for each model that a test asks for."""

import json
import os
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack
from functools import partial
from typing import TypeVar

import httpx
import psutil
import pytest

from bench.measuring.calibrate import calibrate
from bench.models import MODELS, find_models, is_only_a_trap
from bench.results import Run
from bench.results.file import problems
from bench.testbed.processes.local_http import local_client
from bench.testbed.servers.life import Server, serving
from bench.testbed.testbed import TestBed, open_testbed
from tests.in_process import in_process
from tests.processes import gone

__all__ = ["in_process"]

AnyReport = TypeVar("AnyReport", pytest.TestReport, pytest.CollectReport)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """What is skipped for want of something counts as failed where CI=true says that all must be there."""
    report = yield
    return not_skipped(report)


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """The same for a file that is skipped as a whole."""
    report = yield
    return not_skipped(report)


def not_skipped(report: AnyReport) -> AnyReport:
    """The report, failed in place of skipped if CI=true; a test that is expected to fail is no skipped one."""
    if os.environ.get("CI") == "true" and report.skipped and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome, report.longrepr = "failed", f"with CI=true nothing may be skipped. {reason}"
    return report


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that take longest, so that none of these is left for one worker at the end."""
    items.sort(key=lambda item: item.path.parent.name != "tryout")


@pytest.fixture(scope="session", autouse=True)
def _nothing_left_running() -> Iterator[None]:
    """Every process that the session started has ended when it ends."""
    yield
    left = [child for child in psutil.Process().children(recursive=True) if not gone(child.pid)]
    assert not left, f"still running: {left}"


@pytest.fixture(autouse=True)
def _every_results_file_keeps_its_schema(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever a test has the bench write is checked as if it were to be read again."""
    save = Run.save

    def save_and_check(run: Run) -> None:
        save(run)
        assert list(problems(json.loads(run.path.read_text(encoding="utf-8")))) == []

    monkeypatch.setattr(Run, "save", save_and_check)


@pytest.fixture(scope="session", autouse=True)
def _runs_calibrate_for_a_moment() -> Iterator[None]:
    """A run in this process finds out within half a second, not three, what the generator can do."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("bench.measuring.session.calibrate", partial(calibrate, rounds=1, duration_s=0.2))
        yield


@pytest.fixture(scope="session")
def test_bed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestBed]:
    """A seeded embedded PostgreSQL and an upstream; a MariaDB too, from the first test on that asks for it."""
    with open_testbed(None, tmp_path_factory.mktemp("testbed")) as ready:
        yield ready


@pytest.fixture(scope="session")
def serve(test_bed: TestBed) -> Iterator[Callable[[str], Server]]:
    """A function from a model's name to its server, which runs until the session ends."""
    servers: dict[str, Server] = {}
    with ExitStack() as running:

        def start(name: str) -> Server:
            if name not in servers:
                (model,) = find_models(name)
                servers[name] = running.enter_context(serving(model, test_bed.environment(model), test_bed.logs))
            return servers[name]

        yield start


# What differs from another of these in its HTTP parser, its loop or its number of processes or threads alone, and what
# comes as source code.
LEFT_OUT = {
    "asyncio-bridge-4-workers",
    "asyncio-bridge-best",
    "asyncio-bridge-httptools",
    "asyncio-floor-best",
    "asyncio-granian-uvloop",
    "asyncio-gunicorn-asgi-uvloop",
    "asyncio-hypercorn-uvloop",
    "fastapi-best",
    "gevent-best",
    "gthread-100",
    "quart-best",
}
CONTRACTED = [model.name for model in MODELS if not is_only_a_trap(model) and model.name not in LEFT_OUT]


@pytest.fixture(scope="module", params=CONTRACTED)
def server(request: pytest.FixtureRequest, test_bed: TestBed) -> Iterator[Server]:
    """Each model's server in turn, one at a time: all of them together have more connections than PostgreSQL."""
    (model,) = find_models(request.param)
    if model.unavailable:
        pytest.skip(f"{model.name}: {model.unavailable}")
    with serving(model, test_bed.environment(model), test_bed.logs) as running:
        yield running


@pytest.fixture(scope="module")
def client(server: Server) -> Iterator[httpx.Client]:
    """An HTTP client for `server`, closed before it: some servers wait for open connections when they are to end."""
    with local_client(server.url, timeout=30) as opened:
        yield opened
