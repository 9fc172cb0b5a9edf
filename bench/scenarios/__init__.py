"""The questions put to the models, one file each; a scenario measures and never prints."""

from bench.scenarios import classic, fanout, latency, neighbour, pool, scale, stream, throughput
from bench.scenarios.base import Scenario

SCENARIOS: dict[str, Scenario] = {
    module.SCENARIO.name: module.SCENARIO
    for module in (classic, throughput, latency, scale, pool, fanout, neighbour, stream)
}
