"""Cells are compared block by block where their servers were up together, and by way of the baseline where not."""

import pytest

from bench.judging import JudgedWorkload
from bench.judging.differences import differences
from tests.judged_runs import judged_of, rates

CPU = "cpu_per_request_s"
# What slows a machine down from cycle to cycle, and from generation to generation.
RESTLESS = (1.0, 1.7, 0.8, 2.5, 1.1, 0.6, 1.3)


def grouped(speed: float = 1.0) -> JudgedWorkload:
    """Two groups of servers with the baseline in both; the machine was half as fast for the second group."""
    first, second = (0, 2, 4), (1, 3, 5)
    (workload,) = judged_of(
        rates("gevent", (1000, 500, 1000, 500, 1000, 500)),
        rates("asyncio-bridge", [1500 * speed] * 3, numbers=first),
        rates("gthread", [600 * speed] * 3, numbers=second),
    ).workloads  # fmt: skip
    return workload


def test_what_disturbs_a_cycle_is_in_no_ratio() -> None:
    (workload,) = judged_of(
        rates("gevent", (1000, 400, 700), disturbance=RESTLESS),
        rates("asyncio-bridge", (2000, 800, 1400), disturbance=RESTLESS),
    ).workloads  # fmt: skip
    found = workload.interval("asyncio-bridge", "gevent")
    assert found is not None
    assert (found.low, found.ratio, found.high) == pytest.approx((0.5, 0.5, 0.5), rel=0.01)
    assert found.generations == 3


def test_models_that_were_never_up_together_are_compared_by_way_of_the_baseline() -> None:
    """gthread seems slower by the plain figures, 600 against 1,500, and did 1.2 times what gevent did beside it."""
    workload = grouped()
    found = workload.interval("asyncio-bridge", "gthread", "throughput_rps")
    assert found is not None
    assert (found.ratio, found.generations) == (pytest.approx(1.5 / 1.2, rel=0.01), 3)


def test_models_are_ordered_by_what_they_did_beside_the_baseline_and_not_by_plain_figures() -> None:
    """gthread's plain figure is below gevent's median of 750 requests a second."""
    workload = grouped()
    assert workload.best_first() == ["asyncio-bridge", "gthread", "gevent"]
    assert workload.ranks == {"asyncio-bridge": 1, "gthread": 2, "gevent": 3}


def test_one_generation_in_common_is_too_few_and_the_baseline_helps_there_too() -> None:
    (workload,) = judged_of(
        rates("gevent", [1000] * 5),
        rates("asyncio-bridge", [2000] * 3, numbers=(0, 1, 2)),
        rates("gthread", [1000] * 3, numbers=(2, 3, 4)),
    ).workloads  # fmt: skip
    found = workload.interval("asyncio-bridge", "gthread")
    assert found is not None
    assert (found.ratio, found.generations) == (pytest.approx(0.5), 3)
    lonely = judged_of(
        rates("asyncio-bridge", [2000] * 3, numbers=(0, 1, 2)), rates("gthread", [1000] * 3, numbers=(2, 3, 4))
    )
    outcome = lonely.workloads[0].outcome("gthread", "asyncio-bridge")
    assert (outcome.kind, outcome.reason) == ("not comparable", "fewer than 2 generations in common")


def test_generations_count_that_both_have() -> None:
    (workload,) = judged_of(rates("gevent", [1000] * 4), rates("asyncio-bridge", [2000] * 2)).workloads
    outcome = workload.outcome("asyncio-bridge", "gevent")
    assert (outcome.kind, outcome.reason) == ("not comparable", "2 generations of both, and 3 are needed")


def test_blocks_that_only_one_of_them_has_are_left_out() -> None:
    (workload,) = judged_of(
        rates("gevent", [1000] * 3, cycles=20), rates("asyncio-bridge", [2000] * 3, cycles=10)
    ).workloads
    found = workload.interval("asyncio-bridge", "gevent")
    assert found is not None
    assert found.ratio == pytest.approx(0.5)


def test_in_two_runs_a_cell_is_compared_relative_to_the_other_models() -> None:
    """The machine is half as fast in the second run, and asyncio has become a tenth faster."""

    def run(machine: float, asyncio: float) -> list[object]:
        return [rates("gevent", [1000 * machine] * 3), rates("gthread", [800 * machine] * 3),
                rates("asyncio-bridge", [1500 * machine * asyncio] * 3)]  # fmt: skip

    found = {one.model: one for one in differences(judged_of(*run(1, 1)), judged_of(*run(0.5, 1.1))).cells}
    assert found["asyncio-bridge"].speed == pytest.approx(1.1, rel=0.01)
    assert found["asyncio-bridge"].outcome.kind == "better"
    assert found["gevent"].speed == pytest.approx(1.1**-0.5, rel=0.01)
    assert found["asyncio-bridge"].plain == pytest.approx(0.55, rel=0.02)


def test_in_two_runs_the_other_models_are_those_that_were_up_with_it() -> None:
    before, after = (judged_of(
        rates("gevent", (1000, 500, 1000, 500, 1000, 500)),
        rates("asyncio-bridge", [1500 * factor] * 3, numbers=(0, 2, 4)),
        rates("gthread", [600] * 3, numbers=(1, 3, 5)),
    ) for factor in (1.0, 0.8))  # fmt: skip
    found = {one.model: one for one in differences(before, after).cells}
    assert found["asyncio-bridge"].outcome.kind == "worse"
    assert found["asyncio-bridge"].speed == pytest.approx(0.8, rel=0.01)
    assert found["gthread"].outcome.kind == "equal"
    assert found["gevent"].outcome.interval is not None
