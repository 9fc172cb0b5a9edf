"""Which loads does `decide --check` measure? Some that no scenario has, and two that every run has, as anchors."""

from collections.abc import Callable
from dataclasses import dataclass, field

from bench.models import POOL
from bench.prediction.costs import Measured
from bench.prediction.figures import Demand
from bench.prediction.layers import BASE, ONE_QUERY

WHOLE_MEMORY_BYTES = 1e12


@dataclass(frozen=True)
class Unseen:
    """A load, and the demand that describes it to the prediction."""

    path: str
    connections: int
    demand: Demand
    pool: int = POOL
    """How many database connections the server has."""
    needs: Callable[[Measured], bool] = field(default=lambda model: True)
    """Whether the load can be asked of a model."""


def demand_of(connections: int, **described: float) -> Demand:
    """A closed loop on one process that has a core for itself, and more memory than it needs."""
    nothing: dict[str, float] = {"db_wait_s": 0.0, "queries": 0, "cpu_s": 0.0}
    usual = {"concurrency": connections, "cores": 1, "memory_bytes": WHOLE_MEMORY_BYTES}
    return Demand(**nothing | usual | described)  # type: ignore[arg-type]  # whole numbers are among the floats


def sleeping(seconds: float, connections: int, needs: Callable[[Measured], bool]) -> Unseen:
    """A request that sleeps in Python and then reads all rows."""
    demand = demand_of(connections, upstream_wait_s=seconds, queries=1, all_rows=True)
    return Unseen(f"/sleep/python/?seconds={seconds:g}", connections, demand, needs=needs)


def sleeping_database(seconds: float, connections: int, pool: int, needs: Callable[[Measured], bool]) -> Unseen:
    """A request with a query that sleeps and one that reads all rows; each is described by half of the wait."""
    demand = demand_of(connections, db_wait_s=seconds / 2, queries=2, all_rows=True, db_connections=pool)
    return Unseen(f"/sleep/postgres/?seconds={seconds:g}", connections, demand, pool, needs)


def several(queries: int, connections: int) -> Unseen:
    """A request that reads single rows one after the other."""
    demand = demand_of(connections, queries=queries, db_connections=POOL)
    return Unseen(f"/queries/?count={queries}", connections, demand)


def calling(calls: int, seconds: float, connections: int) -> Unseen:
    """A request that calls a service, which takes so long to answer, so many times at once."""
    demand = demand_of(connections, upstream_wait_s=seconds, calls=calls)
    return Unseen(f"/fanout/?count={calls}&seconds={seconds:g}", connections, demand, needs=asks)


def asks(model: Measured) -> bool:
    """Whether the cost of the model's calls was measured, and its calls overlap."""
    return model.calls_s is not None and model.python_overlaps


def overlaps(model: Measured) -> bool:
    """Whether all of the model's waits overlap."""
    return model.python_overlaps and model.database_overlaps


def blocks(model: Measured) -> bool:
    """Whether some of the model's waits block."""
    return not overlaps(model)


UNSEEN = (
    several(5, 32),
    several(10, 48),
    sleeping(0.02, 64, overlaps),
    sleeping(0.05, 20, overlaps),
    sleeping(0.02, 8, blocks),
    Unseen("/cpu/?milliseconds=3", 16, demand_of(16, cpu_s=0.003)),
    calling(3, 0.02, 12),
    sleeping_database(0.02, 8, POOL, blocks),
    sleeping_database(0.03, 40, 5, overlaps),
    sleeping_database(0.03, 40, 10, overlaps),
    sleeping_database(0.05, 60, 30, overlaps),
)
ANCHORS = {BASE: Unseen("/", 32, demand_of(32)), ONE_QUERY: several(1, 32)}
