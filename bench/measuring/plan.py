"""Which server is started when, to measure what: a pure function of the scenarios, the models, and a seed."""

import random
from collections.abc import Sequence
from dataclasses import dataclass

from bench.judging.standings import TWIN_SUFFIX, baseline
from bench.models import Model
from bench.scenarios.base import Contestant, Options, Scenario


@dataclass(frozen=True)
class Step:
    """One fresh server, and what is measured on it."""

    contestant: Contestant
    scenarios: tuple[Scenario, ...]
    round: int
    """From 0; -1 prepares a scenario."""
    setup: str = ""

    @property
    def id(self) -> str:
        """What tells it from every other step of a plan, the same in every plan of the same arguments."""
        what = "+".join(scenario.name for scenario in self.scenarios)
        return "/".join((what, self.setup, self.contestant.name, str(self.round)))

    @property
    def preparing(self) -> bool:
        """Whether it only finds out what the rounds need to know."""
        return self.round < 0


def make_plan(scenarios: Sequence[Scenario], models: Sequence[Model], options: Options) -> list[Step]:
    """All steps in order.

    Compared scenarios share their servers, and every round has all models and the A/A twin in an order of its own, so
    that whatever disturbs the machine disturbs them alike. The others come before or after, as their order has it, one
    model after the other. A quick plan has no twin, which could not tell anything from two rounds, and of a scenario's
    set-ups only the first.
    """
    rng = random.Random(options.seed)
    contestants = [Contestant(model.name, model) for model in models]
    base = baseline([model.name for model in models])
    twin = Contestant(base + TWIN_SUFFIX, next(model for model in models if model.name == base))
    compared = tuple(scenario for scenario in scenarios if scenario.compared)
    sharing = tuple(scenario for scenario in scenarios if scenario.shares_server)
    steps: list[Step] = []
    for scenario in scenarios:
        asked = [contestant for contestant in contestants if asks(scenario, contestant.model, options)]
        if scenario.shares_server:
            steps += [Step(contestant, sharing, 0) for contestant in asked if scenario is sharing[0]]
        elif not scenario.compared:
            steps += [
                Step(contestant, (scenario,), 0, setup)
                for contestant in asked
                for setup in list(scenario.environments)[: 1 if options.quick else None]
            ]
        elif scenario is compared[0]:
            steps += preparations(compared, contestants, options)
            every = contestants if options.quick or not any(one.twin for one in compared) else [*contestants, twin]
            for number in range(options.rounds):
                for contestant in rng.sample(every, len(every)):
                    own = tuple(other for other in compared if asks(other, contestant.model, options))
                    steps += [Step(contestant, own, number)] if own else []
    return steps


def asks(scenario: Scenario, model: Model, options: Options) -> bool:
    """Whether a scenario is put to a model; a quick and brief plan keeps to the classic six throughout."""
    wide = scenario.wide and not options.quick
    return scenario.applies(model) and (wide or not options.brief or "classic" in model.families)


def preparations(compared: Sequence[Scenario], contestants: Sequence[Contestant], options: Options) -> list[Step]:
    """What must be found out before the rounds; nothing in a quick plan, which leaves out what needs it."""
    return [
        Step(contestant, (scenario,), round=-1)
        for scenario in compared
        if scenario.prepare and not options.quick
        for contestant in contestants
        if asks(scenario, contestant.model, options)
    ]


# A server's start, checks and end.
SERVER_S = 2.5
# A generator's answer, a look at the database, a first request for the expected body.
BETWEEN_LOADS_S = 0.1


def expected_s(step: Step, options: Options) -> float:
    """About how long a step takes, for the progress line."""
    total_s = SERVER_S
    for scenario in step.scenarios:
        if scenario.expected_s:
            total_s += scenario.expected_s(options, step.contestant.model)
        else:
            each_s = options.warmup_s + options.duration_s + BETWEEN_LOADS_S
            total_s += each_s * len(scenario.workloads(options))
    return total_s
