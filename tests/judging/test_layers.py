"""What layers cost, whether they add up, and what is said of them, of made-up slices whose costs are known."""

from collections.abc import Mapping

import pytest

from bench.judging.layers import Costs, Layer, all_hold, finding, sums
from bench.results import Cell
from bench.scenarios.layers import ASYNCIO, CELLS, CPU, GEVENT, LADDERS, ONE_READ, SCENARIO
from tests.judged_runs import scenario_of
from tests.observations import closed_slices, loaded, observations

DISTURBANCE = (1.0, 1.6, 1.0, 0.8, 1.0)  # whose trimmed mean is 1
# CPU µs of the server alone; most layers above it take 10.
SERVER = {"gevent": 100.0, "asyncio": 80.0}


def cost_us(model: str, workload: str) -> float:
    """A cost in which layers add up: data layers cost 30 a request and 20 a statement more than the raw driver."""
    side = model.partition("-")[0]
    bare, path = SERVER[side], workload.removeprefix("GET ")
    if path == "/":
        bridge = 10.0 if side == "asyncio" and model not in ("asyncio-bare", "asyncio-floor") else 0.0
        flask = 0.0 if model.endswith("-bare") else 10.0
        return bare + flask + bridge
    count = int(path.partition("=")[2] or 1)
    view = bare + (30.0 if side == "asyncio" else 20.0)
    if path.startswith("/waits/"):
        return view + 7.0 * count
    if path.startswith("/rows/"):
        return view
    raw = "-raw" in model
    request = view + 10.0 + (0.0 if raw else 30.0) + (0.0 if raw and "reset" not in model else reset(side))
    if path.startswith("/connection/"):
        return request
    with_one = model in ("gevent-raw", "asyncio-raw", "asyncio-raw-reset") or (side == "gevent" and not raw)
    transaction = 15.0 if with_one else 0.0
    return request + transaction + count * (10.0 if raw else 30.0)


def reset(side: str) -> float:
    """asyncpg's reset query."""
    return 12.0 if side == "asyncio" else 0.0


def cells(changed: Mapping[tuple[str, str], float] | None = None, generations: int = 3) -> list[Cell]:
    """All cells of the scenario, in cycles that are disturbed alike; some of them at other costs."""
    found = []
    for model, workload in sorted(CELLS):
        us = (changed or {}).get((model, workload)) or cost_us(model, workload)
        columns = closed_slices(1000.0, us / 1e6, disturbance=DISTURBANCE)
        found.append(
            Cell(SCENARIO.name, model, {"name": workload}, CPU, (), {}, observations(*[loaded(columns)] * generations))
        )
    return found


def costs(**more: object) -> Costs:
    """The same, judged."""
    return Costs(scenario_of(*cells(**more)))  # type: ignore[arg-type]


def by_name(found: Costs, layers: object) -> dict[str, int]:
    """Whole microseconds of each layer."""
    assert isinstance(layers, list)
    return {layer.name: round(amount.value * 1e6) for layer in layers if (amount := found.of(layer))}


def test_a_layer_is_what_was_put_in_however_the_machine_was_disturbed() -> None:
    found = costs()
    assert by_name(found, [*ASYNCIO.layers, ASYNCIO.wait]) == {
        "HTTP server and parser": 80, "Flask": 10, "bridge": 10, "view: arguments, JSON": 10,
        "connection from the pool": 10, "driver: one statement": 10, "reset query": 12, "data layer, per request": 30,
        "data layer, per statement": 20, "data layer, first statement": 0, "one more wait": 7,
    }  # fmt: skip
    assert by_name(found, [*GEVENT.layers])["transaction"] == 15
    interval = found.of(ASYNCIO.wait)
    assert interval
    assert interval.low == pytest.approx(interval.high), "generations that are alike"


def test_layers_add_up_to_the_whole_and_the_sentences_say_where_it_goes() -> None:
    found = costs()
    assert [round(one.ratio, 3) for one in sums(found, LADDERS)] == [1.0, 1.0]
    assert all_hold(found, LADDERS)
    said = finding(found, LADDERS)
    beginning = "Of the 13 µs that asyncio saves on one read, 20 are HTTP server and parser and 3 are driver"
    assert said.startswith(beginning)
    assert "; it takes 10 more in Flask and bridge." in said
    assert "one more wait 7 µs and 7" in said
    assert "asyncio: the layers add up to 192 µs, 100 % of the 192 µs measured." in said


@pytest.mark.parametrize(("factor", "holds"), [(1.05, True), (0.95, True), (1.2, False), (0.8, False)])
def test_a_sum_that_is_not_the_whole_is_not_believed(factor: float, holds: bool) -> None:
    whole = ("asyncio-bridge", ONE_READ)
    found = costs(changed={whole: cost_us(*whole) * factor})
    assert all_hold(found, LADDERS) == holds
    assert ("so do not believe them" in finding(found, LADDERS)) != holds


def test_no_layer_knows_the_whole() -> None:
    for ladder in LADDERS:
        assert not any(ladder.whole.terms.keys() & layer.terms.keys() for layer in ladder.layers)


def test_what_was_not_measured_or_failed_is_no_layer_and_does_not_hold() -> None:
    every = [cell for cell in cells() if (cell.model, cell.workload["name"]) != ("gevent-bare", "GET /")]
    found = Costs(scenario_of(*every))
    assert found.of(GEVENT.layers[0]) is None
    assert found.of(ASYNCIO.layers[0])
    assert not all_hold(found, LADDERS)
    assert "Not every layer was measured" in finding(found, LADDERS)


@pytest.mark.parametrize("generations", [0, 1])
def test_one_generation_is_too_few(generations: int) -> None:
    found = costs(generations=generations) if generations else Costs(scenario_of())
    assert found.of(Layer("nothing", {("gevent", ONE_READ): 1.0})) is None
    assert not all_hold(found, LADDERS)
