"""Which faults are inflicted on a reader's application, and on which of its requests?

Those that need no database of the bench. One quick GET stands for everybody who asks for nothing special: the
bystander. The slowest is in flight while a server ends, the largest answer is read slowly, the longest wait is left by
its clients, and what computes most keeps others from the processor. What no request can show is not tried.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from bench.faults.cells import cell_of
from bench.faults.computing import COMPUTING, compute
from bench.faults.crash import CRASH, crash
from bench.faults.deploy import DEPLOY, deploy
from bench.faults.fault import Asked, Fault, Row
from bench.faults.leaving import CLIENTS, CLIENTS_LEAVE, LEAVE_AFTER_S, leave_unseen
from bench.faults.running import inflict, keep, rows_of
from bench.faults.slow_clients import (
    HEADS,
    MORE_THREADS,
    READERS,
    SLOW_HEADS,
    SLOW_READERS,
    SLOW_S,
    read_large,
)
from bench.load import Generator
from bench.models import Model
from bench.results import Run
from bench.results.faults import FaultCell, Faults
from bench.results.tried import Tried
from bench.testbed.testbed import TestBed
from bench.tryout.comparing import Comparison
from bench.tryout.fault_servers import FaultServers, model_of

__all__ = ["KnownGet", "Planned", "gets", "plan", "try_faults"]

# Whoever takes longer cannot tell a wait from work; its requests take this share of a server's time at most.
QUICK_S, SHARE = 0.1, 0.25
# The rates of the bench's own applications, which a quick bystander has too.
OFTEN_RPS, NOW_AND_THEN_RPS = 20.0, 5.0
# In flight is at least what so many seconds bring, at least so many requests and at most.
IN_FLIGHT_S, LEAST, MOST = 2.0, 3, 40
# Below this the kernel's buffers take most of an answer, and the server keeps none of it.
LARGE_BYTES = 256 * 1024
# What takes less is over before anybody notices.
LONG_S = 0.5
KIB = 1024
RATE = "{rate}"


@dataclass(frozen=True)
class KnownGet:
    """A GET of the script that is answered with 200, and what the first model showed of it."""

    name: str
    took_s: float
    cpu_s: float = 0.0
    body_bytes: int = 0


@dataclass(frozen=True)
class Planned:
    """A fault on these requests."""

    fault: Fault
    reason: str = ""
    """Why it is not tried; empty if it is."""


def gets(tried: Tried, comparison: Comparison) -> list[KnownGet]:
    """The requests that a fault may be inflicted with, in the order of the script: none that may change anything."""
    waits = tried.models[0].waits if tried.models else {}
    found = []
    for one in tried.requests:
        reference = comparison.references[one.name]
        if reference.asked.method == "GET" and one.status == 200:
            cpu_s = waits[one.name].cpu_s if one.name in waits else None
            took_s = min(answer.took_s for answer in reference.answers)
            found.append(KnownGet(one.name, took_s, cpu_s or 0.0, one.body_bytes))
    return found


def plan(requests: Sequence[KnownGet]) -> list[Planned]:
    """All faults that a reader's application may have, each with the requests that show most."""
    bystander = next((one for one in requests if one.took_s <= QUICK_S), None)
    if bystander is None:
        why = (f"no GET that is answered with 200 takes less than {QUICK_S} s, so that nobody could tell a wait from "
               "work; add a quick one with --path")  # fmt: skip
        return [Planned(fault, why) for fault in FAULTS]
    slowest = max(requests, key=lambda one: one.took_s)
    often, rarely = (asked(bystander, rate) for rate in (OFTEN_RPS, NOW_AND_THEN_RPS))
    return [
        in_flight_when(DEPLOY, deploy, often, slowest),
        in_flight_when(CRASH, crash, often, slowest),
        slow_readers(max(requests, key=lambda one: one.body_bytes), rarely),
        clients_leave(slowest, rarely),
        slow_heads(asked(bystander, SLOW_HEADS.load[0].rate_rps)),
        computing(max(requests, key=lambda one: one.cpu_s), often),
    ]


def asked(bystander: KnownGet, most_rps: float) -> Asked:
    """The bystander's requests: as many as asked for, or as few as leave a server of one at a time idle mostly."""
    return Asked(path=bystander.name, rate_rps=min(most_rps, SHARE / bystander.took_s), timeout_s=SLOW_S + 7.0)


def on(fault: Fault, watched: Asked, done: str, timeout_s: float = 0.0, reason: str = "", **changes: object) -> Planned:
    """The fault on a reader's application, for any model, and as it is."""
    load = replace(watched, timeout_s=max(watched.timeout_s, timeout_s))
    rate = f"{load.rate_rps:.0f} requests a second for {load.path}"
    changed = {"fits": lambda model: True, "changed": lambda model: model, "environment": {}, **changes}
    return Planned(
        replace(fault, done=done.replace(RATE, rate), load=(load,), bystander=load.path, **changed),  # type: ignore[arg-type]
        reason,
    )


def in_flight_when(fault: Fault, inflict: Callable[..., None], watched: Asked, slowest: KnownGet) -> Planned:
    """A server ends while the slowest request is in flight."""
    count = max(LEAST, min(MOST, math.ceil(IN_FLIGHT_S / slowest.took_s)))
    timeout_s = 60.0 + count * slowest.took_s
    flying = Asked(path=slowest.name, rate_rps=OFTEN_RPS, timeout_s=timeout_s, requests=count, connections=count)
    done = f"{DONE[fault.name]} {RATE} are under way, and {count} for {slowest.name}."
    return on(fault, watched, done, timeout_s, inflict=partial(inflict, in_flight=(flying,)))


def slow_readers(largest: KnownGet, watched: Asked) -> Planned:
    """Many read the largest answer slowly."""
    small = largest.body_bytes < LARGE_BYTES
    return on(
        SLOW_READERS, watched,
        f"{READERS} connections to each server ask for {largest.name}, whose answer has "
        f"{largest.body_bytes / KIB:,.0f} KiB, and read 8 KiB of it every second for {SLOW_S:.0f} s, beside {RATE}.",
        reason=f"no answer has {LARGE_BYTES // KIB} KiB or more; add the largest one with --path" if small else "",
        inflict=partial(read_large, path=largest.name), cures=(MORE_THREADS,),
    )  # fmt: skip


def clients_leave(longest: KnownGet, watched: Asked) -> Planned:
    """Many ask for what takes longest, and leave."""
    return on(
        CLIENTS_LEAVE, watched,
        f"{CLIENTS} clients of each server ask for {longest.name}, which takes {longest.took_s:.1f} s, and close their "
        f"connection after {LEAVE_AFTER_S} s, beside {RATE}.",
        reason=f"no request takes {LONG_S} s or more" if longest.took_s <= LONG_S else "",
        title="clients leave before they are answered",
        asked="When are others served again?",
        sources=CLIENTS_LEAVE.sources[:3],
        inflict=partial(leave_unseen, path=longest.name), cures=(),
    )  # fmt: skip


def slow_heads(watched: Asked) -> Planned:
    """Many never finish the head of their request."""
    done = (f"{HEADS} connections to each server send the head of a request a byte at a time, one a second, for "
            f"{SLOW_S:.0f} s and never finish it, beside {RATE}.")  # fmt: skip
    return on(SLOW_HEADS, watched, done)


def computing(most: KnownGet, watched: Asked) -> Planned:
    """The request that computes longest."""
    return on(
        COMPUTING, watched,
        f"One {most.name}, which takes {most.cpu_s:.1f} s of CPU time, beside {RATE}.",
        COMPUTING.load[0].timeout_s,
        reason=f"no request takes {LONG_S} s of CPU time or more" if most.cpu_s < LONG_S else "",
        inflict=partial(compute, path=most.name),
    )  # fmt: skip


DONE = {
    "deploy": "SIGTERM to the main process, and the next server on the same port when it has ended, while",
    "crash": "The process with most connections is killed, as the kernel does it when memory runs out, while",
}
FAULTS = (DEPLOY, CRASH, SLOW_READERS, CLIENTS_LEAVE, SLOW_HEADS, COMPUTING)
OnFault = Callable[[int, int, str], None]


def try_faults(
    planned: Sequence[Planned], servers: FaultServers, generator: Generator, run: Run, on_fault: OnFault, *, cures: bool
) -> None:
    """Inflict the faults on the application under all its ways, and with `cures` once more with what is to cure them.

    `on_fault` hears of each before it is tried. The results file is complete after each.
    """
    models = [model_of(app, way) for app, way in servers.ways.values()]
    run.faults = run.faults or Faults()
    with Generator() as watcher:
        for number, one in enumerate(planned, start=1):
            on_fault(number, len(planned), one.fault.name)
            keep(run.faults, one.fault, cells(one, models, servers, generator, watcher, cures=cures), models)
            run.save()


def cells(
    planned: Planned, models: Sequence[Model], servers: FaultServers, generator: Generator, watcher: Generator,
    *, cures: bool,
) -> list[FaultCell]:  # fmt: skip
    """What a fault did to all models. Those with cures come after the others: an application may be large."""
    fault = planned.fault
    if planned.reason:
        return [cell_of(fault, Row(model, model.name))(state="not tried", reason=planned.reason) for model in models]
    every = [row for row in rows_of(fault, models, cures=cures) if servers.can_start(row)]
    groups = [row for row in every if not row.cure], [row for row in every if row.cure]
    nowhere = TestBed({}, "", Path(servers.logs))
    return [cell for rows in groups if rows
            for cell in inflict(fault, rows, nowhere, generator, watcher, servers)]  # fmt: skip
