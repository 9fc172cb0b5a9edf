"""What does each request of somebody's application cost under each model?

As bench/scenarios/generation.py does it for the bench's own: the servers of all models are up at once, each on the same
core, and short slices of a closed loop go round among them, here with all requests in the same cycles; then come fresh
servers. Nothing is known of the application but its requests, so that its server is a process and a URL.

How many cycles there are depends on how long requests take: one that waits for a second, served one at a time, makes a
slice of many seconds. The first cycle is not counted and tells it; what alone would take too long is left out before.
"""

import random
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, replace
from typing import Any, Protocol

from bench.judging import judge
from bench.judging.precision import sure_enough
from bench.judging.slices import Columns, figures_of
from bench.judging.standings import TWIN_SUFFIX, baseline
from bench.judging.statistics import FEWEST_GENERATIONS
from bench.judging.tried_waits import JudgedWaits
from bench.judging.validity import Judgement, judge_slices
from bench.load import Generator, GeneratorError, LoadJob, SlicesJob, SlicesResult, Target
from bench.measuring.generators import more_generators, said
from bench.results import Cell, ModelFacts, Observation, Question, Run
from bench.results.tried import GROUP, SCENARIO, Tried, TriedModel
from bench.scenarios.base import Options
from bench.scenarios.generation import columns_of
from bench.testbed.processes.process import GuardedProcess
from bench.testbed.servers.life import other_cores, pin, server_cores
from bench.testbed.servers.machine import HERE
from bench.tryout.held import PORTS, Held, Looks, together
from bench.words import join

QUESTION = "What does each request of the application cost under each model?"
CPU, RATE = "cpu_per_request_s", "throughput_rps"
FEWEST_CYCLES = 2
# How long a slice with its lead-in goes on beyond its time, in times that all its connections take together once.
OVERHANG = 1.5

Key = tuple[str, str]
"""A model and the name of a request."""


class Loaded(Protocol):
    """A server that answers, whatever it serves."""

    @property
    def url(self) -> str:
        """Where it listens."""

    @property
    def process(self) -> GuardedProcess:
        """Its first process, whose descendants are the others."""

    def pids(self) -> tuple[int, ...]:
        """Its processes that are alive now."""


@dataclass(frozen=True)
class Generation:
    """What was measured on one generation of servers."""

    cells: tuple[Cell, ...]
    """With one observation each."""
    held: Mapping[str, Held]
    """By model."""


def described(run: Run, tried: Tried) -> None:
    """Note in the run what was tried, and what its load is about: without it, cells cannot be judged."""
    names = tuple(one.name for one in tried.requests)
    run.tried = tried
    run.scenarios[SCENARIO] = Question(
        QUESTION, CPU, compared=True, workloads=names, kinds={name: name for name in names}, where_idle=RATE
    )
    run.models = {model.name: facts(tried, model) for model in tried.models}


def facts(tried: Tried, model: TriedModel) -> ModelFacts:
    """What a run says of a model beside its figures."""
    blocked = [name for name, one in model.waits.items() if JudgedWaits(name, one).kind == "blocks"]
    return ModelFacts(
        framework=tried.app.framework,
        group=GROUP,
        situation=f"{len(blocked)} of {len(model.waits)} requests wait one after the other" if blocked else "",
        python_waits_overlap=not blocked,
        database_waits_overlap=not blocked,
        trap=False,
        app=tried.app.target,
    )


def twin(models: Sequence[str]) -> tuple[str, str]:
    """The model that should be served twice, and the name of its second server, which checks the method."""
    base = baseline(models)
    return base, base + TWIN_SUFFIX


def loads_that_fit(models: Iterable[TriedModel], options: Options) -> tuple[list[Key], tuple[str, ...]]:
    """The models and requests that there is time for, and a sentence for each request with models that there is not.

    The slowest are left out first. A request whose time is not known is left out, too.
    """
    takes_s = {
        (model.name, name): options.slice_s + options.lead_in_s + OVERHANG * one.together_s
        for model in models
        if model.state == "answers"
        for name, one in model.waits.items()
    }
    left_out: dict[str, list[str]] = {}
    budget_s = options.budget_s / max(options.generations, 1) / (FEWEST_CYCLES + 1)
    while takes_s and sum(takes_s.values()) > budget_s:
        model, request = slowest = max(takes_s, key=takes_s.__getitem__)
        left_out.setdefault(request, []).append(model)
        del takes_s[slowest]
    return list(takes_s), tuple(
        f"There was no time to put {request} under load with {join(names)}." for request, names in left_out.items()
    )


def carry_out(
    run: Run,
    started: Callable[[int], AbstractContextManager[Mapping[str, Loaded]]],
    jobs_of: Callable[[Mapping[str, Loaded]], Mapping[Key, LoadJob]],
    generator: Generator,
    options: Options,
    noticed: Callable[[str], None] = lambda line: None,
    **more: Any,
) -> dict[str, Held]:
    """Measure generations of servers until the run is sure, or the time is up; its file is complete after each.

    `started` starts the servers of a generation by model, `jobs_of` logs visitors in and says what they send; `noticed`
    is told what a reader should know, and `more` is for `measure`. The run must have been described. Gives what the
    servers held, by model.
    """
    began, found = time.monotonic(), []
    for number in range(options.generations):
        spent_s = time.monotonic() - began
        if number >= FEWEST_GENERATIONS and (sure(run) or spent_s * (number + 1) / number > options.budget_s):
            break
        with started(number) as servers:
            measured_from = time.monotonic()
            jobs = jobs_of(servers)
            generation = measure(servers, jobs, generator, options, number=number, **more)
            if enough := None if options.generators else more_generators(generation.cells, generator.processes):
                noticed(f"{said(generator.processes, enough)}.".capitalize())
                run.generators = generator.processes = enough
                generation = measure(servers, jobs, generator, options, number=number, **more)
            run.measuring_s += time.monotonic() - measured_from
        for cell in generation.cells:
            run.add(cell)
            run.window_s += sum(sum(one.raw.get("slices", {}).get("wall_s", ())) for one in cell.observations)
        found.append(generation.held)
        run.generations_s = time.monotonic() - began
        run.save()
    return together(found)


def sure(run: Run) -> bool:
    """Whether every interval that a recommendation needs is narrow."""
    return sure_enough([scenario for scenario in judge(run).scenarios if scenario.name == SCENARIO])


def measure(
    servers: Mapping[str, Loaded],
    jobs: Mapping[Key, LoadJob],
    generator: Generator,
    options: Options,
    *,
    number: int = 0,
    ports: Iterable[int] = PORTS,
    database_pids: tuple[int, ...] = (),
) -> Generation:
    """Load the servers of one generation in turn with all requests.

    `ports` are those of databases, `database_pids` the processes of one that the bench has started. A server that fails
    has an error in its cells, and the others go on.
    """
    if not jobs:
        return Generation((), {})
    for server in servers.values():
        pin(server.process, server_cores())
    rng = random.Random(f"{options.seed}/{SCENARIO}/{number}")
    looks = Looks({name: server.process.pid for name, server in servers.items()}, ports)

    def in_turn(cycles: int) -> tuple[SlicesJob, SlicesResult]:
        asked = order(servers, jobs, options, cycles, database_pids, rng)
        return asked, generator.slices(asked)

    try:
        with looks:
            began = time.monotonic()
            in_turn(1)
            cycle_s = time.monotonic() - began
        readings = read(servers, jobs, *in_turn(cycles_in(options, cycle_s)))
    except GeneratorError as error:
        said = (str(error).splitlines() or [type(error).__name__])[0]
        readings = {key: (Judgement("UNSTABLE", said), {}) for key in jobs}
    memory = {name: asdict(HERE.held(server.process.pid)) for name, server in servers.items()}
    cells = tuple(
        cell(key, jobs[key], servers[key[0]].process, number, judgement, found, memory[key[0]])
        for key, (judgement, found) in readings.items()
    )
    return Generation(cells, looks.held(memory))


def read(
    servers: Mapping[str, Loaded], jobs: Mapping[Key, LoadJob], asked: SlicesJob, result: SlicesResult
) -> dict[Key, tuple[Judgement, Columns]]:
    """What the slices of each request under a model say.

    Of a server that has other processes than before the CPU time is not known: gunicorn, with `max_requests`, ends its
    workers after so many and starts new ones.
    """
    found = {}
    for place, key in enumerate(jobs):
        columns = columns_of(asked, result, place, len(servers))
        judgement = judge_slices([columns])
        if judgement.state != "ERRORS" and set(asked.targets[place].pids) - set(servers[key[0]].pids()):
            judgement, columns = Judgement("UNSTABLE", "a process of the server ended meanwhile, and another began"), {}
        found[key] = judgement, columns
    return found


def cycles_in(options: Options, cycle_s: float) -> int:
    """How many cycles a generation has time for, of which the first is behind it."""
    left_s = options.budget_s / max(options.generations, 1) - cycle_s
    return max(FEWEST_CYCLES, min(options.cycles, int(left_s / cycle_s)))


def order(
    servers: Mapping[str, Loaded],
    jobs: Mapping[Key, LoadJob],
    options: Options,
    cycles: int,
    database_pids: tuple[int, ...],
    rng: random.Random,
) -> SlicesJob:
    """So many cycles of these loads, with the times of all answers."""
    return SlicesJob(
        targets=tuple(
            Target(job=replace(job, raw_limit=1), pids=servers[model].pids()) for (model, _), job in jobs.items()
        ),
        cycles=cycles,
        slice_s=options.slice_s,
        lead_in_s=options.lead_in_s,
        database_pids=database_pids,
        seed=rng.getrandbits(32),
        cores=other_cores(),
        server_cores=server_cores(),
    )


def cell(
    key: Key,
    job: LoadJob,
    process: GuardedProcess,
    number: int,
    judgement: Judgement,
    columns: Columns,
    memory: Mapping[str, Any],
) -> Cell:
    """What was measured of a request under a model. Headers, paths and bodies may hold secrets and are not in it."""
    sent = {name: getattr(job, name) for name in ("method", "connections", "expect_status", "timeout_s")}
    figures = {**figures_of(columns), **memory} if columns else {}
    raw = {"job": sent, **({"slices": dict(columns)} if columns else {})}
    reason = judgement.reason + (process.ended() if judgement.state == "ERRORS" else "")
    observation = Observation(number, judgement.state, reason, figures, raw)
    return cell_of(key, job.connections, process.command, observation)


def not_started(model: str, requests: Iterable[str], connections: int, number: int, reason: str) -> list[Cell]:
    """The cells of a model whose server did not start in a generation, though it had before."""
    first_line = (reason.splitlines() or [""])[0]
    observation = Observation(number, "ERRORS", first_line, {}, {})
    return [cell_of((model, request), connections, (), observation) for request in requests]


def cell_of(key: Key, connections: int, command: tuple[str, ...], observation: Observation) -> Cell:
    """A cell of one observation."""
    model, request = key
    workload = {"name": request, "connections": connections}
    return Cell(SCENARIO, model, workload, CPU, command, {}, (observation,))
