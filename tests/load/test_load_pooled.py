"""What several generators have recorded is, put together, what one would have recorded of the same requests."""

import random
from collections.abc import Callable
from dataclasses import asdict

import pytest

from bench.load import LoadJob, StreamJob
from bench.load.job import NS_PER_S, ErrorKind
from bench.load.part import Part, Use
from bench.load.recorder import Recorder, Reservoir
from bench.load.result import result_of
from bench.load.stream_job import StreamPart, stream_result

MS = 1_000_000
WINDOW_NS, TIMEOUT_NS = 3 * NS_PER_S, 500 * MS
JOB = LoadJob(host="127.0.0.1", port=80, rate_rps=500.0, raw_limit=40)
# What of several generators is that of the busiest, or is there only of several.
OWN = ("cpu_user_s", "cpu_system_s", "cpu_window_s", "max_rss_bytes", "generators", "start_spread_s")


def recorder(start_ns: int, **options: int) -> Recorder:
    return Recorder(start_ns, start_ns + WINDOW_NS, TIMEOUT_NS, raw_limit=JOB.raw_limit, **options)


def part(recorded: Recorder, **changes: object) -> Part:
    use = {
        "interrupted": False, "connects": 3, "idle_closes": 1, "received_bytes": 100, "cpu_user_s": 0.2,
        "cpu_system_s": 0.1, "cpu_window_s": 3.0, "begun_ns": 0, "max_rss_bytes": 40_000_000,
    }  # fmt: skip
    return Part(recorder=recorded, use=Use(**(use | changes)))  # type: ignore[arg-type]


class Replay:
    """The same requests, seen by one generator and by several, whose clocks have nothing to do with each other."""

    def __init__(self, generators: int) -> None:
        self.starts = [10 * NS_PER_S, *(37 * NS_PER_S * (number + 2) for number in range(generators))]
        self.recorders = [recorder(start) for start in self.starts]
        self.events: list[tuple[int, Callable[[], None]]] = []

    def at(self, after_ns: int, generator: int, what: Callable[[Recorder, int], None]) -> None:
        """Both the one generator and one of the several note this, so long after the window's start."""
        for number in (0, generator + 1):
            seen, start_ns = self.recorders[number], self.starts[number]
            self.events.append((after_ns, lambda seen=seen, start_ns=start_ns: what(seen, start_ns)))  # type: ignore[misc]

    def play(self) -> None:
        for _, note in sorted(self.events, key=lambda event: event[0]):
            note()
        for seen, start_ns in zip(self.recorders, self.starts, strict=True):
            seen.cut(start_ns + WINDOW_NS)


def requests(replay: Replay, rng: random.Random, count: int, generators: int) -> None:
    """Requests of the warm-up and of the window: good ones, errors of each kind, some unsent, some unfinished."""
    kinds: list[ErrorKind] = ["refused", "reset", "timeout", "bad_status"]
    for _ in range(count):
        due_ns, who = rng.randrange(-NS_PER_S, WINDOW_NS), rng.randrange(generators)
        sent_ns = due_ns + rng.randrange(8 * MS)
        done_ns = sent_ns + int(rng.lognormvariate(16, 1))
        fate, kind, status = rng.random(), rng.choice(kinds), rng.choice([500, 503])

        def began(seen: Recorder, start: int, due: int = due_ns, sent: int = sent_ns) -> None:
            seen.lag(start + due, start + sent)
            seen.enter(start + due, start + sent)

        def ended(
            seen: Recorder, start: int, due: int = due_ns, sent: int = sent_ns, done: int = done_ns,
            fate: float = fate, kind: ErrorKind = kind, status: int = status,
        ) -> None:  # fmt: skip
            seen.level(start + done, -1)
            if fate < 0.8:
                seen.answer(start + due, start + sent, start + done)
            elif fate < 0.95:
                code = status if kind == "bad_status" else 0
                seen.error(kind, start + due, start + sent, start + done, f"at {done}", code)
            elif fate < 0.98:
                seen.not_sent(start + due)
            else:
                seen.not_finished(start + due)

        replay.at(sent_ns, who, began)
        replay.at(done_ns, who, ended)


@pytest.mark.parametrize(("generators", "count", "seed"), [(2, 3_000, 1), (4, 2_000, 2), (3, 5, 3), (2, 0, 4)])
def test_merged_figures_are_those_of_the_pooled_samples_field_by_field(generators: int, count: int, seed: int) -> None:
    replay = Replay(generators)
    requests(replay, random.Random(seed), count, generators)
    replay.play()
    whole, *parts = map(part, replay.recorders)
    pooled = asdict(result_of(JOB, [whole]))
    merged = asdict(result_of(JOB, [Part.from_json(one.to_json()) for one in parts], start_spread_s=0.001))
    assert merged["connects"] == generators * pooled.pop("connects")
    assert merged["idle_closes"] == generators * pooled.pop("idle_closes")
    assert merged["received_bytes"] == generators * pooled.pop("received_bytes")
    for name in pooled.keys() - set(OWN):
        assert merged[name] == pooled[name], name
    assert merged["start_spread_s"] == 0.001
    assert [one["requests"] for one in merged["generators"]] == [one.recorder.requests for one in parts]
    if count > 1_000:
        assert pooled["errors"]["timeout"] > pooled["unfinished"] > 0 < pooled["unsent"]
        assert len(pooled["raw"]) == JOB.raw_limit < pooled["good"]


def test_cpu_time_is_that_of_the_busiest_and_memory_of_the_largest() -> None:
    parts = [part(recorder(0), cpu_user_s=0.1), part(recorder(0), cpu_user_s=2.0, max_rss_bytes=7), part(recorder(0))]
    merged = result_of(JOB, parts)
    assert merged.cpu_share == pytest.approx(0.7)
    assert [round(one.cpu_share, 3) for one in merged.generators] == [0.067, 0.7, 0.1]
    assert merged.max_rss_bytes == 40_000_000


def test_the_first_error_of_all_is_the_example() -> None:
    later, earlier, none = recorder(0), recorder(NS_PER_S), recorder(5)
    later.error("reset", 10, 10, 300, "second")
    earlier.error("refused", NS_PER_S + 10, NS_PER_S + 10, NS_PER_S + 200, "first")
    assert result_of(JOB, list(map(part, (later, none, earlier)))).error_example == "refused: first"


def test_generators_that_had_to_thin_their_samples_out_weigh_by_what_they_have_seen() -> None:
    """One has kept all of 1,000 short answers, the other 500 of 9,000 long ones: the short ones are the first tenth."""
    few, many = recorder(0, sample_limit=2_000), recorder(0, sample_limit=500)
    for number in range(1_000):
        few.answer(number, number, number + MS)
    for number in range(9_000):
        many.answer(number, number, number + 100 * MS)
    merged = result_of(JOB, [part(few), part(many)])
    assert (merged.good, merged.response.count, merged.response.exact) == (10_000, 10_000, False)
    below = sum(count for bound_s, count in merged.histogram if bound_s < 0.01) / sum(n for _, n in merged.histogram)
    assert below == pytest.approx(0.1, abs=0.01)
    assert merged.response.mean_s == pytest.approx(0.0901, rel=0.02)


def stream_part(lives: list[tuple[int, int]], rng: random.Random) -> StreamPart:
    """Streams whose first events came and that ended at these times in ms; -1 is for never."""
    reservoirs = [Reservoir(columns, 1_000, seed=1) for columns in (1, 1, 2)]
    for first, end in lives:
        reservoirs[2].add(first * MS if first >= 0 else -1, end * MS)
        if first >= 0:
            reservoirs[0].add(first * MS)
            reservoirs[1].add(rng.randrange(400 * MS))
    failed = sum(first < 0 for first, _ in lives)
    delays, spacings, known = reservoirs
    return StreamPart(
        opened=len(lives) - failed, events=2 * (len(lives) - failed), errors={"timeout": failed} if failed else {},
        error_example="timeout: late" if failed else None, error_example_ns=failed, delays=delays, spacings=spacings,
        lives=known, mid_ns=max(first if first >= 0 else end for first, end in lives) * MS,
        wall_ns=max(end for _, end in lives) * MS, cpu_s=0.1, begun_ns=0,
    )  # fmt: skip


@pytest.mark.parametrize("ended_early", [False, True])
def test_streams_of_several_generators_are_those_of_one(ended_early: bool) -> None:
    """All are open when the last has begun, or else those of the first generator have ended by then."""
    rng = random.Random(6)
    first = [(rng.randrange(50), 100 if ended_early else 900) for _ in range(40)]
    second = [(rng.randrange(200, 300), 950) for _ in range(40)] + [(-1, 400)]
    job = StreamJob(host="127.0.0.1", port=80, streams=81, expect_events=2)
    own = random.Random(7), random.Random(7)
    whole = stream_result(job, [stream_part(first + second, own[0])])
    parts = [stream_part(each, own[1]) for each in (first, second)]
    merged = stream_result(job, [StreamPart.from_json(one.to_json()) for one in parts], 0.002)
    assert asdict(merged) == {**asdict(whole), "generators": 2, "start_spread_s": 0.002}
    assert merged.mid_open == (40 if ended_early else 80)
    assert merged.first_end_s == (0.1 if ended_early else 0.4)
