"""The queueing formulas against textbook results."""

import math

import pytest

from bench.prediction.queueing import closed_rps, queue_of


@pytest.mark.parametrize(
    ("service_s", "wait_s", "requests", "expected_rps"),
    [
        (0.001, 0.0, math.inf, 1000),
        (0.001, 0.05, math.inf, 1000),
        (0.001, 0.05, 1, 1 / 0.051),
        # Palm's machine repairman by hand: a = 1, B(2) = 1 / 5, so 0.8 of the server is used.
        (0.5, 0.5, 2, 1.6),
        # Between one request (1 / 1 s) and two.
        (0.5, 0.5, 1.5, 1.3),
        (0.001, 0.1, 10_000, 1000),
    ],
)
def test_the_closed_loop_is_the_machine_repairmans(
    service_s: float, wait_s: float, requests: float, expected_rps: float
) -> None:
    assert closed_rps(service_s, wait_s, requests) == pytest.approx(expected_rps)


def test_the_closed_loop_agrees_with_exact_mean_value_analysis() -> None:
    service_s, wait_s, queue = 0.002, 0.03, 0.0
    for requests in range(1, 60):
        response_s = service_s * (1 + queue)
        rate_rps = requests / (response_s + wait_s)
        queue = rate_rps * response_s
        assert closed_rps(service_s, wait_s, requests) == pytest.approx(rate_rps)


@pytest.mark.parametrize(
    ("servers", "rate_rps", "service_s", "chance", "mean_s"),
    [
        (1, 0.5, 1.0, 0.5, 1.0),  # M/M/1: ρ, and ρ / (1 - ρ)
        (2, 1.0, 1.0, 1 / 3, 1 / 3),  # M/M/2 at half load, Kleinrock's example
        (10, 8.0, 1.0, 0.409180, 0.204590),  # tables of Erlang's C at 8 erlangs and 10 servers
        (3, 3.0, 1.0, 1.0, None),
    ],
)
def test_the_open_loop_is_erlangs(
    servers: int, rate_rps: float, service_s: float, chance: float, mean_s: float | None
) -> None:
    queue = queue_of(servers, rate_rps, service_s, 1.0)
    assert queue.chance == pytest.approx(chance, abs=1e-6)
    assert queue.mean_s == (None if mean_s is None else pytest.approx(mean_s, abs=1e-6))


def test_constant_services_wait_half_as_long() -> None:
    exponential, constant = queue_of(1, 0.8, 1.0, 1.0), queue_of(1, 0.8, 1.0, 0.0)
    assert exponential.mean_s is not None
    assert constant.mean_s == pytest.approx(exponential.mean_s / 2)
