"""Carries out a plan, step by step: a fresh server, the checks, the measurements, the results file."""

import random
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, Protocol

import httpx

from bench.judging.validity import VALID, Judgement
from bench.load import Generator, GeneratorError
from bench.load.burst import Answer
from bench.measuring.checks import check_contract, check_overlap
from bench.measuring.plan import Step, expected_s
from bench.results import Cell, Observation, Run
from bench.scenarios.base import MeasurementContext, Options, Reading, Scenario, Workload
from bench.scenarios.schedule import Rounds
from bench.testbed.processes.ports import HOST
from bench.testbed.servers.life import Server, ServerFailed, serving
from bench.testbed.testbed import TestBed


class Listener(Protocol):
    """Hears of a run as it goes on; the reports implement it."""

    def run_started(self, scenarios: Sequence[Scenario], options: Options) -> None:
        """Databases are about to start, then the first step that the run has not done yet."""

    def step_started(self, number: int, total: int, step: Step, left_s: float) -> None:
        """A server is about to start; this step and those after it should take `left_s` seconds."""

    def answered(self, answer: Answer) -> None:
        """A request was answered, or failed; only of scenarios that have a client of their own."""

    def step_ended(self, step: Step, cells: Sequence[Cell]) -> None:
        """What was measured on the server is in the results file. The cells have the rounds of this step only."""

    def run_ended(self, run: Run, *, complete: bool) -> None:
        """Everything that was started has ended; not `complete` is a run that was interrupted or failed."""


def execute(
    plan: Sequence[Step], testbed: TestBed, options: Options, run: Run, generator: Generator, listener: Listener
) -> None:
    """Carry out the steps that the run has not done yet. The results file is complete after each."""
    began = time.monotonic() - run.elapsed_s
    for number, step in enumerate(plan, start=1):
        if step.id in run.steps_done:
            continue
        left_s = sum(expected_s(one, options) for one in plan[number - 1 :])
        listener.step_started(number, len(plan), step, left_s)
        cells = Measurement(step, testbed, options, run, generator, listener).carry_out()
        for cell in cells:
            run.add(cell)
        run.steps_done.append(step.id)
        run.elapsed_s = time.monotonic() - began
        run.save()
        listener.step_ended(step, cells)


class Measurement:
    """One step on its server."""

    def __init__(
        self, step: Step, testbed: TestBed, options: Options, run: Run, generator: Generator, listener: Listener
    ) -> None:
        self.step = step
        self.testbed = testbed
        self.options = options
        self.run = run
        self.generator = generator
        self.listener = listener
        self.rng = random.Random(f"{options.seed}/{step.id}")
        self.memos: dict[str, dict[str, Any]] = {}
        setup = step.setup.environment if step.setup else {}
        self.environment = testbed.environment(step.contestant.model) | dict(setup)

    def carry_out(self) -> list[Cell]:
        """Start the server, check it, and measure every workload. What goes wrong stands in the cells."""
        model = self.step.contestant.model
        try:
            with serving(model, self.environment, self.testbed.logs) as server:
                return self.measure_all(server)
        except ServerFailed as error:
            if self.step.preparing:
                self.prepared(self.step.scenarios[0], {"failure": str(error)})
                return []
            reading = Reading({}, Judgement("ERRORS", str(error)))
            return [self.cell(scenario, workload, reading) for scenario, workload in self.workloads()]

    def measure_all(self, server: Server) -> list[Cell]:
        """The step's cells, each with one round."""
        judgement, overlap = self.check(server)
        cells = []
        for scenario, workload in self.workloads():
            context = self.context(scenario, server)
            began = time.monotonic()
            if self.step.preparing:
                self.prepare(scenario, context)
                self.run.measuring_s += time.monotonic() - began
                continue
            reading = self.measure(scenario, context, workload) if judgement.valid else Reading({}, judgement)
            self.run.measuring_s += time.monotonic() - began
            self.run.window_s += reading.window_s
            cells.append(self.cell(scenario, workload, reading, server, overlap))
        return cells

    def workloads(self) -> list[tuple[Scenario, Workload]]:
        """What to measure, in this step's order."""
        pairs = []
        for scenario in self.step.scenarios:
            every = scenario.workloads(self.options)
            own = [(scenario, workload) for workload in every if scenario.asks(self.step.contestant.model, workload)]
            pairs += own[:1] if self.step.preparing else own
        schedules = [scenario.schedule for scenario in self.step.scenarios]
        shuffled = all(isinstance(schedule, Rounds) and schedule.shuffled for schedule in schedules)
        return self.rng.sample(pairs, len(pairs)) if shuffled else pairs

    def context(self, scenario: Scenario, server: Server) -> MeasurementContext:
        """What the scenario measures on; a scenario's memo lives as long as the server."""
        memo = self.memos.setdefault(scenario.name, {})
        prepared = self.run.prepared.get(scenario.name, {})
        return MeasurementContext(
            self.step.contestant, server, self.testbed, self.options, self.rng, prepared, self.generator,
            self.listener.answered, memo, self.step.setup,
        )  # fmt: skip

    def check(self, server: Server) -> tuple[Judgement, dict[str, float]]:
        """Check the contract, and probe whether waits overlap; not where the scenarios show that themselves."""
        if all(scenario.own_client for scenario in self.step.scenarios):
            return VALID, {}
        pool = int(self.environment["POOL_SIZE"]) + int(self.environment["MAX_OVERFLOW"])
        judgement = check_contract(server, pool)
        if not judgement.valid:
            return judgement, {}
        judgement, overlap = check_overlap(server)
        return judgement, asdict(overlap)

    def prepare(self, scenario: Scenario, context: MeasurementContext) -> None:
        """Let the scenario find out what its rounds need. If that fails, the rounds will say so."""
        assert isinstance(scenario.schedule, Rounds)
        assert scenario.schedule.prepare is not None
        try:
            found = scenario.schedule.prepare(context)
        except (GeneratorError, httpx.HTTPError, OSError) as error:
            found = {"failure": str(error) or type(error).__name__}
        self.prepared(scenario, found)

    def prepared(self, scenario: Scenario, found: Mapping[str, Any]) -> None:
        """Keep it where the rounds will look for it."""
        self.run.prepared.setdefault(scenario.name, {})[self.step.contestant.name] = dict(found)

    def measure(self, scenario: Scenario, context: MeasurementContext, workload: Workload) -> Reading:
        """Measure one workload. If the server fails meanwhile, the last lines of its log say why."""
        process = context.server.process
        try:
            reading = scenario.measure(context, workload)
        except (GeneratorError, httpx.HTTPError, OSError) as error:
            reading = Reading({}, Judgement("ERRORS", str(error) or type(error).__name__))
        if reading.judgement.state != "ERRORS":
            return reading
        ended = "" if process.running else f"; the server ended with exit code {process.exit_code}"
        tail = f"; the last lines of {process.log}:\n{process.log_tail() or '(nothing)'}"
        judgement = Judgement("ERRORS", reading.judgement.reason + ended + tail)
        return Reading(reading.figures, judgement, reading.raw, reading.window_s)

    def cell(
        self,
        scenario: Scenario,
        workload: Workload,
        reading: Reading,
        server: Server | None = None,
        overlap: dict[str, float] | None = None,
    ) -> Cell:
        """The reading as a cell of one round."""
        setup = {"setup": self.step.setup.name} if self.step.setup else {}
        name = ", ".join((workload.name, *setup.values()))
        judgement, raw = reading.judgement, dict(reading.raw) | ({"overlap": overlap} if overlap else {})
        observation = Observation(self.step.round, judgement.state, judgement.reason, reading.figures, raw)
        return Cell(
            scenario=scenario.name,
            model=self.step.contestant.name,
            workload={"name": name, **workload.parameters, **setup},
            figure=workload.found_once or scenario.figure,
            spread_limit=scenario.spread_limit,
            command=server.process.command if server else self.step.contestant.model.command(HOST, 0),
            info=server.info if server else {},
            observations=(observation,),
            environment=self.step.contestant.model.environment,
        )
