"""The calculator in a real Chromium: the same results as Python, and usable by mouse, keyboard and screen reader."""

import json
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from bench.prediction.costs import Unmeasured
from bench.prediction.page import section_of
from tests.prediction.calculator import PAGE, models, opened, settled, text
from tests.prediction.examples import VECTORS, near


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


def test_sliders_and_numbers_move_each_other_and_the_results(page: Page) -> None:
    assert page.locator("#decide-table tbody tr").count() == len(models())
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
def test_a_figure_out_of_range_is_named_at_its_field_and_nothing_is_predicted(page: Page, wrong: str) -> None:
    page.fill("#decide-db_wait_ms", wrong)
    settled(page)
    assert "Milliseconds that each query waits for the database: from 0 to 60,000." in text(page, "verdict")
    assert page.get_attribute("#decide-db_wait_ms", "aria-invalid") == "true"
    assert text(page, "db_wait_ms-error") == text(page, "verdict")
    assert page.locator("#decide-table tbody tr").count() == 0
    assert not page.is_visible("#decide-results")
    assert page.locator("#decide .error:visible").count() == 1
    page.fill("#decide-db_wait_ms", "50")
    settled(page)
    assert page.locator("#decide-table tbody tr").count() == len(models())
    assert page.locator("#decide .error:visible").count() == 0
    assert "20 database connections are the limit" in text(page, "verdict")


def test_the_address_keeps_figures_and_facts_and_whatever_else_is_in_it(browser: Browser, address: str) -> None:
    with opened(browser, f"{address}?from=a+friend&db_connections=7", 1280) as page:
        assert page.input_value("#decide-db_connections") == "7"
        assert "Your 7 database connections are the limit" in text(page, "verdict")
        page.check('input[name="decide-load"][value="rate"]')
        page.fill("#decide-rate", "37.5")
        page.check("#decide-streaming")
        page.select_option("#decide-connection", "given back")
        settled(page)
        said = text(page, "verdict")
        kept = page.url
    given = dict(parse_qsl(urlsplit(kept).query))
    assert given["from"] == "a friend"
    assert (given["db_connections"], given["rate"], given["streaming"]) == ("7", "37.5", "1")
    assert given["connection"] == "given back"
    assert not {"concurrency", "existing_sync_code", "data_layer"} & given.keys()
    with opened(browser, kept, 1280) as page:
        assert page.url.endswith("#decide")
        assert page.is_checked("#decide-streaming")
        assert page.input_value("#decide-connection") == "given back"
        assert page.is_disabled("#decide-concurrency")
        assert text(page, "verdict") == said


def test_a_page_that_was_only_opened_keeps_its_address(page: Page, address: str) -> None:
    assert page.url == address


@pytest.mark.parametrize(
    ("given", "name", "says"),
    [
        ("db_wait_ms=-5", "db_wait_ms", "Milliseconds that each query waits for the database: from 0 to 60,000."),
        ("cores=two", "cores", "CPU cores: a whole number from 1 to 1,024."),
        ("rate=0", "rate", "Requests a second: more than 0, and up to 1,000,000."),
        ("streaming=perhaps", "streaming", "1 in the address for yes, 0 for no."),
        ("connection=lent", "connection", "In the address one of: own, held, given back."),
    ],
)
def test_what_an_address_may_not_say_stands_at_its_field_and_is_not_used(
    browser: Browser, address: str, given: str, name: str, says: str
) -> None:
    with opened(browser, f"{address}?{given}", 1280, draws=False) as page:
        assert says in text(page, f"{name}-error")
        assert says in text(page, "verdict")
        assert page.get_attribute(f"#decide-{name}", "aria-invalid") == "true"
        assert not page.is_visible("#decide-results")
        assert page.url == f"{address}?{given}"
        assert Axe().run(page).violations_count == 0
        if name == "streaming":
            page.check("#decide-streaming")
        elif name == "connection":
            page.select_option("#decide-connection", "held")
        else:
            page.fill(f"#decide-{name}", "8")
        settled(page)
        assert page.is_visible("#decide-results")
        assert page.locator("#decide .error:visible").count() == 0


def test_the_models_that_are_left_out_are_named_with_the_reason(page: Page) -> None:
    assert "No prediction for <b>bad</b> (no cell)" in page.inner_text("#decide-results")
    assert not page.is_visible("#decide-without-calls")
    assert "threads" in text(page, "table")
    page.fill("#decide-upstream_wait_ms", "100")
    settled(page)
    assert "threads" not in text(page, "table")
    assert "No prediction for threads (no valid fanout cells); python -m bench all" in text(page, "without-calls")


def test_a_connection_given_back_and_another_layer_change_the_results(page: Page) -> None:
    page.fill("#decide-upstream_wait_ms", "200")
    settled(page)
    assert "gevent keeps its database connection while the other service is called" in text(page, "advice")
    held = text(page, "table")
    page.select_option("#decide-connection", "given back")
    settled(page)
    assert "keeps its database connection" not in text(page, "advice")
    free = text(page, "table")
    page.select_option("#decide-data_layer", "databases")
    settled(page)
    left_out = "Left out, because the scenario pairs says nothing of them on this data layer: gevent, "
    assert left_out in text(page, "advice")
    assert len({held, free, text(page, "table")}) == 3


def test_facts_bring_their_advice(page: Page) -> None:
    page.check("#decide-streaming")
    page.check("#decide-existing_sync_code")
    settled(page)
    assert "Streaming: " in text(page, "advice")
    assert "psycogreen" in text(page, "advice")
    assert "lines of the views differ" in text(page, "advice")


def test_nothing_is_wider_than_the_window_and_names_stay_text(page: Page) -> None:
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert "another <framework>" in text(page, "table")
    assert "<b>bad</b>" in page.inner_text("#decide")
    assert page.locator("#decide b").count() == 0


def test_axe_finds_nothing(page: Page) -> None:
    found = Axe().run(page)
    assert not found.response["violations"], found.generate_report()


def test_a_run_without_usable_cells_says_so_and_has_no_script() -> None:
    html = section_of([], [Unmeasured("gevent", "no cell for GET /", "python -m bench throughput")])
    assert "No model of this run" in html
    assert "No prediction for gevent (no cell for GET /);" in html
    assert "<script" not in html


def test_a_quick_run_has_figures_and_neither_winner_nor_map(browser: Browser, tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    path.write_text(PAGE.format(section_of([replace(one, generations=one.generations[:2]) for one in models()], [])))
    with opened(browser, path.as_uri(), 1280) as page:
        assert "Each model was measured in fewer than 3 generations of servers" in text(page, "verdict")
        assert "The map needs a model that was measured in 3 generations of servers" in text(page, "map-text")
        assert not page.is_visible("#decide-map")


def test_no_name_can_end_the_data() -> None:
    (first, *others) = models()
    html = section_of([replace(first, name="</script><script>alert(1)</script>"), *others], [])
    assert "</script><script>alert" not in html
