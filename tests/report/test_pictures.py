"""Pictures of a run: text as text, whole in light and in dark, and nothing drawn that was not measured."""

import re
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest
from browser import chromium
from playwright.sync_api import Browser

from bench.judging import Judged, judge
from bench.report.pictures import SCHEMES, Picture, pictures, svg
from bench.report.pictures.picture import WIDTH, colours
from bench.report.pictures.scale import RATIOS, from_zero, of_ratios, rounds
from bench.results import load_run
from tests.report_runs import ODD, sample_run, without

__all__ = ["chromium"]

RESULTS = Path(__file__).parents[2] / "docs" / "results"
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def published() -> list[Picture]:
    """The pictures of the committed runs, which have all of them."""
    return pictures(judge(load_run(RESULTS / f"{name}.json.xz")) for name in ("all", "layers"))


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Judged:
    """A run with a model that is named like a script, and without pairs."""
    return judge(without(sample_run(tmp_path_factory.mktemp("run")), "pairs"))


def named(found: list[Picture], name: str) -> Picture:
    """The picture of that name."""
    return next(picture for picture in found if picture.name == name)


def drawn(picture: Picture, kind: str) -> Iterator[ElementTree.Element]:
    """The elements of that class."""
    return (one for one in ElementTree.fromstring(svg(picture, "light")).iter() if one.get("class") == kind)


def test_the_committed_run_has_every_picture(published: list[Picture]) -> None:
    assert [picture.name for picture in published] == ["waits", "pairs", "layers", "memory", "waves"]


def test_a_picture_is_whole_and_says_what_it_shows(published: list[Picture], sample: Judged) -> None:
    for picture in (*published, *pictures([sample])):
        for scheme in SCHEMES:
            root = ElementTree.fromstring(svg(picture, scheme))
            assert root.findtext(f"{SVG}title") == picture.title
            assert root.findtext(f"{SVG}desc") == picture.description
            assert root.get("viewBox") == f"0 0 {WIDTH} {picture.height}"
            assert not list(root.iter(f"{SVG}script"))
            assert not re.search(r"(href|url\(|@import|NaN|inf\b)", svg(picture, scheme))


def test_light_and_dark_differ_in_their_colours_and_in_nothing_else(published: list[Picture]) -> None:
    light, dark = map(colours, SCHEMES)
    assert light.keys() == dark.keys() >= {"ink", "paper", "c0", "c1", "c2", "c3"}
    for picture in published:
        bare = {re.sub(r"#[0-9a-f]{6}", "", svg(picture, scheme)) for scheme in SCHEMES}
        assert len(bare) == 1
        assert svg(picture, "light") != svg(picture, "dark")


def test_requests_that_wait_one_after_the_other_are_a_staircase(sample: Judged) -> None:
    """sync ends last on the left, gevent has a wall beneath it, and who failed is not drawn."""
    picture = named(pictures([sample]), "waits")
    panels = picture.values["panels"]
    assert [one.model for one in panels] == ["sync", "gevent-blocking-db", "gevent", "asyncio-bridge"]
    ends = {one.model: [round(x + width) for _, x, _, width in one.bars[:5]] for one in panels}
    assert len(set(ends["sync"])) == 5
    assert len(set(ends["gevent"])) == 1
    assert ODD not in picture.description
    assert len(list(drawn(picture, "python"))) == 4 * 5 + 1  # and one beside the words


def test_a_run_without_a_scenario_has_no_picture_of_it(sample: Judged) -> None:
    assert [picture.name for picture in pictures([sample])] == ["waits", "memory", "waves"]
    assert pictures([]) == []


def test_a_scenario_that_the_first_run_lacks_is_drawn_from_the_second(sample: Judged) -> None:
    committed = judge(load_run(RESULTS / "all.json.xz"))
    both = pictures([sample, committed])
    assert named(both, "pairs") == named(pictures([committed]), "pairs")
    assert named(both, "waits") == named(pictures([sample]), "waits")


def test_a_failed_request_is_no_line_among_the_waves(sample: Judged) -> None:
    picture = named(pictures([sample]), "waves")
    assert [len(one.lines) for one in picture.values["panels"]] == [45, 45]
    assert "answers by wave 15, 15, 15" in picture.description


@pytest.mark.parametrize(
    ("highest", "named"),
    [(5.04, [0, 1, 2, 3, 4, 5]), (1.6, [0, 0.5, 1, 1.5]), (42.3, [0, 10, 20, 30, 40]), (0.9, [0, 0.2, 0.4, 0.6, 0.8])],
)
def test_ticks_are_round(highest: float, named: list[float]) -> None:
    assert rounds(highest) == pytest.approx(named)


def test_an_axis_of_ratios_has_1_and_cuts_what_is_too_wide() -> None:
    scale = of_ratios(0, 100, [0.95, 1.02])
    assert (scale.low, scale.high) == (0.8, 1.25)
    assert scale.at(1.0) == pytest.approx(50)
    wide = of_ratios(0, 100, [0.01, 90.0])
    assert (wide.low, wide.high) == (RATIOS[0], RATIOS[-1])
    assert (wide.at(0.01), wide.at(90.0)) == (0, 100)
    assert from_zero(10, 20, 0.0).at(0.0) == 10


@pytest.mark.parametrize("scheme", SCHEMES)
def test_no_text_leaves_its_picture_or_lies_on_another(
    chromium: Browser, published: list[Picture], scheme: str
) -> None:
    """At 800 pixels, with the fonts that this system has."""
    for picture in published:
        page = chromium.new_page(viewport={"width": WIDTH, "height": picture.height})
        page.set_content(f"<body style='margin: 0'>{svg(picture, 'dark' if scheme == 'dark' else 'light')}</body>")
        boxes = page.evaluate(
            "() => [...document.querySelectorAll('text')].map(one => { const box = one.getBoundingClientRect();"
            " return [one.textContent, box.left, box.top, box.right, box.bottom]; })"
        )
        assert boxes
        for text, left, top, right, bottom in boxes:
            assert left >= 0, text
            assert top >= 0, text
            assert right <= WIDTH, text
            assert bottom <= picture.height, text
        crossing = [
            (one[0], other[0])
            for place, one in enumerate(boxes)
            for other in boxes[place + 1 :]
            if min(one[3], other[3]) - max(one[1], other[1]) > 1 and min(one[4], other[4]) - max(one[2], other[2]) > 3
        ]
        assert crossing == []
        page.close()
