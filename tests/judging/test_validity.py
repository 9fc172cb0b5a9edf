"""Every reason not to believe a number is found, and the worst one is the one that is told."""

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from processes import held_up

from bench.judging.slices import Columns
from bench.judging.validity import Judgement, judge_load, judge_slices, worst
from bench.load import ErrorCounts, Generator, GeneratorShare, Latency, LoadJob, LoadResult, StartLag, Third
from bench.load.null_server import null_server
from tests.observations import closed_slices, open_slices

LATENCY = Latency(
    count=1000, timed_out=0, exact=True, mean_s=0.01, min_s=0.001, max_s=0.1, p50_s=0.01, p90_s=0.02, p95_s=0.03,
    p99_s=0.05, p999_s=None, at_least=(),
)  # fmt: skip
LAG = StartLag(count=1000, late_sends=0, p50_s=1e-5, p99_s=1e-4, max_s=1e-3)
THIRD = Third(good_rps=1000, response_mean_s=0.01, response_p50_s=0.01)
GOOD = LoadResult(
    mode="open", window_s=1.0, interrupted=False, warmup_requests=100, warmup_errors=0, requests=1000, good=1000,
    unsent=0, unfinished=0, errors=ErrorCounts(), unexpected_statuses=(), error_example=None, throughput_rps=1000.0,
    response=LATENCY, service=LATENCY, start_lag=LAG,
    arrival_rps=1000.0, time_in_system_mean_s=0.01, in_flight_mean=10.0, first_third=THIRD, last_third=THIRD,
    good_per_second=(1000,), histogram=(), raw=(), last_answer_s=1.0, connects=32, idle_closes=0,
    received_bytes=100_000, cpu_user_s=0.2, cpu_system_s=0.1, cpu_window_s=1.0, max_rss_bytes=30_000_000,
)  # fmt: skip

SHARE = GeneratorShare(requests=500, start_lag=LAG, cpu_s=0.3, cpu_window_s=1.0, max_rss_bytes=30_000_000)


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
        ({"start_lag": replace(LAG, late_sends=30, max_s=0.0312)}, 1000.0, "GENERATOR-LIMITED",
         "3.0 % of the requests were sent more than 5 ms late, up to 31 ms: the generator's own fault"),
        ({"start_lag": replace(LAG, late_sends=11)}, 1000.0, "GENERATOR-LIMITED", "1.1 % of the requests"),
        ({"start_lag": replace(LAG, late_sends=10)}, 1000.0, "VALID", ""),
        ({"start_lag": StartLag(count=50, late_sends=1, p50_s=1e-5, p99_s=None, max_s=0.05)}, 1000.0,
         "GENERATOR-LIMITED", "2.0 % of the requests were sent more than 5 ms late, up to 50 ms"),
        ({"start_lag": StartLag(count=0, late_sends=0, p50_s=None, p99_s=None, max_s=None)}, 1000.0, "VALID", ""),
        ({"start_lag": None}, None, "VALID", ""),
        ({"start_lag": replace(LAG, late_sends=30), "throughput_rps": 700.0}, 1000.0, "GENERATOR-LIMITED", "3.0 %"),
        ({"throughput_rps": 700.0}, 1000.0, "SATURATED", "700 answers/s of 1000 asked for"),
        ({"unsent": 1}, 1000.0, "SATURATED", "1000 answers/s of 1000"),
        ({"throughput_rps": 990.0}, 1000.0, "VALID", ""),
        ({"in_flight_mean": 20.0}, None, "UNSTABLE", "20.0 requests were in flight, 10.0 by Little's law"),
        ({"in_flight_mean": 20.0, "requests": 50}, None, "VALID", ""),
        ({"in_flight_mean": 20.0, "window_s": 0.1, "throughput_rps": 1000.0}, None, "VALID", ""),
        ({"generators": (SHARE, SHARE), "cpu_user_s": 0.75}, None, "GENERATOR-LIMITED",
         "the busiest of 2 generators used 85% of its core"),
        ({"generators": (SHARE, replace(SHARE, start_lag=replace(LAG, count=500, late_sends=8, max_s=0.02)))}, 1000.0,
         "GENERATOR-LIMITED", "1.6 % of the requests were sent more than 5 ms late, up to 20 ms"),
        ({"generators": (SHARE, SHARE), "start_spread_s": 0.01}, None, "VALID", ""),
        ({"generators": (SHARE, SHARE), "start_spread_s": 0.012}, None, "UNSTABLE",
         "the generators began 12.0 ms apart, more than 1% of the window of 1 s"),
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
    ("states", "state", "reason"),
    [
        (["VALID", "VALID"], "VALID", ""),
        (["VALID", "SATURATED"], "SATURATED", "1 of 2 generations: because"),
        (["SATURATED", "ERRORS", "VALID"], "ERRORS", "1 of 3 generations: because"),
        (["GENERATOR-LIMITED", "SATURATED"], "GENERATOR-LIMITED", "1 of 2 generations: because"),
        (["UNSTABLE", *["VALID"] * 4], "UNSTABLE", "1 of 5 generations: because"),
        (["ERRORS"], "ERRORS", "because"),
    ],
)
def test_of_several_states_the_worst_is_told(states: list[str], state: str, reason: str) -> None:
    judgement = worst([Judgement(name, "" if name == "VALID" else "because") for name in states])  # type: ignore[arg-type]
    assert (judgement.state, judgement.reason) == (state, reason)


# Every guard twice: what just passes it, then what it stops.
CLOSED = [
    ({"errors": 0}, "VALID", ""),
    ({"errors": 1, "error": "status 500"}, "ERRORS", "1 of 501 requests failed, for instance status 500"),
    ({"errors": 1}, "ERRORS", "1 of 501 requests failed"),
    ({"generator_use": 0.79}, "VALID", ""),
    ({"generator_use": 0.85}, "GENERATOR-LIMITED", "the generator used 85% of its core"),
    ({"rps": 4000.0, "second_half": 1.3}, "VALID", ""),
    ({"rps": 4000.0, "second_half": 0.5}, "UNSTABLE",
     "in the second half of a slice it answered 0.50 times as many requests a second as in the first"),
    ({"rps": 4000.0, "second_half": 2.0}, "UNSTABLE",
     "in the second half of a slice it answered 1.41 times as many requests a second as in the first"),
    ({"rps": 1000.0, "second_half": 0.5}, "VALID", ""),  # no connection was answered four times
    ({"others_use": 0.004, "servers": 6}, "VALID", ""),
    ({"others_use": 0.02, "servers": 6}, "UNSTABLE",
     "the other servers, which had nothing to do, used 2.0 % of a core each"),
    ({"others_use": 0.02, "servers": 1}, "VALID", ""),
]  # fmt: skip
OPEN = [
    ({}, "VALID", ""),
    ({"errors": 3}, "ERRORS", "3 of 303 requests failed"),
    ({"generator_use": 0.85}, "GENERATOR-LIMITED", "the generator used 85% of its core"),
    ({"late_sends": 1, "lag_max_s": 0.4}, "VALID", ""),  # 1 %, however late
    ({"late_sends": 2, "lag_max_s": 0.0312}, "GENERATOR-LIMITED",
     "2.0 % of the requests were sent more than 5 ms late, up to 31 ms: the generator's own fault"),
    ({"took": 1.09}, "VALID", ""),
    ({"took": 1.2}, "SATURATED", "what came within 1.5 s was answered after 1.8 s"),
    ({"others_use": 0.004, "servers": 6}, "VALID", ""),
    ({"others_use": 0.02, "servers": 6}, "UNSTABLE", "used 2.0 % of a core each"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("make", "changes", "state", "says"),
    [(make, *case) for make, cases in ((closed_slices, CLOSED), (open_slices, OPEN)) for case in cases],
)
def test_slices_have_one_state_and_its_reason(
    make: Callable[..., Columns], changes: dict[str, Any], state: str, says: str
) -> None:
    judgement = judge_slices([make(**changes)])
    assert judgement.state == state
    assert says in judgement.reason
    assert bool(judgement.reason) != judgement.valid


def by_two(columns: Columns, spread_s: float = 0.0, late: tuple[int, int] = (0, 0)) -> Columns:
    """The same slices, sent by two generators that had half of them each."""
    count = len(columns["good"])
    return {
        **columns,
        "start_spread_s": [spread_s] * count,
        "shares_offered": [[offered // 2] * 2 for offered in columns["offered"]],
        "shares_late_sends": [list(late)] * count,
    }


@pytest.mark.parametrize(
    ("parts", "state", "says"),
    [
        ([by_two(closed_slices(), spread_s=0.0001)], "VALID", ""),
        ([by_two(closed_slices(), spread_s=0.001)], "UNSTABLE", "the generators began 1.0 ms apart, more than 1%"),
        ([closed_slices(), by_two(closed_slices(), spread_s=0.001)], "UNSTABLE", "the generators began 1.0 ms apart"),
        ([by_two(closed_slices(generator_use=0.85))], "GENERATOR-LIMITED", "the busiest of 2 generators used 85%"),
        ([by_two(open_slices(late_sends=1, lag_max_s=0.4))], "VALID", ""),
        ([by_two(open_slices(late_sends=1, lag_max_s=0.4), late=(0, 1))], "GENERATOR-LIMITED",
         "2.0 % of the requests were sent more than 5 ms late"),
        ([open_slices(), by_two(open_slices(late_sends=1, lag_max_s=0.4), late=(0, 1))], "GENERATOR-LIMITED", "2.0 %"),
    ],
)  # fmt: skip
def test_of_several_generators_the_one_that_kept_up_least_decides(parts: list[Columns], state: str, says: str) -> None:
    judgement = judge_slices(parts)
    assert judgement.state == state
    assert says in judgement.reason


def test_slices_without_an_answer_are_errors() -> None:
    nothing = {**closed_slices(cycles=2), "good": [0, 0]}
    assert judge_slices([nothing]) == Judgement("ERRORS", "no request was answered")


def test_what_the_machine_did_is_judged_over_all_generations_together() -> None:
    """Of six generations, one with a generator that was in a hurry, or late, spoils nothing; most of them do."""
    calm, hurried = closed_slices(generator_use=0.3), closed_slices(generator_use=1.0)
    assert judge_slices([calm] * 5 + [hurried]).valid
    assert judge_slices([calm] + [hurried] * 5).state == "GENERATOR-LIMITED"
    sent, late = open_slices(), open_slices(late_sends=5, lag_max_s=0.05)
    assert not judge_slices([late]).valid
    assert judge_slices([sent] * 5 + [late]).valid
    assert judge_slices([sent, late]).state == "GENERATOR-LIMITED"


def test_a_server_that_falls_behind_once_is_saturated() -> None:
    assert judge_slices([open_slices()] * 5 + [open_slices(took=1.2)]).state == "SATURATED"


def test_generations_with_different_numbers_of_servers_are_judged_by_what_each_idle_one_used() -> None:
    many, few = closed_slices(others_use=0.004, servers=12), closed_slices(others_use=0.004, servers=3)
    assert judge_slices([many, few]).valid
    busy = closed_slices(others_use=0.02, servers=12)
    assert judge_slices([busy, few]).state == "UNSTABLE"


def test_a_generator_that_is_kept_from_sending_is_what_limits_the_load() -> None:
    with null_server() as server, Generator() as generator:
        job = LoadJob(host="127.0.0.1", port=server.port, rate_rps=500.0, duration_s=0.5, warmup_s=0.0)
        generator.run(replace(job, duration_s=0.01))
        assert generator._worker is not None
        with held_up(generator._worker.process.pid, for_s=0.05, every_s=0.2):
            load = generator.run(job)
    assert load.start_lag is not None
    assert load.start_lag.count == load.good == 250
    assert load.start_lag.p99_s is None, "a percentile would not have told"
    judgement = judge_load(load, job.rate_rps)
    assert judgement.state == "GENERATOR-LIMITED"
    assert re.fullmatch(
        r"[\d.]+ % of the requests were sent more than 5 ms late, up to \d+ ms: the generator's own fault",
        judgement.reason,
    )
