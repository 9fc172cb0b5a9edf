"""A cell is believed if no server failed, and if all its generations together are; then it has blocks to compare."""

from dataclasses import replace
from math import nan

import pytest

from bench.judging import JudgedCell
from bench.results import Cell
from tests.judged_runs import COMMON, judged_of, promises, rates
from tests.observations import loaded, observations, open_slices

CPU = "cpu_per_request_s"


def judged(cell: Cell) -> JudgedCell:
    (found,) = judged_of(cell).cells
    return found


def open_cell(*took: float, late_sends: int = 0) -> Cell:
    """A cell of latency; a server's slices take so many times as long as their requests come, by generation."""
    measured = [loaded(open_slices(took=times, late_sends=late_sends * (place == 0), lag_max_s=0.05))
                for place, times in enumerate(took)]  # fmt: skip
    return Cell("latency", "asyncio-bridge", {"name": COMMON}, "p90_s", (), {}, observations(*measured))


def test_a_saturated_generation_of_six_is_never_set_aside() -> None:
    found = judged(open_cell(1, 1, 1, 1.3, 1, 1))
    assert found.judgement.state == "SATURATED"
    assert found.reason == "1 of 6 generations: what came within 1.5 s was answered after 2.0 s"
    assert found.cycles("p90_s") == {}
    assert judged(open_cell(1, 1, 1, 1, 1, 1)).valid


def test_a_failure_is_told_before_what_the_generator_did_in_another_generation() -> None:
    found = judged(open_cell(1, 1, 1.3, late_sends=5))
    assert [one.state for one in found.observations] == ["GENERATOR-LIMITED", "VALID", "SATURATED"]
    assert found.judgement.state == "SATURATED"


def test_errors_of_one_generation_are_those_of_the_cell() -> None:
    found = judged(rates("asyncio-bridge", (1000, 1010, nan)))
    assert (found.judgement.state, found.reason) == ("ERRORS", "1 of 3 generations: it did not start")


def test_a_server_that_was_not_loaded_in_one_generation_is_not_judged_by_the_others() -> None:
    cell = rates("asyncio-bridge", (1000, 1010, 990, nan))
    *others, last = cell.observations
    found = judged(replace(cell, observations=(*others, replace(last, state="UNSTABLE", reason="answers wait"))))
    assert (found.judgement.state, found.reason) == ("UNSTABLE", "1 of 4 generations: answers wait")


def test_late_sends_of_one_generation_of_six_are_few_of_all() -> None:
    found = judged(open_cell(1, 1, 1, 1, 1, 1, late_sends=5))
    assert found.observations[0].state == "GENERATOR-LIMITED"
    assert found.valid
    assert judged(open_cell(1, 1, late_sends=5)).judgement.state == "GENERATOR-LIMITED"


@pytest.mark.parametrize(("late", "state"), [(3, "VALID"), (10, "VALID"), (11, "SATURATED"), (90, "SATURATED")])
def test_a_server_keeps_its_promise_if_no_more_than_one_in_a_hundred_was_late(late: int, state: str) -> None:
    found = judged(promises("asyncio-bridge", (800, 820, 790), late=late))
    assert found.judgement.state == state
    assert found.reason == ("" if found.valid else "not confirmed: 0 of 3 servers kept their promise")


@pytest.mark.parametrize(("broken", "confirmed"), [(0, True), (1, True), (2, False), (4, False)])
def test_a_promise_is_confirmed_by_more_than_half_of_the_servers(broken: int, confirmed: bool) -> None:
    kept, late = (promises("asyncio-bridge", [800] * 4, late=count).observations for count in (3, 500))
    both = tuple(late[place] if place < broken else one for place, one in enumerate(kept))
    found = judged(replace(promises("asyncio-bridge", [800] * 4), observations=both))
    assert found.valid is confirmed
    assert found.reason == ("" if confirmed else f"not confirmed: {4 - broken} of 4 servers kept their promise")


def test_cycles_are_those_of_each_generation_or_the_one_value_that_was_found_in_it() -> None:
    cell = judged(rates("asyncio-bridge", (1000, 1010), cycles=10, numbers=(4, 7)))
    assert cell.cycles(CPU) == {4: pytest.approx([1 / 1000] * 10), 7: pytest.approx([1 / 1010] * 10)}
    assert cell.generations == [4, 7]
    promise = judged(promises("asyncio-bridge", (800, 820)))
    assert promise.cycles("promise_rps") == {0: [800], 1: [820]}
    assert promise.cycles("unknown_s") == {}
