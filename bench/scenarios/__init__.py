"""The questions that are put to the models, one file each. A scenario measures, and never prints.

A new one is a file of its own, a name in this list, and a file of the same name in bench/report/scenarios/ that says
how its answers are shown.
"""

from bench.scenarios import bridge, classic, fanout, latency, layers, neighbour, pairs, pool, scale, stream, throughput
from bench.scenarios.base import Scenario

SCENARIOS: dict[str, Scenario] = {
    module.SCENARIO.name: module.SCENARIO
    for module in (classic, throughput, pairs, latency, scale, pool, fanout, neighbour, stream)
}
# Those that are not part of `all`, but of a command of their own.
APART = {scenario.name: scenario for scenario in (layers.SCENARIO, bridge.SCENARIO, bridge.MEMORY_SCENARIO)}
