"""What does the concurrency model itself cost, when both sides talk to the database in the same way?

Two apps differ in more than gevent and asyncio: Flask-SQLAlchemy's session here, `databases` there. So this scenario
has each data layer on both sides (reference_apps/layers/), with the same statements, transactions and pool, and beside
them the two apps as they are: what is left between the two of a pair is the concurrency model with its driver, and what
is between the models of one side is the data layer.
"""

from collections.abc import Sequence

from bench.judging.matched import finding
from bench.models import Model
from bench.scenarios import throughput
from bench.scenarios.base import Options, Scenario, Workload
from bench.scenarios.generation import closed_s
from bench.scenarios.options import CONNECTIONS
from bench.scenarios.schedule import Slices

# The endpoints that are about the data layer: reads of one row and of many.
PATHS = ("/queries/?count=1", "/queries/?count=20", "/todos/")


def workloads(options: Options) -> Sequence[Workload]:
    """The reads of `throughput`. They decide no kind of work: no team has all of these models to choose from."""
    reads = [each for each in throughput.workloads(options) if each.name.startswith("GET")]
    return [Workload(each.name, each.parameters) for each in reads if each.parameters["path"] in PATHS]


def asks(model: Model, workload: Workload) -> bool:
    """Models whose data layer is named."""
    return bool(model.layer)


def expected_s(options: Options, model: Model) -> float:
    """How long the slices on one server of a generation take."""
    return closed_s(options, options.cycles) * len(workloads(options))


SCENARIO = Scenario(
    name="pairs",
    question="What does the concurrency model itself cost, with the same data layer on both sides?",
    workloads=workloads,
    finding=finding,
    figure="cpu_per_request_s",
    schedule=Slices(throughput.measure, apart=True),
    options=(CONNECTIONS,),
    wide=True,
    matched=True,
    asks=asks,
    expected_s=expected_s,
)
