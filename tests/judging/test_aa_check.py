"""An A/A pair that seems to differ shows that the method failed there, and nothing is said of that kind of work."""

import pytest

from bench.judging import JudgedWorkload
from tests.judged_runs import LEVEL, judged_of, promises, rates, times, waits


def against_itself(factor: float) -> JudgedWorkload:
    """gevent twice, the second time so many times as fast, and asyncio with half the CPU time."""
    return judged_of(rates("gevent", LEVEL), rates("gevent (again)", times(factor)), rates("asyncio-bridge", times(2)),
                     ).workloads[0]  # fmt: skip


@pytest.mark.parametrize("factor", [1.0, 1.04, 0.96])
def test_within_five_percent_the_check_is_passed(factor: float) -> None:
    found = against_itself(factor)
    assert found.method_failed == ""
    assert found.outcome("asyncio-bridge", "gevent").kind == "better"
    assert found.ranks == {"asyncio-bridge": 1, "gevent": 2}


@pytest.mark.parametrize(("factor", "seemed"), [(1.06, "0.94"), (0.9, "1.11")])
def test_beyond_that_nothing_is_said(factor: float, seemed: str) -> None:
    found = against_itself(factor)
    assert found.method_failed == f"gevent seemed to be {seemed} times itself"
    outcome = found.outcome("asyncio-bridge", "gevent")
    assert (outcome.kind, outcome.reason) == ("not comparable", f"the A/A check failed, {found.method_failed}")
    assert found.ranks == {}
    interval = found.interval("asyncio-bridge", "gevent")
    assert interval is not None, "the figures are shown all the same"


@pytest.mark.parametrize(("factor", "failed"), [(1.15, False), (1.25, True)])
def test_waits_have_longer_tails_and_a_wider_limit(factor: float, failed: bool) -> None:
    cells = [waits(model, [0.002 * times for _ in range(3)]) for model, times in
             (("gevent", 1.0), ("gevent (again)", factor), ("asyncio-bridge", 0.5))]  # fmt: skip
    assert bool(judged_of(*cells).workloads[0].method_failed) == failed


@pytest.mark.parametrize(("factor", "failed"), [(1.08, False), (1.15, True)])
def test_a_rate_that_is_searched_by_halves_has_a_wider_limit(factor: float, failed: bool) -> None:
    cells = [promises(model, [500 * times] * 3) for model, times in (("gevent", 1.0), ("gevent (again)", factor))]
    assert bool(judged_of(*cells).workloads[0].method_failed) == failed


def test_without_a_valid_pair_there_is_no_check() -> None:
    broken = rates("gevent (again)", times(1.2), errors=1)
    for twin in ([], [broken]):
        found = judged_of(rates("gevent", LEVEL), rates("asyncio-bridge", times(2)), *twin).workloads[0]
        assert (found.aa_interval(), found.method_failed) == (None, "")
