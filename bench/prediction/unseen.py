"""Which loads does `decide --check` measure? Some that no scenario has, and two that every run has, as anchors."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from bench.models import POOL
from bench.prediction.costs import Measured, on_asyncio
from bench.prediction.figures import GIVEN_BACK, Demand
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
    processes: int = 1
    """How many processes the server has; the connections are divided among them."""
    load_s: float = 0.4
    """How long each turn takes: longer than a request."""
    rate_share: float | None = None
    """The share of its predicted capacity at which requests come, judged by p99; None for a closed loop."""

    @property
    def name(self) -> str:
        """Path, connections or arrivals, and what the server has that is not usual."""
        arrivals = f"× {self.connections}" if self.rate_share is None else f"p99 at {self.rate_share:.0%}"
        more = [f"pool {self.pool}"] * (self.pool != POOL) + [f"{self.processes} processes"] * (self.processes > 1)
        return ", ".join([f"{self.path} {arrivals}".replace("%", " %"), *more])


def demand_of(connections: int, **described: float) -> Demand:
    """A closed loop on one process that has a core for itself, and more memory than it needs."""
    nothing: dict[str, float] = {"db_wait_s": 0.0, "queries": 0, "cpu_s": 0.0}
    usual = {"concurrency": connections, "cores": 1, "memory_bytes": WHOLE_MEMORY_BYTES}
    return Demand(**nothing | usual | described)  # type: ignore[arg-type]  # whole numbers are among the floats


def sleeping(seconds: float, connections: int, needs: Callable[[Measured], bool]) -> Unseen:
    """A request that sleeps in Python and then reads all rows."""
    demand = demand_of(connections, upstream_wait_s=seconds, queries=1, all_rows=True)
    demand = replace(demand, db_connections=POOL, connection=GIVEN_BACK)  # the read comes after the wait
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


def mixed(
    seconds: float, connections: int, needs: Callable[[Measured], bool], pool: int = POOL, processes: int = 1
) -> Unseen:
    """A request that reads a row and then calls a service once, during which a session keeps its connection."""
    demand = demand_of(connections, upstream_wait_s=seconds, queries=1, calls=1, db_connections=pool)
    load_s = 4 * seconds * connections / pool  # four times as long as a request takes
    return Unseen(f"/mixed/?seconds={seconds:g}", connections, demand, pool, needs, processes, load_s)


def asks(model: Measured) -> bool:
    """Whether the cost of the model's calls was measured, and its calls overlap."""
    return model.calls_s is not None and model.python_overlaps


def overlaps(model: Measured) -> bool:
    """Whether all of the model's waits overlap."""
    return model.python_overlaps and model.database_overlaps


def blocks(model: Measured) -> bool:
    """Whether some of the model's waits block."""
    return not overlaps(model)


def mixes(model: Measured) -> bool:
    """Whether its calls and its reads can be under way at once."""
    return asks(model) and overlaps(model)


def mixes_on_gunicorn(model: Measured) -> bool:
    """The same, under the server whose several processes answer as one does.

    Each of several processes of uvicorn answers on kept-alive connections 40 ms late (Kludex/uvicorn#3149).
    """
    return mixes(model) and not on_asyncio(model)


def waits_for_all(model: Measured) -> bool:
    """Whether a process serves nobody else during any wait, as a sync worker."""
    return not model.python_overlaps and not on_asyncio(model)


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
    mixed(0.1, 60, mixes),
    mixed(0.1, 60, mixes_on_gunicorn, pool=20, processes=2),
    replace(sleeping(0.02, 8, waits_for_all), processes=2, pool=16),
    replace(sleeping(0.02, 256, overlaps), rate_share=0.3, load_s=1.0),
)
ANCHORS = {BASE: Unseen("/", 32, demand_of(32)), ONE_QUERY: several(1, 32)}
