"""The crossover map in a real Chromium: what it says, where it is folded, and how it is walked and read."""

from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests.prediction.calculator import drawn, settled, text


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
    named = field["label"] in ("gevent", "asyncio-bridge")
    assert ranked == [field["label"]] if named else len(ranked) > 1


def test_figures_of_the_map_stand_on_one_line(map_page: Page) -> None:
    heights = map_page.evaluate(
        "[...document.querySelectorAll('#decide-map th')].map(cell => {"
        " const words = document.createRange(); words.selectNodeContents(cell);"
        " return words.getClientRects().length; })"
    )
    assert set(heights) == {1}
    assert map_page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_axe_finds_nothing_on_the_map(map_page: Page) -> None:
    found = Axe().run(map_page)
    assert not found.response["violations"], found.generate_report()
