"""A trial in the terminal: it fits, names what blocks and which model to take, and what is typed can be copied."""

import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from tried_runs import (
    CONFIGURATION,
    CONNECT,
    ORDERS,
    RENDER,
    REQUESTS,
    TIMES,
    TYPED,
    different,
    failed,
    model,
    not_tried,
    requests,
    trial,
    trial_run,
)

from bench.report.terminal.progress import StepProgress
from bench.report.terminal.tried import DIFFERENCES_SHOWN, PLACES_SHOWN, summary
from bench.report.tried import places, watched
from bench.results.tried import Confirmed, Tried


def printed(folder: Path, tried: Tried | None = None, width: int = 80, **console: Any) -> str:
    """What a terminal of that width shows of a trial."""
    file = io.StringIO()
    summary(Console(width=width, file=file, highlight=False, **console), trial_run(folder, tried))
    return file.getvalue()


def in_one_line(text: str) -> str:
    """The text with its lines joined, so that a sentence can be looked for."""
    return " ".join(text.split())


@pytest.mark.parametrize("width", [80, 200])
def test_everything_fits_the_terminal(tmp_path: Path, width: int) -> None:
    lines = printed(tmp_path, width=width).splitlines()
    assert max(len(line) for line in lines if not line.startswith("  $ ")) <= width
    table = lines[: lines.index("")]
    for name in (*TIMES, "granian"):
        assert any(line.startswith(f"{name} ") for line in table), name


def test_the_table_has_a_word_for_each_thing_that_was_asked_of_a_model(tmp_path: Path) -> None:
    lines = printed(tmp_path, width=200).splitlines()
    words = {name: next(line.split(maxsplit=1)[1] for line in lines if line.startswith(f"{name} ")) for name in TIMES}
    assert words["gevent-psycogreen"].split() == ["0.8", "s", "same", "same", "×1.2", "overlap", "recommended"]
    assert "2 of 3 differ" in words["gthread"]
    assert "hangs" in words["gthread"]
    assert "×7.9 blocks" in words["gevent"]
    assert any(line.startswith("granian  ") and line.rstrip().endswith("not tried") for line in lines)


def test_what_blocks_stands_below_the_table_and_the_recommendation_at_the_end(tmp_path: Path) -> None:
    text = printed(tmp_path)
    places = [text.index(words) for words in ("model  ", "what blocks", "how long", "what each costs", "which to take")]
    assert places == sorted(places)


def test_a_line_that_blocks_under_several_models_stands_there_once_with_all_of_them(tmp_path: Path) -> None:
    text = printed(tmp_path)
    assert text.count("shop/db.py:12 in connection waits in psycopg2.connect") == 1
    below = in_one_line(text[text.index("shop/db.py:12 in") : text.index("shop/pages.py:131 in")])
    assert CONNECT.source in below
    assert "gevent: 5.02 s in 48 times, 112 ms at the longest bridge-inline: 5.02 s" in below
    assert f"→ {CONNECT.advice}" in below
    assert text.index("shop/db.py:12 in") < text.index("shop/pages.py:131 in")


def test_advice_that_stands_above_already_is_not_repeated(tmp_path: Path) -> None:
    models = (model("sync"), model("gevent", stalls=(CONNECT, replace(CONNECT, line=99, total_s=1.0), RENDER)))
    text = in_one_line(printed(tmp_path, trial(models=models, confirmed=None)))
    assert text.count(CONNECT.advice) == 1
    assert "in GET /orders → as above shop/pages.py:131" in text
    assert RENDER.advice in text


def test_a_line_of_an_installed_package_is_named_without_the_folders_above_it() -> None:
    (place,) = places([model("gevent", stalls=(replace(CONNECT, file="/srv/env/lib/site-packages/shop/db.py"),))])
    assert place.where == "shop/db.py:12"


def test_advice_names_the_models_that_it_is_for_unless_it_is_for_all() -> None:
    other = "Make it a `def` view, which the bridge serves in a thread."
    inline = model("bridge-inline", stalls=(replace(CONNECT, advice=other),))
    (place,) = places([model("gevent", stalls=(CONNECT,)), inline])
    assert place.advice == ((("gevent",), CONNECT.advice), (("bridge-inline",), other))
    (place,) = places([model("gevent", stalls=(CONNECT,)), model("asgiref", stalls=(CONNECT,))])
    assert place.advice == ((("gevent", "asgiref"), CONNECT.advice),)


def test_what_a_model_met_in_several_requests_is_added_up() -> None:
    again = replace(CONNECT, request=REQUESTS[1], total_s=1.0, longest_s=0.2, count=2)
    (place,) = places([model("gevent", stalls=(CONNECT, again))])
    assert [(one.count, one.longest_s) for one in place.held] == [(50, 0.2)]
    assert place.held[0].total_s == pytest.approx(6.02)
    assert place.requests == REQUESTS[:2]


def test_the_place_that_held_up_others_longest_comes_first() -> None:
    longer = replace(RENDER, total_s=99.0)
    found = places([model("gevent", stalls=(CONNECT, RENDER)), model("bridge-inline", stalls=(longer,))])
    assert [one.where for one in found] == ["shop/pages.py:131", "shop/db.py:12"]


@pytest.mark.parametrize(
    ("models", "said"),
    [
        ([model("sync")], ""),
        ([model("gevent")], "Watched under gevent, in a pass that was not timed."),
        ([model("gevent"), model("gthread", watched=True)], "Nothing blocked under gthread."),
    ],
)
def test_where_nothing_blocked_is_said_of_models_that_were_watched(models: Any, said: str) -> None:
    assert watched(trial(models=tuple(models))).endswith(said)
    assert bool(watched(trial(models=tuple(models)))) == bool(said)


def test_an_application_in_which_nothing_blocks_is_told_so(tmp_path: Path) -> None:
    models = (model("sync"), model("gevent", stalls=()))
    text = printed(tmp_path, trial(models=models, confirmed=False))
    assert "Watched under gevent, in a pass that was not timed. Nothing blocked." in in_one_line(text)


def test_commands_and_files_can_be_copied_however_long_they_are(tmp_path: Path) -> None:
    long = TYPED["gevent-psycogreen"] + " --access-logfile " + "x" * 120
    models = tuple(replace(one, typed=long) if one.typed == TYPED["gevent-psycogreen"] else one
                   for one in trial().models)  # fmt: skip
    lines = printed(tmp_path, trial(models=models)).splitlines()
    assert f"  $ {long}" in lines
    assert "  $ pip install gevent psycogreen" in lines
    start = lines.index("gunicorn_gevent.py:") + 1
    code = [line[4:] for line in lines[start : start + len(CONFIGURATION.splitlines())]]
    assert code == CONFIGURATION.splitlines()


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (Confirmed(model="gevent-psycogreen", differences=()), "it answered the same"),
        (Confirmed(model="gevent-psycogreen", differences=(), reason="log\nImportError: no psycogreen\n\n"),
         "did not start: ImportError: no psycogreen"),
        (Confirmed(model="gevent-psycogreen", differences=(different(ORDERS, "alone", "status 500, not 200", 1, 1),)),
         "status 500, not 200"),
    ],
)  # fmt: skip
def test_what_came_of_the_printed_command_is_said(tmp_path: Path, found: Confirmed, said: str) -> None:
    text = in_one_line(printed(tmp_path, replace(trial(), confirmed=found)))
    assert said in text
    assert ("Take gevent-psycogreen." in text) == (not found.reason and not found.differences)


def test_a_trial_in_which_nothing_starts_recommends_nothing_and_says_why(tmp_path: Path) -> None:
    log = "Traceback (most recent call last):\n  File x\nModuleNotFoundError: No module named 'shop'\n"
    tried = trial(models=(failed("sync", log), not_tried("granian")), requests=(), confirmed=None)
    text = printed(tmp_path, tried)
    assert "sync: ModuleNotFoundError: No module named 'shop'" in text
    assert "Traceback" not in text
    assert "No model is recommended." in text
    assert "  $ " not in text


def test_many_findings_are_cut_short_and_counted(tmp_path: Path) -> None:
    stalls = tuple(replace(RENDER, line=number) for number in range(PLACES_SHOWN + 3))
    wrong = tuple(different(f"GET /{number}", "alone", "another body", 1, 1) for number in range(20))
    models = (model("sync"), model("gevent", stalls=stalls), model("gthread", differences=wrong))
    text = printed(tmp_path, trial(models=models, confirmed=None))
    assert text.count(" in order_page computes") == PLACES_SHOWN
    assert "and 3 further lines: the page has all" in text
    assert f"and {20 - DIFFERENCES_SHOWN} further differences: the page has all" in text


def test_a_request_that_is_too_short_has_a_sentence_and_no_table(tmp_path: Path) -> None:
    text = printed(tmp_path)
    timed = text[text.index("how long") : text.index("what each costs")]
    assert "GET /health takes 1.04 ms at most: too short to say whether its waits overlap" in timed
    assert timed.count("8 at once") == len(requests()) - 1


def test_a_file_gets_no_colours_and_no_color_is_obeyed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "\x1b" not in printed(tmp_path)
    colour = "\x1b[1;32mTake gevent-psycogreen.\x1b[0m"
    assert colour in printed(tmp_path, force_terminal=True, color_system="standard")
    monkeypatch.setenv("NO_COLOR", "1")
    assert colour not in printed(tmp_path, force_terminal=True, color_system="standard")


def test_a_phase_whose_end_nobody_knows_is_a_line_without_one() -> None:
    file = io.StringIO()
    progress = StepProgress(Console(file=file, width=200), first="reading the application")
    progress.start()
    progress.step(2, 7, "does it answer the same? GET /a[/b]", None)
    progress.now("gevent: GET /a[/b]")
    progress.step(3, 7, "do its waits overlap?", 90.0)
    progress.stop()
    first, second = file.getvalue().splitlines()
    assert first == "[2/7] does it answer the same? GET /a[/b]; 0:00 elapsed"
    assert second == "[3/7] do its waits overlap?; 0:00 elapsed, about 1:30 left"


def test_a_live_line_shows_brackets_as_they_are() -> None:
    file = io.StringIO()
    progress = StepProgress(Console(file=file, width=100, force_terminal=True), first="reading the application")
    progress.start()
    progress.step(2, 7, "GET /a[/b]", None)
    progress.live.refresh()
    progress.stop()
    assert "2 of 7: GET /a[/b]" in file.getvalue()
