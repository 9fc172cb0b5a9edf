"""What is a scenario made of, and what does it get to measure with?"""

import random
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, field
from http.client import HTTPConnection, HTTPException
from typing import Any
from urllib.parse import urlsplit

from bench.judging import JudgedScenario
from bench.judging.validity import VALID, Judgement, judge_load
from bench.load import Generator, LoadJob, LoadResult
from bench.load.burst import OnAnswer
from bench.models import Model
from bench.scenarios.options import CONNECTIONS, Number, Option
from bench.scenarios.schedule import Once, Schedule, Setup, Slices
from bench.testbed.servers.cost import Cost
from bench.testbed.servers.life import Server
from bench.testbed.testbed import TestBed

FETCH_TIMEOUT_S = 30.0


@dataclass(frozen=True)
class Options:
    """How to measure. They are a part of the run's arguments, so that another run can repeat it."""

    generations: int = 12
    """The most generations of servers that are loaded in slices; a run that is sure, or out of time, has fewer."""
    cycles: int = 10
    """How often each server of a generation is loaded with each workload."""
    slice_s: float = 0.025
    """How long a slice of load lasts in a closed loop."""
    lead_in_s: float = 0.005
    """Load before each slice that is not counted, for caches that other servers have emptied."""
    budget_s: float = 295.0
    """Seconds for all generations; no further one begins that would not be over by then, after the first three."""
    servers_at_once: int = 12
    """The most servers that are up together; they hold 40 to 100 MB each."""
    quick: bool = False
    """Fewer and smaller loads, for a first look: of several set-ups only the first."""
    generators: int | None = None
    """How many load generators share each load; None: one, and more where it is the limit and cores are free."""
    duration_s: float = 0.35
    """The measured part of each load that is not made of slices."""
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
    figure: str = ""
    """The name of the figure that its cells are ranked by; empty: that of the scenario."""


@dataclass(frozen=True)
class MeasurementContext:
    """One server and all that a scenario needs to measure it."""

    contestant: Contestant
    server: Server
    testbed: TestBed
    options: Options
    rng: random.Random
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
            "cores": self.server.machine.load_cores(self.server.model.workers),
        }
        return LoadJob(**usual | changes)

    def fetch(self, path: str) -> bytes:
        """The body of an answer with status 200. Raises OSError for any other answer, and if there is none."""
        with closing(HTTPConnection(urlsplit(self.server.url).netloc, timeout=FETCH_TIMEOUT_S)) as connection:
            try:
                connection.request("GET", path)
                answer = connection.getresponse()
                body = answer.read()
            except HTTPException as error:
                raise OSError(f"{path} gave no whole answer: {error!r}") from None
            if answer.status != 200:
                raise OSError(f"{path} answered {answer.status}")
            return body


@dataclass(frozen=True)
class Reading:
    """A workload on one server: its figures (units in their names), whether to believe them, and the raw results."""

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
    finding: Callable[[JudgedScenario], str]
    """What the cells say, in sentences; empty if they say nothing."""
    figure: str
    """The name of the figure that its cells are ranked by."""
    measure: Callable[[MeasurementContext, Workload], Reading] | None = None
    """How one server is measured; None where the schedule measures several together."""
    where_idle: str = ""
    """The figure that takes its place where a server did not fill its core, if that matters."""
    schedule: Schedule = Once()  # noqa: RUF009  (it is frozen)
    options: Sequence[Option[Any]] = ()
    """What can be chosen of it on the command line."""
    wide: bool = False
    """Whether a default run asks it of every default model; the others it asks of the classic six only."""
    matched: bool = False
    """Whether it is about matched pairs, models on one data layer."""
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
        """Whether models are compared, cycle by cycle."""
        return isinstance(self.schedule, Slices)


def run_load(context: MeasurementContext, job: LoadJob) -> tuple[LoadResult, Cost, Judgement]:
    """Send a load, and measure what the server uses meanwhile."""
    with context.server.meter() as meter:
        result = context.generator.run(job)
    return result, meter.cost, judge_load(result, job.rate_rps)


def describe(job: LoadJob) -> dict[str, Any]:
    """A job, without what differs from server to server, and without the share that one of several generators has."""
    left_out = ("host", "port", "body", "expect_body", "lot")
    return {name: value for name, value in asdict(job).items() if name not in left_out}
