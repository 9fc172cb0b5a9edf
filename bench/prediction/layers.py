"""What would the reads of a request cost on another data layer than its application's own?

The scenario `pairs` has the data layers beside the two apps as they are. How many times as much a request costs there,
cycle by cycle, is applied to what its reads cost; what a request costs without the database stays as it is.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from bench.judging.cells import JudgedCell, judged_cell
from bench.judging.matched import SCENARIO
from bench.judging.pairs import paired
from bench.judging.standings import is_twin
from bench.models.classic import DATABASES
from bench.models.pairs import CORE, ORM, RAW
from bench.results import Run

CPU = "cpu_per_request_s"
BASE, ONE_QUERY, MANY_QUERIES, LIST = "GET /", "GET /queries/?count=1", "GET /queries/?count=20", "GET /todos/"
READS = (ONE_QUERY, MANY_QUERIES, LIST)
# The data layers that the reader can name, in the registry's words.
LAYERS = {"orm": ORM, "core": CORE, "raw": RAW, "databases": DATABASES}
# The group of the two apps as they are, in the registry.
AS_THEY_ARE = "classic"


@dataclass(frozen=True)
class Times:
    """How many times as much as on the application's own layer the reads of a request cost."""

    first_query: float
    query: float
    list: float


SAME = Times(1.0, 1.0, 1.0)


def asyncio_loop(loop: str | None) -> bool:
    """Whether an event loop is one of asyncio's, Python's own or another."""
    return bool(re.search("asyncio|uvloop|rloop", loop or ""))


def layers_of(run: Run, name: str, app: str, loop: str | None) -> dict[str, Times]:
    """For each data layer that a prediction can be made for, what reads cost there; empty without cells of `pairs`.

    A model whose layer is compared by itself stays on it, unless it is one of the two apps as they are.
    """
    own = run.models[name.partition(" (")[0]].layer
    found = {key: SAME for key, layer in LAYERS.items() if layer == own}
    beside = as_it_is(run, app)
    if beside and own in ("", run.models[beside].layer) and asyncio_loop(loop) == asyncio_loop(loop_of(run, beside)):
        for key, layer in LAYERS.items():
            if times := times_of(run, beside, layer):
                found[key] = times
    return found


def as_it_is(run: Run, app: str) -> str:
    """The model of `pairs` that has the application as it is; empty if there is none."""
    named = (cell.model for cell in run.of(SCENARIO) if not is_twin(cell.model))
    return next((one for one in named if (run.models[one].app, run.models[one].group) == (app, AS_THEY_ARE)), "")


def loop_of(run: Run, name: str) -> str | None:
    """The event loop of a model in `pairs`, as its servers said it."""
    return next((cell.info.get("loop") for cell in run.of(SCENARIO) if cell.model == name), None)


def times_of(run: Run, beside: str, layer: str) -> Times | None:
    """What reads cost on a layer, relative to the app as it is under the same event loop; None if that is not known."""
    if run.models[beside].layer == layer:
        return SAME
    side = asyncio_loop(loop_of(run, beside))
    names = dict.fromkeys(cell.model for cell in run.of(SCENARIO) if not is_twin(cell.model))
    on_it = [one for one in names if run.models[one].layer == layer and asyncio_loop(loop_of(run, one)) == side]
    there = next(iter(on_it), "")
    ratios = {read: ratio(run, there, beside, next(iter(names)), read) for read in READS}
    cells = {workload: run.cells.get(("throughput", beside, workload)) for workload in (BASE, *READS)}
    took = {workload: judged_cell(run, cell).median(CPU) for workload, cell in cells.items() if cell}
    if not all(ratios.values()) or not all(took.get(workload) for workload in cells):
        return None
    return parts(took, ratios)  # type: ignore[arg-type]  # none of them is None, as was checked


def parts(took: Mapping[str, float], ratios: Mapping[str, float]) -> Times | None:
    """What the parts of a request cost, from what whole requests cost; None if one of them would cost nothing."""
    then = {read: took[read] * ratios[read] for read in READS}
    base_s = took[BASE]
    found = Times(
        first_query=(then[ONE_QUERY] - base_s) / (took[ONE_QUERY] - base_s),
        query=(then[MANY_QUERIES] - then[ONE_QUERY]) / (took[MANY_QUERIES] - took[ONE_QUERY]),
        list=(then[LIST] - base_s) / (took[LIST] - base_s),
    )
    return found if min(vars(found).values()) > 0 else None


def ratio(run: Run, name: str, beside: str, base: str, workload: str) -> float | None:
    """CPU time of a request on one model ÷ on another in `pairs`; None if they cannot be compared."""
    cells = [found_cell(run, one, workload) for one in (name, beside, base)]
    one, other, third = cells
    if one is None or other is None:
        return None
    found = paired(one, other, third, CPU, run.seed)
    return found.ratio if found else None


def found_cell(run: Run, name: str, workload: str) -> JudgedCell | None:
    """A cell of `pairs`."""
    cell = run.cells.get((SCENARIO, name, workload))
    return judged_cell(run, cell) if cell else None
