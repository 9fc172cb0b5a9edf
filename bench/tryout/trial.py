"""In which order is an application tried? Every model by itself, and then all that answer alike in turn, under load.

Two fresh servers of the plainest model say what the answers are, and what of them changes by itself. One stays up all
along: a difference counts only if that server, asked once more, does not have it. In the end the recommended command
is started as it is printed, and compared once more.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from bench.judging import judge
from bench.load import Generator, LoadJob
from bench.results import Run
from bench.results.tried import Confirmed, Tried, TriedModel
from bench.scenarios.base import Options
from bench.tryout import configuration, costs
from bench.tryout.app import App
from bench.tryout.asking import first_answer, job
from bench.tryout.comparing import Comparison, compare_with
from bench.tryout.held import with_held
from bench.tryout.login import LoginFailed, visit
from bench.tryout.one_model import START_PATIENCE_S, Asking, Trying, tried
from bench.tryout.script import Script
from bench.tryout.serving import Served, StartFailed, serving_typed, starting
from bench.tryout.ways import Way

# Once sync has answered, nobody is waited for longer than so many times its slowest request, and never shorter than:
PATIENCE, AT_LEAST_S = 10.0, 5.0


class Listener(Protocol):
    """Who hears how far a trial is."""

    def step(self, number: int, total: int, what: str, left_s: float | None) -> None:
        """A step has begun."""

    def now(self, what: str) -> None:
        """Within the step this has begun."""


@dataclass
class Trial:
    """An application, the models to try it with, and what is found."""

    run: Run
    ways: Sequence[tuple[App, Way]]
    """Each model with its application. The first one says what the answers are."""
    script: Script
    asking: Asking
    options: Options
    listener: Listener
    ports: tuple[int, ...]
    """Those of databases."""

    def __post_init__(self) -> None:
        app, _ = self.ways[0]
        self.known = Tried(app=app.facts, requests=(), models=())
        """What has been found so far."""

    @property
    def logs(self) -> Path:
        """Where servers and the bench write, beside the results."""
        return self.run.folder / "logs"

    def carry_out(self, generator: Generator) -> None:
        """Try every model; the results file is complete after each. Raises BenchError if the first does not answer."""
        self.logs.mkdir(parents=True, exist_ok=True)
        total, began = len(self.ways) + 3, time.monotonic()
        self.listener.step(1, total, f"what the answers are, by two servers of {self.ways[0][1].name}", None)
        with self.reference() as comparison:
            self.asking = replace(self.asking, timeout_s=self.patience(comparison))
            for number, (app, way) in enumerate(self.ways, start=2):
                self.listener.step(number, total, f"try {way.name}", None)
                self.note(comparison, tried(self.trying(app, way), comparison))
            self.listener.step(total - 1, total, "what each request costs", self.options.budget_s)
            self.loaded(generator, comparison)
            self.listener.step(total, total, "the recommended command, as it is printed", None)
            self.confirm(comparison)
        self.run.elapsed_s = time.monotonic() - began
        self.run.save()

    @contextmanager
    def reference(self) -> Iterator[Comparison]:
        """What two fresh servers of the first model answer, one of which stays up."""
        with ExitStack() as held:
            first = held.enter_context(ExitStack())
            served = [
                stack.enter_context(self.trying(*self.ways[0]).served(name))
                for stack, name in ((first, "reference-1"), (held, "reference-2"))
            ]
            comparison = compare_with(*(visitor for _, visitor in served))
            app, _ = self.ways[0]
            if served[0][0].loaded("psycopg2"):  # perhaps not before the first request
                self.ways = [(each.with_loaded({"psycopg2"}) if each is app else each, way) for each, way in self.ways]
            first.close()
            self.note(comparison, notes=self.notes(comparison))
            yield comparison

    def notes(self, comparison: Comparison) -> tuple[str, ...]:
        """What a reader must know of the requests, and of the application's own configuration of gunicorn."""
        app, _ = self.ways[0]
        return (*comparison.notes, *configuration.notes(app.folder, app.environment))

    def trying(self, app: App, way: Way) -> Trying:
        """A model, and what is asked of it."""
        return Trying(app, way, self.script, self.asking, self.logs, self.listener.now)

    def patience(self, comparison: Comparison) -> float:
        """How long an answer is waited for."""
        slowest_s: float = max(one.took_s for each in comparison.references.values() for one in each.answers)
        return min(self.asking.timeout_s, max(AT_LEAST_S, PATIENCE * slowest_s))

    def note(self, comparison: Comparison, *models: TriedModel, **changes: Any) -> None:
        """Save what is known so far, with these models in place of those of their names."""
        by_name = {one.name: one for one in (*self.known.models, *models)}
        requests = tuple(one.tried for one in comparison.references.values())
        self.known = replace(self.known, requests=requests, models=tuple(by_name.values()), **changes)
        costs.described(self.run, self.known)
        self.run.save()

    def loaded(self, generator: Generator, comparison: Comparison) -> None:
        """What each request costs under every model that answers as the first one does."""
        same = [one for one in self.known.models if one.same]
        if not same:
            return
        keys, left_out = costs.loads_that_fit(same, self.options)
        self.note(comparison, notes=(*self.notes(comparison), *left_out))
        ways = {way.name: (app, way) for app, way in self.ways if way.name in {model for model, _ in keys}}
        if not ways:
            return
        base, again = costs.twin(list(ways))
        ways[again] = ways[base]
        keys += [(again, request) for model, request in keys if model == base]

        def jobs_of(servers: Mapping[str, costs.Loaded]) -> dict[costs.Key, LoadJob]:
            return self.jobs(servers, keys, comparison)

        def noticed(line: str) -> None:
            self.note(comparison, notes=(*self.known.notes, line))

        held = costs.carry_out(self.run, lambda number: self.generation(number, ways, keys), jobs_of, generator,
                               self.options, noticed, ports=self.ports)  # fmt: skip
        self.note(comparison, *with_held(self.known, held).models)

    @contextmanager
    def generation(
        self, number: int, ways: Mapping[str, tuple[App, Way]], keys: Sequence[costs.Key]
    ) -> Iterator[Mapping[str, Served]]:
        """Fresh servers of these models, all up at once; one that does not start this time has errors in its cells."""
        self.listener.now(f"generation {number + 1} of servers")
        ready, servers = first_answer(self.script, START_PATIENCE_S), {}
        with ExitStack() as stack:
            begun = {
                name: stack.enter_context(starting(app, way, self.logs, name=f"{name}-{number}"))
                for name, (app, way) in ways.items()
            }
            for name, one in begun.items():
                try:
                    servers[name] = one.ready(ready)
                except StartFailed as error:
                    requests = [request for model, request in keys if model == name]
                    for cell in costs.not_started(name, requests, self.asking.at_once, number, str(error)):
                        self.run.add(cell)
            yield servers

    def jobs(
        self, servers: Mapping[str, costs.Loaded], keys: Sequence[costs.Key], comparison: Comparison
    ) -> dict[costs.Key, LoadJob]:
        """What each server is sent, by a visitor who is logged in to it."""
        visitors = {name: visit(server.url, self.script, self.asking.timeout_s) for name, server in servers.items()}
        return {
            (model, request): job(
                visitors[model],
                comparison.references[request].asked,
                connections=self.asking.at_once,
                status=comparison.references[request].tried.status,
                timeout_s=PATIENCE * self.asking.timeout_s,
            )
            for model, request in keys
            if model in visitors and comparison.references[request].tried.status
        }

    def confirm(self, comparison: Comparison) -> None:
        """Start the recommended command as it is printed, and compare its answers once more."""
        trial = judge(self.run).trial
        name = trial.recommendation.model if trial else ""
        app, way = next(((app, way) for app, way in self.ways if way.name == name), (None, None))
        if app is None or way is None:
            return
        try:
            with serving_typed(app, way, self.logs, ready=first_answer(self.script, START_PATIENCE_S)) as server:
                visitor = visit(server.url, self.script, self.asking.timeout_s)
                differences = comparison.alone_and_at_once(visitor, self.asking.at_once, self.asking.repeat)
                confirmed = Confirmed(model=name, differences=differences)
        except (StartFailed, LoginFailed) as error:
            confirmed = Confirmed(model=name, differences=(), reason=str(error))
        self.note(comparison, confirmed=confirmed)
