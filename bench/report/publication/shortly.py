"""What does a run say in five lines? The figures of the short answer, each by its name; those that a run lacks are not
there, and then nor is the sentence that would quote them."""

from collections.abc import Iterator, Sequence

from bench.judging import Judged, JudgedCell
from bench.judging.matched import SCENARIO as PAIRS
from bench.judging.matched import MatchedPair, counted, in_words, matched_pairs, ratio_of
from bench.judging.phrases import spread
from bench.judging.units import amount
from bench.scenarios.pool_setups import KEPT
from bench.scenarios.scale import MEMORY
from bench.scenarios.throughput import ONE_READ

CLASSIC, THROUGHPUT, POOL, SCALE = "classic", "throughput", "pool", "scale"
CPU = "cpu_per_request_s"
# What the answer is about: what Flask does unless told otherwise, both ways to make waits overlap, and the one that
# Flask's documentation shows for asyncio.
MODELS = ("sync", "gevent", "asyncio-adapter", "asyncio-bridge")
SIDES = ("gevent", "asyncio-bridge")
FASTER = "asyncio-bridge-best"


def figures(judged: Judged) -> dict[str, str]:
    """By name, the figures of the short answer."""
    return {f"answer/{name}": text for part in (waits, pairs, servers, pool, memory) for name, text in part(judged)}


def cells_of(judged: Judged, scenario: str) -> list[JudgedCell]:
    """The valid cells of a scenario."""
    found = judged.scenario(scenario)
    return [cell for cell in found.cells if cell.valid] if found else []


def waits(judged: Judged) -> Iterator[tuple[str, str]]:
    """What a burst of waits takes with each model, and how many times as long one after the other."""
    total_s = {cell.model: found for cell in cells_of(judged, CLASSIC) if (found := cell.median("total_s"))}
    if not set(MODELS) <= total_s.keys():
        return
    asked = next(iter(cells_of(judged, CLASSIC))).workload
    yield "waits/requests", f"{2 * asked['requests']}"
    yield "waits/seconds", f"{asked['seconds']:g} s"
    yield from ((f"waits/{name}", f"{total_s[name]:.1f} s") for name in MODELS)
    yield "waits/overlap", f"{total_s['sync'] / total_s['gevent']:.1f} times"


def pairs(judged: Judged) -> Iterator[tuple[str, str]]:
    """Between which ratios asyncio's CPU time is to gevent's on one data layer, and what a layer costs."""
    scenario = judged.scenario(PAIRS)
    found = [pair for workload in (scenario.workloads if scenario else ()) for pair in matched_pairs(workload)
             if pair.interval]  # fmt: skip
    if not found:
        return
    for name, pair in (("least", min(found, key=ratio_of)), ("most", max(found, key=ratio_of))):
        assert pair.interval
        yield f"pairs/{name}", spread(pair.interval)
        yield f"pairs/{name}/what", f"{in_words(pair.workload)}, {pair.layer}"
    yield "pairs/farthest", f"{max(max(ratio_of(pair), 1 / ratio_of(pair)) for pair in found):.2f} times"
    yield "pairs/counted", counted([pair.outcome for pair in found])
    yield from layers([pair for pair in found if pair.workload is found[0].workload])


def layers(found: Sequence[MatchedPair]) -> Iterator[tuple[str, str]]:
    """What the cheapest and the dearest data layer take with gevent, for the smallest read."""
    workload = found[0].workload
    cost_s = {pair.layer: workload.medians[pair.base] for pair in found}
    least, most = min(cost_s, key=cost_s.__getitem__), max(cost_s, key=cost_s.__getitem__)
    yield "layers/what", in_words(workload)
    for name, layer in (("least", least), ("most", most)):
        yield f"layers/{name}", amount(cost_s[layer], workload.figure)
        yield f"layers/{name}/what", layer


def servers(judged: Judged) -> Iterator[tuple[str, str]]:
    """What one read takes under the two apps as they are, and under asyncio on a server of the other class."""
    cost_s = {cell.model: found for cell in cells_of(judged, THROUGHPUT)
              if cell.workload["name"] == ONE_READ and (found := cell.median(CPU))}  # fmt: skip
    if {*SIDES, FASTER} <= cost_s.keys():
        yield from ((f"servers/{name}", amount(cost_s[name], CPU)) for name in (*SIDES, FASTER))


def pool(judged: Judged) -> Iterator[tuple[str, str]]:
    """What a burst takes that is larger than the pool."""
    cells = {cell.model: cell for cell in cells_of(judged, POOL) if cell.workload.get("setup") == KEPT.name}
    if not set(SIDES) <= cells.keys():
        return
    yield "pool/requests", f"{cells[SIDES[0]].workload['requests']}"
    yield "pool/connections", f"{KEPT.size}"
    yield "pool/seconds", f"{KEPT.wait_s:g} s"
    yield from ((f"pool/{name}", f"{cells[name].median('total_s'):.1f} s") for name in SIDES)


def memory(judged: Judged) -> Iterator[tuple[str, str]]:
    """What the most requests that both sides can hold at once take while they wait."""
    held: dict[int, dict[str, float]] = {}
    for cell in cells_of(judged, SCALE):
        if cell.model in SIDES and (found := cell.median(MEMORY)):
            held.setdefault(cell.workload["requests"], {})[cell.model] = found
    both = [requests for requests, found in held.items() if len(found) == len(SIDES)]
    if both:
        yield "memory/requests", f"{max(both):,}"
        yield from ((f"memory/{name}", f"{held[max(both)][name] / 1e3:.0f} kB") for name in SIDES)
