"""The load generator: how fast, how late and how correctly does an HTTP server answer?"""

from bench.load.job import (
    LATE_SEND_NS,
    ErrorCounts,
    GeneratorShare,
    Latency,
    LoadJob,
    LoadResult,
    RawSample,
    StartLag,
    Third,
)
from bench.load.run import Generator, GeneratorError, Interrupted, Watch, run
from bench.load.slices import Slice, SlicesJob, SlicesResult, Target
from bench.load.streams import StreamJob, StreamResult
from bench.load.watch import Watched, WatchJob, WatchResult

__all__ = [
    "LATE_SEND_NS",
    "ErrorCounts",
    "Generator",
    "GeneratorError",
    "GeneratorShare",
    "Interrupted",
    "Latency",
    "LoadJob",
    "LoadResult",
    "RawSample",
    "Slice",
    "SlicesJob",
    "SlicesResult",
    "StartLag",
    "StreamJob",
    "StreamResult",
    "Target",
    "Third",
    "Watch",
    "WatchJob",
    "WatchResult",
    "Watched",
    "run",
]
