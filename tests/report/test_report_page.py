"""The page in a real browser: it works from disk, for the eye, the keyboard, the screen reader and the printer."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from browser import Visit, chromium, visit
from playwright.sync_api import Browser, Page
from report_runs import ODD, sample_run

from bench.judging import judge
from bench.report.families import family
from bench.report.page import matrix
from bench.report.page.page import write_page
from bench.results import Run

__all__ = ["chromium"]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Every scenario, with cells that failed, are missing, or have one round, and a model named like a script."""
    found = sample_run(tmp_path_factory.mktemp("page"))
    found.save()
    return found


@pytest.fixture(scope="module")
def address(run: Run) -> str:
    """The page's, on disk."""
    return write_page(run).as_uri()


@pytest.fixture(scope="module")
def seen(chromium: Browser, address: str) -> Iterator[Page]:
    """A window that several tests share; each leaves it as it was."""
    found = visit(chromium, address)
    yield found.page
    assert found.problems == []
    found.page.context.close()


def drawn(page: Page) -> None:
    """Draw every chart, near the window or not."""
    page.evaluate("() => report.drawAll()")


@pytest.mark.parametrize(("width", "scheme"), [("desk", "light"), ("phone", "dark")])
def test_the_page_draws_fits_and_asks_nobody(chromium: Browser, address: str, width: str, scheme: str) -> None:
    """Every chart has marks and text, nothing is wider than the window, axe finds nothing, no request leaves."""
    found = visit(chromium, address, width, scheme)
    page = found.page
    drawn(page)
    assert page.locator(".plot").count() == 13
    for plot in page.locator(".plot").all():
        assert plot.locator(".trace path, .trace .point, .trace line").count() > 0
        assert plot.locator(".xtick text").count() > 0
        assert len(plot.get_attribute("aria-label") or "") > 20
    assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"]
    assert violations(page) == []
    assert found.problems == []
    page.context.close()


def violations(page: Page) -> list[str]:
    """What axe finds wrong, with the first places."""
    page.evaluate("() => { for (const one of document.querySelectorAll('details')) one.open = true; }")
    # Of the code the first function of each file will do: all of it takes axe longer than the rest of the page.
    response = Axe().run(page, context={"exclude": [[".pair ~ .pair"]]}).response
    return [f"{one['id']}: {[node['html'][:150] for node in one['nodes'][:3]]}" for one in response["violations"]]


def test_the_answer_is_visible_without_scrolling(seen: Page) -> None:
    for selector in (".sentences p:nth-of-type(3)", ".answers tbody tr:last-child", ".limits"):
        box = seen.locator(selector).bounding_box()
        assert box is not None
        assert box["y"] + box["height"] <= 800, selector


def test_names_that_look_like_markup_stay_text(seen: Page) -> None:
    assert seen.evaluate("[...document.scripts].filter((script) => script.text.includes(\"alert('models')\") "
                         "&& script.type === '').length") == 0  # fmt: skip
    assert seen.locator(".matrix tbody th", has_text=ODD).count() == 1
    assert seen.locator("#traps b, #why i").count() == 0
    assert seen.locator("a[href^='javascript:']").count() == 0


def test_a_column_sorts_both_ways_with_what_is_not_valid_last(seen: Page) -> None:
    column = seen.locator(".matrix thead tr:last-child th").nth(2)
    shown = "[...document.querySelectorAll('.matrix tbody td[data-field=\"1\"]')].map((cell) => cell.dataset.sort)"
    for press in (lambda: column.locator("button").click(), lambda: column.locator("button").press("Enter")):
        press()
        values = seen.evaluate(shown)
        figures = [float(value) for value in values if value]
        assert figures == sorted(figures, reverse=column.get_attribute("aria-sort") == "descending")
        assert values[len(figures) :] == ["", ""]
    assert column.get_attribute("aria-sort") == "descending"


def test_a_family_leaves_tables_and_charts_together(seen: Page, run: Run) -> None:
    drawn(seen)
    label = "document.getElementById('chart-throughput-1').data.map((trace) => trace.meta.model)"
    assert set(seen.evaluate(label)) == {*models_of_page(seen)}
    box = seen.get_by_role("checkbox", name="gevent app")
    box.uncheck()
    kept = {name for name, facts in judge(run).models.items() if family(facts) != "gevent_app"}
    visible = seen.locator(".matrix tbody tr:visible th").all_inner_texts()
    assert set(visible) == kept
    seen.wait_for_function(f"new Set({label}).size === {len(kept)}")
    box.check()
    seen.wait_for_function(f"new Set({label}).size > {len(kept)}")


def models_of_page(page: Page) -> list[str]:
    """All rows of the matrix, shown or not."""
    return page.locator(".matrix tbody th").all_text_contents()


def test_another_baseline_says_what_python_says_of_it(seen: Page, run: Run) -> None:
    """The browser has ratios and verdicts from the comparisons made beforehand, and writes them the same way."""
    judged = judge(run)
    models = list(judged.models)
    for base in [*models, "gevent"]:
        seen.get_by_label("Baseline").select_option(base)
        for row in matrix.rows(judged, base):
            place = models.index(row.model)
            cells = seen.locator(f"tr:has(> th[data-model='{place}'])").locator("td")
            shown = cells.evaluate_all(
                "(cells) => cells.map((cell) => [cell.className, cell.querySelector('b')?.textContent])"
            )
            assert shown == [expected(cell) for cell in row.cells], (base, row.model)


def expected(cell: matrix.Shown) -> list[str | None]:
    """A cell's classes and its ratio as the template writes them."""
    return [f"cell {cell.look}", None if cell.kind in ("missing", "invalid") else cell.text]


def test_a_scenario_can_be_looked_at_alone(seen: Page) -> None:
    seen.get_by_label("Scenario", exact=True).select_option("latency")
    assert seen.locator(".matrix tbody tr:first-child td:visible").count() == 2
    seen.get_by_label("Scenario", exact=True).select_option("all")
    assert seen.locator(".matrix tbody tr:first-child td:visible").count() > 10


def test_a_struck_out_cell_leads_to_its_reason(seen: Page) -> None:
    seen.locator(".matrix .invalid a").first.click()
    assert seen.locator("#why li:focus").count() == 1
    assert "of" in seen.locator("#why li:focus").inner_text()


def test_the_download_is_the_results_file(seen: Page, run: Run, tmp_path: Path) -> None:
    with seen.expect_download() as waiting:
        seen.get_by_role("button", name="Download results.json").click()
    assert waiting.value.suggested_filename == "results.json"
    waiting.value.save_as(tmp_path / "got.json")
    assert json.loads((tmp_path / "got.json").read_text()) == json.loads(run.path.read_text())


def test_the_theme_changes_charts_too(seen: Page) -> None:
    drawn(seen)
    ink = "document.getElementById('chart-throughput-0').layout.font.color"
    light = seen.evaluate(ink)
    seen.get_by_role("button", name="Dark").click()
    seen.wait_for_function(f"{ink} !== '{light}'")
    seen.get_by_role("button", name="Light").click()
    seen.wait_for_function(f"{ink} === '{light}'")


def test_on_paper_every_chart_is_there(chromium: Browser, address: str) -> None:
    """A printer waits for nobody: what is not drawn when `beforeprint` has been heard is missing on paper."""
    found: Visit = visit(chromium, address)
    found.page.wait_for_function("() => window.Plotly")
    found.page.evaluate("""() => addEventListener("afterprint", () => {
        window.missing = [...document.querySelectorAll(".plot")].filter((plot) => !plot.querySelector("svg")).length;
    })""")
    assert found.page.locator(".plot svg").count() < found.page.locator(".plot").count()
    assert found.page.pdf(format="A4")[:5] == b"%PDF-"
    assert found.page.evaluate("window.missing") == 0
    found.page.emulate_media(media="print")
    assert found.page.locator("nav:visible, .choices:visible").count() == 0
    assert found.problems == []
    found.page.context.close()
