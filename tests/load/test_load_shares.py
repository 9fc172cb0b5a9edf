"""The shares of a load together are exactly the load, whoever sends them."""

from itertools import pairwise

import pytest

from bench.load import LoadJob, SlicesJob, StreamJob, Target
from bench.load.job import Arrival, Lot
from bench.load.pacing import schedule
from bench.load.shares import cut, cut_slices, cut_streams, shares_of, split

ADDRESS = {"host": "127.0.0.1", "port": 80}


@pytest.mark.parametrize("of", [1, 2, 3, 4])
@pytest.mark.parametrize("most", [None, 1, 100])
@pytest.mark.parametrize("arrival", ["constant", "poisson"])
def test_the_lots_of_a_schedule_are_all_of_it_and_none_has_a_request_of_another(
    arrival: Arrival, most: int | None, of: int
) -> None:
    whole = [*schedule(arrival, 700.0, 1.5, seed=5, most=most)]
    lots = [[*schedule(arrival, 700.0, 1.5, seed=5, most=most, lot=Lot(number, of))] for number in range(of)]
    assert sorted(offset for lot in lots for offset in lot) == whole
    assert all(lot == sorted(lot) for lot in lots)
    assert most or max(map(len, lots)) < 1.5 * min(map(len, lots))


def test_a_lot_of_evenly_spaced_requests_is_evenly_spaced() -> None:
    offsets = [*schedule("constant", 1_000.0, 1.0, seed=1, lot=Lot(1, 4))]
    assert {later - sooner for sooner, later in pairwise(offsets)} == {4_000_000}


@pytest.mark.parametrize("number", range(4))
def test_a_lot_of_poisson_arrivals_is_poisson(number: int) -> None:
    """The gaps have the mean and the spread of an exponential, and do not tell of each other."""
    offsets = [*schedule("poisson", 4_000.0, 20.0, seed=7, lot=Lot(number, 4))]
    gaps = [later - sooner for sooner, later in pairwise(offsets)]
    mean = sum(gaps) / len(gaps)
    spread = sum((gap - mean) ** 2 for gap in gaps) / len(gaps)
    following = sum((one - mean) * (other - mean) for one, other in pairwise(gaps)) / len(gaps)
    assert mean == pytest.approx(1e6, rel=0.04)
    assert spread**0.5 == pytest.approx(mean, rel=0.05)
    assert abs(following / spread) < 0.04


@pytest.mark.parametrize(
    ("load", "generators", "connections", "requests"),
    [
        ({"connections": 32}, 1, [32], [None]),
        ({"connections": 32}, 4, [8, 8, 8, 8], [None] * 4),
        ({"connections": 5}, 2, [3, 2], [None, None]),
        ({"connections": 2}, 4, [1, 1], [None, None]),
        ({"connections": 8, "max_requests": 11}, 2, [4, 4], [6, 5]),
        ({"connections": 8, "max_requests": 3}, 4, [3, 3, 2], [1, 1, 1]),
        ({"connections": 8, "max_requests": 3, "rate_rps": 5.0}, 4, [2, 2, 2, 2], [3, 3, 3, 3]),
    ],
)
def test_a_load_is_cut_into_shares_with_a_connection_each(
    load: dict[str, int], generators: int, connections: list[int], requests: list[int | None]
) -> None:
    job = LoadJob(**ADDRESS, queue_limit=101, **load)  # type: ignore[arg-type]
    shares = cut(job, generators)
    assert len(shares) == shares_of(job, generators) == len(connections)
    assert [share.connections for share in shares] == connections
    assert [share.max_requests for share in shares] == requests
    assert sum(share.queue_limit for share in shares) == job.queue_limit
    assert [share.lot for share in shares] == [Lot(number, len(shares)) for number in range(len(shares))]
    assert [LoadJob.from_json(share.to_json()) for share in shares] == shares


def test_one_generator_has_the_load_as_it_is() -> None:
    job = LoadJob(**ADDRESS)  # type: ignore[arg-type]
    assert cut(job, 1) == [job]


@pytest.mark.parametrize(("count", "of", "parts"), [(7, 3, [3, 2, 2]), (2, 2, [1, 1]), (0, 2, [0, 0]), (9, 1, [9])])
def test_a_number_is_split_as_evenly_as_it_can_be(count: int, of: int, parts: list[int]) -> None:
    assert split(count, of) == parts


def test_streams_are_split_among_as_many_as_have_one() -> None:
    job = StreamJob(**ADDRESS, streams=3)  # type: ignore[arg-type]
    assert [share.streams for share in cut_streams(job, 2)] == [2, 1]
    assert [share.streams for share in cut_streams(job, 9)] == [1, 1, 1]


def test_slices_are_cut_target_by_target_and_keep_what_their_order_is_drawn_from() -> None:
    jobs = [LoadJob(**ADDRESS, connections=count) for count in (1, 2, 9)]  # type: ignore[arg-type]
    whole = SlicesJob(targets=tuple(Target(job=job, pids=(4,)) for job in jobs), cycles=3, seed=8)
    shares = cut_slices(whole, 3)
    assert [[target.job.connections for target in share.targets] for share in shares] == [
        [1, 1, 3],
        [1, 1, 3],
        [1, 1, 3],
    ]
    assert [[target.job.lot for target in share.targets] for share in shares][2] == [Lot(0, 1), Lot(1, 2), Lot(2, 3)]
    assert {(share.seed, share.cycles) for share in shares} == {(8, 3)}
    assert cut_slices(whole, 1) == [whole]
