"""What is said of kinds of work names a model as best only where none is as good, in words that follow the figure."""

from dataclasses import replace

import pytest

from bench.judging import JudgedWorkload
from bench.judging.sentences import sentence
from bench.results import Cell
from tests.judged_runs import LEVEL, judged_of, promises, rates, times, waits

WIDE = (1000.0, 1300.0, 800.0, 1250.0, 790.0, 1100.0)


def of(*cells: Cell) -> JudgedWorkload:
    return judged_of(*cells).workloads[0]


def of_rates(measured: dict[str, tuple[float, ...]]) -> JudgedWorkload:
    return of(*(rates(model, values) for model, values in measured.items()))


@pytest.mark.parametrize(
    ("measured", "says"),
    [
        ({"gevent": LEVEL, "asyncio-bridge": times(2)},
         "asyncio-bridge takes least CPU time a request for one small database read: 500 against 1,000 µs, "
         "0.50 (0.50–0.50) times gevent's."),
        ({"gevent": LEVEL, "asyncio-bridge": times(0.5)},
         "gevent takes least CPU time a request for one small database read: 1,000 against 2,000 µs, "
         "0.50 (0.50–0.50) times asyncio-bridge's."),
        ({"gevent": LEVEL, "asyncio-bridge": LEVEL[::-1]},
         "No difference: gevent and asyncio-bridge are equal within 5 % for one small database read."),
        ({"gevent": LEVEL, "asyncio-bridge": WIDE}, "gevent and asyncio-bridge are not told apart for one small "
                                                    "database read."),
        ({"gevent": LEVEL, "asyncio-bridge": times(2), "asyncio-uvloop": times(2)},
         "asyncio-bridge and asyncio-uvloop take least CPU time a request for one small database read, equal "
         "within 5 %: "
         "asyncio-bridge 500 against 1,000 µs, 0.50 (0.50–0.50) times gevent's."),
        ({"gevent": LEVEL},
         "Nothing can be said of one small database read: only gevent could be judged."),
        ({"gevent": LEVEL[:2], "asyncio-bridge": (5000.0, 5001.0)},
         "No model is named best: each load was measured on 2 generations of servers, and 3 are needed. These figures "
         "are a first look."),
        ({"gevent": LEVEL, "gevent (again)": times(1.2), "asyncio-bridge": times(2)},
         "Nothing can be said of one small database read: the A/A check failed, gevent seemed to be 0.83 "
         "times itself."),
    ],
)  # fmt: skip
def test_what_is_said_follows_from_the_generations(measured: dict[str, tuple[float, ...]], says: str) -> None:
    assert sentence(of_rates(measured)) == says


def test_requests_a_second_decide_where_a_core_was_not_full_and_the_reason_is_said_first() -> None:
    found = of(rates("gevent", LEVEL, database_cpu_per_request_s=0.0006, idle=0.2), rates("asyncio-bridge", times(2)))
    assert sentence(found) == (
        "For one small database read, requests a second decide: gevent left 20 % of its core idle, while the database "
        "used 60 % of one and the load generator used 30 % of one. "
        "asyncio-bridge answers most requests a second for one small database read: 2,000 against 1,000 req/s, "
        "2.00 (2.00–2.00) times gevent's."
    )


def test_waits_and_promises_have_words_of_their_own() -> None:
    assert sentence(of(waits("gevent", [0.0037] * 3), waits("asyncio-bridge", [0.0017] * 3))) == (
        "asyncio-bridge keeps users waiting least (p90) for short waits at one rate: 1.7 against 3.7 ms, "
        "0.46 (0.46–0.46) times gevent's."
    )
    assert sentence(of(promises("gevent", [500] * 3), promises("asyncio-bridge", [800] * 3))) == (
        "asyncio-bridge can promise the highest rate for p99 below 50 ms: 800 against 500 req/s, "
        "1.60 (1.60–1.60) times gevent's."
    )


def test_a_promise_that_was_not_confirmed_is_no_candidate_and_it_is_said_why() -> None:
    found = of(promises("gevent", [500] * 3), promises("asyncio-bridge", [900] * 3, late=26))
    assert sentence(found) == (
        "Nothing can be said of p99 below 50 ms: only gevent could be judged (asyncio-bridge: not confirmed: "
        "0 of 3 servers kept their promise)."
    )
    found = of(
        promises("gevent", [500] * 3), promises("asyncio-bridge", [900] * 3, late=26), promises("gthread", [400] * 3)
    )
    assert sentence(found).startswith("gevent can promise the highest rate")


def test_without_a_model_that_may_be_ranked_nothing_is_said() -> None:
    assert sentence(of(rates("quart", LEVEL), rates("sync", LEVEL))) == ""


def test_a_figure_without_words_of_its_own_has_a_best_model() -> None:
    cells = [replace(waits(model, [p90_s] * 3), figure="service_p90_s") for model, p90_s in
             (("gevent", 0.002), ("asyncio-bridge", 0.001))]  # fmt: skip
    assert sentence(of(*cells)).startswith("asyncio-bridge is best for short waits at one rate: 1.0 against 2.0 ms")
