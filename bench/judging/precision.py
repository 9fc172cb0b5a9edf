"""Does a run know enough, or should further servers be measured? Asked of how wide intervals are, not what they say.

To stop when a difference shows would make differences of noise; to stop when an interval is narrow does not.
"""

from collections.abc import Sequence

from bench.judging.matched import matched_pairs
from bench.judging.workload import JudgedScenario, JudgedWorkload

# Half the width of an interval, as a ratio, below which a further generation of servers would change no decision. An
# interval of ± 3 % lies within 5 % in four of five runs if two models are equal (tests/judging/interval_simulation.py).
NARROW = 0.03
NARROW_TIMES = {"p50_s": 0.05, "p90_s": 0.10, "promise_rps": 0.05}


def sure_enough(scenarios: Sequence[JudgedScenario]) -> bool:
    """Whether every interval that a verdict on these scenarios needs is narrow."""
    return all(is_narrow(workload) for scenario in scenarios for workload in needed(scenario))


def needed(scenario: JudgedScenario) -> Sequence[JudgedWorkload]:
    """The kinds of work that a verdict is about; all workloads of a scenario that no verdict is about."""
    return [workload for workload in scenario.workloads if workload.kind] or scenario.workloads


def is_narrow(workload: JudgedWorkload) -> bool:
    """Whether the models that can be ranked are known well enough, each beside the baseline if that is one of them.

    Of matched pairs, the two of each pair beside each other.
    """
    limit = NARROW_TIMES.get(workload.figure, NARROW)
    if pairs := matched_pairs(workload):
        return all(pair.interval is not None and pair.interval.half_width <= limit for pair in pairs)
    able = [name for name, cell in workload.cells.items() if not workload.unranked(cell)]
    base = workload.baseline if workload.baseline in able else next(iter(able), "")
    found = [workload.interval(name, base) for name in able if name != base]
    return all(interval is not None and interval.half_width <= limit for interval in found)
