"""What is a scenario made of, and what does it get to measure with?"""

import random
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, field
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

from bench.judging import JudgedScenario
from bench.judging.validity import VALID, Judgement, judge_load
from bench.load import Generator, LoadJob, LoadResult
from bench.load.burst import OnAnswer
from bench.models import Model
from bench.scenarios.options import CONNECTIONS, Number, Option
from bench.scenarios.schedule import Once, Rounds, Schedule, Setup
from bench.testbed.servers.cost import Cost, CostMeter
from bench.testbed.servers.life import Server, other_cores
from bench.testbed.testbed import TestBed

FETCH_TIMEOUT_S = 30.0


@dataclass(frozen=True)
class Options:
    """How to measure. They are a part of the run's arguments, so that another run can repeat it."""

    rounds: int = 6
    quick: bool = False
    """Fewer and smaller loads, for a first look: no A/A twin, no preparation, and of several set-ups only the first."""
    duration_s: float = 0.35
    """The measured part of each load."""
    warmup_s: float = 0.15
    seed: int = 0
    brief: bool = False
    """Whether models beside the classic six take part in the wide scenarios only, as nobody asked for them by name."""
    chosen: Mapping[str, Any] = field(default_factory=dict)
    """The scenarios' own options by name; those that are missing have their defaults."""

    def __getitem__(self, option: Option[Number]) -> Number:
        """The value of a scenario's own option."""
        value: Number = self.chosen.get(option.name, option.default)
        return value

    def content(self) -> dict[str, Any]:
        """All of them by name, as a results file has them."""
        return {**{name: value for name, value in vars(self).items() if name != "chosen"}, **self.chosen}


@dataclass(frozen=True)
class Contestant:
    """A model under a name; the A/A twin is the same model under another."""

    name: str
    model: Model


@dataclass(frozen=True)
class Workload:
    """What is asked of a server. Each scenario has parameters of its own."""

    name: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    kind: str = ""
    """What kind of work this is, in a reader's words; empty if no verdict is about it."""
    found_once: str = ""
    """The figure that was found once for each model beforehand, if this only confirms it."""


@dataclass(frozen=True)
class MeasurementContext:
    """One fresh server and all that a scenario needs to measure it."""

    contestant: Contestant
    server: Server
    testbed: TestBed
    options: Options
    rng: random.Random
    prepared: Mapping[str, Mapping[str, Any]]
    """By contestant name, what the scenario's preparation found."""
    generator: Generator
    on_answer: OnAnswer
    """Called with each answer by scenarios that send their requests themselves."""
    memo: dict[str, Any] = field(default_factory=dict)
    """What one workload of a scenario leaves for the next on the same server."""
    setup: Setup | None = None
    """Of a scenario with several set-ups, the one that the server was started with."""

    def job(self, path: str, **changes: Any) -> LoadJob:
        """A load on this server with the run's options, from the cores that are not the server's."""
        address = urlsplit(self.server.url)
        usual: dict[str, Any] = {
            "host": address.hostname,
            "port": address.port,
            "path": path,
            "connections": self.options[CONNECTIONS],
            "duration_s": self.options.duration_s,
            "warmup_s": self.options.warmup_s,
            "seed": self.rng.getrandbits(32),
            "cores": other_cores(self.server.model.workers),
        }
        return LoadJob(**usual | changes)

    def fetch(self, path: str) -> bytes:
        """The body of an answer with status 200. Raises OSError for any other answer, and if there is none."""
        with closing(HTTPConnection(urlsplit(self.server.url).netloc, timeout=FETCH_TIMEOUT_S)) as connection:
            connection.request("GET", path)
            answer = connection.getresponse()
            if answer.status != 200:
                raise OSError(f"{path} answered {answer.status}")
            return answer.read()


@dataclass(frozen=True)
class Reading:
    """One round of one workload: its figures (units in their names), whether to believe them, and the raw results."""

    figures: Mapping[str, Any]
    """Numbers by name, None for what could not be measured; what has several values is among the raw results."""
    judgement: Judgement = VALID
    raw: Mapping[str, Any] = field(default_factory=dict)
    window_s: float = 0.0
    """Seconds inside measured windows."""


@dataclass(frozen=True)
class Scenario:
    """A question to the models: the workloads that answer it, how one of them is measured, and what the cells say.

    How the answers are shown is in bench/report/scenarios/, in the file of the same name.
    """

    name: str
    question: str
    workloads: Callable[[Options], Sequence[Workload]]
    measure: Callable[[MeasurementContext, Workload], Reading]
    finding: Callable[[JudgedScenario], str]
    """What the cells say, in sentences; empty if they say nothing."""
    figure: str
    """The name of the figure that its cells are ranked by."""
    higher_is_better: bool = False
    schedule: Schedule = Once()  # noqa: RUF009  (it is frozen)
    options: Sequence[Option[Any]] = ()
    """What can be chosen of it on the command line."""
    wide: bool = False
    """Whether a default run asks it of every default model; the others it asks of the classic six only."""
    own_client: bool = False
    """Whether it sends its requests itself and tells of each answer, as the original client did.

    Then no calibration of the load generator concerns it; and it is not preceded by a probe of whether waits overlap,
    because that is what it shows.
    """
    asks: Callable[[Model, Workload], bool] = lambda model, workload: True
    """Whether a workload is put to a model."""
    expected_s: Callable[[Options, Model], float] | None = None
    """About how long its measurements on one server take; None: as long as its loads."""

    @property
    def compared(self) -> bool:
        """Whether its rounds can be paired."""
        return isinstance(self.schedule, Rounds)

    @property
    def spread_limit(self) -> float | None:
        """How far a cell's rounds may be apart, as a share of their median; None: any distance."""
        return self.schedule.spread_limit if isinstance(self.schedule, Rounds) else None


def run_load(context: MeasurementContext, job: LoadJob) -> tuple[LoadResult, Cost, Judgement]:
    """Send a load, and measure what the server uses meanwhile."""
    with CostMeter(context.server.process.pid) as meter:
        result = context.generator.run(job)
    return result, meter.cost, judge_load(result, job.rate_rps)


def load_reading(context: MeasurementContext, job: LoadJob) -> Reading:
    """Send a load; give the figures that every load has."""
    result, cost, judgement = run_load(context, job)
    handled = result.warmup_requests + result.requests
    values = {
        "throughput_rps": result.throughput_rps,
        "p50_s": result.response.p50_s,
        "p90_s": result.response.p90_s,
        "p99_s": result.response.p99_s,
        "max_s": result.response.max_s,
        "cpu_per_request_s": cost.cpu_s / handled if handled else None,
        "rss_bytes": cost.steady_rss_bytes,
        "pss_bytes": cost.pss_bytes,
        "threads": cost.threads,
        "drift": drift(result),
        "database_connections": context.testbed.database_connections(context.server.model),
    }
    detail = {"job": describe(job), "load": asdict(result), "cost": asdict(cost)}
    return Reading(values, judgement, detail, result.window_s)


def drift(result: LoadResult) -> float | None:
    """Rate in the window's last third ÷ rate in its first. If it is far from 1, the server became faster or slower."""
    first, last = result.first_third.good_rps, result.last_third.good_rps
    return last / first if first else None


def describe(job: LoadJob) -> dict[str, Any]:
    """A job, without what differs from server to server."""
    return {name: value for name, value in asdict(job).items() if name not in ("host", "port", "body", "expect_body")}
