"""What is the reader asked? The command line and the page ask for the same figures and facts."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bench.prediction.layers import LAYERS

# What a choice is unless the reader says otherwise: as each model's own application does.
OWN = "own"
HELD, GIVEN_BACK = "held", "given back"
# The data layer whose sessions keep their connection.
SESSION = "orm"


@dataclass(frozen=True)
class Demand:
    """What the reader says of the requests and the machine; either `rate_rps` or `concurrency` is given."""

    db_wait_s: float = 0.05
    """How long each query waits for the database."""
    queries: int = 1
    upstream_wait_s: float = 0.0
    cpu_s: float = 0.001
    """CPU time of the reader's own Python in each request."""
    rate_rps: float | None = None
    concurrency: int | None = 200
    db_connections: int = 20
    """What all processes may use together."""
    cores: int = 4
    memory_bytes: float = 4e9
    slo_s: float = 1.0
    """The limit that p99 must stay below."""
    blocking_libraries: bool = False
    streaming: bool = False
    existing_sync_code: bool = False
    calls: int = 0
    """Calls of a request to another service."""
    connection: str = OWN
    """Whether a request keeps its database connection during its calls."""
    data_layer: str = OWN
    """What the views talk to the database with."""
    all_rows: bool = False
    """Whether the first query reads all 50 rows, as in the views that sleep."""


@dataclass(frozen=True)
class Figure:
    """A figure that the reader is asked for, and what is assumed without it."""

    name: str
    question: str
    low: float
    high: float
    default: float
    usual: float
    """The highest value of the page's slider."""
    whole: bool = False
    above: bool = False
    """Whether the figure must be above `low` and not equal to it."""

    @property
    def flag(self) -> str:
        """Its option on the command line."""
        return f"--{self.name.replace('_', '-')}"


RATE, CONCURRENCY = "rate", "concurrency"
FIGURES = (
    Figure("db_wait_ms", "Milliseconds that each query waits for the database", 0, 60_000, 50, 200),
    Figure("queries", "Queries in each request", 0, 500, 1, 20, whole=True),
    Figure("upstream_wait_ms", "Milliseconds that each request waits for another service", 0, 60_000, 0, 1_000),
    Figure("cpu_ms", "Milliseconds of CPU time that your own Python takes in each request", 0, 10_000, 1, 50),
    Figure(RATE, "Requests a second", 0, 1_000_000, 100, 5_000, above=True),
    Figure(CONCURRENCY, "Requests at once", 1, 100_000, 200, 5_000, whole=True),
    Figure("db_connections", "Database connections for all processes together", 1, 10_000, 20, 200, whole=True),
    Figure("cores", "CPU cores", 1, 1_024, 4, 32, whole=True),
    Figure("memory_mb", "MB of memory", 1, 100_000_000, 4_000, 64_000),
    Figure("slo_ms", "Milliseconds that 99 % of the answers must stay below", 0, 3_600_000, 1_000, 5_000, above=True),
)
FACTS = {
    "blocking_libraries": "Is the other service called through a library that blocks?",
    "streaming": "Are there answers that stay open, as event streams do?",
    "existing_sync_code": "Is there synchronous code that should stay as it is?",
}


@dataclass(frozen=True)
class Choice:
    """A question that has a few answers."""

    name: str
    question: str
    answers: Mapping[str, str]
    """Each answer, and what it means; the first is assumed unless the reader says otherwise."""


CONNECTION = Choice(
    "connection",
    "Is a database connection held while another service is called?",
    {OWN: "as each application does", HELD: "held, as a session does", GIVEN_BACK: "given back, as by a commit"},
)
DATA_LAYER = Choice(
    "data_layer",
    "What do the views talk to the database with?",
    {OWN: "each application's own", **LAYERS},
)
CHOICES = (CONNECTION, DATA_LAYER)


def demand_of(values: Mapping[str, Any]) -> Demand:
    """The demand in seconds and bytes; a request that waits for another service is taken to call it once."""
    return Demand(
        db_wait_s=values["db_wait_ms"] / 1e3 if values["queries"] else 0.0,
        queries=values["queries"],
        upstream_wait_s=values["upstream_wait_ms"] / 1e3,
        cpu_s=values["cpu_ms"] / 1e3,
        rate_rps=values.get(RATE),
        concurrency=values.get(CONCURRENCY),
        db_connections=values["db_connections"],
        cores=values["cores"],
        memory_bytes=values["memory_mb"] * 1e6,
        slo_s=values["slo_ms"] / 1e3,
        calls=int(values["upstream_wait_ms"] > 0),
        connection=values.get(CONNECTION.name, OWN),
        data_layer=values.get(DATA_LAYER.name, OWN),
        **{fact: bool(values.get(fact)) for fact in FACTS},
    )
