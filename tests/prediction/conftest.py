"""The calculator in a real Chromium, on a desk and on a phone."""

import os
import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from bench.prediction.vectors import ASYNCIO_LOOP
from tests.prediction.calculator import models, opened, written
from tests.prediction.examples import model, times

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The models of the vectors, of which the map's figures tell none apart."""
    return written(tmp_path_factory.mktemp("page"), models())


@pytest.fixture(scope="module")
def map_address(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Two models that differ wherever the connections do not bind."""
    asyncio = model("asyncio-bridge", app="asyncio_app", generations=times(1), loop=ASYNCIO_LOOP)
    return written(tmp_path_factory.mktemp("map"), [model(generations=times(1.4)), asyncio])


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """The system's Chromium; missing it is a failure where CI is set, and a skip elsewhere."""
    if CHROMIUM is None:
        message = "no Chromium: apt-get install chromium"
        pytest.fail(message) if os.environ.get("CI") else pytest.skip(message)
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture(params=[1280, 390])
def width(request: pytest.FixtureRequest) -> int:
    """A desk's and a phone's."""
    found: int = request.param
    return found


@pytest.fixture
def page(browser: Browser, address: str, width: int) -> Iterator[Page]:
    """Whose map has one value everywhere."""
    with opened(browser, address, width) as found:
        yield found


@pytest.fixture
def map_page(browser: Browser, map_address: str, width: int) -> Iterator[Page]:
    """Whose map has several."""
    with opened(browser, map_address, width) as found:
        yield found
