"""Was a rate that was promised kept on every server that was started for it?"""

from collections.abc import Sequence

from bench.judging.validity import VALID, Judgement
from bench.results import Observation

LATE_SHARE = 0.01  # p99 keeps the limit if no larger share of the requests is late


def late_share(observations: Sequence[Observation]) -> float | None:
    """Of all requests at the promised rates, the share that was late or failed; None without any."""
    requests = sum(one.figures.get("requests") or 0 for one in observations)
    return sum(one.figures.get("late") or 0 for one in observations) / requests if requests else None


def judge_promise(observations: Sequence[Observation]) -> Judgement:
    """Whether the promises were kept, all generations taken together. A model that keeps none is no candidate."""
    share = late_share(observations)
    if share is None or share <= LATE_SHARE:
        return VALID
    return Judgement("SATURATED", f"not confirmed: {share:.1%} of the requests were late")
