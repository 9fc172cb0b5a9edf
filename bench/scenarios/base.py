"""What a scenario is made of: workloads, how to measure one on a fresh server, and what to say about the cells."""

import random
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, field
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

from bench.judging.validity import SPREAD, VALID, Judgement, judge_load
from bench.load import Generator, LoadJob, LoadResult
from bench.load.burst import OnAnswer
from bench.models import Model
from bench.results import Cell
from bench.testbed.servers.cost import Cost, CostMeter
from bench.testbed.servers.life import Server, other_cores
from bench.testbed.testbed import TestBed

FETCH_TIMEOUT_S = 30.0


@dataclass(frozen=True)
class Options:
    """How to measure; a run's arguments, so that another run can repeat it."""

    rounds: int = 6
    quick: bool = False
    """Fewer and smaller loads, for a first look: no A/A twin and no search for a promise."""
    duration_s: float = 0.35
    """The measured part of each load."""
    warmup_s: float = 0.15
    slo_s: float = 0.050
    """What p99 must stay below in the latency scenario."""
    classic_seconds: float = 0.5
    classic_requests: int = 5
    connections: int = 32
    """Of a closed loop."""
    seed: int = 0
    brief: bool = False
    """Whether models beside the classic six take part in the wide scenarios only, as nobody asked for them by name."""


@dataclass(frozen=True)
class Contestant:
    """A model under a name; the A/A twin is the same model under another."""

    name: str
    model: Model


@dataclass(frozen=True)
class Workload:
    """What is asked of a server; the parameters are the scenario's own."""

    name: str
    parameters: Mapping[str, Any] = field(default_factory=dict)


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
    memo: dict[str, Any] = field(default_factory=dict)
    """What one workload of a scenario leaves for the next on the same server."""
    setup: str = ""
    """Of a scenario with several, the name of the one that the server was started with."""

    def job(self, path: str, **changes: Any) -> LoadJob:
        """A load on this server with the run's options, from the cores that are not the server's."""
        address = urlsplit(self.server.url)
        usual: dict[str, Any] = {
            "host": address.hostname,
            "port": address.port,
            "path": path,
            "connections": self.options.connections,
            "duration_s": self.options.duration_s,
            "warmup_s": self.options.warmup_s,
            "seed": self.rng.getrandbits(32),
            "cores": other_cores(self.server.model.workers),
        }
        return LoadJob(**usual | changes)

    def fetch(self, path: str) -> bytes:
        """The body of a 200. Raises OSError for any other answer and for none."""
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
    judgement: Judgement = VALID
    raw: Mapping[str, Any] = field(default_factory=dict)
    window_s: float = 0.0
    """Seconds inside measured windows."""


@dataclass(frozen=True)
class Column:
    """A column of a scenario's table: a value of the rounds, multiplied for its unit, with so many decimals."""

    heading: str
    value: str
    factor: float = 1.0
    decimals: int = 0


@dataclass(frozen=True)
class Scenario:
    """A question to the models. `figure` is the value that cells are ranked by, where `compared` says they are."""

    name: str
    question: str
    workloads: Callable[[Options], Sequence[Workload]]
    measure: Callable[[MeasurementContext, Workload], Reading]
    columns: Sequence[Column]
    finding: Callable[[Sequence[Cell]], str]
    figure: str
    higher_is_better: bool = False
    compared: bool = False
    """Whether it takes every round, beside an A/A twin, on servers shared with the other compared scenarios."""
    spread_limit: float | None = SPREAD
    """How far rounds may be apart before a cell is UNSTABLE; None where only their ratios are looked at."""
    shares_server: bool = False
    """Whether it is measured on one server with the others that share, in their order: what leaves a serial model busy
    with requests that were given up comes last."""
    shuffled: bool = True
    """Whether the order of the workloads on a server is drawn anew each round."""
    prepare: Callable[[MeasurementContext], Mapping[str, Any]] | None = None
    wide: bool = False
    """Whether a default run asks it of every default model; the others it asks of the classic six only."""
    applies: Callable[[Model], bool] = lambda model: True
    fits: Callable[[Model, Workload], bool] = lambda model, workload: True
    """Whether a workload is put to a model that the scenario is put to."""
    twin: bool = True
    """Whether its rounds have the A/A twin, where it is compared."""
    expected_s: Callable[[Options, Model], float] | None = None
    """About how long its measurements on one server take; None: as long as its loads."""
    environments: Mapping[str, Mapping[str, str]] = field(default_factory=lambda: {"": {}})
    """The server's environment by set-up; a scenario with several starts a server for each."""


def run_load(context: MeasurementContext, job: LoadJob) -> tuple[LoadResult, Cost, Judgement]:
    """Run a load and meter the server meanwhile."""
    with CostMeter(context.server.process.pid) as meter:
        result = context.generator.run(job)
    return result, meter.cost, judge_load(result, job.rate_rps)


def load_reading(context: MeasurementContext, job: LoadJob) -> Reading:
    """A load as a reading, with the figures that every load has."""
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
    """Rate of the window's last third ÷ rate of its first: away from 1, the server was not warm or did not stay so."""
    first, last = result.first_third.good_rps, result.last_third.good_rps
    return last / first if first else None


def describe(job: LoadJob) -> dict[str, Any]:
    """A job without what differs from server to server."""
    return {name: value for name, value in asdict(job).items() if name not in ("host", "port", "body", "expect_body")}
