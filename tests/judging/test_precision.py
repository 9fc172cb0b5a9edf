"""A run goes on until every interval that a verdict needs is narrow, whatever the intervals say."""

import pytest

from bench.judging.precision import sure_enough
from bench.results import Cell
from tests.judged_runs import LEVEL, PROMISE, judged_of, promises, rates, times, waits

RESTLESS = (1000.0, 1150.0, 870.0, 1050.0, 930.0, 1000.0)
SURE = [
    [rates("gevent", LEVEL), rates("asyncio-bridge", times(2))],
    [rates("gevent", LEVEL), rates("asyncio-bridge", times(1.04))],  # at the margin, and known well enough
    [waits("gevent", [0.002] * 3), waits("asyncio-bridge", (0.00194, 0.002, 0.00206))],
    [rates("gevent", LEVEL), rates("asyncio-bridge", times(2)), rates("quart", RESTLESS)],
    [rates("gevent", LEVEL), rates("asyncio-bridge", times(2)), rates("sync", RESTLESS)],
    [rates("gevent", LEVEL), rates("asyncio-bridge", times(2)), rates("gthread", RESTLESS, errors=1)],
    [
        rates("gevent", LEVEL),
        rates("asyncio-bridge", times(2)),
        rates("gevent", LEVEL, "GET /else"),
        rates("asyncio-bridge", RESTLESS, "GET /else"),
    ],  # no verdict is about the latter
    [promises("gevent", [500] * 3, late=90), promises("asyncio-bridge", [800] * 3), promises("gthread", [700] * 3)],
]
UNSURE = [
    [rates("gevent", LEVEL), rates("asyncio-bridge", RESTLESS)],
    [rates("gevent", LEVEL), rates("asyncio-bridge", times(3, RESTLESS))],  # a difference is no reason to stop
    [rates("gevent", LEVEL), rates("asyncio-bridge", times(2)), rates("gthread", RESTLESS)],
    [rates("gevent", LEVEL[:1]), rates("asyncio-bridge", LEVEL[:1])],
    [waits("gevent", [0.002] * 3), waits("asyncio-bridge", (0.0015, 0.002, 0.0026))],
    [
        promises("gevent", [500] * 3, late=90),
        promises("asyncio-bridge", [800] * 3),
        promises("gthread", [700, 900, 500]),
    ],
]


@pytest.mark.parametrize(("cells", "sure"), [*((cells, True) for cells in SURE), *((cells, False) for cells in UNSURE)])
def test_narrow_is_enough_and_anything_else_is_not(cells: list[Cell], sure: bool) -> None:
    assert sure_enough(judged_of(*cells).scenarios) == sure


def test_one_wide_interval_is_enough_to_go_on() -> None:
    narrow = [rates("gevent", LEVEL), rates("asyncio-bridge", times(2))]
    wide = [promises("gevent", [500] * 3), promises("asyncio-bridge", [800, 1000, 600], workload=PROMISE)]
    assert sure_enough(judged_of(*narrow).scenarios)
    assert not sure_enough(judged_of(*narrow, *wide).scenarios)
