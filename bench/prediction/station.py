"""What does a request do to its process: how long does it keep it busy, and which of its waits block it?"""

import math
from dataclasses import dataclass

from bench.prediction.costs import CALLS_AT_ONCE, Costs, Measured, on_asyncio
from bench.prediction.figures import GIVEN_BACK, HELD, OWN, SESSION, Demand
from bench.prediction.layers import SAME


@dataclass(frozen=True)
class Station:
    """A request as the queues see it, in seconds."""

    busy_s: float
    blocked_s: float
    """Waits during which its process or thread serves nobody else."""
    held_wait_s: float
    """Waits during which the process serves others, and the request holds a database connection."""
    other_wait_s: float
    """Other waits during which the process serves others."""

    @property
    def service_s(self) -> float:
        """How long it occupies its process."""
        return self.busy_s + self.blocked_s

    @property
    def wait_s(self) -> float:
        """How long it waits and leaves its process to others."""
        return self.held_wait_s + self.other_wait_s

    @property
    def alone_s(self) -> float:
        """Its response time when it is the only one."""
        return self.service_s + self.wait_s

    @property
    def held_s(self) -> float:
        """How long it holds a database connection."""
        return self.service_s + self.held_wait_s


def station_of(model: Measured, costs: Costs, demand: Demand) -> Station:
    """The request's CPU time, and its waits sorted by whether they block the process or hold a connection."""
    costs = on_layer(model, costs, demand)
    first_s = costs.list_s if demand.all_rows else costs.first_query_s
    queries_s = first_s + (demand.queries - 1) * costs.query_s if demand.queries else 0.0
    busy_s = costs.base_s + queries_s + calls_s(model, demand) + demand.cpu_s
    database_s = demand.queries * demand.db_wait_s
    upstream_blocks = not model.python_overlaps or (demand.blocking_libraries and on_asyncio(model))
    upstream_s = 0.0 if upstream_blocks else demand.upstream_wait_s
    held_s = upstream_s if holds(model, demand) else 0.0
    return Station(
        busy_s=busy_s,
        blocked_s=(0.0 if model.database_overlaps else database_s) + demand.upstream_wait_s * upstream_blocks,
        held_wait_s=(database_s if model.database_overlaps else 0.0) + held_s,
        other_wait_s=upstream_s - held_s,
    )


def on_layer(model: Measured, costs: Costs, demand: Demand) -> Costs:
    """The costs on the reader's data layer; `rank.decide` leaves out models for which they are not known."""
    times = model.layers.get(demand.data_layer, SAME)
    return Costs(
        costs.base_s, costs.first_query_s * times.first_query, costs.query_s * times.query, costs.list_s * times.list
    )


def holds(model: Measured, demand: Demand) -> bool:
    """Whether a request keeps its database connection during its calls.

    That is as the reader says, or else as it is usual on the reader's data layer, or in the model's application.
    """
    if not demand.queries or demand.connection == GIVEN_BACK:
        return False
    if demand.connection == HELD:
        return True
    return model.keeps_connection if demand.data_layer == OWN else demand.data_layer == SESSION


def calls_s(model: Measured, demand: Demand) -> float:
    """CPU time of a request's calls; a call costs more while many are under way, as measured at 10 and at 50."""
    if not demand.calls or model.calls_s is None:
        return 0.0
    waiting = demand.concurrency if demand.rate_rps is None else demand.rate_rps * demand.upstream_wait_s
    inside = min((waiting or 0.0) / demand.cores, model.threads or math.inf)
    (few, many), (few_s, many_s) = CALLS_AT_ONCE, model.calls_s
    share = min(1.0, max(0.0, (demand.calls * inside - few) / (many - few)))
    return demand.calls * (few_s + share * (many_s - few_s))
