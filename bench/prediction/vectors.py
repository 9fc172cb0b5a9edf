"""What must Python and the page's scripts agree on? Demands on made-up models, with all that is predicted and said.

`python -m bench.prediction.vectors > tests/prediction/decide_vectors.json` writes them anew when a formula, a rule or a
sentence changes.
"""

import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from bench.judging.standings import FRAMEWORK
from bench.prediction.advice import advice, notes
from bench.prediction.costs import Costs, Measured
from bench.prediction.figures import CONNECTION, OWN, Demand
from bench.prediction.layers import LAYERS, SAME, Times
from bench.prediction.rank import decide
from bench.prediction.sentences import PLACE, TEMPLATES, Sentence

SEED = 1
DEMANDS = 48
GENERATIONS = 6
ASYNCIO_LOOP = "asyncio.unix_events._UnixSelectorEventLoop"
GEVENT_LOOP = "gevent.libev.corecext.loop"
# Name, application, whether waits in Python and in the database overlap, threads, loop.
KINDS: Sequence[tuple[str, str, bool, bool, int | None, str | None]] = (
    ("gevent", "gevent_app", True, True, None, GEVENT_LOOP),
    ("sync", "gevent_app", False, False, 1, None),
    ("threads", "gevent_app", True, True, 24, None),
    ("gevent-blocking-db", "gevent_app", True, False, None, GEVENT_LOOP),
    ("asyncio-bridge", "asyncio_app", True, True, None, ASYNCIO_LOOP),
    ("asyncio-blocking-db", "asyncio_app", True, False, None, ASYNCIO_LOOP),
    ("another <framework>", "reference_apps.another", True, True, None, "uvloop.Loop"),
)

NUMBERS = (0.0, 0.05, 0.25, 1.0, 2.5, 12.25, 99.45, 99.5, 100.5, 1234.5, 1e6 / 3)
COUNTS = (1, 0, 2, 1_000)
# Values for the places of a sentence, by how they are written; a noun is counted.
VALUES: Mapping[str, Sequence[Any]] = {
    "text": ("gevent", "another <framework>", "$& {model}"),
    "whole": NUMBERS,
    "figure": NUMBERS,
    "ratio": (0.995, 1.005, 1.125, 12.5, 1234.567),
    "names": [["a", "b", "c", "d", "e"][:count] for count in range(1, 6)],
    "range": ([5, 5], [200, 0, 35], [1, 5_000]),
}


def vectors() -> dict[str, Any]:
    """Models, for each demand the decision and the advice, and every sentence with values of all kinds."""
    rng = random.Random(SEED)
    models = [made_up(rng, *kind) for kind in KINDS]
    return {
        "models": [asdict(model) for model in models],
        "cases": [case(models, made_up_demand(rng)) for _ in range(DEMANDS)],
        "sentences": [said(Sentence(code, values)) for code in TEMPLATES for values in made_up_values(code)],
    }


def case(models: Sequence[Measured], demand: Demand) -> dict[str, Any]:
    """A demand, and all that is predicted and said for it."""
    decision = decide(models, demand)
    return {
        "demand": asdict(demand),
        **asdict(decision),
        "advice": [asdict(sentence) for sentence in advice(decision, models, demand)],
        "notes": [asdict(sentence) for sentence in notes(decision, demand)],
    }


def said(sentence: Sentence) -> dict[str, Any]:
    """A sentence and its text."""
    return {**asdict(sentence), "text": sentence.text}


def made_up_values(code: str) -> list[dict[str, Any]]:
    """For each place of a template one value after the other, as long as its kind has another."""
    places = PLACE.findall(TEMPLATES[code])
    kinds = {name: VALUES.get(style or "text", COUNTS) for name, style in places}
    turns = max((len(values) for values in kinds.values()), default=1)
    return [{name: values[turn % len(values)] for name, values in kinds.items()} for turn in range(turns)]


def made_up(
    rng: random.Random, name: str, app: str, python: bool, database: bool, threads: int | None, loop: str | None
) -> Measured:
    """A model with random costs of a realistic size."""
    base_s, query_s = rng.uniform(1e-4, 5e-4), rng.uniform(1e-4, 3e-4)
    generations = tuple(
        Costs(*(value_s * rng.uniform(0.95, 1.05) for value_s in (base_s, 3 * query_s, query_s, 4 * query_s)))
        for _ in range(GENERATIONS)
    )
    return Measured(
        name=name,
        app=app,
        python_overlaps=python,
        database_overlaps=database,
        threads=threads,
        loop=loop,
        trap=loop is not None and not database,
        generations=generations,
        calls_s=None if name == "threads" else (rng.uniform(5e-4, 1e-3), rng.uniform(1e-3, 5e-3)),
        memory_bytes=rng.uniform(5e7, 1e8),
        request_bytes=rng.uniform(2e4, 5e4) if threads is None else None,
        streams=threads is None,
        local_waits_s=(0.0, 0.0),
        framework="Another" if app.startswith("reference_apps") else FRAMEWORK,
        keeps_connection=app == "gevent_app",
        layers=made_up_layers(rng, app),
    )


def made_up_layers(rng: random.Random, app: str) -> dict[str, Times]:
    """What reads cost on the data layers that the two apps are predicted on; of them asyncio_app alone has its own."""
    if app.startswith("reference_apps"):
        return {}
    own = {"databases": SAME} if app == "asyncio_app" else {}
    return {layer: Times(*(rng.uniform(0.5, 2) for _ in range(3))) for layer in ("orm", "core", "raw")} | own


def made_up_demand(rng: random.Random) -> Demand:
    """A random demand, so that now one limit binds and now another."""
    by_rate = rng.random() < 0.5
    queries, upstream_wait_s = rng.choice((0, 1, 1, 3, 20)), rng.choice((0.0, 0.0, 0.005, 0.2))
    return Demand(
        db_wait_s=rng.choice((0.0, 0.001, 0.01, 0.05, 0.2)) if queries else 0.0,
        queries=queries,
        upstream_wait_s=upstream_wait_s,
        cpu_s=rng.choice((0.0, 0.001, 0.01)),
        rate_rps=rng.choice((1.0, 37.5, 300.0, 2_000.0)) if by_rate else None,
        concurrency=None if by_rate else rng.choice((1, 7, 64, 200, 5_000)),
        db_connections=rng.choice((1, 5, 20, 100, 1_000)),
        cores=rng.choice((1, 2, 4, 16)),
        memory_bytes=rng.choice((1e8, 1e9, 4e9)),
        slo_s=rng.choice((0.02, 0.3, 1.0)),
        blocking_libraries=rng.random() < 0.3,
        streaming=rng.random() < 0.3,
        existing_sync_code=rng.random() < 0.3,
        calls=int(upstream_wait_s > 0),
        connection=rng.choice(tuple(CONNECTION.answers)),
        data_layer=rng.choice((OWN, OWN, *LAYERS)),
    )


if __name__ == "__main__":
    print(json.dumps(vectors(), separators=(",", ":")))
