"""The calculator for the tests: a page with nothing else, opened in a browser, and what is read there."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page

from bench.prediction.costs import Costs, Measured, Unmeasured
from bench.prediction.layers import Times
from bench.prediction.page import section_of
from tests.prediction.examples import VECTORS

PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Decide</title>
<meta name="viewport" content="width=device-width, initial-scale=1"></head>
<body><main><h1>Decide</h1>{}</main></body></html>"""


def models() -> list[Measured]:
    """Those of the vectors."""
    found = json.loads(VECTORS.read_text())["models"]
    return [
        Measured(**{**one, "generations": tuple(Costs(**costs) for costs in one["generations"]),
                    "calls_s": one["calls_s"] and tuple(one["calls_s"]), "local_waits_s": tuple(one["local_waits_s"]),
                    "layers": {name: Times(**times) for name, times in one["layers"].items()}})
        for one in found
    ]  # fmt: skip


def written(folder: Path, known: Sequence[Measured]) -> str:
    """The address of a page with nothing but the section."""
    path = folder / "page.html"
    path.write_text(PAGE.format(section_of(known, [Unmeasured("<b>bad</b>", "no cell", "python -m bench all")])))
    return path.as_uri()


@contextmanager
def opened(browser: Browser, address: str, width: int, *, draws: bool = True) -> Iterator[Page]:
    """A page in a window of that width, its map drawn if it draws any; what its console warns of is a failure."""
    page = browser.new_page(viewport={"width": width, "height": 900})
    page.set_default_timeout(60_000)
    problems: list[str] = []
    page.on("console", lambda message: message.type in ("error", "warning") and problems.append(message.text))
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("request", lambda sent: problems.append(sent.url) if sent.url != address.partition("#")[0] else None)
    page.goto(address)
    if draws:
        drawn(page)
    yield page
    page.close()
    assert not problems, problems


def drawn(page: Page) -> None:
    """When the map says what the form asks for."""
    page.wait_for_selector('#decide-map[aria-busy="false"]', state="attached")


def text(page: Page, name: str) -> str:
    return page.inner_text(f"#decide-{name}")


def settled(page: Page) -> None:
    """After the next frame, in which results are shown."""
    page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
