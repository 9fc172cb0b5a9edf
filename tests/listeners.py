"""A listener to runs, for tests that measure."""

from collections.abc import Callable, Sequence

from bench.load.burst import Answer
from bench.measuring.plan import Step
from bench.results import Cell, Run
from bench.scenarios.base import Options, Scenario, Workload


class Heard:
    """Keeps what it hears, in words; calls `at_load` with the number of the load that begins, counted from 1."""

    def __init__(self, at_load: Callable[[int], None] = lambda number: None) -> None:
        self.names: list[str] = []
        self.at_load = at_load
        self.loads: list[str] = []

    def run_started(self, scenarios: Sequence[Scenario], options: Options) -> None:
        self.names.append(f"started {len(scenarios)}")

    def noticed(self, line: str) -> None:
        self.names.append(line)

    def step_started(self, number: int, total: int, step: Step, left_s: float) -> None:
        self.names.append(f"step {number} of {total}")

    def workload_started(self, workload: Workload, servers: int) -> None:
        self.loads.append(f"{workload.name} on {servers}")
        self.at_load(len(self.loads))

    def answered(self, answer: Answer) -> None:
        pass

    def step_ended(self, step: Step, cells: Sequence[Cell]) -> None:
        self.names.append(f"{len(cells)} cell")

    def run_ended(self, run: Run, *, complete: bool) -> None:
        self.names.append("complete" if complete else "not complete")
