"""What became of every request?

Memory is bounded whatever the duration: up to SAMPLE_LIMIT good answers and time-outs are kept exactly, beyond that a
uniform random choice of them (Vitter, "Random Sampling with a Reservoir", Algorithm R); the result says which it was.
"""

import random
from array import array
from collections import Counter

from bench.load.job import LATE_SEND_NS, NS_PER_S, ErrorCounts, ErrorKind, Latency, RawSample, StartLag, Third
from bench.load.summary import histogram, latency, percentile, start_lag

__all__ = ["SAMPLE_LIMIT", "Recorder", "Reservoir", "Samples"]

# 2 million: 50 s at 40,000/s stay exact. Three columns of 8 bytes and one of start lags are 64 MB; sorting a column
# makes a list of 2 million ints, 80 MB more, freed before the next. With the interpreter that stays below the bench's
# 300 MB, and above 2 million the rank of a p99 out of the random choice is off by 0.007 % (one standard error).
SAMPLE_LIMIT = 2_000_000


class Reservoir:
    """Rows of integers: all of them up to `limit`, a uniform random choice of `limit` of them after that."""

    def __init__(self, columns: int, limit: int, seed: int) -> None:
        self.columns = tuple(array("q") for _ in range(columns))
        self.limit = limit
        self.seen = 0
        self._random = random.Random(seed).random

    def add(self, *row: int) -> None:
        self.seen += 1
        if self.seen > self.limit:
            self.replace(*row)
        else:
            for column, value in zip(self.columns, row, strict=True):
                column.append(value)

    def replace(self, *row: int) -> None:
        """Algorithm R's step for the row seen last."""
        index = int(self._random() * self.seen)
        if index < self.limit:
            for column, value in zip(self.columns, row, strict=True):
                column[index] = value

    def total(self, column: int) -> int:
        """The sum of a column over all rows seen: exact up to the limit, scaled up from the choice after it."""
        kept = len(self.columns[column])
        return sum(self.columns[column]) * self.seen // kept if kept else 0


class Samples(Reservoir):
    """Finished requests: intended offset, response and service time. `add` is unrolled: all answers go through it."""

    def __init__(self, limit: int, seed: int) -> None:
        super().__init__(3, limit, seed)
        self._append_offset, self._append_response, self._append_service = (c.append for c in self.columns)

    def add(self, offset_ns: int, response_ns: int, service_ns: int) -> None:  # type: ignore[override]  # fixed width
        self.seen = seen = self.seen + 1
        if seen > self.limit:
            self.replace(offset_ns, response_ns, service_ns)
        else:
            self._append_offset(offset_ns)
            self._append_response(response_ns)
            self._append_service(service_ns)


class Recorder:
    """Notes what became of every request; those intended before the window are the warm-up, and only counted.

    All times are of one clock, in ns.
    """

    def __init__(
        self, start_ns: int, end_ns: int, timeout_ns: int, *, raw_limit: int = 0, sample_limit: int = SAMPLE_LIMIT
    ) -> None:
        self.start_ns, self.end_ns, self.timeout_ns = start_ns, end_ns, timeout_ns
        self.warmup_requests = self.warmup_errors = self.unsent = self.unfinished = self.late_sends = 0
        self.errors: Counter[ErrorKind] = Counter()
        self.statuses: Counter[int] = Counter()
        self.error_example: str | None = None
        self.error_example_ns = 0
        self.raw: list[RawSample] = []
        self.last_answer_ns: int | None = None
        self.raw_limit = raw_limit
        self.samples = Samples(sample_limit, seed=1)
        self.lags = Reservoir(1, sample_limit, seed=2)
        self.failed_ns = 0
        self.per_second = [0] * -(-(end_ns - start_ns) // NS_PER_S)
        self._level = self._level_since_ns = self.level_area_ns = 0

    def answer(self, intended_ns: int, sent_ns: int, done_ns: int) -> None:
        """Notes a good answer; one that took its limit or longer is a time-out, even if nobody had given it up yet."""
        start_ns, service_ns = self.start_ns, done_ns - sent_ns
        if service_ns >= self.timeout_ns:
            self.error("timeout", intended_ns, sent_ns, done_ns, "the answer came after the limit")
            return
        if start_ns <= done_ns < self.end_ns:
            self.per_second[(done_ns - start_ns) // NS_PER_S] += 1
        if intended_ns < start_ns:
            self.warmup_requests += 1
            return
        self.last_answer_ns = done_ns
        self.samples.add(intended_ns - start_ns, done_ns - intended_ns, service_ns)
        if self.raw_limit:
            self._keep_raw("good", intended_ns, sent_ns, done_ns)

    def error(
        self, kind: ErrorKind, intended_ns: int, sent_ns: int, done_ns: int, detail: str = "", status: int = 0
    ) -> None:
        if self.error_example is None:
            self.error_example, self.error_example_ns = f"{kind}: {detail}", done_ns
        if intended_ns < self.start_ns:
            self.warmup_requests += 1
            self.warmup_errors += 1
            return
        self.errors[kind] += 1
        if status:
            self.statuses[status] += 1
        if kind == "timeout":
            self.samples.add(intended_ns - self.start_ns, done_ns - intended_ns, done_ns - sent_ns)
        else:
            self.failed_ns += done_ns - intended_ns
        if self.raw_limit:
            self._keep_raw(kind, intended_ns, sent_ns, done_ns)

    def not_sent(self, intended_ns: int) -> None:
        """Notes an unsent request: no connection was free, and the queue was full or the time for draining it over."""
        if intended_ns < self.start_ns:
            self.warmup_requests += 1
            self.warmup_errors += 1
        else:
            self.unsent += 1

    def not_finished(self, intended_ns: int) -> None:
        """Notes a request that was waiting or under way when the run was interrupted."""
        if intended_ns < self.start_ns:
            self.warmup_requests += 1
        else:
            self.unfinished += 1

    def lag(self, intended_ns: int, acted_ns: int) -> None:
        """Notes when the generator acted on a due request: sent it or, with no connection free, queued it."""
        if intended_ns >= self.start_ns:
            self.lags.add(acted_ns - intended_ns)
            self.late_sends += acted_ns - intended_ns > LATE_SEND_NS

    def enter(self, intended_ns: int, now_ns: int) -> None:
        """Counts a request as in the system from its intended time on; this count does not use the latencies."""
        self.level(now_ns, 1)
        self.level_area_ns += self._overlap_ns(intended_ns, now_ns)

    def level(self, now_ns: int, change: int) -> None:
        """Notes that so many more (or fewer) requests are in the system from now on."""
        self.level_area_ns += self._level * self._overlap_ns(self._level_since_ns, now_ns)
        self._level_since_ns = now_ns
        self._level += change

    def cut(self, now_ns: int) -> None:
        """The run ends now: a window still open closes here."""
        self.end_ns = max(self.start_ns, min(self.end_ns, now_ns))
        self.level(now_ns, 0)

    @property
    def good(self) -> int:
        return self.samples.seen - self.errors["timeout"]

    @property
    def requests(self) -> int:
        return self.good + self.errors.total() + self.unfinished

    @property
    def window_s(self) -> float:
        return (self.end_ns - self.start_ns) / NS_PER_S

    @property
    def good_per_second(self) -> tuple[int, ...]:
        return tuple(self.per_second[: -(-(self.end_ns - self.start_ns) // NS_PER_S)])

    @property
    def in_flight_mean(self) -> float:
        return self.level_area_ns / (self.end_ns - self.start_ns) if self.end_ns > self.start_ns else 0.0

    @property
    def time_in_system_mean_s(self) -> float | None:
        finished = self.good + self.errors.total()
        return (self.samples.total(1) + self.failed_ns) / NS_PER_S / finished if finished else None

    def error_counts(self) -> ErrorCounts:
        return ErrorCounts(**{str(kind): count for kind, count in self.errors.items()})

    def response(self) -> tuple[Latency, tuple[tuple[float, int], ...]]:
        """The distribution of response times, and its histogram."""
        ordered = sorted(self.samples.columns[1])
        return self._latency(ordered, 1), histogram(ordered)

    def service(self) -> Latency:
        return self._latency(sorted(self.samples.columns[2]), 2)

    def start_lag(self) -> StartLag:
        return start_lag(sorted(self.lags.columns[0]), seen=self.lags.seen, late_sends=self.late_sends)

    def third(self, index: int) -> Third:
        """The requests intended in the first (0), second (1) or last (2) third of the window."""
        offsets, responses, services = self.samples.columns
        third_ns = (self.end_ns - self.start_ns) / 3
        inside = [row for row, at in enumerate(offsets) if index * third_ns <= at < (index + 1) * third_ns]
        ordered = sorted(array("q", (responses[row] for row in inside)))
        good = sum(services[row] < self.timeout_ns for row in inside)
        kept = len(offsets) / self.samples.seen if self.samples.seen else 1.0
        p50 = percentile(ordered, 50)
        return Third(
            good_rps=good / kept / third_ns * NS_PER_S if third_ns else 0.0,
            response_mean_s=sum(ordered) / len(ordered) / NS_PER_S if ordered else None,
            response_p50_s=None if p50 is None else p50 / NS_PER_S,
        )

    def _overlap_ns(self, from_ns: int, to_ns: int) -> int:
        return max(min(to_ns, self.end_ns) - max(from_ns, self.start_ns), 0)

    def _latency(self, ordered: list[int], column: int) -> Latency:
        values, services = self.samples.columns[column], self.samples.columns[2]
        censored = [value for value, service in zip(values, services, strict=True) if service >= self.timeout_ns]
        return latency(ordered, seen=self.samples.seen, total_ns=self.samples.total(column), censored=censored)

    def _keep_raw(self, kind: str, *stamps_ns: int) -> None:
        if len(self.raw) < self.raw_limit:
            intended_s, sent_s, done_s = ((stamp - self.start_ns) / NS_PER_S for stamp in stamps_ns)
            self.raw.append(RawSample(intended_s=intended_s, sent_s=sent_s, done_s=done_s, kind=kind))
