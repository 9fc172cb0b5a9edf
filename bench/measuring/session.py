"""What does every command that measures set up, and how does it end?

`workbench` has what loads need: databases, upstream, generator. `Session` is a run on it: new or resumed, its plan, its
calibration, what is told while it goes on, and what is told at the end, however it ends. A command says what is asked,
where, and who listens; it keeps its arguments and exit codes.
"""

import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from bench.errors import BenchError
from bench.load import Generator
from bench.measuring.calibrate import calibrate
from bench.measuring.environment import environment
from bench.measuring.machines import Machines, OneMachine, check_databases, one_machine
from bench.measuring.plan import Step, make_plan
from bench.measuring.room import servers_that_fit
from bench.measuring.run import Listener, execute
from bench.measuring.subjects import model_facts, questions
from bench.models import Model
from bench.results import Run, check_same, load_run, new_run
from bench.results.resume import GIVEN
from bench.scenarios.base import Options, Scenario
from bench.testbed.databases.database import PRODUCTS
from bench.testbed.testbed import TestBed, open_testbed


@dataclass(frozen=True)
class Workbench:
    """What loads need beside a server."""

    testbed: TestBed
    generator: Generator


@dataclass(frozen=True)
class Place:
    """Where a run is written, and whose databases it works on (None: the bench's own)."""

    out: Path | None = None
    """The run's folder; None for one named after the time."""
    resume: Path | None = None
    """The folder of a run to go on with."""
    database_url: str | None = None
    mysql_url: str | None = None
    joined: Callable[[], AbstractContextManager[Machines]] = one_machine
    """Which machines take part, joined for the time of the context."""


@dataclass(frozen=True)
class Inquiry:
    """What a run asks of whom."""

    command: str
    scenarios: Sequence[Scenario] = ()
    models: Sequence[Model] = ()
    options: Options = field(default_factory=Options)
    further: Mapping[str, Any] = field(default_factory=dict)
    """What else a run must have been asked for to be the same."""
    typed: Sequence[str] = ()
    """What was typed for it, the command first: with `--resume` behind it this goes on with the run."""
    flags: Mapping[str, str] = field(default_factory=dict)
    """By name of an argument, what the command line calls it."""

    def arguments(self) -> dict[str, Any]:
        """As the results file has them."""
        return {
            "command": self.command,
            "scenarios": [scenario.name for scenario in self.scenarios],
            "models": [model.name for model in self.models],
            "options": self.options.content(),
            **self.further,
            GIVEN: list(self.typed),
        }


@contextmanager
def workbench(
    place: Place,
    logs: Path,
    models: Sequence[Model] = (),
    *,
    generators: int = 1,
    machines: Machines | None = None,
) -> Iterator[Workbench]:
    """A test bed with the databases of these models, and a load generator; both are gone when the context ends.

    `generators` is how many processes the load generator has, which share each load; `machines` are those that take
    part, this one alone unless given.
    """
    machines = machines or OneMachine()
    urls = {"postgres": place.database_url, "mysql": place.mysql_url}
    check_databases(machines, urls, {model.database for model in models})
    with (
        open_testbed(
            place.database_url,
            logs,
            mysql_url=place.mysql_url,
            models=models,
            machine=machines.server,
            host=machines.host,
        ) as testbed,
        machines.generator(generators) as generator,
    ):
        yield Workbench(testbed, generator)


class Session:
    """A run from its beginning, or from where it stopped, to its end."""

    def __init__(self, place: Place, load: Callable[[Path], Run] = load_run) -> None:
        if place.out and place.resume:
            raise BenchError("--resume goes on in its own folder; leave out --out")
        self.place = place
        self.resumed = load(place.resume) if place.resume else None
        self.seed = self.resumed.seed if self.resumed else secrets.randbits(32)
        """For the order of servers and for arrivals, unless another one is chosen."""

    def carry_out(
        self, inquiry: Inquiry, listener: Listener, then: Callable[[Workbench, Run], None] | None = None
    ) -> Run:
        """Measure what the run has not measured yet, and then do what else there is to do on the same workbench.

        The listener hears of the end in any case, also where Ctrl-C or an error comes before it. Raises BenchError if
        nothing is to be done, or if the run to go on with was asked something else.
        """
        if not make_plan(inquiry.scenarios, inquiry.models, inquiry.options) and not then:
            models = ", ".join(model.name for model in inquiry.models)
            raise BenchError(f"{inquiry.command} has no question to {models}; name others")
        with self.place.joined() as machines:
            return self.carry_out_on(machines, inquiry, listener, then)

    def carry_out_on(
        self,
        machines: Machines,
        inquiry: Inquiry,
        listener: Listener,
        then: Callable[[Workbench, Run], None] | None = None,
    ) -> Run:
        """The same on these machines."""
        run = self.opened(inquiry, machines)
        check_steps(run, plan_of(run, inquiry))
        complete = False
        run.generators = max(run.generators, inquiry.options.generators or machines.generators)
        listener.run_started(inquiry.scenarios, inquiry.options)
        try:
            if words := machines.words():
                listener.noticed(words)
            with workbench(
                self.place, run.folder / "logs", inquiry.models, generators=run.generators, machines=machines
            ) as bench:
                describe(run, inquiry, bench)
                make_fit(run, inquiry, bench.testbed, listener)
                execute(plan_of(run, inquiry), bench.testbed, inquiry.options, run, bench.generator, listener)
                if then:
                    then(bench, run)
            complete = True
        finally:
            listener.run_ended(run, complete=complete)
        return run

    def opened(self, inquiry: Inquiry, machines: Machines) -> Run:
        """A new run, or the one to go on with if nothing has changed since it stopped."""
        facts = {**environment(), **machines.facts(self.place.database_url)}
        arguments = inquiry.arguments()
        if self.resumed is None:
            return new_run(self.place.out, facts, arguments, inquiry.options.seed)
        databases = {name: found for name, found in self.resumed.environment.items() if name in PRODUCTS}
        check_same(self.resumed, {**facts, **databases}, arguments, inquiry.flags)
        return self.resumed


def describe(run: Run, inquiry: Inquiry, bench: Workbench) -> None:
    """Note what a reader must know beside the cells: database versions, questions, models, the generator's limits."""
    run.environment = {**run.environment, **bench.testbed.versions()}
    run.scenarios = questions(inquiry.scenarios, inquiry.options)
    run.models = model_facts(inquiry.models)
    if run.calibration is None and not all(scenario.own_client for scenario in inquiry.scenarios):
        run.calibration = asdict(calibrate(generator=bench.generator, wrk=None, machine=bench.testbed.machine))


def plan_of(run: Run, inquiry: Inquiry) -> list[Step]:
    """The steps of a run, with as many servers at once as it has them."""
    servers = run.servers_at_once or inquiry.options.servers_at_once
    return make_plan(inquiry.scenarios, inquiry.models, replace(inquiry.options, servers_at_once=servers))


def make_fit(run: Run, inquiry: Inquiry, testbed: TestBed, listener: Listener) -> None:
    """Note how many servers a run in slices has at once: as many as asked for, or as databases have connections for.

    A run that is gone on with keeps its number. Raises BenchError if there is no room for it any more.
    """
    together = [step for step in plan_of(run, inquiry) if step.in_slices]
    if not together:
        return
    asked = run.servers_at_once or inquiry.options.servers_at_once
    servers = servers_that_fit(together, asked, testbed)
    if servers < asked and any(step.id in run.steps_done for step in together):
        raise BenchError(f"the run had {asked} servers at once, and the database has connections for {servers} now; "
                         "close what else is connected, or start a new run")  # fmt: skip
    run.servers_at_once = servers
    if servers < inquiry.options.servers_at_once:
        listener.noticed(f"{servers} servers at once and not {inquiry.options.servers_at_once}: the database has "
                         "connections for no more")  # fmt: skip


def check_steps(run: Run, plan: Sequence[Step]) -> None:
    """Refuse a run whose steps that are done are not those whose observations it has. Raises BenchError."""
    measured = {(cell.scenario, cell.model, cell.workload.get("setup", ""), one.round)
                for cell in run.cells.values() for one in cell.observations}  # fmt: skip
    for step in plan:
        setup = step.setup.name if step.setup else ""
        seen = any((scenario.name, contestant.name, setup, step.round) in measured
                   for scenario in step.scenarios for contestant in step.contestants)  # fmt: skip
        if seen != (step.id in run.steps_done):
            raise BenchError(f"{run.path} is damaged: what it has measured is not what it says was done ({step.title})")
