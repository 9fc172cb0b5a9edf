"""What slow and leaving clients, a request that computes and thousands of mixed ones do to real servers."""

from collections.abc import Iterator
from itertools import pairwise

import pytest

from bench.faults import leaks
from bench.faults.known import find_faults
from bench.faults.leaving import CONNECTIONS
from bench.faults.running import inflict, rows_of
from bench.faults.slow_clients import HEADS, READERS
from bench.load import Generator
from bench.models import find_models
from bench.results.faults import FaultCell
from bench.testbed.testbed import TestBed

Seen = dict[tuple[str, str], FaultCell]
Generators = tuple[Generator, Generator]
THREADS, PIECES = "more threads than slow clients", "streamed in pieces"


@pytest.fixture(scope="module")
def generators() -> Iterator[Generators]:
    with Generator() as first, Generator() as second:
        yield first, second


def seen(name: str, bed: TestBed, generators: Generators, *wanted: tuple[str, str]) -> Seen:
    """What the fault does to these models, each with the cure of that name, or as it is if the name is empty."""
    (fault,) = find_faults([name])
    models = find_models(",".join(dict.fromkeys(model for model, _ in wanted)))
    rows = [row for row in rows_of(fault, models, cures=True)
            if (row.name, row.cure.name if row.cure else "") in wanted]  # fmt: skip
    cells = inflict(fault, rows, bed, *generators)
    assert {cell.state for cell in cells} == {"measured"}, [cell.reason for cell in cells]
    assert all(cell.facts["alive"] for cell in cells)
    return {(cell.model, cell.cure): cell for cell in cells}


def served_meanwhile(cell: FaultCell) -> float:
    """Of the requests to / that were sent while it lasted, the share that was answered before it was over."""
    (one,) = cell.requests
    asked = [(sent_s, took_s) for sent_s, took_s in zip(one.sent_s, one.took_s, strict=True)
             if 0 < sent_s < cell.lasted_s]  # fmt: skip
    assert len(asked) > 3
    return sum(took_s is not None and sent_s + took_s < cell.lasted_s for sent_s, took_s in asked) / len(asked)


def test_clients_that_are_slow_to_ask_take_every_thread_unless_there_are_more_threads_than_such_clients(
    test_bed: TestBed, generators: Generators
) -> None:
    cells = seen("slow-heads", test_bed, generators, ("gthread", ""), ("gthread", THREADS))
    assert served_meanwhile(cells["gthread", ""]) < 0.3
    assert served_meanwhile(cells["gthread", THREADS]) > 0.7
    for cell in cells.values():
        assert (cell.facts["slow_clients"], cell.facts["slow_ended"]) == (HEADS, 0)


def test_a_server_holds_a_large_answer_for_each_slow_reader_unless_it_leaves_in_pieces(
    test_bed: TestBed, generators: Generators
) -> None:
    """The bridge makes the pieces itself. 200 MiB would be held of whole ones where the loop is asyncio's own."""
    cells = seen("slow-readers", test_bed, generators, ("fastapi", ""), ("fastapi", PIECES), ("asyncio-bridge", ""))
    held = {key: number(cell, "held_bytes") / READERS for key, cell in cells.items()}
    assert held["fastapi", PIECES] < 750_000
    assert held["asyncio-bridge", ""] < 750_000
    assert held["fastapi", ""] > 1_250_000
    assert all(cell.facts["slow_clients"] == READERS for cell in cells.values())


def test_the_query_of_a_client_that_has_left_is_stopped_by_the_bridge_or_by_a_time_out_and_by_nobody_else(
    test_bed: TestBed, generators: Generators
) -> None:
    wanted = ("asyncio-bridge", ""), ("gevent", ""), ("gevent", "statement time-out")
    cells = seen("clients-leave", test_bed, generators, *wanted)
    assert all(0 < number(cell, "queries") <= CONNECTIONS for cell in cells.values())
    assert {key: bool(cell.facts["queries_left"]) for key, cell in cells.items()} == {
        wanted[0]: False,
        wanted[1]: True,
        wanted[2]: False,
    }
    assert cells["gevent", ""].facts["stopped_s"] is None


def test_while_a_request_computes_only_another_process_or_thread_answers(
    test_bed: TestBed, generators: Generators
) -> None:
    wanted = ("gevent", ""), ("gthread", ""), ("fastapi", "2 workers")
    cells = seen("computing", test_bed, generators, *wanted)
    silent = {key: longest_silence_s(cell) / number(cell, "computed_s") for key, cell in cells.items()}
    assert silent["gevent", ""] > 0.8
    assert max(silent["gthread", ""], silent["fastapi", "2 workers"]) < 0.6
    assert all(number(cell, "computed_s") >= 1.0 for cell in cells.values())


def longest_silence_s(cell: FaultCell) -> float:
    """The longest time between two answers to /, which is asked for twenty times a second."""
    (one,) = cell.requests
    answered = sorted(sent_s + took_s for sent_s, took_s in zip(one.sent_s, one.took_s, strict=True)
                      if took_s is not None)  # fmt: skip
    return max(after - before for before, after in pairwise(answered))


def test_what_servers_hold_before_and_after_mixed_requests_is_noted(
    test_bed: TestBed, generators: Generators, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leaks, "REQUESTS", 400)
    monkeypatch.setattr(leaks, "WARM_UP", 80)
    (cell,) = seen("leaks", test_bed, generators, ("gevent", "")).values()
    facts = cell.facts
    assert (facts["requests"], facts["unexpected"], facts["in_transaction"]) == (400, 0, 0)
    assert facts["database_connections_before"] == facts["database_connections_after"] == find_faults(["leaks"])[0].pool
    assert abs(number(cell, "descriptors_after") - number(cell, "descriptors_before")) < 20
    assert cell.requests == ()


def number(cell: FaultCell, name: str) -> float:
    """A fact that has to be a number."""
    value = cell.facts[name]
    assert isinstance(value, int | float)
    return float(value)
