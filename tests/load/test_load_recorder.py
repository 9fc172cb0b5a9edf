"""Every request is counted once, percentiles are exact, and memory has a bound."""

import random

import numpy as np
import pytest

from bench.load.job import NS_PER_S, ErrorKind, LoadJob
from bench.load.recorder import Recorder, Reservoir
from bench.load.summary import histogram, latency, percentile

MS = 1_000_000
START = 10 * NS_PER_S
TIMEOUT = 2 * NS_PER_S


def recorder(window_s: int = 3, **options: int) -> Recorder:
    return Recorder(START, START + window_s * NS_PER_S, TIMEOUT, **options)


@pytest.mark.parametrize("count", [1_000, 1_001, 1_234, 50_000])
@pytest.mark.parametrize("percent", [50, 90, 95, 99])
def test_percentile_is_numpy_s_inverted_cdf(count: int, percent: float) -> None:
    values = [int(random.Random(count).lognormvariate(15, 2)) for _ in range(count)]
    assert percentile(sorted(values), percent) == np.percentile(values, percent, method="inverted_cdf")


@pytest.mark.parametrize(
    ("count", "percent", "given"),
    [(20, 50, True), (19, 50, False), (1_000, 99, True), (999, 99, False), (10_000, 99.9, True), (9_999, 99.9, False)],
)
def test_a_percentile_needs_ten_samples_beyond_it(count: int, percent: float, given: bool) -> None:
    assert (percentile(range(count), percent) is not None) == given


def test_histogram_holds_every_sample_once_and_below_its_bound() -> None:
    values = sorted(int(random.Random(3).lognormvariate(14, 2)) for _ in range(5_000))
    bins = histogram(values)
    assert sum(count for _, count in bins) == len(values)
    assert [bound for bound, _ in bins] == sorted(bound for bound, _ in bins)
    below = sum(count for bound, count in bins if bound <= 1e-3 * 1.0001)
    assert below == sum(value <= 1_000_000 for value in values)


def test_a_percentile_among_the_time_outs_is_marked_as_at_least() -> None:
    good, late = [MS * i for i in range(1, 951)], [TIMEOUT] * 50
    summary = latency(good + late, seen=1_000, total_ns=sum(good + late), censored=late)
    assert summary.p50_s == pytest.approx(0.5)
    assert summary.p95_s == pytest.approx(0.95)
    assert summary.p99_s == pytest.approx(2.0)
    assert summary.at_least == ("p99", "p999")
    assert summary.timed_out == 50


def test_no_samples_make_no_figures() -> None:
    summary, bins = recorder().response()
    assert (summary.count, summary.mean_s, summary.p50_s, summary.at_least, bins) == (0, None, None, (), ())
    assert recorder().time_in_system_mean_s is None


def test_response_counts_from_the_intended_time_and_service_from_sending() -> None:
    rec = recorder()
    for _ in range(20):
        rec.answer(START, START + 30 * MS, START + 40 * MS)
    assert rec.response()[0].p50_s == pytest.approx(0.040)
    assert rec.service().p50_s == pytest.approx(0.010)


def test_the_warm_up_is_counted_and_in_no_distribution() -> None:
    rec = recorder()
    rec.answer(START - 2, START - 2, START - 1)
    rec.error("reset", START - 2, START - 2, START - 1)
    rec.not_sent(START - 2)
    assert (rec.warmup_requests, rec.warmup_errors) == (3, 2)
    assert (rec.requests, rec.unsent, sum(rec.good_per_second)) == (0, 0, 0)


def test_throughput_counts_answers_that_arrive_within_the_window_whenever_they_were_sent() -> None:
    rec = recorder(window_s=2)
    rec.answer(START - MS, START - MS, START + MS)  # sent in the warm-up
    rec.answer(START + MS, START + MS, START + 1_500 * MS)
    rec.answer(START + 1_900 * MS, START + 1_900 * MS, START + 2_100 * MS)  # answered in the drain
    assert rec.good_per_second == (1, 1)
    assert rec.good == 2


@pytest.mark.parametrize("kind", ["refused", "reset", "bad_status", "wrong_body", "protocol", "no_socket"])
def test_a_fast_error_is_no_fast_answer(kind: ErrorKind) -> None:
    rec = recorder()
    rec.error(kind, START, START, START + 1, "why", 503)
    assert rec.error_counts().total == getattr(rec.error_counts(), kind) == 1
    assert (rec.good, sum(rec.good_per_second), rec.response()[0].count) == (0, 0, 0)
    assert rec.error_example == f"{kind}: why"


def test_a_time_out_stays_in_the_distribution_and_a_late_answer_is_one() -> None:
    rec = recorder()
    rec.error("timeout", START, START, START + TIMEOUT)
    rec.answer(START, START, START + TIMEOUT + MS)
    assert (rec.good, rec.errors["timeout"], sum(rec.good_per_second)) == (0, 2, 0)
    assert rec.response()[0].count == rec.response()[0].timed_out == 2
    assert rec.response()[0].min_s == TIMEOUT / NS_PER_S


def test_in_flight_is_averaged_over_the_window_only() -> None:
    rec = recorder(window_s=2)
    rec.enter(START - NS_PER_S, START - NS_PER_S)  # in from before the window to its middle
    rec.level(START + NS_PER_S, -1)
    rec.enter(START + NS_PER_S, START + NS_PER_S + 5 * MS)  # noticed late, in to after the end
    rec.level(START + 5 * NS_PER_S, -1)
    assert rec.in_flight_mean == pytest.approx(1.0)


def test_an_early_end_shortens_the_window() -> None:
    rec = recorder(window_s=10)
    rec.enter(START, START)
    rec.answer(START, START, START + NS_PER_S)
    rec.cut(START + 1_500 * MS)
    assert rec.window_s == pytest.approx(1.5)
    assert rec.good_per_second == (0, 1)
    assert rec.in_flight_mean == pytest.approx(1.0)


def test_thirds_split_by_intended_time() -> None:
    rec = recorder(window_s=3)
    for index in range(90):
        intended = START + index * NS_PER_S // 30
        rec.answer(intended, intended, intended + (1 + index // 30) * MS)
    assert [rec.third(i).response_p50_s for i in range(3)] == pytest.approx([0.001, 0.002, 0.003])
    assert [rec.third(i).good_rps for i in range(3)] == pytest.approx([30, 30, 30])


def test_start_lag_leaves_the_warm_up_out() -> None:
    rec = recorder()
    for index in range(2_000):
        rec.lag(START + index, START + index + MS)
    rec.lag(START - 1, START + NS_PER_S)
    lag = rec.start_lag()
    assert (lag.count, lag.late_sends, lag.p50_s, lag.p99_s, lag.max_s) == (2_000, 0, 0.001, 0.001, 0.001)


def test_what_is_acted_on_more_than_five_ms_late_is_a_late_send_however_many_samples_are_kept() -> None:
    rec = recorder(sample_limit=10)
    for index in range(100):
        rec.lag(START + index, START + index + 5 * MS + (index % 4 == 0))
    lag = rec.start_lag()
    assert (lag.count, lag.late_sends, lag.p99_s) == (100, 25, None)


def test_beyond_its_limit_the_reservoir_is_a_fair_choice_and_no_larger() -> None:
    reservoir = Reservoir(2, limit=1_000, seed=5)
    for index in range(20_000):
        reservoir.add(index, -index)
    first, second = reservoir.columns
    assert (len(first), reservoir.seen) == (1_000, 20_000)
    assert [-value for value in second] == list(first)
    assert sum(first) / 1_000 == pytest.approx(10_000, rel=0.08)  # four standard errors


def test_thinned_samples_say_so_and_keep_their_counts() -> None:
    rec = recorder(sample_limit=100)
    for index in range(1_000):
        rec.answer(START + index * MS, START + index * MS, START + (index + 1) * MS)
    summary = rec.response()[0]
    assert (summary.count, summary.exact, summary.p50_s) == (1_000, False, 0.001)
    assert (rec.good, rec.requests) == (1_000, 1_000)
    assert rec.third(0).good_rps == pytest.approx(1_000, rel=0.2)


def test_raw_samples_stop_at_their_limit() -> None:
    rec = recorder(raw_limit=2)
    rec.answer(START, START + MS, START + 2 * MS)
    rec.error("reset", START, START, START + MS)
    rec.answer(START, START, START + MS)
    assert [(raw.kind, raw.done_s) for raw in rec.raw] == [("good", 0.002), ("reset", 0.001)]


def test_a_job_survives_json() -> None:
    job = LoadJob(
        host="::1",
        port=80,
        method="POST",
        body=bytes(range(256)),
        headers=(("A", "b"),),
        cores=(0, 1),
        expect_body=b"\xff",
    )
    assert LoadJob.from_json(job.to_json()) == job


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("port", 0),
        ("path", "x"),
        ("path", "/a b"),
        ("method", "HEAD"),
        ("connections", 0),
        ("rate_rps", 0),
        ("duration_s", 0),
    ],
)
def test_a_job_that_makes_no_sense_names_the_field(field: str, value: object) -> None:
    with pytest.raises(ValueError, match=field):
        LoadJob(**{"host": "127.0.0.1", "port": 80, field: value})  # type: ignore[arg-type]
