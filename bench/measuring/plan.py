"""Which server is started when, to measure what? A pure function of the scenarios, the models, and a seed."""

import random
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from bench.judging.standings import TWIN_SUFFIX, baseline
from bench.models import Model
from bench.scenarios.base import Contestant, Options, Scenario
from bench.scenarios.schedule import Once, OnceOnSharedServer, Rounds, Setup

# A server's start, checks and end.
SERVER_S = 2.5
# Between two loads: the generator's answer, a look at the database, a first request for the expected body.
BETWEEN_LOADS_S = 0.1


@dataclass(frozen=True)
class Step:
    """One fresh server, and what is measured on it."""

    contestant: Contestant
    scenarios: tuple[Scenario, ...]
    round: int
    """From 0; -1 prepares a scenario."""
    setup: Setup | None = None

    @property
    def id(self) -> str:
        """A name that no other step of a plan has, and that is the same in every plan of the same arguments."""
        what = "+".join(scenario.name for scenario in self.scenarios)
        return "/".join((what, self.setup.name if self.setup else "", self.contestant.name, str(self.round)))

    @property
    def title(self) -> str:
        """What is measured on which server, for a reader."""
        what = ", ".join(scenario.name for scenario in self.scenarios)
        stage = "prepare" if self.preparing else f"round {self.round + 1}"
        return f"{what}, {stage}: {self.contestant.name}{f' {self.setup.name}' if self.setup else ''}"

    @property
    def preparing(self) -> bool:
        """Whether it only finds out what the rounds need to know."""
        return self.round < 0


def make_plan(scenarios: Sequence[Scenario], models: Sequence[Model], options: Options) -> list[Step]:
    """All steps in order.

    Scenarios that share servers are planned together, where the first of them stands among the others.
    """
    contestants = [Contestant(model.name, model) for model in models]
    return [
        step
        for group in sharing_servers(scenarios)
        for step in PLANNERS[type(group[0].schedule)](group, contestants, options)
    ]


def sharing_servers(scenarios: Sequence[Scenario]) -> Collection[Sequence[Scenario]]:
    """The scenarios in groups that share servers."""
    groups: dict[str | type, list[Scenario]] = {}
    for scenario in scenarios:
        alone = isinstance(scenario.schedule, Once)
        groups.setdefault(scenario.name if alone else type(scenario.schedule), []).append(scenario)
    return groups.values()


def in_rounds(scenarios: Sequence[Scenario], contestants: Sequence[Contestant], options: Options) -> list[Step]:
    """The preparations, then all contestants in every round, in an order that is drawn anew each time.

    So whatever disturbs the machine disturbs all models alike. A quick plan prepares nothing and has no twin, because
    two rounds could not tell how far the twin's figures are apart.
    """
    rng = random.Random(options.seed)
    schedules = {scenario.name: scenario.schedule for scenario in scenarios if isinstance(scenario.schedule, Rounds)}
    steps = [
        Step(contestant, (scenario,), round=-1)
        for scenario in scenarios
        if schedules[scenario.name].prepare and not options.quick
        for contestant in contestants
        if is_asked(contestant.model, scenario, options)
    ]
    twins = [twin_of(contestants)] if any(one.twin for one in schedules.values()) and not options.quick else []
    everyone = [*contestants, *twins]
    for number in range(options.rounds):
        for contestant in rng.sample(everyone, len(everyone)):
            steps += together(scenarios, contestant, options, number)
    return steps


def once(scenarios: Sequence[Scenario], contestants: Sequence[Contestant], options: Options) -> list[Step]:
    """One server for each model and each set-up; a quick plan has only the first set-up."""
    return [
        Step(contestant, (scenario,), 0, setup)
        for scenario in scenarios
        if isinstance(scenario.schedule, Once)
        for contestant in contestants
        if is_asked(contestant.model, scenario, options)
        for setup in scenario.schedule.setups[: 1 if options.quick else None]
    ]


def once_on_shared_server(
    scenarios: Sequence[Scenario], contestants: Sequence[Contestant], options: Options
) -> list[Step]:
    """One server for each model, on which all of these scenarios are measured."""
    return [step for contestant in contestants for step in together(scenarios, contestant, options, 0)]


Planner = Callable[[Sequence[Scenario], Sequence[Contestant], Options], list[Step]]
PLANNERS: Mapping[type, Planner] = {Rounds: in_rounds, Once: once, OnceOnSharedServer: once_on_shared_server}


def together(scenarios: Sequence[Scenario], contestant: Contestant, options: Options, number: int) -> list[Step]:
    """A step with those of the scenarios that are put to a contestant; no step if none is."""
    own = tuple(scenario for scenario in scenarios if is_asked(contestant.model, scenario, options))
    return [Step(contestant, own, number)] if own else []


def twin_of(contestants: Sequence[Contestant]) -> Contestant:
    """The baseline under a second name."""
    name = baseline([contestant.name for contestant in contestants])
    return Contestant(name + TWIN_SUFFIX, next(one.model for one in contestants if one.name == name))


def is_asked(model: Model, scenario: Scenario, options: Options) -> bool:
    """Whether a scenario is put to a model; a quick and brief plan keeps to the classic six throughout."""
    wide = scenario.wide and not options.quick
    taken = wide or not options.brief or "classic" in model.families
    return taken and any(scenario.asks(model, workload) for workload in scenario.workloads(options))


def expected_s(step: Step, options: Options) -> float:
    """About how long a step takes, for the progress line."""
    return SERVER_S + sum(expected_of(scenario, step.contestant.model, options) for scenario in step.scenarios)


def expected_of(scenario: Scenario, model: Model, options: Options) -> float:
    """About how long a scenario's measurements on one server take."""
    if scenario.expected_s:
        return scenario.expected_s(options, model)
    each_s = options.warmup_s + options.duration_s + BETWEEN_LOADS_S
    return each_s * len(scenario.workloads(options))
