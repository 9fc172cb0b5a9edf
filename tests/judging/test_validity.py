"""Every reason not to believe a number is found, and the worst one is the one that is told."""

from dataclasses import replace

import pytest

from bench.judging.validity import Judgement, judge_load, judge_rounds
from bench.load import ErrorCounts, Latency, LoadResult, StartLag, Third

LATENCY = Latency(
    count=1000, timed_out=0, exact=True, mean_s=0.01, min_s=0.001, max_s=0.1, p50_s=0.01, p90_s=0.02, p95_s=0.03,
    p99_s=0.05, p999_s=None, at_least=(),
)  # fmt: skip
THIRD = Third(good_rps=1000, response_mean_s=0.01, response_p50_s=0.01)
GOOD = LoadResult(
    mode="open", window_s=1.0, interrupted=False, warmup_requests=100, warmup_errors=0, requests=1000, good=1000,
    unsent=0, unfinished=0, errors=ErrorCounts(), unexpected_statuses=(), error_example=None, throughput_rps=1000.0,
    response=LATENCY, service=LATENCY, start_lag=StartLag(count=1000, p50_s=1e-5, p99_s=1e-4, max_s=1e-3),
    arrival_rps=1000.0, time_in_system_mean_s=0.01, in_flight_mean=10.0, first_third=THIRD, last_third=THIRD,
    good_per_second=(1000,), histogram=(), raw=(), last_answer_s=1.0, connects=32, idle_closes=0,
    received_bytes=100_000, cpu_user_s=0.2, cpu_system_s=0.1, cpu_window_s=1.0, max_rss_bytes=30_000_000,
)  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "offered_rps", "state", "says"),
    [
        ({}, None, "VALID", ""),
        ({}, 1000.0, "VALID", ""),
        ({"errors": ErrorCounts(bad_status=3), "error_example": "status 500"}, None, "ERRORS",
         "3 of 1000 requests failed, for instance status 500"),
        ({"good": 0, "requests": 0, "throughput_rps": 0.0, "warmup_errors": 100}, None, "ERRORS",
         "no request was answered"),
        ({"good": 0, "requests": 0}, None, "UNSTABLE", "no request could begin in a window of 1 s"),
        ({"cpu_user_s": 0.75}, None, "GENERATOR-LIMITED", "the generator used 85% of its core"),
        ({"start_lag": StartLag(count=1000, p50_s=1e-3, p99_s=0.02, max_s=0.1)}, 1000.0, "GENERATOR-LIMITED",
         "20.0 ms late"),
        ({"throughput_rps": 700.0}, 1000.0, "SATURATED", "700 answers/s of 1000 asked for"),
        ({"unsent": 1}, 1000.0, "SATURATED", "1000 answers/s of 1000"),
        ({"throughput_rps": 990.0}, 1000.0, "VALID", ""),
        ({"in_flight_mean": 20.0}, None, "UNSTABLE", "20.0 requests were in flight, 10.0 by Little's law"),
        ({"in_flight_mean": 20.0, "requests": 50}, None, "VALID", ""),
        ({"in_flight_mean": 20.0, "window_s": 0.1, "throughput_rps": 1000.0}, None, "VALID", ""),
        ({"errors": ErrorCounts(reset=1), "cpu_user_s": 0.9, "in_flight_mean": 90.0}, None, "ERRORS", "1 of 1000"),
    ],
)  # fmt: skip
def test_a_load_has_one_state_and_its_reason(
    changes: dict[str, object], offered_rps: float | None, state: str, says: str
) -> None:
    judgement = judge_load(replace(GOOD, **changes), offered_rps)  # type: ignore[arg-type]
    assert judgement.state == state
    assert says in judgement.reason
    assert bool(judgement.reason) != judgement.valid


@pytest.mark.parametrize(
    ("states", "figures", "state", "says"),
    [
        (["VALID", "VALID"], [100, 110], "VALID", ""),
        (["VALID"], [100], "VALID", ""),
        (["VALID"] * 6, [100, 110, 90, 105, 400, 95], "VALID", ""),
        (["VALID"] * 6, [100, 110, 190, 105, 200, 95], "UNSTABLE", "the rounds differ by 84% of their median"),
        (["VALID", "VALID", "VALID"], [100, 110, 200], "UNSTABLE", "the rounds differ by 91% of their median"),
        (["VALID", "SATURATED"], [100, 300], "SATURATED", "1 of 2 rounds: because"),
        (["SATURATED", "ERRORS", "VALID"], [1, 2, 3], "ERRORS", "1 of 3 rounds: because"),
        (["GENERATOR-LIMITED", "SATURATED"], [1, 1], "GENERATOR-LIMITED", "1 of 2 rounds: because"),
        (["ERRORS"], [], "ERRORS", "because"),
        (["SATURATED", *["VALID"] * 5], [10, *[100] * 5], "VALID", "1 of 6 rounds set aside, SATURATED: because"),
        (["ERRORS", *["VALID"] * 5], [10, *[100] * 5], "ERRORS", "1 of 6 rounds: because"),
        (["SATURATED", "UNSTABLE", *["VALID"] * 4], [100] * 6, "SATURATED", "1 of 6 rounds: because"),
        (["UNSTABLE", *["VALID"] * 4], [100] * 5, "UNSTABLE", "1 of 5 rounds: because"),
    ],
)
def test_a_cell_is_as_bad_as_its_worst_round(states: list[str], figures: list[float], state: str, says: str) -> None:
    judgements = [Judgement(name, "" if name == "VALID" else "because") for name in states]  # type: ignore[arg-type]
    judgement = judge_rounds(judgements, figures)
    assert judgement.state == state
    assert judgement.reason.endswith(says) if says else not judgement.reason
