"""Which servers are started when, to measure what? A pure function of the scenarios, the models, and the options."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from bench.judging.standings import TWIN_SUFFIX, baseline, is_twin
from bench.models import Model
from bench.scenarios.base import Contestant, Options, Scenario
from bench.scenarios.schedule import Once, OnceOnSharedServer, Setup, Slices

# A server's start, checks and end.
SERVER_S = 2.5
# Of several servers that start together, each further one, with its checks.
NEXT_SERVER_S = 1.0
# Between two loads: the generator's answer, a look at the database, a first request for the expected body.
BETWEEN_LOADS_S = 0.1
# With fewer generations nobody can tell a lucky start from a better model.
FEWEST_GENERATIONS = 3
# So many generations have models that are measured and never ranked, because their requests wait for each other.
UNRANKED_GENERATIONS = 1


@dataclass(frozen=True)
class Step:
    """Fresh servers, and what is measured on them."""

    contestants: tuple[Contestant, ...]
    """One, or all that are up at once."""
    scenarios: tuple[Scenario, ...]
    round: int = 0
    """Of servers in slices: which generation of which group this is, counted from 0."""
    setup: Setup | None = None
    title: str = ""
    """What is measured on which server, for a reader."""
    generation: int = 0
    """From 0, the same for all groups."""

    @property
    def id(self) -> str:
        """A name that no other step of a plan has, and that is the same in every plan of the same arguments."""
        what = "+".join(scenario.name for scenario in self.scenarios)
        who = "+".join(contestant.name for contestant in self.contestants)
        return "/".join((what, self.setup.name if self.setup else "", who, str(self.round)))

    @property
    def in_slices(self) -> bool:
        """Whether several servers are up at once, and load goes round among them."""
        return any(isinstance(scenario.schedule, Slices) for scenario in self.scenarios)

    @property
    def may_be_left_out(self) -> bool:
        """Whether a run that is sure enough, or out of time, does without."""
        return self.generation >= FEWEST_GENERATIONS


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


def in_slices(scenarios: Sequence[Scenario], contestants: Sequence[Contestant], options: Options) -> list[Step]:
    """Generation after generation, all servers of a group up at once, in as many groups as memory asks for.

    The baseline is in every group, and its twin in the first. A scenario with servers of its own has generations of its
    own, which take turns with those of the others.
    """
    steps: list[Step] = []
    for generation in range(options.generations):
        for sharing in apart(scenarios):
            for number, group in enumerate(groups_of(sharing, contestants, options, generation)):
                what = ", ".join(scenario.name for scenario in sharing)
                title = f"{what}, generation {generation + 1}{f', group {number + 1}' if number else ''}"
                steps.append(Step(group, sharing, len(steps), None, title, generation))
    return steps


def apart(scenarios: Sequence[Scenario]) -> list[tuple[Scenario, ...]]:
    """The scenarios that share servers, then each that has its own."""
    own = [one for one in scenarios if isinstance(one.schedule, Slices) and one.schedule.apart]
    sharing = tuple(one for one in scenarios if one not in own)
    return [*([sharing] if sharing else []), *((one,) for one in own)]


def groups_of(
    scenarios: Sequence[Scenario], contestants: Sequence[Contestant], options: Options, generation: int
) -> list[tuple[Contestant, ...]]:
    """The servers of a generation: all models that are asked at first, and later those that can be ranked."""
    asked = [each for each in contestants if any(is_asked(each.model, scenario, options) for scenario in scenarios)]
    if not asked:
        return []
    twins = [twin_of(asked)] if any(isinstance(one.schedule, Slices) and one.schedule.twin for one in scenarios) else []
    base = baseline([each.name for each in asked])
    ranked = [each for each in asked if not each.model.blocks or each.name == base]
    return groups([*(asked if generation < UNRANKED_GENERATIONS else ranked), *twins], options.servers_at_once)


def groups(everyone: Sequence[Contestant], most: int) -> list[tuple[Contestant, ...]]:
    """The contestants in groups of at most so many (3 or more), each with the baseline, its twin in the first."""
    name = baseline([each.name for each in everyone])
    base = [each for each in everyone if each.name == name]
    others = [each for each in everyone if each.name != name]
    others.sort(key=lambda each: not is_twin(each.name))
    size = most - len(base)
    return [(*base, *others[start : start + size]) for start in range(0, len(others) or 1, size)]


def once(scenarios: Sequence[Scenario], contestants: Sequence[Contestant], options: Options) -> list[Step]:
    """One server for each model and each set-up; a quick plan has only the first set-up."""
    return [
        Step((contestant,), (scenario,), 0, setup, title_of((scenario,), contestant, setup))
        for scenario in scenarios
        if isinstance(scenario.schedule, Once)
        for contestant in contestants
        if is_asked(contestant.model, scenario, options)
        for setup in scenario.schedule.setups[: 1 if options.quick else None]
    ]


def once_on_shared_server(
    scenarios: Sequence[Scenario], contestants: Sequence[Contestant], options: Options
) -> list[Step]:
    """One server for each model, on which all of these scenarios that are put to it are measured."""
    steps = []
    for contestant in contestants:
        if own := tuple(scenario for scenario in scenarios if is_asked(contestant.model, scenario, options)):
            steps.append(Step((contestant,), own, title=title_of(own, contestant)))
    return steps


Planner = Callable[[Sequence[Scenario], Sequence[Contestant], Options], list[Step]]
PLANNERS: Mapping[type, Planner] = {Slices: in_slices, Once: once, OnceOnSharedServer: once_on_shared_server}


def title_of(scenarios: Sequence[Scenario], contestant: Contestant, setup: Setup | None = None) -> str:
    """What is measured on one server."""
    what = ", ".join(scenario.name for scenario in scenarios)
    return f"{what}: {contestant.name}{f' {setup.name}' if setup else ''}"


def twin_of(contestants: Sequence[Contestant]) -> Contestant:
    """The baseline under a second name."""
    name = baseline([contestant.name for contestant in contestants])
    return Contestant(name + TWIN_SUFFIX, next(one.model for one in contestants if one.name == name))


def is_asked(model: Model, scenario: Scenario, options: Options) -> bool:
    """Whether a scenario is put to a model.

    A brief plan keeps to the classic six but in wide scenarios, a quick one there too. Where models are compared it
    leaves out those that are never ranked, because their requests wait for each other; a wide scenario measures them.
    Models that are there for matched pairs are asked nothing else, and a quick plan has no pairs.
    """
    if options.brief and (options.quick if scenario.matched else "pairs" in model.families):
        return False
    wide = scenario.wide and not options.quick
    fit = "classic" in model.families and not (scenario.compared and model.blocks and not scenario.wide)
    taken = wide or not options.brief or fit
    return taken and any(scenario.asks(model, workload) for workload in scenario.workloads(options))


def expected_s(step: Step, options: Options) -> float:
    """About how long a step takes, for the progress line."""
    servers_s = SERVER_S + NEXT_SERVER_S * (len(step.contestants) - 1)
    return servers_s + sum(
        expected_of(scenario, contestant.model, options)
        for scenario in step.scenarios
        for contestant in step.contestants
        if is_asked(contestant.model, scenario, options)
    )


def expected_of(scenario: Scenario, model: Model, options: Options) -> float:
    """About how long a scenario's measurements on one server take."""
    if scenario.expected_s:
        return scenario.expected_s(options, model)
    each_s = options.warmup_s + options.duration_s + BETWEEN_LOADS_S
    return each_s * len(scenario.workloads(options))
