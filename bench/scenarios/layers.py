"""Where does the CPU time of a request go? One small read under gevent and under asyncio, layer by layer.

Each rung of the two ladders below is a difference of CPU times per request, as bench/judging/layers.py takes it: a
server with the layer less one without it, on the plain servers that `pip install gunicorn uvicorn` gives. The servers
are all up at once, and all loads are in the same cycles, so that what is subtracted was measured within two seconds.

A sum of differences in which each begins where the last one ended is the whole by construction, and would check
nothing. So the two apps themselves are measured for the whole alone, and no layer knows their figures. What a stack's
data layer adds comes from other servers with the same code, at other paths:

- in all, one row by its id (`/todos/1`), less the same with the raw driver, its transaction or reset query included;
- of that, per request: a session or connection of the stack's own, opened and ended without a statement
  (`/connection/`), less the same with the raw driver;
- per statement: the slope between one and twenty reads, a nineteenth of the difference, less the raw driver's slope;
- the rest is what a first statement costs beyond a further one, whose code is in the processor's caches.

The raw driver's one read and these are the sum. It differs from the whole if layers do not add up: if a data layer
costs one view more than another, if two servers with the same code differ, if a layer was measured badly. Beyond 10 %
the run says so and fails.

The data layers beside it are measured on one read, less the raw driver with the same transaction. asyncpg's pool asks
the database to reset a connection whenever it comes back, as asyncio_app's does; its raw servers do not, but for one.

What one more wait costs is a slope too, between one wait of a millisecond and twenty in one request (`/waits/`).
"""

from collections.abc import Sequence

from bench.judging import Judged, JudgedScenario
from bench.judging.layers import CPU, Costs, Ladder, Layer, Terms, all_hold
from bench.judging.layers import finding as of_ladders
from bench.load import LoadJob
from bench.models import Model
from bench.scenarios.base import MeasurementContext, Options, Scenario, Workload
from bench.scenarios.generation import closed_s
from bench.scenarios.schedule import Slices
from bench.scenarios.throughput import ONE_READ, reads

EMPTY, ROWS, CONNECTION = "GET /", "GET /rows/?count=1", "GET /connection/?count=1"
ONE_ROW, TWENTY_READS = "GET /todos/1", "GET /queries/?count=20"
ONE_WAIT, TWENTY_WAITS = "GET /waits/?count=1", "GET /waits/?count=20"
PATHS = (EMPTY, ROWS, CONNECTION, ONE_READ, ONE_ROW, TWENTY_READS, ONE_WAIT, TWENTY_WAITS)
FURTHER = 19  # reads, or waits, that twenty have and one has not
# Fewer than the pool has, so that no request waits for a connection of the database.
CONNECTIONS, POOL = 8, 10
# The names of layers that both sides have, and what sentences count them among.
SERVER, FLASK, DRIVER, DATA = "HTTP server and parser", "Flask and bridge", "driver", "data layer"


def less(above: Terms, *below: Terms) -> Terms:
    """The first without the others."""
    found = dict(above)
    for terms in below:
        for key, weight in terms.items():
            found[key] = found.get(key, 0.0) - weight
    return {key: weight for key, weight in found.items() if weight}


def at(model: str, workload: str) -> Terms:
    """A cell by itself."""
    return {(model, workload): 1.0}


def slope(model: str, many: str = TWENTY_READS, one: str = ONE_READ) -> Terms:
    """What one more costs."""
    return {(model, many): 1 / FURTHER, (model, one): -1 / FURTHER}


def first_layers(bare: str, raw: str, floor: str = "") -> list[Layer]:
    """Those up to the raw driver; `floor` is a server with Flask and without a bridge, where there is a bridge."""
    bridge = [Layer("bridge", less(at(raw, EMPTY), at(floor, EMPTY)), FLASK)] if floor else []
    return [
        Layer("HTTP server and parser", at(bare, EMPTY), SERVER),
        Layer("Flask", less(at(floor or raw, EMPTY), at(bare, EMPTY)), FLASK),
        *bridge,
        Layer("view: arguments, JSON", less(at(raw, ROWS), at(raw, EMPTY)), FLASK),
        Layer("connection from the pool", less(at(raw, CONNECTION), at(raw, ROWS)), DRIVER),
        Layer("driver: one statement", less(at(raw, ONE_READ), at(raw, CONNECTION)), DRIVER),
    ]


def layers_beside(side: str, more: Sequence[Layer]) -> list[Layer]:
    """What other data layers add to the raw driver, with a transaction both."""
    raw = at(f"{side}-raw", ONE_READ)
    names = {"core": "SQLAlchemy Core instead", "orm": "ORM session instead"}
    return [*more, *(Layer(text, less(at(f"{side}-{name}", ONE_READ), raw)) for name, text in names.items())]


def ladder(
    side: str, stack: str, bare: str, own: Sequence[Layer], floor: str = "", more: Sequence[Layer] = ()
) -> Ladder:
    """The ladder of one side; `own` are the layers above the raw driver, `more` is what else stands beside the sum."""
    raw = f"{side}-raw-autocommit"
    return Ladder(
        side,
        [*first_layers(bare, raw, floor), *own],
        Layer("measured as a whole", at(stack, ONE_READ)),
        layers_beside(side, more),
        Layer("without server and data layer", less(at(raw, ONE_READ), at(bare, EMPTY))),
        Layer("one more wait", slope(raw, TWENTY_WAITS, ONE_WAIT)),
    )


def data_layers(probe: str, side: str, matched: str, reset: Terms) -> list[Layer]:
    """The stack's data layer on the server that measures it, less the raw driver and what stands by itself.

    `matched` is the raw driver with the transaction that the stack has.
    """
    raw = f"{side}-raw-autocommit"
    request = less(at(probe, CONNECTION), at(raw, CONNECTION), reset)
    statement = less(slope(probe), slope(raw))
    return [
        Layer("data layer, per request", request, DATA),
        Layer("data layer, per statement", statement, DATA),
        Layer("data layer, first statement", less(at(probe, ONE_ROW), at(matched, ONE_ROW), reset, request, statement),
              DATA),
    ]  # fmt: skip


def transaction(side: str) -> Terms:
    """BEGIN and COMMIT around one read."""
    return less(at(f"{side}-raw", ONE_READ), at(f"{side}-raw-autocommit", ONE_READ))


def reset(workload: str) -> Terms:
    """asyncpg's reset query, for one request."""
    return less(at("asyncio-raw-reset", workload), at("asyncio-raw", workload))


PUBLISHED = less(at("asyncio-databases", ONE_READ), at("asyncio-raw-autocommit", ONE_READ), reset(ONE_READ))
GEVENT = ladder(
    "gevent",
    "gevent",
    "gevent-bare",
    [
        Layer("transaction", transaction("gevent"), DRIVER),
        *data_layers("gevent-bare", "gevent", "gevent-raw", {}),
    ],
)
ASYNCIO = ladder(
    "asyncio",
    "asyncio-bridge",
    "asyncio-bare",
    [
        Layer("reset query", reset(ONE_READ), DRIVER),
        *data_layers("asyncio-floor", "asyncio", "asyncio-raw-autocommit", reset(CONNECTION)),
    ],
    floor="asyncio-floor",
    more=[Layer("transaction", transaction("asyncio")), Layer("`databases` as published", PUBLISHED)],
)
LADDERS = (GEVENT, ASYNCIO)
CELLS = {
    key
    for one in LADDERS
    for layer in (*one.layers, one.whole, *one.beside, one.matched, one.wait)
    for key in layer.terms
}
MODELS = tuple(sorted({model for model, _ in CELLS}, key=lambda model: (model.startswith("asyncio"), model)))


def workloads(options: Options) -> Sequence[Workload]:
    """The paths that layers are told apart by."""
    return [Workload(name, {"path": name.removeprefix("GET "), "connections": CONNECTIONS}) for name in PATHS]


def asks(model: Model, workload: Workload) -> bool:
    """Whether a layer needs the cell."""
    return (model.name, workload.name) in CELLS


def job(context: MeasurementContext, workload: Workload) -> LoadJob:
    """A closed loop on the workload's path."""
    return reads(context, workload.parameters["path"], connections=workload.parameters["connections"])


def finding(judged: JudgedScenario) -> str:
    """Where the time goes, in sentences."""
    return of_ladders(Costs(judged), LADDERS)


def adds_up(judged: Judged) -> bool:
    """Whether the layers of both sides are the whole."""
    found = judged.scenario(SCENARIO.name)
    return found is not None and all_hold(Costs(found), LADDERS)


def expected_s(options: Options, model: Model) -> float:
    """How long the slices on one server of a generation take."""
    return closed_s(options, options.cycles) * sum(name == model.name for name, _ in CELLS)


SCENARIO = Scenario(
    name="layers",
    question="Where does the CPU time of one small read go, under gevent and under asyncio?",
    workloads=workloads,
    finding=finding,
    figure=CPU,
    schedule=Slices(mixed=job, twin=False),
    asks=asks,
    expected_s=expected_s,
)
