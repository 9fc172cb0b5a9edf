"""What has one generator measured of a load, and what have several measured together?

The columns of their recorders are put together, and figures are made of them once, so that a percentile is that of all
samples, as if one generator had sent the whole load. A generator keeps `SAMPLE_LIMIT` samples, divided by the number of
generators. If one of them has had more and keeps a random choice, all are thinned out to the same share, so that
the percentiles are approximate, as those of one generator are then.
"""

import json
import random
from array import array
from base64 import b64decode, b64encode
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import zip_longest
from typing import Any

from bench.load.job import RawSample
from bench.load.recorder import Recorder, Reservoir

__all__ = ["Part", "Use", "columns_from", "columns_text", "pool_reservoirs", "pooled"]

SUMS = ("warmup_requests", "warmup_errors", "unsent", "unfinished", "late_sends", "failed_ns", "level_area_ns")


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """What a generator needed for its part, and when it began."""

    interrupted: bool
    connects: int
    idle_closes: int
    received_bytes: int
    cpu_user_s: float
    cpu_system_s: float
    cpu_window_s: float
    begun_ns: int  # of its own clock
    max_rss_bytes: int

    @property
    def cpu_share(self) -> float:
        """CPU time per wall time."""
        return (self.cpu_user_s + self.cpu_system_s) / self.cpu_window_s if self.cpu_window_s else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One generator's part of a load, which may be all of it."""

    recorder: Recorder
    use: Use

    def to_json(self) -> str:
        """The part on one line."""
        return json.dumps({"recorder": recorder_content(self.recorder), "use": asdict(self.use)})

    @classmethod
    def from_json(cls, text: str) -> "Part":
        """The part, its times from the start of the window on: the clock they were of is the generator's."""
        values = json.loads(text)
        return cls(recorder=recorder_from(values["recorder"]), use=Use(**values["use"]))


def recorder_content(recorder: Recorder) -> dict[str, Any]:
    """What a recorder has noted, its times counted from the start of the window."""
    last_ns, start_ns = recorder.last_answer_ns, recorder.start_ns
    return {
        **{name: getattr(recorder, name) for name in SUMS},
        "window_ns": recorder.end_ns - start_ns,
        "timeout_ns": recorder.timeout_ns,
        "raw_limit": recorder.raw_limit,
        "errors": recorder.errors,
        "statuses": list(recorder.statuses.items()),
        "error_example": recorder.error_example,
        "error_example_ns": recorder.error_example_ns - start_ns,
        "last_answer_ns": None if last_ns is None else last_ns - start_ns,
        "per_second": recorder.per_second,
        "raw": [[one.intended_s, one.sent_s, one.done_s, one.kind] for one in recorder.raw],
        "samples": columns_text(recorder.samples),
        "lags": columns_text(recorder.lags),
    }


def recorder_from(values: dict[str, Any]) -> Recorder:
    """The recorder, whose window starts at 0."""
    recorder = Recorder(0, values["window_ns"], values["timeout_ns"], raw_limit=values["raw_limit"])
    for name in (*SUMS, "error_example", "error_example_ns", "last_answer_ns", "per_second"):
        setattr(recorder, name, values[name])
    recorder.errors = Counter(values["errors"])
    recorder.statuses = Counter(dict(values["statuses"]))
    recorder.raw = [RawSample(intended_s=i, sent_s=s, done_s=d, kind=kind) for i, s, d, kind in values["raw"]]
    columns_from(values["samples"], recorder.samples)
    columns_from(values["lags"], recorder.lags)
    return recorder


def columns_text(reservoir: Reservoir) -> dict[str, Any]:
    """A reservoir's rows as JSON takes them."""
    return {"seen": reservoir.seen, "columns": [b64encode(column.tobytes()).decode() for column in reservoir.columns]}


def columns_from(values: dict[str, Any], reservoir: Reservoir) -> None:
    """Put such rows into an empty reservoir."""
    reservoir.seen = values["seen"]
    for column, text in zip(reservoir.columns, values["columns"], strict=True):
        column.frombytes(b64decode(text))


def pooled(recorders: Sequence[Recorder]) -> Recorder:
    """One recorder with all that these have noted, whose windows start at the same moment."""
    first = recorders[0]
    window_ns = max(one.end_ns - one.start_ns for one in recorders)
    whole = Recorder(0, window_ns, first.timeout_ns, raw_limit=first.raw_limit)
    for name in SUMS:
        setattr(whole, name, sum(getattr(one, name) for one in recorders))
    for one in recorders:
        whole.errors.update(one.errors)
        whole.statuses.update(one.statuses)
    earliest = [one for one in recorders if one.error_example is not None]
    whole.error_example = min(earliest, key=error_after_ns).error_example if earliest else None
    answers_ns = [one.last_answer_ns - one.start_ns for one in recorders if one.last_answer_ns is not None]
    whole.last_answer_ns = max(answers_ns, default=None)
    whole.per_second = [sum(counts) for counts in zip_longest(*(one.per_second for one in recorders), fillvalue=0)]
    whole.raw = sorted((row for one in recorders for row in one.raw), key=lambda row: row.done_s)[: first.raw_limit]
    pool_reservoirs([one.samples for one in recorders], whole.samples)
    pool_reservoirs([one.lags for one in recorders], whole.lags)
    return whole


def error_after_ns(recorder: Recorder) -> int:
    """When the first error was noted, from the start of the window on."""
    return recorder.error_example_ns - recorder.start_ns


def pool_reservoirs(reservoirs: Sequence[Reservoir], whole: Reservoir) -> None:
    """Fill an empty reservoir with the rows of these, all of them in the same share of what they have seen."""
    whole.seen = sum(one.seen for one in reservoirs)
    share = min((len(one.columns[0]) / one.seen for one in reservoirs if one.seen), default=1.0)
    share = min(share, whole.limit / whole.seen) if whole.seen else 1.0
    for one in reservoirs:
        for column, values in zip(whole.columns, thinned(one, share), strict=True):
            column.extend(values)


def thinned(reservoir: Reservoir, share: float) -> Sequence["array[int]"]:
    """The rows of a reservoir: so large a share of those it has seen, chosen at random."""
    kept, wanted = len(reservoir.columns[0]), round(share * reservoir.seen)
    if wanted >= kept:
        return reservoir.columns
    rows = sorted(random.Random(kept).sample(range(kept), wanted))
    return [array("q", (column[row] for row in rows)) for column in reservoir.columns]
