"""A real Chromium for the tests of the page: the system's, headless."""

import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
WIDTHS = {"desk": (1280, 800), "phone": (390, 844)}


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """The browser; the tests are skipped without one."""
    path = next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        pytest.skip(f"no Chromium on PATH ({', '.join(NAMES)}); apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


class Visit:
    """A page and what went wrong on it: errors, and requests for anything but the file itself."""

    def __init__(self, page: Page, address: str) -> None:
        self.page = page
        self.problems: list[str] = []
        page.on("console", lambda message: message.type in ("error", "warning") and self.problems.append(message.text))
        page.on("pageerror", lambda error: self.problems.append(str(error)))
        page.on("request", lambda request: request.url.startswith(("file:", "blob:", "data:"))
                or self.problems.append(f"asked for {request.url}"))  # fmt: skip
        page.goto(address)


def visit(browser: Browser, address: str, width: str = "desk", scheme: str = "light") -> Visit:
    """A fresh window on the page."""
    size = WIDTHS[width]
    context = browser.new_context(viewport={"width": size[0], "height": size[1]}, color_scheme=scheme)
    return Visit(context.new_page(), address)
