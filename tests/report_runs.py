"""Results files for the reports' tests: of every scenario, with cells that failed, are missing, or were never valid."""

import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.results import Cell, Run
from tests.observations import closed_slices, described, loaded, observations, open_slices

ODD = "<script>alert('models')</script>"
MODELS = ("sync", "gevent-blocking-db", "gevent", "asyncio-bridge", "asyncio-adapter", ODD)
AGAIN = "gevent (again)"
COST = {"cpu_s": 0.1, "peak_rss_bytes": 90_000_000}
# Two data layers under both concurrency models, and their requests a second.
LAYERS = {"gevent-raw": 3000, "asyncio-raw": 3600, "gevent-core": 2000, "asyncio-core": 2000}
# Requests a second of each model; the last two cannot be told apart.
SPEEDS = {
    "sync": 900,
    "gevent-blocking-db": 950,
    "gevent": 1300,
    "asyncio-bridge": 1900,
    "asyncio-adapter": 780,
    ODD: 1890,
}
# By workload: how many times as fast as above, and the share of its core that asyncio leaves idle.
KINDS = {"GET /": (3.0, 0.02), "GET /queries/?count=1": (1.0, 0.02), "POST /todos/": (0.5, 0.3)}
FEWEST_FOR_TWIN = 3


def without(run: Run, scenario: str) -> Run:
    """The run as it would be if that scenario had not been measured."""
    run.cells = {key: cell for key, cell in run.cells.items() if cell.scenario != scenario}
    run.scenarios = {name: question for name, question in run.scenarios.items() if name != scenario}
    return run


def sample_run(folder: Path, generations: int = 6) -> Run:
    """A run of every scenario."""
    rng = random.Random(7)
    chosen = {"generations": generations, "quick": generations < FEWEST_FOR_TWIN, "slo_ms": 50.0}
    arguments = {"models": list(MODELS), "options": chosen}
    environment = {"cpu": "A processor", "cores": 2, "packages": {"flask": "3.1"}, "server_cores": [1]}
    run = Run(folder, "2026-11-20T12:00:00Z", environment, arguments, seed=7, elapsed_s=200.0, measuring_s=150.0)
    run.traps = [trap("one loop"), trap("<b>bold</b>", holds=None, source="javascript:alert('traps')")]
    for cells in (classic(), throughput(rng, generations), pairs(rng, generations), latency(rng, generations), once()):
        for cell in cells:
            run.add(cell)
    return described(run)


def cell(scenario: str, model: str, workload: dict[str, Any], figure: str, *generations: Mapping[str, Any]) -> Cell:
    """A cell; a generation is valid unless it says otherwise."""
    command = ("/somewhere/bin/python3.11", "-m", "server", model)
    return Cell(scenario, model, workload, figure, command, {}, observations(*generations))


def trap(name: str, **changes: Any) -> dict[str, Any]:
    """A trap as bench/traps reports it."""
    texts = {"expected": "it waits", "seen": "it waited", "cause": "a thread", "cure": "another way"}
    seen = {"holds": True, "cured_by": "asyncio-bridge", "cure_seen": "", "cure_holds": None}
    source = changes.pop("source", "https://example.org/issues/1")
    return {"name": name, "model": ODD, "source": source, "sources": [source], **texts, **seen, **changes}


def classic() -> list[Cell]:
    """Walls, staircases, and a model that failed."""
    cells = []
    for model, python, database in (
        ("sync", 5, 5),
        ("gevent-blocking-db", 1, 5),
        ("gevent", 1, 1),
        ("asyncio-bridge", 1, 1),
    ):
        bursts = [[(index if steps == 5 else 0.0, index + 1.0 if steps == 5 else 1.0) for index in range(5)]
                  for steps in (python, database)]  # fmt: skip
        requests = [
            {"endpoint": f"/sleep/{kind}/", "start_s": start, "end_s": end, "status": 200, "error": None}
            for kind, burst in zip(("python", "postgres"), bursts, strict=True)
            for start, end in burst
        ]
        times = {
            "python_s": python,
            "database_s": database,
            "total_s": python + database,
            "ideal_s": python + database,
            "total_per_ideal": 1.0,
        }
        cells.append(cell("classic", model, CLASSIC, "total_s", {**times, "answers": requests}))
    cells.append(
        cell("classic", ODD, CLASSIC, "total_s", {"state": "ERRORS", "reason": "10 of 10 failed\nsecond line"})
    )
    return cells


CLASSIC = {"name": "5 × 1 s", "seconds": 1.0, "requests": 5}


def with_twin(models: Sequence[str], generations: int) -> list[str]:
    """The models, and the second gevent where there are enough generations to compare."""
    return [*models, *([AGAIN] if generations >= FEWEST_FOR_TWIN else [])]


def throughput(rng: random.Random, generations: int) -> list[Cell]:
    """Three workloads, one with a server that does not fill its core; one cell has errors, one is missing."""
    cells = []
    for name, (factor, idle) in KINDS.items():
        names = [model for model in MODELS if (model, name) != ("sync", "GET /")]
        for model in with_twin(names, generations):
            rps = SPEEDS[model.removesuffix(" (again)")] * factor
            measured = [served(rng, rps, idle if model == "asyncio-bridge" else 0.02) for _ in range(generations)]
            if (model, name) == ("asyncio-adapter", "GET /"):
                measured[-1] = {"state": "ERRORS", "reason": "half of them failed | <i>500</i>"}
            workload = {"name": name, "path": "/", "connections": 32}
            cells.append(cell("throughput", model, workload, "cpu_per_request_s", *measured))
    return cells


def pairs(rng: random.Random, generations: int) -> list[Cell]:
    """Two data layers under both concurrency models: asyncio takes less with one, and as much with the other."""
    return [
        cell("pairs", model, {"name": name, "path": "/", "connections": 32}, "cpu_per_request_s",
             *[served(rng, rps / reads, 0.02) for _ in range(generations)])
        for reads, name in ((1, "GET /queries/?count=1"), (20, "GET /queries/?count=20"))
        for model, rps in LAYERS.items()
    ]  # fmt: skip


def served(rng: random.Random, rps: float, idle: float) -> Mapping[str, Any]:
    """A generation of a closed loop, in which nothing is the same twice."""
    disturbance = [rng.uniform(0.97, 1.03) for _ in range(10)]
    return loaded(closed_slices(rps, idle=idle, disturbance=disturbance, response_s=32 / rps, servers=7))


def latency(rng: random.Random, generations: int) -> list[Cell]:
    """One rate for all, and a promise that one model kept, one broke and one never made; one cell was measured once."""
    cells = []
    for model in with_twin(("gevent", "asyncio-bridge", "sync"), generations):
        p90_s = 10 / SPEEDS[model.removesuffix(" (again)")]
        measured = [loaded(open_slices(p90_s * rng.uniform(0.98, 1.02)))
                    for _ in range(1 if model == "sync" else generations)]  # fmt: skip
        common = {"name": "one rate for all", "path": "/", "slowest_share": 0.5}
        cells.append(cell("latency", model, common, "p90_s", *measured))
    promise = {"name": "promise: p99 below 50 ms", "path": "/", "slo_s": 0.05}
    for model, late in (("asyncio-bridge", 3), ("gevent", 70)):
        rates_rps = [SPEEDS[model] * rng.uniform(0.48, 0.52) for _ in range(generations)]
        measured = [loaded(open_slices(0.03, rps, cycles=1, slice_s=1.0), promise_rps=rps, late=late, requests=1000,
                           late_share=late / 1000, capacity_rps=SPEEDS[model]) for rps in rates_rps]  # fmt: skip
        cells.append(cell("latency", model, promise, "promise_rps", *measured))
    never = {"state": "SATURATED", "reason": "p99 was below 50 ms at no rate tried", "promise_rps": None}
    cells.append(cell("latency", "sync", promise, "promise_rps", *[never] * generations))
    return cells


def once() -> list[Cell]:
    """The scenarios that are measured once."""
    found = []
    for place, model in enumerate(("gevent", "asyncio-bridge"), start=1):
        for requests in (10, 1_000):
            level = {"name": f"{requests:,} × 1 s", "requests": requests, "seconds": 1.0}
            figures = {"total_s": 1.0 + place / 10, "total_per_ideal": 1.0 + place / 10, "threads": 2, "cost": COST}
            kept = {"memory_per_request_bytes": 30_000.0 * place} if requests > 10 else {}
            found.append(cell("scale", model, level, "total_s", {**figures, **kept}))
        raw = [
            {"intended_s": 0.0, "sent_s": 0.0, "done_s": 0.2 * (1 + index // 15), "kind": "good"} for index in range(45)
        ]
        raw.append({"intended_s": 0.0, "sent_s": 0.0, "done_s": 0.9, "kind": "bad_status"})
        burst = {"total_s": 0.6, "total_per_ideal": 1.0, "waves": 3, "failed": 1, "cpu_per_request_s": 0.001}
        setup = {"name": "burst, pool of 15", "requests": 46, "setup": "pool of 15"}
        waves = {"answers_by_wave": [15, 15, 15], "load": {"raw": raw}}
        found.append(cell("pool", model, setup, "total_s", {**burst, **waves}))
        for count in (1, 50):
            calls = {"name": f"{count} calls", "count": count, "seconds": 0.1}
            found.append(cell("fanout", model, calls, "total_s", {"total_s": 0.1 + count / 1e3 * place, "threads": 2}))
        suffered = {"percentile": 90, "alone_s": 0.002, "beside_s": 0.05 * place, "beside_per_alone": 25.0 * place}
        found.append(cell("neighbour", model, {"name": "GET / 100/s", "rate_rps": 100}, "beside_per_alone", suffered))
        beat = {"first_event_p50_s": 0.08 * place, "first_event_max_s": 0.2, "spacing_p90_s": 0.4}
        found.append(cell("stream", model, {"name": "500 × 0.4 s"}, "spacing_p90_s", beat))
    stopped = {"state": "SATURATED", "reason": "one at a time: 10 of 1,000 answered within 10 s"}
    found.append(cell("scale", "sync", {"name": "1,000 × 1 s", "requests": 1_000, "seconds": 1.0}, "total_s",
                      stopped))  # fmt: skip
    return found
