"""The page of a trial in a real browser: which model, what blocks and how long requests take, first and readable."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from browser import chromium, visit
from playwright.sync_api import Browser, Page
from tried_runs import CONNECT, REQUESTS, TIMES, failed, trial, trial_run

from bench.report.page.page import page, write_page
from bench.results import Run

__all__ = ["chromium"]


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The page's, on disk."""
    return write_page(trial_run(tmp_path_factory.mktemp("tried"))).as_uri()


@pytest.fixture(scope="module")
def seen(chromium: Browser, address: str) -> Iterator[Page]:
    """A window that several tests share; none changes it."""
    found = visit(chromium, address)
    yield found.page
    assert found.problems == []
    found.page.context.close()


def violations(page: Page) -> list[str]:
    """What axe finds wrong, with the first places."""
    page.evaluate("() => { for (const one of document.querySelectorAll('details')) one.open = true; }")
    response = Axe().run(page).response
    return [f"{one['id']}: {[node['html'][:150] for node in one['nodes'][:3]]}" for one in response["violations"]]


@pytest.mark.parametrize(("width", "scheme"), [("desk", "light"), ("phone", "dark")])
def test_the_page_of_a_trial_fits_and_asks_nobody(chromium: Browser, address: str, width: str, scheme: str) -> None:
    """Nothing is wider than the window, axe finds nothing, every chart is drawn, no request leaves."""
    found = visit(chromium, address, width, scheme)
    found.page.evaluate("() => report.drawAll()")
    assert found.page.locator(".plot").count() == len(REQUESTS)
    assert found.page.evaluate("document.documentElement.scrollWidth") <= found.page.viewport_size["width"]
    assert violations(found.page) == []
    assert found.problems == []
    found.page.context.close()


def test_the_model_and_its_command_are_visible_without_scrolling(seen: Page) -> None:
    seen.evaluate("scrollTo(0, 0)")
    command = seen.get_by_text("gunicorn --worker-class gevent --config gunicorn_gevent.py shop:app").first
    for one in (seen.get_by_role("heading", level=1), command, seen.locator(".models tbody tr").last):
        box = one.bounding_box()
        assert box is not None
        assert box["y"] + box["height"] <= 800, one
    assert seen.locator("#tried .sentences p").first.inner_text() == "Take gevent-psycogreen."


def test_the_trial_comes_first_and_the_benchs_own_apps_are_not_on_the_page(seen: Page) -> None:
    assert seen.locator("main > section").first.get_attribute("id") == "tried"
    assert seen.locator("#verdict, #code, #decide").count() == 0
    links = [link.get_attribute("href") or "" for link in seen.locator(".contents a").all()]
    tops = [seen.locator(link).evaluate("(one) => one.getBoundingClientRect().top") for link in links]
    assert tops == sorted(tops)
    assert {"#tried", "#blocks", "#times", "#differing", "#matrix"} <= set(links)


def test_every_request_has_a_bar_for_each_model_on_one_scale(seen: Page) -> None:
    figures = seen.locator(".asked figure").all()
    assert [figure.locator("figcaption strong").inner_text() for figure in figures] == list(REQUESTS)
    for figure in figures:
        together, alone = (
            figure.locator(f".{kind}").evaluate_all("(all) => all.map((one) => one.getBoundingClientRect().width)")
            for kind in ("together", "alone")
        )
        assert len(together) == len(alone) == len(TIMES)
        assert together[0] == max(together)
        assert together[0] / alone[0] == pytest.approx(8, rel=0.1)
    assert "gevent 105 ms → 830 ms, ×7.9 blocks" in (figures[0].locator(".times").get_attribute("aria-label") or "")


def test_a_line_that_blocks_is_shown_as_it_is_written_and_never_as_markup(seen: Page) -> None:
    shown = seen.locator(".place pre").all_inner_texts()
    first, _, third = (one.strip() for one in shown)
    assert first == CONNECT.source
    assert third == "return '<b>bold</b>' & \"quoted\""
    assert seen.locator(".place b").count() == 0
    assert "shop/<script>alert('source')</script>.py:3" in seen.locator(".place h3").nth(2).inner_text()
    assert CONNECT.advice in seen.locator(".place").first.inner_text()


def test_why_a_model_was_not_tried_and_what_answered_differently_is_there(seen: Page) -> None:
    text = seen.locator("#tried").inner_text()
    assert "granian is not installed in this environment" in text
    assert "GET /orders at once: status 500, not 200 (3 of 40)" in text
    assert "Started once more, as it is printed here, it answered the same." in text


def test_an_application_that_starts_under_no_model_has_a_page_too(chromium: Browser, tmp_path: Path) -> None:
    run = Run(tmp_path, "2026-11-22T12:00:00Z", {}, {}, seed=1)
    run.tried = trial(models=(failed("sync", "ModuleNotFoundError: No module named 'shop'"),), requests=(),
                      confirmed=None)  # fmt: skip
    found = visit(chromium, write_page(run).as_uri())
    assert "No model is recommended." in found.page.locator("#tried").inner_text()
    assert "ModuleNotFoundError: No module named 'shop'" in found.page.locator("#tried").inner_text()
    assert found.page.locator("#matrix, #times").count() == 0
    assert violations(found.page) == []
    assert found.problems == []
    found.page.context.close()


def test_a_page_without_a_trial_has_nothing_of_one(tmp_path: Path) -> None:
    run = trial_run(tmp_path)
    run.tried = None
    assert 'id="tried"' not in page(run)
    assert 'id="verdict"' in page(run)


def test_a_line_without_its_source_is_named_all_the_same(tmp_path: Path) -> None:
    unread = replace(CONNECT, source="")
    models = tuple(replace(one, stalls=(unread,)) if one.stalls else one for one in trial().models)
    text = page(trial_run(tmp_path, trial(models=models)))
    assert "shop/db.py:12" in text
