"""Which rate was promised, and do all rounds together keep it?"""

from bench.judging.cells import JudgedCell

LATE_SHARE = 0.01  # p99 keeps the limit if no larger share of the requests is late


def pooled_late_share(cell: JudgedCell) -> float | None:
    """Of all rounds' requests at the promised rate, the share that was late; None without any.

    Rounds in which the generator was late itself are left out: they say nothing about the server.
    """
    witnesses = [one.figures for one in cell.observations
                 if one.figures.get("promise_rps") and one.state != "GENERATOR-LIMITED"]  # fmt: skip
    requests = sum(one.get("requests") or 0 for one in witnesses)
    return sum(one.get("late") or 0 for one in witnesses) / requests if requests else None


def confirmed(cell: JudgedCell) -> bool:
    """Whether the rate that was promised was kept, over all rounds."""
    share = pooled_late_share(cell)
    return share is not None and share <= LATE_SHARE
