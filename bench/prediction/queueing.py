"""The queueing formulas by themselves; where they come from is in the package's docstring."""

import math
from dataclasses import dataclass

NEGLIGIBLE = 1e-15


def closed_rps(service_s: float, wait_s: float, requests: float) -> float:
    """Palm's machine repairman: so many requests that wait, and then queue for a single server. May be a fraction."""
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
    """A queue: how likely a request waits in it, and how long on average."""

    chance: float
    mean_s: float | None

    def percentile_s(self, share: float) -> float:
        """The wait is zero, or exponential."""
        if self.mean_s is None or self.chance <= 1 - share:
            return 0.0
        return self.mean_s / self.chance * math.log(self.chance / (1 - share))


def variation(busy_s: float, whole_s: float) -> float:
    """The squared coefficient of variation where the CPU part is exponential and the rest constant."""
    return (busy_s / whole_s) ** 2


def queue_of(servers: int, rate_rps: float, service_s: float, varies: float) -> Queue:
    """M/G/c by Allen and Cunneen."""
    erlangs = rate_rps * service_s
    if erlangs >= servers:
        return Queue(1.0, None)
    loss = 1.0
    for count in range(1, servers + 1):
        loss = erlangs * loss / (count + erlangs * loss)
    chance = loss / (1 - erlangs / servers * (1 - loss))
    return Queue(chance, chance * service_s / (servers - erlangs) * (1 + varies) / 2)
