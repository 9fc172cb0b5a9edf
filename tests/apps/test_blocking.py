"""The probe names the line that keeps the loop or the hub: each view of a shop blocks in a line that is marked."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pytest
from blocked import COOPERATE, KEEP_THE_HUB, MARKS, keeps, seen
from shop_server import Around, around_the_shop

from bench.results.tried import Stall
from bench.testbed.testbed import TestBed

HUB = "gunicorn --worker-class gevent 'blocking.watched:hub()'"
PSYCOGREEN = "gunicorn --worker-class gevent --config gunicorn_gevent.py 'blocking.watched:hub()'"
LOOP = "uvicorn --factory blocking.watched:loop"
THREADS = "gunicorn --worker-class gthread --threads 4 'blocking.watched:threads()'"
LOOP_AND_THREADS = "uvicorn --factory blocking.watched:loop_and_threads"
# Where the machine is so busy that the probe itself waits for a core, it blames nobody; it hardly is three times.
TRIES = 3
POSTGRES = ["orm_query", "psycopg2_connect", "psycopg2_execute"]


@pytest.fixture(scope="module")
def around(test_bed: TestBed, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Around]:
    with around_the_shop(test_bed.databases["postgres"], tmp_path_factory.mktemp("blocking")) as ready:
        yield ready


def first_places(found: Mapping[str, Sequence[Stall]]) -> dict[str, tuple[str, int] | None]:
    return {name: (stalls[0].file, stalls[0].line) if stalls else None for name, stalls in found.items()}


def marked(names: Sequence[str]) -> dict[str, tuple[str, int]]:
    return {name: (MARKS[name].file, MARKS[name].line) for name in names}


def test_there_are_twenty_blockers_for_the_hub_and_more_for_the_loop() -> None:
    assert len(KEEP_THE_HUB) >= 20
    assert {"outgoing", "mysql_connect", "process"} <= set(COOPERATE)


def test_under_gevent_the_marked_line_ranks_first_and_what_cooperates_is_not_blamed(
    around: Around, tmp_path: Path
) -> None:
    found = seen(HUB, MARKS, around, tmp_path)
    assert first_places({name: found[name] for name in KEEP_THE_HUB}) == marked(KEEP_THE_HUB)
    assert {name: found[name] for name in COOPERATE if keeps(found[name])} == {}
    assert sum(keeps(found[name]) for name in KEEP_THE_HUB) > len(KEEP_THE_HUB) / 2  # some compute, and may be quicker


def test_under_the_bridge_inline_the_marked_line_ranks_first(around: Around, tmp_path: Path) -> None:
    assert first_places(seen(LOOP, MARKS, around, tmp_path)) == marked(list(MARKS))


@pytest.mark.parametrize("command", [THREADS, LOOP_AND_THREADS])
def test_in_threads_only_what_keeps_the_gil_is_named(command: str, around: Around, tmp_path: Path) -> None:
    names = ["regex", "json_dumps", "psycopg2_execute", "sleep", "scrypt"]
    expected = marked(["regex", "json_dumps"]) | dict.fromkeys(["psycopg2_execute", "sleep", "scrypt"])
    for attempt in range(TRIES):
        (folder := tmp_path / str(attempt)).mkdir()
        if (found := first_places(seen(command, names, around, folder))) == expected:
            break
    assert found == expected


def test_psycogreen_silences_psycopg2(around: Around, tmp_path: Path) -> None:
    found = seen(PSYCOGREEN, [*POSTGRES, "regex"], around, tmp_path)
    assert first_places(found) == dict.fromkeys(POSTGRES) | marked(["regex"])
