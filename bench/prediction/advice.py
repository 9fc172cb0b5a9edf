"""What does a choice cost in code, what do the reader's facts change, and which traps lie on the way?"""

from collections.abc import Mapping, Sequence

from bench.judging.app_code import pairs
from bench.models import MODELS
from bench.prediction.costs import Measured, on_asyncio
from bench.prediction.figures import Demand
from bench.prediction.predict import throughput
from bench.prediction.rank import Decision, figure, listed
from bench.prediction.station import station_of

SYNCHRONOUS_APP, ASYNCHRONOUS_APP = "gevent_app", "asyncio_app"
BLOCKING = (
    "Blocking libraries: on an asyncio loop their waits happen one at a time, as counted here for the upstream. gevent "
    "patches what is written in Python; a library that waits in C stops its loop just the same."
)
SYNC_CODE = (
    "Existing synchronous code runs unchanged under gevent, if its drivers cooperate (psycogreen for psycopg2). For "
    "asyncio, whatever waits has to become async, its libraries too."
)
STREAMING = "Streaming: an open stream holds one of the threads for as long as it lasts."
CAVEATS = (
    "Predicted from this run's cells (python -m bench decide --check sets predictions against measurements). Not in "
    "it: the database's own limit, the network, waits that vary."
)


def code_cost() -> str:
    """How many lines differ between the two apps' views."""
    both = pairs()
    differing = sum(pair.differing_lines for pair in both)
    lines = sum(pair.lines for pair in both)
    return (
        f"In code: {differing} of {lines} lines of the views differ between {SYNCHRONOUS_APP} and {ASYNCHRONOUS_APP} "
        "(python -m bench code)."
    )


def advice(decision: Decision, models: Sequence[Measured], demand: Demand) -> list[str]:
    """A sentence or two each."""
    known = {model.name: model for model in models if not model.twin}
    advised = known.get(decision.verdict.advised or "")
    found = [code_cost()]
    if advised is not None and advised.app not in (SYNCHRONOUS_APP, ASYNCHRONOUS_APP):
        found.append(f"{advised.name} is another framework: the application would have to be written anew.")
    if demand.blocking_libraries:
        found.append(BLOCKING)
    if demand.existing_sync_code:
        found.append(SYNC_CODE)
    if demand.streaming:
        found.append(streaming(list(known.values())))
    if advised is not None and (processes := processes_of(decision).get(advised.name)):
        found += traps(advised, known, demand, processes)
    return found


def processes_of(decision: Decision) -> dict[str, int]:
    """The processes of each model."""
    return {row.prediction.model: row.prediction.processes for row in decision.rows}


def streaming(models: Sequence[Measured]) -> str:
    """Which models are out for event streams."""
    out = [model.name for model in models if model.threads is not None or model.streams is False]
    return f"{STREAMING} Not for that: {listed(out)}." if out else STREAMING


def traps(advised: Measured, known: Mapping[str, Measured], demand: Demand, processes: int) -> list[str]:
    """Measured models of the same application that wait one after the other where the advised one does not."""
    rate = rate_of(advised, demand, processes)
    found = []
    for model in known.values():
        less = (model.python_overlaps, model.database_overlaps) < (advised.python_overlaps, advised.database_overlaps)
        if model.app == advised.app and on_asyncio(model) == on_asyncio(advised) and less:
            there = rate_of(model, demand, min(processes, demand.db_connections))
            found.append(
                f"Trap: {model.name} ({situation(model.name)}) would do {figure(there)}/s where {advised.name} does "
                f"{figure(rate)}/s, with as many processes ({processes:,})."
            )
    return found


def rate_of(model: Measured, demand: Demand, processes: int) -> float:
    """Its throughput with so many processes."""
    return throughput(model, station_of(model, model.costs, demand), demand, processes)


def situation(name: str) -> str:
    """What the registry says that blocks."""
    return next((model.situation for model in MODELS if model.name == name), "waits block")
