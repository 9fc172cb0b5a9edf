"""Two models on one data layer and one class of server are compared, and so are the data layers of one side."""

from collections.abc import Mapping, Sequence

import pytest

from bench.judging import Judged
from bench.judging.matched import matched_pairs, matched_table
from bench.judging.precision import sure_enough
from bench.results import Cell
from tests.judged_runs import LEVEL, ONE_READ, judged_of, rates, times

TWENTY = "GET /queries/?count=20"
RESTLESS = (1000.0, 1400.0, 700.0, 1200.0, 800.0, 1000.0)
# How many requests a second each answers for one read, as a multiple of gevent's.
LAYERS = {
    "gevent": 1.0,
    "gevent (again)": 1.0,
    "asyncio-bridge": 1.25,
    "gevent-raw": 2.0,
    "asyncio-raw": 2.5,
    "gevent-orm": 1.0,
    "asyncio-orm": 0.8,
    "asyncio-databases": 0.5,
}


def pairs_of(factors: Mapping[str, float], workload: str = ONE_READ) -> list[Cell]:
    """Cells of the scenario `pairs`, each so many times as fast as gevent."""
    return [rates(model, times(factor), workload, scenario="pairs") for model, factor in factors.items()]


def judged(factors: Mapping[str, float] = LAYERS) -> Judged:
    """A run of one read."""
    return judged_of(*pairs_of(factors))


def test_a_pair_has_one_layer_and_two_models() -> None:
    found = matched_pairs(judged().workloads[0])
    assert [(pair.layer, pair.one, pair.base) for pair in found] == [
        ("raw driver", "asyncio-raw", "gevent-raw"),
        ("ORM session", "asyncio-orm", "gevent-orm"),
    ]
    assert [pair.outcome.kind for pair in found] == ["better", "worse"]
    assert found[0].figures == "400 against 500 µs"


def test_the_verdict_says_what_the_concurrency_model_costs_before_what_stacks_cost() -> None:
    whole = [rates("gevent", LEVEL), rates("asyncio-bridge", times(2))]
    said = judged_of(*pairs_of(LAYERS), *whole).verdict.sentences
    place = {text.partition(" ")[0]: number for number, text in enumerate(said)}
    pairs = (
        "With the same data layer on both sides (raw driver and ORM session), asyncio takes 0.80 (0.80–0.80; one read, "
        "raw driver: 400 against 500 µs) to 1.25 (1.25–1.25; one read, ORM session: 1,250 against 1,000 µs) times "
        "gevent's CPU time a request; of 2 comparisons it is less in 1 and more in 1."
    )
    layers = (
        "Changing the data layer alone, for one read: gevent (Flask-SQLAlchemy's session with Core statements) would "
        "take 0.50 times its CPU time with raw driver, 1.00 with ORM session; asyncio-bridge (`databases`, with a "
        "cache of compiled statements) would take 0.50 times its CPU time with raw driver, 1.56 with ORM session, "
        "2.50 with `databases` as published."
    )
    assert place["Requests"] < said.index(pairs) < place["asyncio-bridge"] < said.index(layers) < place["How"]


def test_the_table_has_a_row_for_each_layer_and_a_column_for_each_read() -> None:
    slower = {name: factor / 10 for name, factor in LAYERS.items()}
    run = judged_of(*pairs_of(LAYERS), *pairs_of(slower, TWENTY))
    assert (
        run.verdict.matched
        == tuple(matched_table(run.scenarios[0]))
        == (
            ("asyncio ÷ gevent, CPU time", "one read", "twenty reads"),
            ("raw driver", "0.80 (0.80–0.80), less", "0.80 (0.80–0.80), less"),
            ("ORM session", "1.25 (1.25–1.25), more", "1.25 (1.25–1.25), more"),
        )
    )
    assert judged({"gevent": 1.0, "asyncio-bridge": 2.0}).verdict.matched == ()


def test_nothing_is_said_where_the_method_failed() -> None:
    sentences = judged({**LAYERS, "gevent (again)": 1.2}).verdict.sentences
    assert not any("same data layer" in text or "data layer alone" in text for text in sentences)


@pytest.mark.parametrize(
    ("factor", "words"),
    [(1.0, "equal within 5 % in 1"), (1.5, "less in 1"), (0.7, "more in 1")],
)
def test_comparisons_are_counted(factor: float, words: str) -> None:
    found = judged({"gevent": 1.0, "gevent-raw": 1.0, "asyncio-raw": factor}).verdict.sentences
    assert sum(text.endswith(f"of 1 comparisons it is {words}.") for text in found) == 1


@pytest.mark.parametrize(("values", "enough"), [(times(2.5), True), (times(2.5, RESTLESS), False)])
def test_a_run_goes_on_until_the_pairs_are_known_well(values: Sequence[float], enough: bool) -> None:
    """How well a model without a partner is known does not matter."""
    cells = pairs_of({"gevent": 1.0, "gevent-raw": 2.0})
    lonely = rates("asyncio-databases", RESTLESS, scenario="pairs")
    found = judged_of(*cells, rates("asyncio-raw", values, scenario="pairs"), lonely)
    assert sure_enough(found.scenarios) == enough


def test_models_on_other_servers_are_no_pair_and_have_no_rank() -> None:
    (workload,) = judged_of(
        rates("gevent", LEVEL), rates("asyncio-bridge", times(1.2)), rates("asyncio-bridge-best", times(2))
    ).workloads
    assert matched_pairs(workload) == []
    assert dict(workload.ranks) == {"asyncio-bridge": 1, "gevent": 2}
    assert workload.place(workload.cells["asyncio-bridge-best"]) == "best server"


def test_faster_parts_of_a_server_are_held_against_the_same_model_without() -> None:
    fast = [rates("asyncio-bridge-best", times(2), "GET /"), rates("asyncio-bridge", times(1.0), "GET /")]
    said = judged_of(rates("gevent", LEVEL, "GET /"), *fast).verdict.sentences
    assert (
        "HTTP parser and event loop in C, for the framework alone: asyncio-bridge-best takes 0.50 (0.50–0.50) times "
        "the CPU time of asyncio-bridge (500 against 1,000 µs)." in said
    )


def test_where_the_method_failed_is_said_of_pairs_too() -> None:
    said = judged({**LAYERS, "gevent (again)": 1.2}).verdict.noise
    assert said.startswith(
        "The method failed here for matched pairs (one read): gevent seemed to be 0.83 times itself."
    )


def test_whole_stacks_are_introduced_with_their_servers_and_data_layers() -> None:
    said = judged_of(rates("gevent", LEVEL), rates("asyncio-bridge", times(2))).verdict.sentences
    intro = (
        "Whole stacks, on plain servers (HTTP parsers in Python, asyncio's own event loop): gevent has "
        "Flask-SQLAlchemy's session with Core statements; asyncio-bridge has `databases`, with a cache of compiled "
        "statements."
    )
    place = said.index(intro)
    assert said[place + 1].startswith("asyncio-bridge takes least CPU time a request")
    assert not any(text.startswith("Whole stacks") for text in judged_of(rates("gevent", LEVEL)).verdict.sentences)
