"""What reads cost on another data layer than an application's own, and whose requests keep their connection there."""

from dataclasses import asdict, replace

import pytest

from bench.models import MODELS
from bench.prediction.advice import advice
from bench.prediction.costs import measured
from bench.prediction.figures import Demand
from bench.prediction.layers import LAYERS, READS, SAME, Times
from bench.prediction.page import section_of
from bench.prediction.predict import capacities
from bench.prediction.rank import decide
from bench.prediction.sentences import texts
from bench.prediction.station import holds
from bench.prediction.vectors import ASYNCIO_LOOP
from bench.results import Cell
from tests.prediction.examples import COSTS_US, DEMAND, cell, model, near, run_of, throughput

BUSY = replace(DEMAND, concurrency=5_000, db_connections=5_000, cpu_s=0.0, cores=1, db_wait_s=0.0)


def pair(name: str, times: float, loop: str = "") -> list[Cell]:
    """Cells of `pairs` in which every request takes so many times as much as in `throughput`."""
    cells = [cell(name, read, "pairs", cpu_per_request_s=times * COSTS_US[read] / 1e6) for read in READS]
    return [replace(one, info={**one.info, "loop": loop or one.info["loop"]}) for one in cells]


def layers(*cells: Cell, name: str = "gevent") -> dict[str, Times]:
    known, _ = measured(run_of(*throughput(name), *throughput("gevent"), *cells))
    return dict(next(one for one in known if one.name == name).layers)


def test_the_parts_of_a_request_cost_what_whole_requests_do_beside_it_in_the_same_cycles() -> None:
    found = layers(*pair("gevent", 1.0), *pair("gevent-raw", 0.5))
    near(asdict(found["raw"]), {"first_query": (350 - 200) / 500, "query": 0.5, "list": (400 - 200) / 600}, 1e-6)


def test_a_model_that_was_not_in_pairs_is_predicted_by_the_one_with_its_application() -> None:
    cells = (*pair("gevent", 1.0), *pair("gevent-core", 0.8))
    assert layers(*cells, name="sync") == layers(*cells)
    assert layers(*cells, name="quart") == {}


def test_a_layer_of_the_other_event_loop_tells_nothing() -> None:
    assert "raw" not in layers(*pair("gevent", 1.0), *pair("asyncio-raw", 0.5, ASYNCIO_LOOP))


def test_a_model_that_is_on_the_layer_itself_stays_as_it_was_measured() -> None:
    cells = (*pair("gevent", 1.0), *pair("gevent-raw", 0.5))
    assert layers(*cells, name="gevent-raw") == {"raw": SAME}


def test_without_pairs_nothing_is_known_and_the_page_offers_no_other_layer() -> None:
    assert layers() == {}
    html = section_of([model()], [])
    assert 'value="own"' in html
    assert 'value="raw"' not in html
    assert "This run cannot tell what another data layer would cost" in html


@pytest.mark.parametrize(("layer", "times"), [("own", 1.0), ("raw", 0.5)])
def test_the_reads_of_a_request_cost_so_many_times_as_much_and_the_rest_stays(layer: str, times: float) -> None:
    one = model(layers={"raw": Times(0.5, 0.5, 0.5)})
    rates = capacities(one, replace(BUSY, data_layer=layer, queries=3))
    assert rates[0] == pytest.approx(1 / (2e-4 + times * (4e-4 + 2 * 1.5e-4)), rel=1e-3)


def test_a_model_that_nothing_is_known_of_is_left_out_and_named() -> None:
    models = [model(layers={"raw": SAME}), model("quart", app="reference_apps.quart_app")]
    demand = replace(BUSY, data_layer="raw")
    decision = decide(models, demand)
    assert [row.prediction.model for row in decision.rows] == ["gevent"]
    assert texts(advice(decision, models, demand))[-1].endswith("on this data layer: quart.")


HOLDING = [
    (True, {}, True),
    (False, {}, False),
    (True, {"connection": "given back"}, False),
    (False, {"connection": "held"}, True),
    (False, {"data_layer": "orm"}, True),
    (True, {"data_layer": "core"}, False),
    (True, {"data_layer": "orm", "connection": "given back"}, False),
    (True, {"queries": 0}, False),
]  # fmt: skip


@pytest.mark.parametrize(("keeps", "said", "held"), HOLDING)
def test_a_connection_is_held_as_the_reader_the_layer_or_the_application_says(
    keeps: bool, said: dict, held: bool
) -> None:
    assert holds(model(keeps_connection=keeps), replace(Demand(), **said)) is held


def test_every_layer_that_can_be_asked_for_is_one_of_the_registry() -> None:
    assert set(LAYERS.values()) <= {one.layer for one in MODELS}
