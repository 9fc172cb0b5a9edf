"""Was a rate that was promised kept by the servers that were started for it?

A server keeps it if no more than 1 % of its requests were late, which is what "p99 is below the limit" means. A second
in which a neighbour takes half of the core spoils one server's promise and says nothing of the model, so a promise is
confirmed if more than half of the servers kept it.
"""

from collections.abc import Sequence

from bench.judging.validity import VALID, Judgement
from bench.results import Observation

LATE_SHARE = 0.01  # p99 keeps the limit if no larger share of the requests is late


def keeps(late: int, requests: int) -> bool:
    """Whether so few of so many requests were late that p99 is below the limit."""
    return late <= LATE_SHARE * requests


def judge_promise(observations: Sequence[Observation]) -> Judgement:
    """Whether a model's promises were confirmed. One that keeps none is no candidate."""
    asked = [one.figures for one in observations if one.figures.get("requests")]
    kept = sum(keeps(one.get("late") or 0, one["requests"]) for one in asked)
    if kept * 2 > len(asked):
        return VALID
    return Judgement("SATURATED", f"not confirmed: {kept} of {len(asked)} servers kept their promise")
