"""What is kept of a row: how does the generator's answer become the cell of a fault?"""

from collections.abc import Callable
from functools import partial

from bench.faults.fault import Fault, Row
from bench.load import Watched
from bench.load.job import NS_PER_S
from bench.results.faults import FaultCell, Requests

DIGITS = 4  # 0.1 ms is as exact as the generator sends


def cell_of(fault: Fault, row: Row) -> Callable[..., FaultCell]:
    """A function that makes the cell of this fault and row."""
    name, setting = (row.cure.name, row.cure.setting) if row.cure else ("", "")
    return partial(FaultCell, fault=fault.name, model=row.name, cure=name, setting=setting, bystander=fault.bystander)


def requests(endpoint: str, watched: Watched, began_ns: int) -> Requests:
    """What became of these requests, in seconds from the fault's beginning."""
    pairs = zip(watched.sent_ns, watched.done_ns, strict=True)
    return Requests(
        endpoint=endpoint,
        sent_s=tuple(seconds(sent_ns - began_ns) for sent_ns in watched.sent_ns),
        took_s=tuple(None if done_ns is None else seconds(done_ns - sent_ns) for sent_ns, done_ns in pairs),
        outcome=watched.outcome,
    )


def seconds(nanoseconds: int) -> float:
    """Nanoseconds in seconds, as exact as they are meant."""
    return round(nanoseconds / NS_PER_S, DIGITS)
