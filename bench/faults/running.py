"""What becomes of servers and their requests when a fault is inflicted? On all rows of the fault at once."""

import socket
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext, suppress
from typing import Any

import httpx

from bench.errors import BenchError
from bench.faults.cells import cell_of
from bench.faults.fault import Fault, Get, Row
from bench.faults.keeping import KeptServers
from bench.faults.scene import LiveScene, Starter
from bench.load import Generator
from bench.models import Model
from bench.results import Run
from bench.results.faults import FaultCell, FaultFacts, Faults
from bench.testbed.servers.life import AT_ONCE, Server, StartingServer, starting
from bench.testbed.testbed import TestBed

# For a server's processes to answer after a fault; a worker that starts anew takes a second or two, on a quiet machine.
ANSWER_WITHIN_S = 8.0
ASK_EVERY_S = 0.05
# Starting eight servers and their cures, watching them, and ending them.
FAULT_S = 22.0
OWN_DATABASE = "it would hurt a database that is not the bench's own; leave out --database-url"

OnStep = Callable[[int, int, str, float], None]


class OfTheRegistry:
    """Servers of models."""

    def __init__(self, fault: Fault, testbed: TestBed) -> None:
        self.fault, self.testbed = fault, testbed

    def starting(
        self, row: Row, name: str, port: int, listener: socket.socket | None
    ) -> AbstractContextManager[StartingServer]:
        """The model's server in the fault's environment."""
        environment = {**self.testbed.environment(row.model), **self.fault.variables(row.model)}
        return starting(row.model, environment, self.testbed.logs, port, name, listener)

    def answering(self, server: Server) -> set[int]:
        """Those of its processes that answer `/info`: as many as it has, or as many as do within a while."""
        until = time.monotonic() + ANSWER_WITHIN_S
        pids: set[int] = set()
        with (
            httpx.Client(
                base_url=server.url, headers={"Connection": "close"}, timeout=ANSWER_WITHIN_S, trust_env=False
            ) as client,
            ThreadPoolExecutor(AT_ONCE * server.model.workers) as pool,
        ):
            while len(pids) < server.model.workers and time.monotonic() < until:
                pids.update(pool.map(lambda _: answering_pid(client), range(AT_ONCE * server.model.workers)))
                pids.discard(0)
                time.sleep(ASK_EVERY_S)
        return pids

    def get(self, server: Server, path: str) -> Get:
        """The path, as it is."""
        return Get(path)


def answering_pid(client: httpx.Client) -> int:
    """The process that answers `/info`; 0 if none does."""
    with suppress(httpx.HTTPError):
        answer = client.get("/info")
        if answer.status_code == 200:
            return int(answer.json()["pid"])
    return 0


def inflict(
    fault: Fault,
    rows: Sequence[Row],
    testbed: TestBed,
    generator: Generator,
    watcher: Generator,
    starter: Starter | None = None,
    kept: KeptServers | None = None,
) -> list[FaultCell]:
    """Have the servers of all rows up, watch them while the fault is inflicted and after it, and end them.

    `kept` are servers from the fault before; those that this one leaves as they were are kept in it for the next.

    `watcher` is the generator for the watch, `generator` the one for what the fault sends itself. A row whose server
    does not start, and all rows of a fault that cannot be inflicted, have a failed cell.
    """
    with (
        nullcontext(kept) if kept else KeptServers() as servers,
        LiveScene(fault, testbed, generator, starter or OfTheRegistry(fault, testbed), servers) as scene,
    ):
        scene.start_all(rows)
        try:
            if scene.servers:
                with scene.watched(watcher):
                    carry_out(fault, scene)
        except BenchError as error:
            for row in scene.servers:
                scene.states[row].failure = f"the fault could not be inflicted: {error}"
        else:
            scene.look()
        return [scene.cell(row) for row in rows]


def carry_out(fault: Fault, scene: LiveScene) -> None:
    """The fault and its aftermath; it begins and ends with its function for rows that are not told otherwise."""
    time.sleep(fault.before_s)
    scene.began()
    fault.inflict(scene)
    if lasting := [row for row in scene.servers if not scene.states[row].ended_ns]:
        scene.ended(*lasting)
    time.sleep(fault.after_s)


def rows_of(fault: Fault, models: Sequence[Model], *, cures: bool) -> Iterator[Row]:
    """The models that it can happen to and that can be started here, each as it is and then with its cures."""
    for model in models:
        if model.unavailable or not fault.fits(model):
            continue
        served = fault.changed(model)
        yield Row(served, model.name)
        for cure in fault.cures if cures else ():
            if cure.fits(model):
                yield Row(cure.changed(served), model.name, cure)


def left_out(fault: Fault, models: Sequence[Model], testbed: TestBed) -> Iterator[FaultCell]:
    """The models that it is not tried on, and why."""
    hurt = refused(fault, testbed)
    for model in models:
        reason = hurt or model.unavailable or ("" if fault.fits(model) else "it cannot happen to this model")
        if reason:
            yield cell_of(fault, Row(model, model.name))(state="not tried", reason=reason)


def refused(fault: Fault, testbed: TestBed) -> str:
    """Why the fault must not be inflicted in this test bed; empty if it may be."""
    return OWN_DATABASE if fault.hurts_database and testbed.databases["postgres"].origin == "own" else ""


def try_faults(
    faults: Sequence[Fault],
    models: Sequence[Model],
    testbed: TestBed,
    generator: Generator,
    run: Run,
    on_step: OnStep,
    *,
    cures: bool = True,
) -> None:
    """Inflict the faults that the run has not seen yet on these models, and with `cures` on what is to cure them.

    `on_step` hears of each fault before it is tried: its number, how many there are, what it is, and the seconds left.
    The results file is complete after each.
    """
    began = time.monotonic() - run.elapsed_s
    run.faults = run.faults or Faults()
    with Generator() as watcher, KeptServers() as kept:
        for number, fault in enumerate(faults, start=1):
            step = f"faults/{fault.name}"
            if step in run.steps_done:
                continue
            on_step(number, len(faults), f"fault {fault.name}", FAULT_S * (len(faults) - number + 1))
            cells = list(left_out(fault, models, testbed))
            rows = [] if refused(fault, testbed) else list(rows_of(fault, models, cures=cures))
            cells += inflict(fault, rows, testbed, generator, watcher, kept=kept) if rows else []
            keep(run.faults, fault, cells, models)
            run.steps_done.append(step)
            run.elapsed_s = time.monotonic() - began
            run.save()


def keep(faults: Faults, fault: Fault, cells: Sequence[FaultCell], models: Sequence[Model]) -> None:
    """Add a fault's cells, in the order of the models."""
    faults.faults[fault.name] = facts_of(fault)
    order = [model.name for model in models]
    for cell in sorted(cells, key=lambda cell: order.index(cell.model)):
        faults.cells[cell.key] = cell


def facts_of(fault: Fault) -> FaultFacts:
    """What the results say of a fault."""
    names: dict[str, Any] = {name: getattr(fault, name) for name in ("name", "title", "done", "asked", "sources")}
    return FaultFacts(**names)
