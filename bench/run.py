"""Runs cells one after the other: a fresh server, the measurement, the results file, the next."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Protocol

from bench.bed import POOL, Bed
from bench.burst import Answer
from bench.models import Model
from bench.results import Cell, Run
from bench.scenarios import classic
from bench.server.life import ServerFailed, serving
from bench.server.ports import HOST


class Listener(Protocol):
    """Hears of a run as it goes on; the reports implement it."""

    def cell_started(self, number: int, total: int, model: Model, left_s: float) -> None:
        """A cell begins; all that is left to do, it included, should take about `left_s`."""

    def answered(self, answer: Answer) -> None:
        """A request was answered, or failed."""

    def cell_ended(self, cell: Cell) -> None:
        """A cell is in the results file."""


# Start and end of a server.
OVERHEAD_S = 2.0


def run_classic(bed: Bed, models: Sequence[Model], workload: classic.Workload, run: Run, listener: Listener) -> None:
    """One round of the classic for each model, in the order given."""
    costs = [sum(classic.ideal_s(model, workload, POOL)) + OVERHEAD_S for model in models]
    for index, model in enumerate(models):
        listener.cell_started(index + 1, len(models), model, sum(costs[index:]))
        cell = classic_cell(bed, model, workload, listener)
        run.add(cell)
        listener.cell_ended(cell)


def classic_cell(bed: Bed, model: Model, workload: classic.Workload, listener: Listener) -> Cell:
    """Measure one model; what its server does wrong becomes the cell's failure."""
    rounds: tuple[dict[str, object], ...] = ()
    info: dict[str, object] = {}
    command = model.command(HOST, 0)
    try:
        with serving(model, bed.environment(model), bed.logs) as server:
            info, command = server.info, server.process.command
            round_ = classic.measure(server.url, workload, listener.answered)
            failure = classic.problem(round_)
            rounds = (asdict(round_),)
            if failure and not server.process.running:
                failure += f"; the server ended with exit code {server.process.exit_code}"
            if failure:
                failure += f"; the last lines of {server.process.log}:\n{server.process.log_tail() or '(nothing)'}"
    except ServerFailed as error:
        failure = str(error)
    python_s, postgres_s = classic.ideal_s(model, workload, POOL)
    return Cell(
        scenario=classic.NAME,
        model=model.name,
        command=command,
        workload=asdict(workload),
        ideal={"python_s": python_s, "postgres_s": postgres_s, "sum_s": python_s + postgres_s},
        info=info,
        failure=failure,
        rounds=rounds,
    )
