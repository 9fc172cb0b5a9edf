"""Models are ranked by CPU time where all of them fill their core, else by requests a second, and it is said why."""

from dataclasses import replace
from typing import Any

import pytest

from bench.judging import JudgedWorkload
from bench.results import Cell
from tests.judged_runs import LEVEL, ONE_READ, judged_of, rates, times, waits

CPU, RPS = "cpu_per_request_s", "throughput_rps"


def beside_gevent(model: str = "asyncio-bridge", **slices: Any) -> JudgedWorkload:
    """gevent with a full core, and another model."""
    return judged_of(rates("gevent", LEVEL), rates(model, times(2), **slices)).workloads[0]


@pytest.mark.parametrize(
    ("slices", "figure", "beside", "why"),
    [
        ({}, CPU, RPS, "every model filled its core"),
        ({"idle": 0.09}, CPU, RPS, "every model filled its core"),
        ({"idle": 0.15}, RPS, CPU, "asyncio-bridge left 15 % of its core idle"),
        ({"idle": 0.15, "database_cpu_per_request_s": 0.0003}, RPS, CPU,
         "asyncio-bridge left 15 % of its core idle, while the database used 60 % of one and the load generator "
         "used 30 % of "
         "one"),
        ({"idle": 0.15, "database_cpu_per_request_s": 0.0001, "generator_use": 0.7}, RPS, CPU,
         "asyncio-bridge left 15 % of its core idle, while the load generator used 70 % of one and the database "
         "used 20 % of "
         "one"),
    ],
)  # fmt: skip
def test_the_figure_follows_from_the_idle_core_of_a_ranked_model(
    slices: dict[str, Any], figure: str, beside: str, why: str
) -> None:
    found = beside_gevent(**slices)
    assert (found.figure, found.beside, found.why) == (figure, beside, why)
    assert found.where_idle == (figure == RPS)
    assert found.higher_is_better == (figure == RPS)
    assert found.ranks == {"asyncio-bridge": 1, "gevent": 2}


def test_the_model_that_left_most_is_named() -> None:
    found = judged_of(*(rates(model, LEVEL, idle=idle) for model, idle in
                        (("gevent", 0.2), ("asyncio-bridge", 0.4), ("gthread", 0.0)))).workloads[0]  # fmt: skip
    assert found.why.startswith("asyncio-bridge left 40 % of its core idle")


@pytest.mark.parametrize("model", ["quart", "sync", "trap-leaking-context"])
def test_a_model_that_is_not_ranked_switches_nothing(model: str) -> None:
    assert beside_gevent(model, idle=0.5).figure == CPU


def test_a_model_that_is_not_valid_switches_nothing() -> None:
    assert beside_gevent(idle=0.5, errors=1).figure == CPU


def without(cell: Cell, **changes: Any) -> Cell:
    """The cell on a system that does not tell these columns' figures."""
    observations = tuple(
        replace(one, figures={**one.figures, **changes}) for one in cell.observations
    )  # fmt: skip
    return replace(cell, observations=observations)


def test_where_idle_time_is_not_told_it_is_what_the_server_did_not_use() -> None:
    full, idle = rates("gevent", LEVEL), rates("asyncio-bridge", LEVEL, idle=0.3)
    (found,) = judged_of(*(without(cell, core_idle=None) for cell in (full, idle))).workloads
    assert (found.figure, found.why) == (RPS, "asyncio-bridge left 30 % of its core idle")
    (found,) = judged_of(
        *(without(rates(name, LEVEL), core_idle=None) for name in ("gevent", "asyncio-bridge"))
    ).workloads
    assert found.figure == CPU


def test_where_cpu_time_is_not_told_requests_a_second_decide() -> None:
    told_nothing = {"core_idle": None, CPU: 0.0, "core_use": 0.0}
    (found,) = judged_of(
        *(without(rates(name, LEVEL), **told_nothing) for name in ("gevent", "asyncio-bridge"))
    ).workloads
    assert (found.figure, found.beside, found.why) == (RPS, "", "this system does not tell CPU time")


def test_elsewhere_there_is_no_choice() -> None:
    (found,) = judged_of(waits("gevent", [0.002] * 3), waits("asyncio-bridge", [0.002] * 3)).workloads
    assert (found.figure, found.beside, found.why, found.where_idle) == ("p90_s", "", "", False)


def test_each_workload_has_its_own() -> None:
    found = judged_of(rates("gevent", LEVEL, "GET /"), rates("asyncio-bridge", LEVEL, "GET /"),
                      rates("gevent", LEVEL), rates("asyncio-bridge", LEVEL, idle=0.3))  # fmt: skip
    assert {workload.name: workload.figure for workload in found.workloads} == {"GET /": CPU, ONE_READ: RPS}
