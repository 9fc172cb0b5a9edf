"""What the faults of the database and of an upstream do to real servers, and that the cures cure it."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from bench.errors import BenchError
from bench.faults.fault import Row
from bench.faults.known import FAULTS, find_faults
from bench.faults.own_cluster import own_cluster
from bench.faults.pool_exhausted import SLOW_S
from bench.faults.running import inflict, rows_of
from bench.load import Generator
from bench.models import find_models
from bench.results.faults import FaultCell, Requests
from bench.testbed.databases.database import Database
from bench.testbed.testbed import TestBed, open_testbed

OWN = ("database-restart", "connections-ended", "start-without-database", "database-hangs", "pool-exhausted",
       "upstream-hangs")  # fmt: skip
Seen = dict[tuple[str, str], FaultCell]
Generators = tuple[Generator, Generator]


@pytest.fixture(scope="module")
def faulty_bed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestBed]:
    """A test bed of its own: other tests' servers would notice."""
    with open_testbed(None, tmp_path_factory.mktemp("faulty")) as ready:
        yield ready


@pytest.fixture(scope="module")
def generators() -> Iterator[Generators]:
    with Generator() as first, Generator() as second:
        yield first, second


def seen(name: str, bed: TestBed, generators: Generators, *wanted: tuple[str, str]) -> Seen:
    """What the fault does to these models, each with the cure of that name, or as it is if the name is empty."""
    (fault,) = find_faults([name])
    models = find_models(",".join(model for model, _ in wanted))
    rows = [
        row for row in rows_of(fault, models, cures=True) if (row.name, row.cure.name if row.cure else "") in wanted
    ]
    cells = inflict(fault, rows, bed, *generators)
    assert {cell.state for cell in cells} == {"measured"}, [cell.reason for cell in cells]
    assert own_cluster(bed).process.running
    return {(cell.model, cell.cure): cell for cell in cells}


def to(cell: FaultCell, path: str) -> Requests:
    """The requests of a cell to that path, whatever their query; the first kind of them if there are several."""
    return next(one for one in cell.requests if one.endpoint.partition("?")[0] == path)


def after(cell: FaultCell, path: str) -> Counter[str]:
    """How those ended that were sent when the fault was over; those at the watch's very end may have no answer yet."""
    pairs = zip(to(cell, path).sent_s, to(cell, path).outcome, strict=True)
    return Counter(outcome for sent_s, outcome in pairs if sent_s > cell.lasted_s and outcome != "unanswered")


def served_meanwhile(cell: FaultCell, path: str) -> float:
    """Of those sent in the fault's second third, the share that was answered before it was over."""
    one = to(cell, path)
    sent = [(took_s, sent_s) for sent_s, took_s in zip(one.sent_s, one.took_s, strict=True)
            if cell.lasted_s / 3 < sent_s < cell.lasted_s * 2 / 3]  # fmt: skip
    return sum(took_s is not None and sent_s + took_s < cell.lasted_s for took_s, sent_s in sent) / len(sent)


def longest_s(cell: FaultCell, path: str) -> float:
    """How long the slowest answer took."""
    return max(took_s for took_s in to(cell, path).took_s if took_s is not None)


def test_requests_succeed_as_soon_as_the_database_is_back(faulty_bed: TestBed, generators: Generators) -> None:
    cells = seen("database-restart", faulty_bed, generators, ("gevent", ""))
    assert any("500" in to(cell, "/todos/1").outcome for cell in cells.values())
    assert {outcome for cell in cells.values() for outcome in after(cell, "/todos/1")} == {"ok"}


def test_sqlalchemy_uses_connections_that_were_ended_and_asyncpg_does_not(
    faulty_bed: TestBed, generators: Generators
) -> None:
    plain, cured, other = ("gevent", ""), ("gevent", "pool_pre_ping"), ("asyncio-bridge", "")
    cells = seen("connections-ended", faulty_bed, generators, plain, cured, other)
    bursts = {key: Counter(to(cell, "/todos/1").outcome) for key, cell in cells.items()}
    assert bursts[plain]["500"] >= 1
    assert bursts[cured] == bursts[other] == {"ok": 8}


def test_a_server_on_databases_ends_without_a_database_unless_its_pool_may_be_empty(
    faulty_bed: TestBed, generators: Generators
) -> None:
    plain, cured, other = ("asyncio-bridge", ""), ("asyncio-bridge", "min_size=0"), ("gevent", "")
    cells = seen("start-without-database", faulty_bed, generators, plain, cured, other)
    facts = {key: (cell.facts["started"], cell.facts["alive"], cell.facts["exit_code"]) for key, cell in cells.items()}
    assert facts == {plain: ("server", False, 3), cured: ("server", True, None), other: ("worker", True, None)}
    assert set(after(cells[cured], "/todos/1")) == {"ok"}


def test_threads_that_wait_for_a_hanging_database_serve_nobody_else_unless_there_are_more(
    faulty_bed: TestBed, generators: Generators
) -> None:
    plain, cured = ("gthread", ""), ("gthread", "more threads than requests")
    cells = seen("database-hangs", faulty_bed, generators, plain, cured)
    assert served_meanwhile(cells[plain], "/") < min(0.5, served_meanwhile(cells[cured], "/"))
    for cell in cells.values():
        assert served_meanwhile(cell, "/todos/1") == 0
        assert "500" not in to(cell, "/todos/1").outcome


def test_a_time_out_for_statements_gives_connections_back_and_one_for_a_connection_gives_up(
    faulty_bed: TestBed, generators: Generators
) -> None:
    plain, given_up = ("gevent", ""), ("gevent", "time-out for a connection")
    ended = [("gevent", "statement_timeout"), ("asyncio-bridge", "statement_timeout")]
    several = "asyncio-bridge-4-workers", ""
    cells = seen("pool-exhausted", faulty_bed, generators, plain, given_up, *ended, several)
    slow = {key: Counter(to(cell, "/sleep/postgres/").outcome) for key, cell in cells.items()}
    assert slow[plain]["500"] == 0
    assert slow[given_up].keys() == {"ok", "500"}
    assert served_meanwhile(cells[plain], "/") > 0.5
    assert longest_s(cells[plain], "/todos/1") > SLOW_S / 2  # nobody has a connection before the first has come back
    assert longest_s(cells[several], "/todos/1") > SLOW_S  # one process has three of the slow requests, or more
    for key in ended:
        assert slow[key] == {"500": 12}
        assert set(after(cells[key], "/todos/1")) == {"ok"}


def test_views_that_wait_for_a_hanging_service_keep_their_connections_from_others_until_a_time_out(
    faulty_bed: TestBed, generators: Generators
) -> None:
    plain, cured = ("gevent", ""), ("gevent", "time-out for the call")
    cells = seen("upstream-hangs", faulty_bed, generators, plain, cured)
    assert served_meanwhile(cells[plain], "/todos/1") == 0 < served_meanwhile(cells[cured], "/todos/1")
    assert "502" in to(cells[cured], "/mixed/").outcome
    assert "502" not in to(cells[plain], "/mixed/").outcome


def test_what_is_done_to_a_database_is_done_to_the_benchs_own_only(tmp_path: Path) -> None:
    users = Database("postgresql://somebody@127.0.0.1/theirs", None, "postgres", "18", "own")
    with pytest.raises(BenchError, match="leave out --database-url"):
        own_cluster(TestBed({"postgres": users}, "", tmp_path))
    assert {fault.name for fault in FAULTS if fault.hurts_database} == set(OWN[:4])


@pytest.mark.parametrize("name", OWN)
def test_every_cure_is_another_setting_of_a_model_of_the_registry(name: str) -> None:
    (fault,) = find_faults([name])
    cured = [row for row in rows_of(fault, find_models("every"), cures=True) if row.cure]
    assert {row.cure for row in cured} == set(fault.cures)
    for row in cured:
        (plain,) = find_models(row.name)
        assert replace(row.model, name="") != replace(plain, name="")
        assert row == Row(row.model, row.name, row.cure)


@pytest.mark.parametrize(("name", "pool", "each"), [("pool-exhausted", 4, 1), ("connections-ended", 8, 2)])
def test_the_processes_of_a_server_share_its_connections_out(name: str, pool: int, each: int) -> None:
    (fault,) = find_faults([name])
    single, several = find_models("gevent,gevent-4-workers")
    assert fault.variables(single)["POOL_SIZE"] == str(pool)
    assert fault.variables(several)["POOL_SIZE"] == str(each)
