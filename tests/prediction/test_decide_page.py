"""The calculator in a real Chromium: the same results as Python, and usable by mouse, keyboard and screen reader."""

import json
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from bench.prediction.costs import Costs, Measured, Unmeasured
from bench.prediction.page import section_of
from bench.prediction.vectors import ASYNCIO_LOOP
from tests.prediction.examples import VECTORS, model, near, times

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Decide</title>
<meta name="viewport" content="width=device-width, initial-scale=1"></head>
<body><main><h1>Decide</h1>{}</main></body></html>"""


def models() -> list[Measured]:
    """Those of the vectors."""
    found = json.loads(VECTORS.read_text())["models"]
    return [
        Measured(**{**one, "rounds": tuple(Costs(**costs) for costs in one["rounds"]),
                    "calls_s": one["calls_s"] and tuple(one["calls_s"]), "local_waits_s": tuple(one["local_waits_s"])})
        for one in found
    ]  # fmt: skip


def written(folder: Path, known: Sequence[Measured]) -> str:
    """The address of a page with nothing but the section."""
    path = folder / "page.html"
    path.write_text(PAGE.format(section_of(known, [Unmeasured("<b>bad</b>", "no cell", "python -m bench all")])))
    return path.as_uri()


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The models of the vectors, of which the map's figures tell none apart."""
    return written(tmp_path_factory.mktemp("page"), models())


@pytest.fixture(scope="module")
def map_address(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Two models that differ wherever the connections do not bind."""
    known = [model(rounds=times(1.4)), model("asyncio", app="asyncio_app", rounds=times(1), loop=ASYNCIO_LOOP)]
    return written(tmp_path_factory.mktemp("map"), known)


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


@contextmanager
def opened(browser: Browser, address: str, width: int) -> Iterator[Page]:
    """A page in a window of that width, its map drawn; any message on its console is a failure."""
    page = browser.new_page(viewport={"width": width, "height": 900})
    page.set_default_timeout(10_000)
    problems: list[str] = []
    page.on("console", lambda message: problems.append(message.text))
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("request", lambda sent: problems.append(sent.url) if sent.url != address else None)
    page.goto(address)
    drawn(page)
    yield page
    page.close()
    assert not problems


def drawn(page: Page) -> None:
    """When the map says what the form asks for."""
    page.wait_for_selector('#decide-map[aria-busy="false"]', state="attached")


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


def test_the_page_comes_to_the_same_results_as_python(page: Page) -> None:
    cases = json.loads(VECTORS.read_text())["cases"]
    found = page.evaluate(
        "demands => demands.map(demand => {"
        " const decision = decideRank.decide(demand);"
        " const { advice, notes } = decideAdvice;"
        " return {...decision, advice: advice(decision, demand), notes: notes(decision, demand)}; })",
        [case["demand"] for case in cases],
    )
    for case, result in zip(cases, found, strict=True):
        near(result["verdict"], case["verdict"])
        near(result["margin"], case["margin"])
        near(result["advice"], case["advice"][1:])  # the cost in code is in the page already
        near(result["notes"], case["notes"])
        assert len(result["rows"]) == len(case["rows"])
        for row, expected in zip(result["rows"], case["rows"], strict=True):
            near(row["prediction"], expected["prediction"])
            assert row["rank"] == expected["rank"]
            assert (row["to_best"] is None) == (expected["to_best"] is None)
            for name in ("ratio", "low", "high") if row["to_best"] else ():
                near(row["to_best"][name], expected["to_best"][name])


def test_the_page_writes_every_sentence_as_python_does(page: Page) -> None:
    sentences = json.loads(VECTORS.read_text())["sentences"]
    found = page.evaluate("sentences => sentences.map(sentence => decideSentences.text(sentence))", sentences)
    assert found == [sentence["text"] for sentence in sentences]


def text(page: Page, name: str) -> str:
    return page.inner_text(f"#decide-{name}")


def settled(page: Page) -> None:
    """After the next frame, in which results are shown."""
    page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")


def test_sliders_and_numbers_move_each_other_and_the_results(page: Page) -> None:
    assert page.locator("#decide-table tbody tr").count() == len([one for one in models() if not one.twin])
    before = text(page, "table")
    page.fill("#decide-db_connections", "10")
    settled(page)
    assert "Your 10 database connections are the limit" in text(page, "verdict")
    assert text(page, "table") != before
    slider = page.locator("#decide-db_connections-slider")
    position = slider.input_value()
    slider.focus()
    page.keyboard.press("End")
    settled(page)
    assert slider.input_value() != position
    assert page.input_value("#decide-db_connections") == "200"
    assert slider.get_attribute("aria-valuetext") == "200"


def test_a_rate_or_a_concurrency_is_asked_for_and_the_other_rests(page: Page) -> None:
    assert page.is_disabled("#decide-rate")
    page.check('input[name="decide-load"][value="rate"]')
    settled(page)
    assert page.is_disabled("#decide-concurrency")
    assert page.is_enabled("#decide-rate")
    assert "keep 100 requests a second with p99 below 1,000 ms" in text(page, "verdict")


@pytest.mark.parametrize("wrong", ["-1", "", "70000"])
def test_a_figure_out_of_range_is_named_and_nothing_breaks(page: Page, wrong: str) -> None:
    before = text(page, "table")
    page.fill("#decide-db_wait_ms", wrong)
    settled(page)
    assert "Milliseconds that each query waits for the database: from 0 to 60,000." in text(page, "verdict")
    assert page.get_attribute("#decide-db_wait_ms", "aria-invalid") == "true"
    assert text(page, "table") == before
    page.fill("#decide-db_wait_ms", "50")
    settled(page)
    assert "20 database connections are the limit" in text(page, "verdict")


def test_facts_bring_their_advice(page: Page) -> None:
    page.check("#decide-streaming")
    page.check("#decide-existing_sync_code")
    settled(page)
    assert "Streaming: " in text(page, "advice")
    assert "psycogreen" in text(page, "advice")
    assert "lines of the views differ" in text(page, "advice")


def test_a_map_with_one_value_is_a_sentence_until_it_has_two(map_page: Page) -> None:
    page = map_page
    assert page.is_visible("#decide-map")
    page.fill("#decide-cpu_ms", "1000")
    settled(page)
    drawn(page)
    area = "waits of 0 to 200 ms and 1 to 5,000 requests at once"
    assert text(page, "map-text") == f"The map has the same answer everywhere: no difference, for {area}."
    assert not page.is_visible("#decide-map")
    assert not page.is_visible("#decide-key")
    page.fill("#decide-cpu_ms", "1")
    settled(page)
    drawn(page)
    assert page.is_visible("#decide-map")
    assert "everywhere" not in text(page, "map-text")


def test_the_map_has_text_and_is_walked_with_the_keyboard(map_page: Page) -> None:
    page = map_page
    assert "no difference in " in text(page, "map-text")
    cells = page.locator("#decide-map td")
    labels = {cells.nth(index).get_attribute("data-label") for index in range(0, cells.count(), 11)}
    assert cells.count() == 121
    assert all(f" {label}" in text(page, "key") for label in labels)
    page.focus('#decide-map td[tabindex="0"]')
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    at = page.evaluate("document.activeElement.dataset")
    assert (at["at"], at["wait"], at["count"]) == ("1,1", "5", "2000")
    assert text(page, "map-status").startswith("5 ms, 2,000 at once: ")
    assert page.locator('#decide-map td[tabindex="0"]').count() == 1
    page.keyboard.press("Enter")
    settled(page)
    assert (page.input_value("#decide-db_wait_ms"), page.input_value("#decide-concurrency")) == ("5", "2000")


def test_a_field_of_the_map_is_what_the_calculator_says_there(map_page: Page) -> None:
    page = map_page
    page.fill("#decide-db_connections", "500")
    settled(page)
    page.wait_for_selector('#decide-map[aria-busy="false"]')
    field: dict[str, Any] = page.evaluate("({...document.querySelector('#decide-map [data-at=\"4,3\"]').dataset})")
    page.fill("#decide-db_wait_ms", field["wait"])
    page.fill("#decide-concurrency", field["count"])
    settled(page)
    ranked = page.evaluate(
        "[...document.querySelectorAll('#decide-table tbody tr')].filter(row => row.cells[1].textContent === '1')"
        ".map(row => row.cells[0].textContent)"
    )
    named = field["label"] in ("gevent", "asyncio")
    assert ranked == [field["label"]] if named else len(ranked) > 1


def test_figures_of_the_map_stand_on_one_line(map_page: Page) -> None:
    heights = map_page.evaluate(
        "[...document.querySelectorAll('#decide-map th')].map(cell => {"
        " const words = document.createRange(); words.selectNodeContents(cell);"
        " return words.getClientRects().length; })"
    )
    assert set(heights) == {1}
    assert map_page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_nothing_is_wider_than_the_window_and_names_stay_text(page: Page) -> None:
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert "another <framework>" in text(page, "table")
    assert "<b>bad</b>" in page.inner_text("#decide")
    assert page.locator("#decide b").count() == 0


def test_axe_finds_nothing(page: Page) -> None:
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(page)
    assert not found.response["violations"], found.generate_report()


def test_a_run_without_usable_cells_says_so_and_has_no_script() -> None:
    html = section_of([], [Unmeasured("gevent", "no cell for GET /", "python -m bench throughput")])
    assert "No model of this run" in html
    assert "No prediction for gevent (no cell for GET /);" in html
    assert "<script" not in html


def test_a_quick_run_has_figures_and_neither_winner_nor_map(browser: Browser, tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    path.write_text(PAGE.format(section_of([replace(one, rounds=one.rounds[:2]) for one in models()], [])))
    with opened(browser, path.as_uri(), 1280) as page:
        assert "Each model has fewer than 5 rounds" in text(page, "verdict")
        assert "The map needs a model with 5 rounds" in text(page, "map-text")
        assert not page.is_visible("#decide-map")


def test_no_name_can_end_the_data() -> None:
    (first, *others) = models()
    html = section_of([replace(first, name="</script><script>alert(1)</script>"), *others], [])
    assert "</script><script>alert" not in html
