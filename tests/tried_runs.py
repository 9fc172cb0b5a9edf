"""A made-up trial of a shop whose pages wait for PostgreSQL through psycopg2: every state that a model can be in."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.results import Cell, Run
from bench.results.tried import (
    SCENARIO,
    Confirmed,
    Difference,
    Stall,
    Tried,
    TriedApp,
    TriedModel,
    TriedRequest,
    Waits,
    When,
)
from tests.observations import closed_slices, loaded, observations
from tests.trials import trial_of

ORDERS, PAGE, HEALTH = "GET /orders", "GET /orders/page?size=50", "GET /health"
REQUESTS = (ORDERS, PAGE, HEALTH)
AT_ONCE = 8
# How many times as long as one request eight at once take, by model; None for a model that did not get so far.
TIMES = {
    "sync": 8.0,
    "gthread": 1.1,
    "gevent": 7.9,
    "gevent-psycogreen": 1.2,
    "asgiref": 8.0,
    "bridge-threads": 1.1,
    "bridge-inline": 7.9,
}
ALONE_S = {ORDERS: 0.105, PAGE: 0.140, HEALTH: 0.0011}
COST_S = {ORDERS: 0.0021, PAGE: 0.0062, HEALTH: 0.0005}
# CPU time of a request in each model, in that of sync.
COSTS = {
    "sync": 1.0,
    "gthread": 1.12,
    "gevent": 1.05,
    "gevent-psycogreen": 1.08,
    "asgiref": 1.6,
    "bridge-threads": 1.3,
    "bridge-inline": 1.02,
}
CONFIGURATION = """from psycogreen.gevent import patch_psycopg


def post_fork(server, worker):
    patch_psycopg()
"""
BRIDGE_APP = "from loopbridge import LoopBridge\nfrom shop import app as flask_app\n\napp = LoopBridge(flask_app)\n"
GUNICORN = "gunicorn --worker-class"
TYPED = {
    "sync": f"{GUNICORN} sync shop:app",
    "gthread": f"{GUNICORN} gthread --threads 15 shop:app",
    "gevent": f"{GUNICORN} gevent shop:app",
    "gevent-psycogreen": f"{GUNICORN} gevent --config gunicorn_gevent.py shop:app",
    "asgiref": "uvicorn --reset-contextvars asgiref_app:app",
    "bridge-threads": "uvicorn bridge_app:app",
    "bridge-inline": "uvicorn bridge_app:app",
    "granian": "granian --interface wsgi shop:app",
}
FILES = {
    "gevent-psycogreen": {"gunicorn_gevent.py": CONFIGURATION},
    "bridge-threads": {"bridge_app.py": BRIDGE_APP},
    "bridge-inline": {"bridge_app.py": BRIDGE_APP.replace("flask_app)", 'flask_app, sync_views="inline")')},
}
INSTALL = {"gevent": ("gevent",), "gevent-psycogreen": ("gevent", "psycogreen"), "granian": ("granian",)}

CONNECT = Stall(
    request=ORDERS,
    file="shop/db.py",
    line=12,
    function="connection",
    source='return psycopg2.connect(current_app.config["DATABASE"])',
    call="psycopg2.connect",
    doing="waiting",
    count=48,
    total_s=5.02,
    longest_s=0.112,
    advice="psycogreen lets psycopg2 wait as gevent does: the model gevent-psycogreen has it.",
)
RENDER = Stall(
    request=PAGE,
    file="shop/pages.py",
    line=131,
    function="order_page",
    source='return render_template("orders.html", orders=[order for order in orders if order.total < limit])',
    call="",
    doing="computing",
    count=9,
    total_s=0.312,
    longest_s=0.041,
    advice="Python computes here and holds the interpreter's lock: no concurrency model helps, more processes do.",
)
SCRIPT = Stall(
    request=HEALTH,
    file="shop/<script>alert('source')</script>.py",
    line=3,
    function="<lambda>",
    source="return '<b>bold</b>' & \"quoted\"",
    call="builtins.<listcomp>",
    doing="computing",
    count=1,
    total_s=0.021,
    longest_s=0.021,
)
STALLS = {
    "gevent": (CONNECT, RENDER, SCRIPT),
    "gevent-psycogreen": (RENDER,),
    "bridge-inline": (CONNECT, RENDER),
}


def different(request: str, when: When, what: str, count: int, of: int) -> Difference:
    """An answer that is not that of sync."""
    return Difference(request=request, when=when, what=what, count=count, of=of)


DIFFERENCES = {
    "gthread": (
        different(ORDERS, "at once", "status 500, not 200", 3, 40),
        different(PAGE, "at once", "no answer within 30 s", 40, 40),
    ),
    "asgiref": (different(ORDERS, "alone", "the body differs from character 120 on", 1, 1),),
}
NOT_TRIED = "granian is not installed in this environment"


def trial(*, confirmed: bool = True, **changes: Any) -> Tried:
    """The trial; with `confirmed=False` one whose printed command was not started again."""
    usual: dict[str, Any] = {
        "app": app(),
        "requests": tuple(requests()),
        "models": (*(model(name) for name in TIMES), not_tried("granian")),
        "notes": ("What the application did itself, such as mail that it sent, cannot be undone.",),
        "confirmed": Confirmed(model="gevent-psycogreen", differences=()) if confirmed else None,
    }
    return Tried(**{**usual, **changes})


def app() -> TriedApp:
    """The application."""
    return TriedApp(
        target="shop:app",
        folder="/srv/shop",
        python="/srv/shop/.venv/bin/python",
        version="3.11.7",
        interface="wsgi",
        framework="Flask",
        packages={"Flask": "3.1.2", "psycopg2": "2.9.11"},
        added={"gunicorn": "26.0.0", "gevent": "26.4.0"},
    )


def requests() -> list[TriedRequest]:
    """What it was asked."""
    return [
        asked(ORDERS, 18_204, "body", "header date"),
        asked(PAGE, 240_100),
        asked(HEALTH, 2),
    ]


def asked(name: str, body_bytes: int, *volatile: str) -> TriedRequest:
    """A request that was answered."""
    return TriedRequest(name=name, method="GET", status=200, body_bytes=body_bytes, volatile=volatile)


def model(name: str, **changes: Any) -> TriedModel:
    """A model that answers."""
    usual: dict[str, Any] = {
        "name": name,
        "state": "answers",
        "reason": "",
        "command": ("/srv/shop/.venv/bin/python", "launch.py", *TYPED[name].split()),
        "typed": TYPED[name],
        "files": FILES.get(name, {}),
        "install": INSTALL.get(name, ()),
        "start_s": 0.84,
        "differences": DIFFERENCES.get(name, ()),
        "waits": {request: waits(request, TIMES[name]) for request in REQUESTS},
        "stalls": STALLS.get(name, ()),
        "watched": name in STALLS,
        "memory_bytes": 61_000_000,
        "threads": 15 if name == "gthread" else 1,
        "database_connections": 8,
    }
    return TriedModel(**{**usual, **changes})


def waits(request: str, times: float) -> Waits:
    """How long a request takes alone, and eight of them."""
    alone_s = ALONE_S[request]
    return Waits(alone_s=alone_s, wall_s=alone_s * 0.95, cpu_s=COST_S[request], at_once=AT_ONCE,
                 together_s=alone_s * times)  # fmt: skip


def not_tried(name: str) -> TriedModel:
    """A model that is not there."""
    return TriedModel(name=name, state="not tried", reason=NOT_TRIED, command=(), typed=TYPED[name],
                      install=INSTALL[name])  # fmt: skip


def failed(name: str, reason: str) -> TriedModel:
    """A model under which the application does not start."""
    return TriedModel(name=name, state="failed", reason=reason, command=("gunicorn",), typed=TYPED[name])


def trial_cells(requests: Sequence[str] = REQUESTS, models: Sequence[str] = tuple(TIMES)) -> list[Cell]:
    """The load's slices of the models that answer."""
    return [
        Cell(SCENARIO, name, {"name": request, "connections": 32}, "cpu_per_request_s",
             ("/srv/shop/.venv/bin/python", "launch.py", *TYPED[name].split()), {},
             observations(*[generation(name, request, number) for number in range(3)]))
        for request in requests for name in models
    ]  # fmt: skip


def generation(name: str, request: str, number: int) -> Any:
    """A generation of servers, a little slower than the one before. 32 requests at once need as long as 4 times 8."""
    cpu_s = COST_S[request] * COSTS[name]
    rps = min(1 / cpu_s, 4 * AT_ONCE / TIMES[name] / ALONE_S[request])
    disturbance = [1 + 0.001 * number, 1 + 0.002 * number]
    found = closed_slices(rps, cpu_s, idle=1 - rps * cpu_s, disturbance=disturbance, servers=len(TIMES))
    took_us = [round(32 / rps * 1e6) + place for place in range(1200)]
    return loaded({**found, "responses_us": [took_us, *found["responses_us"][1:]]})


def trial_run(folder: Path, found: Tried | None = None) -> Run:
    """A run whose trial this is."""
    made = found or trial()
    asked, models = [one.name for one in made.requests], [one.name for one in made.models if one.state == "answers"]
    return trial_of(made, *trial_cells(asked, models), folder=folder)
