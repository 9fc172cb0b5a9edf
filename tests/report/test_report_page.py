"""The page in a real browser: it works from disk, for the eye, the keyboard, the screen reader and the printer."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from browser import Visit, chromium, visit
from playwright.sync_api import Browser, Page
from report_runs import LAYERS, ODD, sample_run

from bench.judging import judge
from bench.report.families import family
from bench.report.page import matrix
from bench.report.page.page import write_page
from bench.results import Run
from tests.judged_runs import rates, run_of

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
    assert page.locator(".plot").count() == 15
    for plot in page.locator(".plot").all():
        assert plot.locator(".trace path, .trace .point, .trace line").count() > 0
        assert plot.locator(".xtick text").count() > 0
        for name in ("labelledby", "describedby"):
            assert len(page.locator(f"#{plot.get_attribute(f'aria-{name}')}").inner_text()) > 15
    assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"]
    assert wider_than_their_place(page, ".matched, .trap") == []
    assert violations(page) == []
    assert found.problems == []
    page.context.close()


def wider_than_their_place(page: Page, selector: str) -> list[str]:
    """What one would have to move sideways to read."""
    found: list[str] = page.locator(selector).evaluate_all(
        "(all) => all.filter((one) => one.scrollWidth > one.parentElement.clientWidth).map((one) => one.className)"
    )
    return found


@pytest.mark.parametrize("width", ["desk", "phone"])
def test_the_text_of_a_chart_is_for_those_who_do_not_see_it(chromium: Browser, address: str, width: str) -> None:
    """Read aloud, printed nowhere, and shown in the chart's place where nothing draws it."""
    found = visit(chromium, address, width)
    for text in found.page.locator(".described").all():
        box = text.bounding_box()
        assert box is not None
        assert box["width"] * box["height"] <= 1
    assert found.page.locator(".plot").all_inner_texts() == [""] * 15 or found.page.locator(".plot svg").count()
    found.page.context.close()
    context = chromium.new_context(java_script_enabled=False)
    plain = context.new_page()
    plain.goto(address)
    assert "asyncio-bridge" in plain.locator(".described:visible").first.inner_text()
    assert plain.locator(".plot:visible").count() == 0
    context.close()


@pytest.mark.parametrize("width", ["desk", "phone"])
def test_the_contents_are_in_the_pages_order_and_each_leads_to_its_place(
    chromium: Browser, address: str, width: str
) -> None:
    """Boxes of charts have their height before anything is drawn: a place does not move while one goes there."""
    found = visit(chromium, address, width)
    page = found.page
    links = [link.get_attribute("href") or "" for link in page.locator(".contents a").all()]
    tops = [page.locator(link).evaluate("(one) => one.getBoundingClientRect().top") for link in links]
    assert tops == sorted(tops)
    heights = "() => [...document.querySelectorAll('.plot')].map((plot) => plot.offsetHeight)"
    before = page.evaluate(heights)
    for link in (links[-3], "#stream", "#matrix"):
        if width == "phone":
            page.evaluate("document.querySelector('.contents details').open = true")
        page.locator(f".contents a[href='{link}']").click()
        page.wait_for_function(RESTING, arg=link)
    assert page.locator(".plot svg").count() > 0
    drawn(page)
    assert page.evaluate(heights) == before
    svgs = "() => [...document.querySelectorAll('.plot')].map((plot) => plot.querySelector('.main-svg').clientHeight)"
    assert page.evaluate(svgs) == before
    page.context.close()


# Whether what a link leads to is at the top of the window, below the room that is kept there.
RESTING = "(link) => Math.abs(document.querySelector(link).getBoundingClientRect().top - 16) < 2"


def test_every_cure_stands_beside_its_cause(chromium: Browser, address: str) -> None:
    for width in ("desk", "phone"):
        found = visit(chromium, address, width)
        for trap in found.page.locator(".trap").all():
            cause, cure = (trap.locator("dl > div").nth(place).bounding_box() for place in (2, 3))
            assert cause is not None
            assert cure is not None
            assert (cause["y"], cause["x"] + cause["width"] <= cure["x"]) == (cure["y"], True)
        found.page.context.close()


def test_a_machine_that_was_too_noisy_is_a_banner_above_everything(chromium: Browser, tmp_path: Path) -> None:
    noisy = (1000.0, 1300.0, 800.0, 1250.0, 790.0, 1100.0)
    run = run_of(rates("gevent", noisy), rates("asyncio-bridge", noisy[::-1]), folder=tmp_path)
    assert "too noisy" in judge(run).verdict.noise
    for scheme in ("light", "dark"):
        found = visit(chromium, write_page(run).as_uri(), "phone", scheme)
        banner, title = (found.page.locator(name).bounding_box() for name in (".banner", "h1"))
        assert banner is not None
        assert title is not None
        assert banner["y"] + banner["height"] <= title["y"]
        assert found.page.locator(".sentences", has_text="noisy").count() == 0
        assert violations(found.page) == []
        found.page.context.close()


def test_the_promised_rate_is_named_in_words(seen: Page) -> None:
    drawn(seen)
    assert seen.locator("h4", has_text="promised rate req/s, more is better").count() == 1
    assert seen.locator(".xtitle", has_text="promised rate req/s").count() == 1


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
        assert values[len(figures) :] == [""] * (2 + len(LAYERS))
    assert column.get_attribute("aria-sort") == "descending"


def test_a_family_leaves_tables_and_charts_together(seen: Page, run: Run) -> None:
    drawn(seen)
    label = "document.getElementById('chart-throughput-1').data.map((trace) => trace.meta.model)"
    assert set(seen.evaluate(label)) == {*models_of_page(seen)} - {*LAYERS}
    box = seen.get_by_role("checkbox", name="gevent app")
    box.uncheck()
    kept = {name for name, facts in judge(run).models.items() if family(facts) != "gevent_app"}
    visible = seen.locator(".matrix tbody tr:visible th").all_inner_texts()
    assert set(visible) == kept
    seen.wait_for_function(f"new Set({label}).size === {len(kept - {*LAYERS})}")
    box.check()
    seen.wait_for_function(f"new Set({label}).size > {len(kept - {*LAYERS})}")


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
