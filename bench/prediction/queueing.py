"""What do the queueing formulas say? Their sources are in the docstring of bench/prediction/__init__.py."""

import math
from dataclasses import dataclass

NEGLIGIBLE = 1e-15


def closed_rps(service_s: float, wait_s: float, requests: float) -> float:
    """The throughput of so many requests that wait, and then queue for a single server (Palm's machine repairman).

    `requests` may be a fraction: the throughput is then interpolated between the whole numbers beside it.
    """
    erlangs, loss, before = wait_s / service_s, 1.0, 1.0
    if not erlangs or math.isinf(requests):
        return min(1.0, requests) / service_s
    for count in range(1, math.ceil(requests) + 1):
        before, loss = loss, erlangs * loss / (count + erlangs * loss)
        if loss < NEGLIGIBLE:
            return 1 / service_s
    part = requests - math.ceil(requests) + 1
    return (1 - (before + part * (loss - before))) / service_s


@dataclass(frozen=True)
class Queue:
    """What a request meets in a queue."""

    chance: float
    """The probability that it has to wait."""
    mean_s: float | None
    """The mean wait of all requests; None if the queue grows for as long as the rate lasts."""

    def percentile_s(self, share: float) -> float:
        """The wait that this share of the requests stays below; a wait is zero, or exponentially distributed."""
        if self.mean_s is None or self.chance <= 1 - share:
            return 0.0
        return self.mean_s / self.chance * math.log(self.chance / (1 - share))


def variation(busy_s: float, whole_s: float) -> float:
    """The squared coefficient of variation of a time whose CPU part is exponential and whose rest is constant."""
    return (busy_s / whole_s) ** 2


def queue_of(servers: int, rate_rps: float, service_s: float, varies: float) -> Queue:
    """The queue M/G/c, as Allen and Cunneen approximate it; `varies` is the service's squared variation."""
    erlangs = rate_rps * service_s
    if erlangs >= servers:
        return Queue(1.0, None)
    loss = 1.0
    for count in range(1, servers + 1):
        loss = erlangs * loss / (count + erlangs * loss)
    chance = loss / (1 - erlangs / servers * (1 - loss))
    return Queue(chance, chance * service_s / (servers - erlangs) * (1 + varies) / 2)
