"""What faults are inflicted on in tests: small applications under the usual servers, and a test bed for them."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from bench.faults.fault import Cure, Fault, Row
from bench.faults.running import inflict
from bench.load import Generator
from bench.models import Model
from bench.models.servers import GUNICORN, UVICORN
from bench.results.faults import FaultCell
from bench.testbed.databases import Database
from bench.testbed.testbed import TestBed
from tests.faults.tiny_apps import FAILS

MODULE = "tests.faults.tiny_apps"
SYNC = Model("tiny-sync", MODULE, (*GUNICORN, "--worker-class", "sync", f"{MODULE}:wsgi"))
ASYNCIO = Model("tiny-asyncio", MODULE, (*UVICORN, "--lifespan", "off", f"{MODULE}:asgi"))
BROKEN = replace(SYNC, name="tiny-broken", environment={FAILS: "1"})
MISSING = replace(SYNC, name="tiny-missing", packages=("no_such_package",), extra="none")


def bed(logs: Path, origin: str = "embedded") -> TestBed:
    """A test bed whose database is nowhere, for applications that need none."""
    database = Database("postgresql://nobody@127.0.0.1:1/none", None, "postgres", "0", origin)
    return TestBed({"postgres": database}, "http://127.0.0.1:1/", logs)


def rows(*models: Model, cures: Sequence[Cure] = ()) -> list[Row]:
    """The models as they are, and with these cures as far as they fit."""
    plain = [Row(model, model.name) for model in models]
    return plain + [Row(cure.changed(row.model), row.name, cure) for row in plain for cure in cures
                    if cure.fits(row.model)]  # fmt: skip


def tried(fault: Fault, logs: Path, own: Sequence[Row]) -> dict[tuple[str, str], FaultCell]:
    """The cells of a fault by model and cure."""
    with Generator() as generator, Generator() as watcher:
        cells = inflict(fault, own, bed(logs), generator, watcher)
    return {(cell.model, cell.cure): cell for cell in cells}


def outcomes(cell: FaultCell, endpoint: str = "/") -> Counter[str]:
    """How the requests for an endpoint ended."""
    return Counter(outcome for one in cell.requests if one.endpoint == endpoint for outcome in one.outcome)
