"""The two of a pair make the same transactions with as many connections, and their files have the same functions."""

import ast
import time
from pathlib import Path

import pytest
from sqlalchemy import Connection, text

from bench.models import Model, family
from bench.models.pairs import BARE
from bench.testbed.processes.local_http import local_client
from bench.testbed.servers.life import serving
from bench.testbed.testbed import TestBed

LAYERS = Path(__file__).parents[2] / "reference_apps" / "layers"
MODELS = [model for model in family("pairs") if model.app.startswith("reference_apps")]
REQUESTS, READS = 200, 3
TRANSACTIONS = "SELECT xact_commit + xact_rollback FROM pg_stat_database WHERE datname = current_database()"
# Those of opening the pool and of PostgreSQL itself; those of looking at them.
OTHERS, LOOKS = 80, 3


def settled(connection: Connection) -> int:
    """The transactions so far, when they do not grow any more: PostgreSQL adds what a connection did when it ends."""
    before, now = -LOOKS, connection.scalar(text(TRANSACTIONS))
    while now - before > LOOKS:
        time.sleep(0.5)
        before, now = now, connection.scalar(text(TRANSACTIONS))
    return int(now)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
def test_each_request_is_one_transaction_unless_every_statement_is(model: Model, test_bed: TestBed) -> None:
    database = test_bed.database_of(model)
    with database.connect() as watching:
        before = settled(watching)
        with (
            serving(model, test_bed.environment(model), test_bed.logs) as server,
            local_client(server.url) as client,
        ):
            for _ in range(REQUESTS):
                assert len(client.get(f"/queries/?count={READS}").json()) == READS
        found = settled(watching) - before
    each = READS if model.layer == BARE else 1
    resets = 1 if model.name == "asyncio-raw-reset" else 0
    wanted = REQUESTS * (each + resets)
    assert wanted <= found <= wanted + OTHERS


@pytest.mark.parametrize("layer", ["views", "raw", "psycopg", "core", "orm"])
def test_the_files_of_a_layer_have_the_same_functions_in_the_same_order(layer: str) -> None:
    one, other = (functions(LAYERS / f"{side}_{layer}.py") for side in ("sync", "async"))
    opening = {"__init__", "opened", "connect", "connection", "cursor", "get_reset_query", "end_session", "lifespan"}
    opening |= {"driver"} if layer == "orm" else set()
    assert [name for name in one if name not in opening] == [name for name in other if name not in opening]
    assert len(one) >= 8


def functions(path: Path) -> list[str]:
    """The names of functions and methods, in order."""
    nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    found = [node for node in nodes if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    return [node.name for node in sorted(found, key=lambda node: node.lineno)]
