"""The faults of a run in terminal, page and exports: the same words everywhere, and nothing wider than its place."""

import csv
import io
import json
import re
from io import StringIO
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from browser import chromium, visit
from playwright.sync_api import Browser
from rich.console import Console

from bench.judging import judge
from bench.judging.differences import differences
from bench.report.export import as_csv, as_json, as_markdown
from bench.report.page.faults import shown
from bench.report.page.page import write_page
from bench.report.terminal.compare import faults as compared
from bench.report.terminal.faults import summary
from bench.results import Run, load_run
from tests.fault_runs import EIGHT, cell, eight, failing, fault_run, requests

__all__ = ["chromium"]
OUTSIDE = "javascript:alert('faults')"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Four faults on eight models, two of them with a cure as well."""
    return fault_run(tmp_path_factory.mktemp("faults"), eight())


@pytest.fixture(scope="module")
def address(run: Run) -> str:
    """The page's, on disk."""
    return write_page(run).as_uri()


def printed(run: Run, width: int, *, whole: bool = True, **more: bool) -> str:
    """What a terminal of that width shows."""
    text = StringIO()
    summary(Console(file=text, width=width, highlight=False, **more), judge(run).faults, whole=whole)  # type: ignore[arg-type]
    return text.getvalue()


def test_a_run_with_faults_comes_back_from_its_file_as_it_was(run: Run) -> None:
    assert load_run(run.folder).faults == run.faults


@pytest.mark.parametrize(("width", "tables"), [(80, 3), (120, 2), (200, 1)])
def test_the_table_has_every_model_and_fits_the_terminal(run: Run, width: int, tables: int) -> None:
    text = printed(run, width, whole=False)
    assert max(map(len, text.splitlines())) <= width
    assert len(re.findall(r"^fault ", text, re.MULTILINE)) == tables
    words = " ".join(text.split())
    assert all(model in words or model.replace("4-workers", "4- workers") in words or "asyncio-bridge-4-" in words
               for model in EIGHT)  # fmt: skip
    for one in judge(run).faults.cells:
        assert one.found.word.split()[0] in words


def test_colours_are_left_out_where_nobody_sees_them(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "\x1b[31m" in printed(run, 80, force_terminal=True)
    assert "\x1b" not in printed(run, 80)
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[31m" not in printed(run, 80, force_terminal=True)


def test_each_fault_is_explained_with_its_cures_exact_setting_and_its_sources(run: Run) -> None:
    text = printed(run, 80)
    assert "https://example.org/database-hangs" in text
    assert f"gunicorn --bind fd://3 {'x' * 40}" in " ".join(text.split())
    assert "cures for sync and gevent" in text
    assert "Not tried: it has no workers." in text
    assert "Failed: it did not start." in text


def test_a_table_in_short_says_which_command_has_the_rest(run: Run) -> None:
    text = printed(run, 80, whole=False)
    assert "python -m bench faults" in text
    assert "https://" not in text
    assert printed(fault_run(run.folder / "none", []), 80) == ""


@pytest.mark.parametrize(("width", "scheme"), [("desk", "light"), ("phone", "dark")])
def test_the_page_has_the_table_and_a_time_line_for_each_cell(
    chromium: Browser, run: Run, address: str, width: str, scheme: str
) -> None:
    """Nothing is wider than the window, axe finds nothing, and no request leaves."""
    found = visit(chromium, address, width, scheme)
    page = found.page
    page.evaluate("() => { for (const one of document.querySelectorAll('details')) one.open = true; }")
    assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"]
    judged = judge(run).faults
    assert page.locator("#faults thead th").all_inner_texts() == ["fault", *judged.models]
    measured = [one for one in judged.cells if one.cell.state == "measured"]
    assert page.locator("#faults .timeline svg").count() == len(measured)
    shade, line = (page.locator("#faults svg").first.locator(name).first.bounding_box() for name in ("rect", "path"))
    assert shade is not None
    assert line is not None
    assert line["x"] < shade["x"] < line["x"] + line["width"] / 2
    assert [(one["id"], one["nodes"][0]["html"]) for one in Axe().run(page).response["violations"]] == []
    assert found.problems == []
    links = [link.get_attribute("href") or "" for link in page.locator(".contents a").all()]
    assert links[:2] == ["#verdict", "#faults"]
    page.context.close()


def test_a_time_line_has_a_stroke_for_each_request_and_shows_what_became_of_it(tmp_path: Path) -> None:
    kinds = requests(*failing("reset", 0.0, 0.2), (0.3, "refused")), requests(endpoint="/todos/1", waits=(1.0, 2.0))
    (fault,) = shown(judge(fault_run(tmp_path, [cell("deploy", "gevent", *kinds)])).faults)
    (row,) = fault.rows
    assert row.timeline is not None
    strokes = {kind: path.count("M") for kind, path in row.timeline.paths.items()}
    assert strokes == {"lost": 4, "again": 1, "good": 2 * len(kinds[0].sent_s) - 5}
    assert fault.lanes == ("/", "/todos/1")
    assert "/todos/1, highest stroke 1 s" in fault.axis
    assert row.timeline.fault_x < row.timeline.fault_width


def test_a_source_that_is_no_address_is_no_link(chromium: Browser, tmp_path: Path) -> None:
    run = fault_run(tmp_path, [cell("deploy", "gevent", requests())])
    assert run.faults is not None
    run.faults.faults["deploy"] = run.faults.faults["deploy"].__class__(
        name="deploy", title="<b>bold</b>", done="", asked="", sources=(OUTSIDE,)
    )
    found = visit(chromium, write_page(run).as_uri())
    assert found.page.locator("#faults article a").count() == 0
    assert found.page.locator("#faults article b").count() == 0
    found.page.context.close()


def test_exports_have_every_cell_with_the_same_word(run: Run) -> None:
    judged = judge(run).faults
    texts = {one.cell.key: one.found.text for one in judged.cells}
    exported = json.loads(as_json(run))["faults"]
    assert {(one["fault"], one["model"], one["cure"]): f"{one['word']} {one['figure']}".strip()
            for one in exported} == texts  # fmt: skip
    rows = [row for row in csv.DictReader(io.StringIO(as_csv(run))) if row["scenario"] == "faults"]
    assert [row["verdict"] for row in rows] == list(texts.values())
    assert rows[1]["workload"] == "deploy with socket that outlives the server"
    table = as_markdown(run).partition("### Faults")[2]
    assert table.count("\n| ") == 1 + 1 + sum(1 + len(fault.cures) for fault in judged.faults)
    assert "with socket that outlives the server" in table


def test_compare_tells_words_that_have_changed_and_not_times(tmp_path: Path) -> None:
    plain = cell("deploy", "gevent", requests((0.0, "reset")))
    runs = [
        fault_run(tmp_path / name, [one, cell("crash", "gevent", requests())])
        for name, one in (("a", plain), ("b", cell("deploy", "gevent", requests(*failing("reset", 0.0, 1.0)))),
                          ("c", cell("deploy", "gevent", requests())))
    ]  # fmt: skip
    first, second, third = map(judge, runs)
    assert compared(differences(first, second)) == [
        "Faults in both: 2, of which 0 did something else; words, not times."
    ]
    assert compared(differences(first, third))[1:] == ["deploy, gevent: loses → none lost"]
