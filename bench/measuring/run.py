"""Carries out a plan, step by step: fresh servers, the checks, the measurements, the results file."""

import random
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, replace
from typing import Any, Protocol

import httpx

from bench.judging import judge
from bench.judging.precision import sure_enough
from bench.judging.validity import VALID, Judgement
from bench.load import Generator, GeneratorError
from bench.load.burst import Answer
from bench.measuring.calibrate import calibrate
from bench.measuring.checks import check_contract, check_delay, check_overlap
from bench.measuring.generators import more_generators, said
from bench.measuring.plan import Step, expected_s, is_asked
from bench.results import Cell, Observation, Run
from bench.scenarios.base import Contestant, MeasurementContext, Options, Reading, Scenario, Workload
from bench.scenarios.generation import Generation
from bench.scenarios.schedule import Slices
from bench.testbed.processes.process import GuardedProcess
from bench.testbed.servers.life import Server, ServerFailed, StartingServer, starting
from bench.testbed.servers.machine import HERE, MachineLost
from bench.testbed.testbed import TestBed


class Listener(Protocol):
    """Hears of a run as it goes on; the reports implement it."""

    def run_started(self, scenarios: Sequence[Scenario], options: Options) -> None:
        """Databases are about to start, then the first step that the run has not done yet."""

    def noticed(self, line: str) -> None:
        """What a reader should know of how the run is carried out."""

    def step_started(self, number: int, total: int, step: Step, left_s: float) -> None:
        """Servers are about to start; this step and those after it should take `left_s` seconds."""

    def workload_started(self, workload: Workload, servers: int) -> None:
        """So many servers, all up, are about to be loaded with a workload in turn."""

    def answered(self, answer: Answer) -> None:
        """A request was answered, or failed; only of scenarios that have a client of their own."""

    def step_ended(self, step: Step, cells: Sequence[Cell]) -> None:
        """What was measured is in the results file. The cells have the observations of this step only."""

    def run_ended(self, run: Run, *, complete: bool) -> None:
        """Everything that was started has ended; not `complete` is a run that was interrupted or failed."""


def execute(
    plan: Sequence[Step], testbed: TestBed, options: Options, run: Run, generator: Generator, listener: Listener
) -> None:
    """Carry out the steps that the run has not done yet. The results file is complete after each."""
    began = time.monotonic() - run.elapsed_s
    for number, step in enumerate(plan, start=1):
        if step.id in run.steps_done or is_needless(step, run, options):
            continue
        listener.step_started(number, len(plan), step, left_s(plan[number - 1 :], run, options))
        started = time.monotonic()
        cells = measured_with_enough(step, testbed, options, run, generator, listener)
        for cell in cells:
            run.add(cell)
        run.steps_done.append(step.id)
        if step.in_slices:
            run.generations_s += time.monotonic() - started
        run.elapsed_s = time.monotonic() - began
        run.save()
        listener.step_ended(step, cells)


def measured_with_enough(
    step: Step, testbed: TestBed, options: Options, run: Run, generator: Generator, listener: Listener
) -> list[Cell]:
    """Carry out a step, and again with more generators if they were the limit and nobody has said how many.

    The cells of the last time count.
    """
    workers = max(contestant.model.workers for contestant in step.contestants)
    while True:
        cells = Measurement(step, testbed, options, run, generator, listener).carry_out()
        chosen = options.generators or testbed.machine is not HERE  # with a cluster, by its workers' resources
        more = None if chosen else more_generators(cells, generator.processes, workers)
        if more is None:
            return cells
        listener.noticed(said(generator.processes, more))
        run.generators = generator.processes = more
        run.calibration = asdict(calibrate(generator=generator, wrk=None))


def is_needless(step: Step, run: Run, options: Options) -> bool:
    """Whether a generation is left out, because the time is up or every interval that a verdict needs is narrow."""
    if not step.may_be_left_out:
        return False
    if run.generations_s + expected_s(step, options) > options.budget_s:
        return True
    names = {scenario.name for scenario in step.scenarios}
    return sure_enough([scenario for scenario in judge(run).scenarios if scenario.name in names])


def left_s(steps: Sequence[Step], run: Run, options: Options) -> float:
    """About how long these steps take at most."""
    further_s = sum(expected_s(one, options) for one in steps if one.may_be_left_out)
    first_s = sum(expected_s(one, options) for one in steps if one.in_slices and not one.may_be_left_out)
    once_s = sum(expected_s(one, options) for one in steps if not one.in_slices)
    return once_s + first_s + max(0.0, min(further_s, options.budget_s - run.generations_s - first_s))


class Measurement:
    """One step on its servers."""

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
        self.overlaps: dict[str, dict[str, float]] = {}
        self.processes: list[GuardedProcess] = []
        self.servers: dict[str, Server] = {}
        self.failures: dict[str, Judgement] = {}

    def carry_out(self) -> list[Cell]:
        """Start the servers, check them, and measure every workload. What goes wrong stands in the cells."""
        with ExitStack() as ends:
            try:
                self.start(ends)
                for contestant in self.step.contestants:
                    self.check(contestant)
                measure = self.together if self.step.in_slices else self.alone
                return [cell for scenario, workloads in self.workloads() for cell in measure(scenario, workloads)]
            finally:
                for process in self.processes:
                    process.ask_to_end()  # so that they end at the same time

    def start(self, ends: ExitStack) -> None:
        """Start all servers together, and wait for each."""
        try:
            begun = self.begun(ends)
        except MachineLost as error:
            self.failures = {each.name: Judgement("ERRORS", str(error)) for each in self.step.contestants}
            return
        self.processes += [server.process for _, server in begun]
        for name, server in begun:
            try:
                self.servers[name] = server.ready()
            except (ServerFailed, MachineLost) as error:
                self.failures[name] = Judgement("ERRORS", str(error))

    def begun(self, ends: ExitStack) -> list[tuple[str, StartingServer]]:
        """All servers by their contestants, which may not answer yet."""
        return [
            (each.name, ends.enter_context(
                starting(each.model, self.environment(each), self.testbed.logs, name=each.name,
                         machine=self.testbed.machine)))
            for each in self.step.contestants
        ]  # fmt: skip

    def environment(self, contestant: Contestant) -> dict[str, str]:
        """What the step adds to a server's environment."""
        setup = self.step.setup.environment if self.step.setup else {}
        return self.testbed.environment(contestant.model) | dict(setup)

    def workloads(self) -> list[tuple[Scenario, Sequence[Workload]]]:
        """What to measure, in this step's order: drawn anew for every generation, else as the scenarios have it.

        It is one workload each time, or all those of a scenario that are put to the servers in the same cycles.
        """
        pairs = [(scenario, each) for scenario in self.step.scenarios for each in batches(scenario, self.options)]
        return self.rng.sample(pairs, len(pairs)) if self.step.in_slices else pairs

    def alone(self, scenario: Scenario, workloads: Sequence[Workload]) -> Iterator[Cell]:
        """Measure a workload on the step's one server."""
        (contestant,), (workload,) = self.step.contestants, workloads
        if not scenario.asks(contestant.model, workload):
            return
        if failure := self.failures.get(contestant.name):
            yield self.cell(scenario, workload, contestant, Reading({}, failure))
            return
        assert scenario.measure is not None
        with self.timed():
            try:
                reading = scenario.measure(self.context(scenario, contestant), workload)
            except (GeneratorError, MachineLost, httpx.HTTPError, OSError) as error:
                reading = Reading({}, Judgement("ERRORS", str(error) or type(error).__name__))
        yield self.cell(scenario, workload, contestant, reading)

    def together(self, scenario: Scenario, workloads: Sequence[Workload]) -> Iterator[Cell]:
        """Measure workloads on all of the step's servers in turn."""
        asked = [(each, workload) for workload in workloads for each in self.step.contestants
                 if is_asked(each.model, scenario, self.options) and scenario.asks(each.model, workload)]  # fmt: skip
        able = {each.name: self.context(scenario, each) for each, _ in asked if each.name not in self.failures}
        pairs = [(each.name, workload) for each, workload in asked if each.name in able]
        readings: Mapping[tuple[str, str], Reading] = {}
        if able:
            found = self.run.found.setdefault(scenario.name, {})
            generation = Generation(able, self.testbed, self.options, self.rng, self.generator, found)
            self.listener.workload_started(workloads[0], len(able))
            with self.timed():
                try:
                    readings = measured(scenario, generation, pairs)
                except (GeneratorError, MachineLost, httpx.HTTPError, OSError) as error:
                    failed = Reading({}, Judgement("ERRORS", str(error) or type(error).__name__))
                    readings = dict.fromkeys([(name, workload.name) for name, workload in pairs], failed)
        for each, workload in asked:
            lost = self.failures.get(each.name)
            yield self.cell(scenario, workload, each, Reading({}, lost) if lost else readings[each.name, workload.name])

    @contextmanager
    def timed(self) -> Iterator[None]:
        """Count what happens inside as time spent measuring."""
        began = time.monotonic()
        try:
            yield
        finally:
            self.run.measuring_s += time.monotonic() - began

    def context(self, scenario: Scenario, contestant: Contestant) -> MeasurementContext:
        """What the scenario measures on; a scenario's memo lives as long as the server."""
        memo = self.memos.setdefault(f"{scenario.name}/{contestant.name}", {})
        return MeasurementContext(
            contestant, self.servers[contestant.name], self.testbed, self.options, self.rng, self.generator,
            self.listener.answered, memo, self.step.setup,
        )  # fmt: skip

    def check(self, contestant: Contestant) -> None:
        """Check a server; one that is not as it must be is not loaded."""
        if server := self.servers.get(contestant.name):
            judgement, self.overlaps[contestant.name] = self.found(contestant, server)
            if not judgement.valid:
                self.failures[contestant.name] = replace(judgement, reason=judgement.reason + server.process.ended())

    def found(self, contestant: Contestant, server: Server) -> tuple[Judgement, dict[str, float]]:
        """Whether it keeps the contract and answers at once, and how its waits overlap, unless scenarios show that."""
        if all(scenario.own_client for scenario in self.step.scenarios):
            return VALID, {}
        environment = self.environment(contestant)
        judgement = check_contract(server, int(environment["POOL_SIZE"]) + int(environment["MAX_OVERFLOW"]))
        judgement = check_delay(server) if judgement.valid else judgement
        if not judgement.valid:
            return judgement, {}
        judgement, overlap = check_overlap(server)
        return judgement, asdict(overlap)

    def cell(self, scenario: Scenario, workload: Workload, contestant: Contestant, reading: Reading) -> Cell:
        """The reading as a cell of one observation. If a server failed, the last lines of its log say why."""
        server = self.servers.get(contestant.name)
        self.run.window_s += reading.window_s
        setup = {"setup": self.step.setup.name} if self.step.setup else {}
        judgement = reading.judgement
        if server and judgement.state == "ERRORS" and contestant.name not in self.failures:
            judgement = Judgement("ERRORS", explained(judgement.reason, server))
        overlap = self.overlaps.get(contestant.name)
        raw = dict(reading.raw) | ({"overlap": overlap} if overlap else {})
        return Cell(
            scenario=scenario.name,
            model=contestant.name,
            workload={"name": ", ".join((workload.name, *setup.values())), **workload.parameters, **setup},
            figure=workload.figure or scenario.figure,
            command=server.process.command if server else contestant.model.command(self.testbed.machine.host, 0),
            info=server.info if server else {},
            observations=(Observation(self.step.round, judgement.state, judgement.reason, reading.figures, raw),),
            environment=contestant.model.environment,
        )


def batches(scenario: Scenario, options: Options) -> list[Sequence[Workload]]:
    """The workloads that are measured together: one each time, unless they are to be in the same cycles."""
    workloads = scenario.workloads(options)
    mixed = isinstance(scenario.schedule, Slices) and scenario.schedule.mixed
    return [workloads] if mixed else [[workload] for workload in workloads]


def measured(
    scenario: Scenario, generation: Generation, pairs: Sequence[tuple[str, Workload]]
) -> Mapping[tuple[str, str], Reading]:
    """By contestant and workload, what a generation of servers did under these workloads, one unless they are mixed."""
    schedule = scenario.schedule
    assert isinstance(schedule, Slices)
    if schedule.mixed:
        return generation.mixed(schedule.mixed, pairs)
    assert schedule.measure is not None
    workload = pairs[0][1]
    return {(name, workload.name): one for name, one in schedule.measure(generation, workload).items()}


def explained(reason: str, server: Server) -> str:
    """Why a server failed: the reason, whether it has ended, and the last lines of its log."""
    process = server.process
    return f"{reason}{process.ended()}; the last lines of {process.log}:\n{process.log_tail() or '(nothing)'}"
