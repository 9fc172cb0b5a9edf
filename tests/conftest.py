"""One real database and upstream for the whole session, and a real server for each model that a test asks for."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import httpx
import psutil
import pytest

from bench.bed import Bed, bed
from bench.models import MODELS, find_models
from bench.server.life import Server, serving


@pytest.fixture(scope="session", autouse=True)
def _nothing_left_running() -> Iterator[None]:
    """Every process that the session started has ended when it ends."""
    yield
    left = [f"{child.pid} {child.cmdline()}" for child in psutil.Process().children(recursive=True)]
    assert not left, f"still running: {left}"


@pytest.fixture(scope="session")
def test_bed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bed]:
    """A seeded embedded PostgreSQL and an upstream."""
    with bed(None, tmp_path_factory.mktemp("bed")) as ready:
        yield ready


@pytest.fixture(scope="session")
def serve(test_bed: Bed) -> Iterator[Callable[[str], Server]]:
    """A function from a model's name to its server, which runs until the session ends."""
    servers: dict[str, Server] = {}
    with ExitStack() as running:

        def start(name: str) -> Server:
            if name not in servers:
                (model,) = find_models(name)
                servers[name] = running.enter_context(serving(model, test_bed.environment(model), test_bed.logs))
            return servers[name]

        yield start


@pytest.fixture(scope="module", params=[model.name for model in MODELS])
def server(request: pytest.FixtureRequest, test_bed: Bed) -> Iterator[Server]:
    """Each model's server in turn, one at a time: all of them together have more connections than PostgreSQL."""
    (model,) = find_models(request.param)
    if model.unavailable:
        pytest.skip(model.unavailable)
    with serving(model, test_bed.environment(model), test_bed.logs) as running:
        yield running


@pytest.fixture(scope="session")
def connect() -> Iterator[Callable[[str], httpx.Client]]:
    """A function from a base URL to its client, which stays open: making one takes longer than most requests."""
    clients: dict[str, httpx.Client] = {}
    with ExitStack() as opened:

        def client_of(url: str) -> httpx.Client:
            if url not in clients:
                clients[url] = opened.enter_context(httpx.Client(base_url=url, timeout=30, trust_env=False))
            return clients[url]

        yield client_of


@pytest.fixture
def client(server: Server, connect: Callable[[str], httpx.Client]) -> httpx.Client:
    """An HTTP client for `server`."""
    return connect(server.url)
