"""Made-up trials of somebody's own application, for tests that judge, predict or show what nobody has tried."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from bench.results import Cell, ModelFacts, Question, Run
from bench.results.tried import (
    GROUP,
    SCENARIO,
    Difference,
    Stall,
    Tried,
    TriedApp,
    TriedModel,
    TriedRequest,
    Waits,
)
from tests.judged_runs import LEVEL, rates

ORDERS, REPORT = "GET /orders", "GET /report"
APP = TriedApp(
    target="shop:app",
    folder="/home/somebody/shop",
    python="/home/somebody/venv/bin/python",
    version="3.11.7",
    interface="wsgi",
    framework="Flask",
    packages={"flask": "3.1.0"},
    added={"gunicorn": "23.0.0"},
)
SAME_ONCE = Difference(request=ORDERS, when="at once", what="status 500, not 200", count=3, of=40)
HUNG = replace(SAME_ONCE, what="no answer within 30 s")
CONNECT = Stall(
    request=ORDERS, file="shop/orders.py", line=42, function="orders", source="connection = psycopg2.connect(URL)",
    call="psycopg2.connect", doing="waiting", count=8, total_s=0.4, longest_s=0.06, advice="psycogreen",
)  # fmt: skip


def waits(times: float, wall_s: float = 0.05, cpu_s: float = 0.002, at_once: int = 8) -> Waits:
    """A request of 50 ms, most of it a wait, that takes so many times as long where 8 are sent at once."""
    return Waits(alone_s=wall_s, wall_s=wall_s, cpu_s=cpu_s, at_once=at_once, together_s=times * wall_s)


def tried_model(name: str, times: float | Mapping[str, Waits] = 1.3, **changes: Any) -> TriedModel:
    """A model that started and answered as the first one did; `times` is what 8 of ORDERS take."""
    found = {ORDERS: waits(times)} if isinstance(times, int | float) else dict(times)
    usual: dict[str, Any] = {
        "state": "answers", "reason": "", "command": ("python", "-m", "gunicorn", "shop:app"),
        "typed": "gunicorn shop:app", "start_s": 0.8, "waits": found, "watched": True, "memory_bytes": 60_000_000,
        "threads": 1,
    }  # fmt: skip
    return TriedModel(name=name, **usual | changes)


SYNC, GTHREAD, GEVENT = tried_model("sync", 8.0), tried_model("gthread"), tried_model("gevent")


def tried(*models: TriedModel, statuses: Mapping[str, int] | None = None, **changes: Any) -> Tried:
    """A trial of these models, the first of which the others are compared to."""
    asked = statuses or {ORDERS: 200}
    requests = tuple(TriedRequest(name=name, method="GET", status=status, body_bytes=120)
                     for name, status in asked.items())  # fmt: skip
    return Tried(app=APP, requests=requests, models=models, **changes)


def trial_of(found: Tried, *cells: Cell, folder: Path = Path("nowhere"), seed: int = 1) -> Run:
    """A run of that trial, with these cells of its load."""
    run = Run(folder, "2026-11-22T12:00:00Z", {"cpu": "A processor"}, {"command": "try"}, seed, tried=found)
    names = tuple(one.name for one in found.requests)
    run.scenarios = {SCENARIO: Question("?", "cpu_per_request_s", compared=True, workloads=names,
                                        kinds={name: name for name in names}, where_idle="throughput_rps")}  # fmt: skip
    run.models = {model.name: ModelFacts("Flask", GROUP, "", True, True, False) for model in found.models}
    for cell in cells:
        run.add(cell)
    return run


def load(model: str, values: Sequence[float] = LEVEL, workload: str = ORDERS, state: str = "", **slices: Any) -> Cell:
    """A cell of a trial's load with these requests a second, generation by generation."""
    return rates(model, values, workload, state, scenario=SCENARIO, **slices)
