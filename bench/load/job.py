"""What is the generator asked to do, and what does it answer? The two frozen records that cross the process border."""

import json
import math
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, NamedTuple

__all__ = [
    "LATE_SEND_NS",
    "NS_PER_S",
    "WHOLE",
    "Arrival",
    "ErrorCounts",
    "GeneratorShare",
    "Latency",
    "LoadJob",
    "LoadResult",
    "Lot",
    "RawSample",
    "StartLag",
    "Third",
]

NS_PER_S = 1_000_000_000
# The generator acts within some 0.1 ms on what is due, and within milliseconds where the loop's timers are coarse. What
# it acts on later than this is a late send: something kept it from its core.
LATE_SEND_NS = 5_000_000

Arrival = Literal["constant", "poisson"]
ErrorKind = Literal["refused", "reset", "timeout", "bad_status", "wrong_body", "protocol", "no_socket"]


class Lot(NamedTuple):
    """Of a load that is cut into `of` shares, share `number`, from 0."""

    number: int
    of: int


WHOLE = Lot(0, 1)

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")  # no HEAD: its answer announces a body that never comes


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadJob:
    """One load on one URL: a closed loop if `rate_rps` is None, else an open loop at that rate.

    A closed loop sends on each of `connections` as soon as that connection has its answer. An open loop sends at the
    pacer's times over at most `connections` sockets, opened when first needed; with none free a request waits, and
    past `queue_limit` waiting ones it is counted as unsent.

    Raises ValueError, naming the field, when the job makes no sense.
    """

    host: str
    port: int
    path: str = "/"
    method: str = "GET"
    body: bytes | None = None
    headers: tuple[tuple[str, str], ...] = ()
    connections: int = 32
    rate_rps: float | None = None
    arrival: Arrival = "constant"
    seed: int = 0
    duration_s: float = 10.0
    warmup_s: float = 1.0
    timeout_s: float = 10.0  # from the sending of a request, connecting included
    keep_alive: bool = True  # False: a new connection for each request
    queue_limit: int = 10_000
    max_requests: int | None = None  # stop issuing after so many, warm-up included, and end once they are answered
    expect_status: int = 200
    expect_body: bytes | None = None
    expect_body_bytes: int | None = None
    raw_limit: int = 0  # how many single samples to return, for pictures of a short burst
    cores: tuple[int, ...] = ()  # where the generator may run; empty: anywhere
    lot: Lot = WHOLE  # of an open loop's schedule; what else a share has less of, its own fields say already

    def __post_init__(self) -> None:
        limits = {
            "port": 0 < self.port < 65_536,
            "path": self.path.startswith("/") and self.path.isascii() and " " not in self.path,
            "method": self.method in METHODS,
            "headers": not any(char in name + value for name, value in self.headers for char in "\r\n"),
            "connections": self.connections > 0,
            "rate_rps": self.rate_rps is None or 0 < self.rate_rps < math.inf,
            "arrival": self.arrival in ("constant", "poisson"),
            "duration_s": 0 < self.duration_s < math.inf,
            "warmup_s": 0 <= self.warmup_s < math.inf,
            "timeout_s": 0 < self.timeout_s < math.inf,
            "queue_limit": self.queue_limit >= 0,
            "max_requests": self.max_requests is None or self.max_requests > 0,
            "lot": 0 <= self.lot.number < self.lot.of,
        }
        for name, holds in limits.items():
            if not holds:
                raise ValueError(f"{name} is {getattr(self, name)!r}, which no load can be made of")

    def to_json(self) -> str:
        """The job on one line; bytes become latin-1 text, which loses nothing."""
        return json.dumps(asdict(self), default=lambda value: value.decode("latin-1"))

    @classmethod
    def from_json(cls, text: str) -> "LoadJob":
        values = json.loads(text)
        for name in ("body", "expect_body"):
            if values.get(name) is not None:
                values[name] = values[name].encode("latin-1")
        values["headers"] = tuple((name, value) for name, value in values.get("headers", ()))
        values["cores"] = tuple(values.get("cores", ()))
        values["lot"] = Lot(*values.get("lot", WHOLE))
        return cls(**values)


@dataclass(frozen=True, slots=True, kw_only=True)
class Latency:
    """The distribution of good answers and time-outs; a time-out counts as "at least the limit", other errors do not.

    A percentile is nearest-rank, and None with fewer than ten samples beyond it. One that is named in `at_least` falls
    among the time-outs: the true figure is that or more. `exact` is False once samples had to be thinned out.
    """

    count: int
    timed_out: int
    exact: bool
    mean_s: float | None
    min_s: float | None
    max_s: float | None
    p50_s: float | None
    p90_s: float | None
    p95_s: float | None
    p99_s: float | None
    p999_s: float | None
    at_least: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class StartLag:
    """How late the generator acted on requests that were due: its own fault, never the server's."""

    count: int
    late_sends: int  # of these, how many it acted on more than 5 ms late (LATE_SEND_NS)
    p50_s: float | None
    p99_s: float | None
    max_s: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Third:
    """A third of the measured window, by intended time: is the server warm, and does it stay as fast as it was?"""

    good_rps: float
    response_mean_s: float | None
    response_p50_s: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorCounts:
    """Requests without a good answer, by kind; `no_socket`: the generator had no port or descriptor left."""

    refused: int = 0
    reset: int = 0
    timeout: int = 0
    bad_status: int = 0
    wrong_body: int = 0
    protocol: int = 0
    no_socket: int = 0

    @property
    def total(self) -> int:
        return sum(getattr(self, field.name) for field in fields(self))


@dataclass(frozen=True, slots=True, kw_only=True)
class RawSample:
    """One request, in seconds from the start of the measured window; `kind` is "good" or an error's."""

    intended_s: float
    sent_s: float
    done_s: float
    kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GeneratorShare:
    """What one of several generators had of a load, and whether it kept up with it."""

    requests: int
    start_lag: StartLag | None  # open loop only
    cpu_s: float  # over cpu_window_s
    cpu_window_s: float
    max_rss_bytes: int

    @property
    def cpu_share(self) -> float:
        """CPU time per wall time."""
        return self.cpu_s / self.cpu_window_s if self.cpu_window_s else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadResult:
    """What was measured: the requests intended within the window, and the answers that arrived within it.

    Nothing is lost: `requests` = `good` + `errors.total` + `unfinished`, and the offered load is that plus `unsent`.
    Of several generators it is what all have measured together; CPU time and memory are those of the busiest.
    """

    mode: Literal["closed", "open"]
    window_s: float  # shorter than asked for when interrupted or when max_requests were answered
    interrupted: bool
    warmup_requests: int
    warmup_errors: int
    requests: int
    good: int
    unsent: int
    unfinished: int  # still under way when interrupted
    errors: ErrorCounts
    unexpected_statuses: tuple[tuple[int, int], ...]  # (status, count)
    error_example: str | None
    throughput_rps: float  # good answers arrived within the window, whenever they were sent
    response: Latency  # done - intended
    service: Latency  # done - sent; sent is when connecting began where a connection had to be made
    start_lag: StartLag | None  # open loop only
    arrival_rps: float  # Little's law: in_flight_mean = arrival_rps * time_in_system_mean_s in a steady state
    time_in_system_mean_s: float | None  # all requests, errors included
    in_flight_mean: float  # waiting or sent, averaged over the window; counted, not derived from latencies
    first_third: Third
    last_third: Third
    good_per_second: tuple[int, ...]  # the last second may be a partial one
    histogram: tuple[tuple[float, int], ...]  # (upper bound of response in s, count), ten bins a decade, none empty
    raw: tuple[RawSample, ...]
    last_answer_s: float | None  # from the start of the window
    connects: int
    idle_closes: int  # kept-alive connections the server closed between requests; no errors
    received_bytes: int
    cpu_user_s: float  # of the generator, over cpu_window_s
    cpu_system_s: float
    cpu_window_s: float
    max_rss_bytes: int
    generators: tuple[GeneratorShare, ...] = ()  # of several, each; empty for one
    start_spread_s: float = 0.0  # from the first of them that began to the last

    @property
    def too_short(self) -> bool:
        """Whether no request could begin within the window, because good ones of the warm-up took longer."""
        return not self.requests and self.warmup_errors < self.warmup_requests

    @property
    def cpu_share(self) -> float:
        """The generator's CPU time per wall time; it never spins, so near 1 means it could not have sent more."""
        return (self.cpu_user_s + self.cpu_system_s) / self.cpu_window_s if self.cpu_window_s else 0.0

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "LoadResult":
        values: dict[str, Any] = json.loads(text)
        for name, kind in (("response", Latency), ("service", Latency), ("first_third", Third), ("last_third", Third)):
            values[name] = kind(**_tuples(values[name]))
        values["errors"] = ErrorCounts(**values["errors"])
        values["start_lag"] = StartLag(**values["start_lag"]) if values["start_lag"] else None
        values["raw"] = tuple(RawSample(**sample) for sample in values["raw"])
        values["generators"] = tuple(_share(share) for share in values["generators"])
        return cls(**_tuples(values))


def _share(values: dict[str, Any]) -> GeneratorShare:
    lag = values["start_lag"]
    return GeneratorShare(**{**values, "start_lag": StartLag(**lag) if lag else None})


def _tuples(values: dict[str, Any]) -> dict[str, Any]:
    return {name: _tuple(value) for name, value in values.items()}


def _tuple(value: Any) -> Any:
    return tuple(_tuple(item) for item in value) if isinstance(value, list) else value
