"""Each trap fails as stated and its cure does not, on real servers; what is said of them can be checked."""

import json
import re
from collections.abc import Iterator
from contextlib import closing, nullcontext
from dataclasses import replace
from io import StringIO
from pathlib import Path

import pytest
from click.testing import CliRunner
from generators import NoLoad
from rich.console import Console

from bench.cli import cli
from bench.errors import BenchError
from bench.load import Generator
from bench.models import MODELS, find_models, is_only_a_trap
from bench.report.terminal.traps import changed, conclusion, details, overview
from bench.results import Run, load_run, new_run
from bench.testbed.testbed import TestBed, open_testbed
from bench.traps import CURED, TRAPS, Expected, Seen, Trap, find_traps, report, tries, try_all, try_cure, try_trap

BY_NAME = {trap.name: trap for trap in TRAPS}
SERIAL = Expected(python_serial=True, database_serial=True)
BROKEN = Expected(failed_share=0.5, error="out of order")


@pytest.fixture(scope="module")
def own_testbed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestBed]:
    """A database of its own: one of the traps takes all connections that there are."""
    with open_testbed(None, tmp_path_factory.mktemp("traps")) as ready:
        yield ready


@pytest.fixture(scope="module")
def generator() -> Iterator[Generator]:
    with closing(Generator()) as ready:
        yield ready


@pytest.mark.parametrize("trap", TRAPS, ids=lambda trap: trap.name)
def test_a_trap_fails_as_stated_and_its_cure_does_not(trap: Trap, own_testbed: TestBed, generator: Generator) -> None:
    seen = try_trap(trap, own_testbed, generator)
    assert trap.expected.agrees(seen), seen.words()
    cured = try_cure(trap, own_testbed, generator)
    assert CURED.agrees(cured), cured.words()
    assert not trap.expected.agrees(cured), cured.words()


@pytest.mark.parametrize("trap", TRAPS, ids=lambda trap: trap.name)
def test_a_trap_is_explained(trap: Trap) -> None:
    """In two sentences, by a source that fits its line, and as the registry has its model."""
    assert len(re.findall(r"\.(?= [A-Z]|$)", trap.cause)) == 2
    assert trap.cure.endswith(".")
    assert trap.sources
    assert all(re.fullmatch(r"https://\S{1,62}", source) for source in trap.sources)
    (model,) = find_models(trap.model)
    (cure,) = find_models(trap.cured_by)
    assert not is_only_a_trap(cure)
    if trap.setup:
        assert (cure, trap.setup != trap.cured_setup) == (model, True)
    elif trap.expected.calls_in_turns:
        assert (cure.app, model.keeps_connection, cure.keeps_connection) == (model.app, True, False)
    else:
        assert "traps" in model.families
        assert "traps" not in cure.families
    if not trap.expected.failed_share:
        serial = (trap.expected.python_serial, trap.expected.database_serial)
        assert serial == (not model.python_waits_overlap, not model.database_waits_overlap)
        assert (cure.python_waits_overlap, cure.database_waits_overlap) == (True, True)


def test_every_model_of_the_family_has_its_trap_and_every_trap_a_name_of_its_own() -> None:
    assert {model.name for model in MODELS if "traps" in model.families} <= {trap.model for trap in TRAPS}
    assert len(BY_NAME) == len(TRAPS)


@pytest.mark.parametrize(
    ("expected", "seen", "agrees"),
    [
        (SERIAL, Seen(8, 0, python_waits=4.2, database_waits=3.9), True),
        (SERIAL, Seen(8, 0, python_waits=1.2, database_waits=4.1), False),
        (SERIAL, Seen(8, 1, python_waits=4.2, database_waits=4.2), False),
        (CURED, Seen(8, 0, python_waits=1.2, database_waits=1.3), True),
        (CURED, Seen(8, 0, python_waits=1.2, database_waits=4.0), False),
        (CURED, Seen(8, 8, python_waits=0.1, database_waits=0.1), False),
        (CURED, Seen(10, 0), True),
        (CURED, Seen(10, 1), False),
        (Expected(calls_in_turns=True), Seen(60, 0, calls=4.1), True),
        (Expected(calls_in_turns=True), Seen(60, 0, calls=1.3), False),
        (CURED, Seen(60, 0, calls=1.3), True),
        (CURED, Seen(60, 0, calls=4.1), False),
        (BROKEN, Seen(10, 5, "Error: out of order"), True),
        (BROKEN, Seen(10, 4, "Error: out of order"), False),
        (BROKEN, Seen(10, 10), False),
    ],
)
def test_what_was_seen_agrees_or_not(expected: Expected, seen: Seen, agrees: bool) -> None:
    assert expected.agrees(seen) == agrees


def test_it_is_told_in_words() -> None:
    assert SERIAL.words() == "4 at once take 4 waits in Python, 4 in the database"
    assert replace(BROKEN, error="a|b").words() == "at least 50% of all requests fail: a, or b"
    assert replace(BROKEN, failed_share=1.0).words() == "all requests fail: out of order"
    assert Seen(8, 0, python_waits=4.24, database_waits=1.0).words() == (
        "4 at once take 4.2 waits in Python, 1.0 in the database"
    )
    assert Seen(8, 2, "Error: a", python_waits=4.2, database_waits=1.0).words() == "2 of 8 requests failed: Error: a"
    assert Seen(8, 2).words() == "2 of 8 requests failed: its log names no error of this kind"
    assert Expected(calls_in_turns=True).words() == (
        "60 at once that read and then call take 4 times as long as one call"
    )
    assert Seen(60, 0, calls=1.26).words() == "60 at once that read and then call take 1.3 times as long as one call"
    assert Seen(0, 0, not_tried="no MariaDB").words() == "not tried: no MariaDB"


def test_the_error_is_the_last_of_its_kind_that_was_written_since(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("before.Error: too late\nTraceback:\n  x too late\na.b.Error: it is too late now\nOther: no\n")
    assert tries.named_error(log, 0, "too late|too early") == "Error: too late"
    assert tries.named_error(log, log.stat().st_size, "too late") == ""


def test_traps_are_chosen_by_their_models() -> None:
    assert find_traps(None) == TRAPS
    assert find_traps("traps,gevent") == TRAPS
    assert [trap.name for trap in find_traps("gevent")] == [
        "connection-held-during-a-call",
        "pool-above-max-connections",
    ]
    assert find_traps("sync") == ()
    assert [trap.name for trap in find_traps(None, ["no-adapter", "blocking-driver"])] == [
        "blocking-driver",
        "no-adapter",
    ]
    assert find_traps("gevent", ["blocking-driver"]) == ()
    with pytest.raises(BenchError, match="there is no trap 'one-loop'; there are one-thread-adapter, "):
        find_traps(None, ["one-loop"])


def test_a_trap_whose_model_is_not_available_is_not_tried(
    own_testbed: TestBed, monkeypatch: pytest.MonkeyPatch
) -> None:
    missing = replace(find_models("gevent")[0], packages=("no_such_module",), extra="servers")
    monkeypatch.setattr(tries, "find_models", lambda _: (missing,))
    trap = BY_NAME["pool-above-max-connections"]
    seen = try_trap(trap, own_testbed, lambda _: pytest.fail("no load is sent"))
    assert "'servers'" in seen.not_tried
    told = report(trap, seen, seen)
    assert (told["holds"], told["cure_holds"]) == (None, None)
    assert changed([told]) == []
    assert "0 of 1 traps, 1 could not be tried" in conclusion([told]).plain


def reports() -> list[dict]:
    """One of each kind: as stated, not as stated, with a cure that does not cure."""
    seen = Seen(8, 0, python_waits=4.1, database_waits=4.2)
    return [
        report(BY_NAME["one-thread-adapter"], seen, replace(seen, python_waits=1.0, database_waits=1.0)),
        report(BY_NAME["leaking-context"], Seen(300, 0), None),
        report(BY_NAME["no-adapter"], Seen(10, 10, "TypeError: x"), Seen(10, 1)),
    ]


def test_what_has_changed_is_said_with_what_to_do() -> None:
    fixed, uncured = changed(reports())
    assert fixed.startswith("leaking-context no longer behaves as stated. Model trap-leaking-context was to show: at ")
    assert " It showed: 0 of 300 requests failed. " in fixed
    assert "https://github.com/python/cpython/issues/140947 is solved" in fixed
    assert fixed.endswith("correct 'leaking-context' in bench/traps/known.py.")
    assert uncured.startswith(
        "The cure of no-adapter does not cure. Model asyncio-bridge showed: 1 of 10 requests failed"
    )


@pytest.mark.parametrize("width", [80, 160])
def test_everything_fits_80_columns_and_addresses_are_whole(width: int) -> None:
    console = Console(width=width, file=StringIO())
    console.print(*(details(report(trap, Seen(300, 300, trap.expected.error), None)) for trap in TRAPS))
    console.print(overview(reports()))
    text = console.file.getvalue()
    assert max(map(len, text.splitlines())) <= 80
    for trap in TRAPS:
        assert all(f"{source}\n" in re.sub(" +\n", "\n", text) for source in trap.sources)
    assert re.search(r"  expected +seen", text)
    assert "NOT AS STATED: trap-leaking-context" in text


def test_a_trap_that_was_tried_is_not_tried_again(own_testbed: TestBed, tmp_path: Path) -> None:
    run = new_run(tmp_path, {}, {}, seed=1)
    run.steps_done = [f"traps/{trap.name}" for trap in TRAPS]
    try_all(TRAPS, own_testbed, NoLoad(), run, lambda *_: None, cures=True)
    assert run.traps == []


def test_a_results_file_without_traps_can_be_read(tmp_path: Path) -> None:
    path = new_run(tmp_path, {}, {}, seed=1).path
    content = json.loads(path.read_text())
    del content["traps"]
    path.write_text(json.dumps(content))
    assert load_run(tmp_path).traps == []


def test_the_command_ends_with_1_and_says_which_one_has_changed(
    own_testbed: TestBed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A trap that somebody has fixed: the model with the bridge under the trap's name."""
    monkeypatch.setattr("bench.measuring.session.open_testbed", lambda *_, **__: nullcontext(own_testbed))
    fixed = replace(BY_NAME["no-adapter"], model="asyncio-bridge")
    monkeypatch.setattr("bench.commands.traps.find_traps", lambda *_: (fixed,))
    done = CliRunner().invoke(cli, ["traps", "--out", str(tmp_path / "o")], env={"COLUMNS": "80"})
    assert done.exit_code == 1
    assert "[1/1] trap no-adapter: asyncio-bridge; " in done.output
    assert (
        "no-adapter no longer behaves as stated. Model asyncio-bridge was to show: all requests fail: missing"
        in done.output
    )
    assert done.output.splitlines()[-1] == f"{tmp_path}/o/results.json"
    (told,) = load_run(tmp_path / "o").traps
    assert (told["holds"], told["seen"], told["cure_holds"]) == (False, "0 of 10 requests failed", True)


def test_the_command_needs_models_that_fall_into_a_trap() -> None:
    done = CliRunner().invoke(cli, ["traps", "--models", "sync"])
    assert "no trap is known of sync; name some of asyncio-adapter, " in str(done.exception)


def test_all_ends_with_the_traps_and_resumes_without_those_it_has_tried(
    own_testbed: TestBed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bench.measuring.session.open_testbed", lambda *_, **__: nullcontext(own_testbed))
    arguments = ["all", "--scenarios", "traps", "--models", "trap-no-adapter"]
    first = CliRunner().invoke(cli, [*arguments, "--out", str(tmp_path / "o")], env={"COLUMNS": "80"})
    assert (first.exit_code, "Behave as stated: 1 of 1 traps." in first.output) == (0, True), first.output
    run: Run = load_run(tmp_path / "o")
    assert (run.steps_done, run.arguments["traps"]) == (["traps/no-adapter"], ["no-adapter"])
    again = CliRunner().invoke(cli, [*arguments, "--resume", str(tmp_path / "o")], env={"COLUMNS": "80"})
    assert (again.exit_code, "[1/1]" in again.output) == (0, False), again.output
    assert len(load_run(tmp_path / "o").traps) == 1
