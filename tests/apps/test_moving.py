"""docs/moving.md says what the shop needs under each model: each cell of its table is tried, by the page's commands."""

import asyncio
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import httpx
import pytest
from flask import Flask, current_app
from shop_claims import AS_IT_IS, BLOCKS, CLAIMS, debugger, development_server, in_test_client, queries
from shop_server import APPS, Around, around_the_shop, serving

from bench.testbed.testbed import TestBed
from loopbridge import LoopBridge

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "moving.md").read_text(encoding="utf-8")
DEBUGGER = "Werkzeug's debugger in the server"
FLASK_RUN = "`flask run --debug`"
TEST_CLIENT = "Flask's test client"
RUN = "flask --app shop run --debug --no-reload"
ASYNC_RUN = "flask --app shop.async_views run --debug --no-reload --without-threads"
ASYNCPG = "DATABASE_URL=postgresql+asyncpg://… "
NO_POOL = {"SHOP_NO_POOL": "1"}
NO_PIN = {"WERKZEUG_DEBUG_PIN": "off"}


def table(first: str) -> list[list[str]]:
    """The rows of the page's table whose first heading is this, the headings first."""
    lines = PAGE[PAGE.index(f"\n| {first} |") :].strip().partition("\n\n")[0].splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]
    return [rows[0], *rows[2:]]


CELLS = table("claim")
COMMANDS = {row[0]: [cell.strip("`") for cell in row[1:]] for row in table("model")[1:]}


def state(cell: str) -> str:
    """What a cell says, without what is needed: `needs`, `as it is`, `blocks`, `fails`."""
    said = re.match(r"as it is$|blocks$|fails$|needs (?=\S)", cell)
    assert said, f"{cell!r} is not one of the states of the page"
    return said[0].strip()


def column(model: str) -> dict[str, str]:
    place = CELLS[0].index(model)
    return {row[0]: state(row[place]) for row in CELLS[1:]}


@pytest.fixture(scope="module")
def around(test_bed: TestBed, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Around]:
    with around_the_shop(test_bed.databases["postgres"], tmp_path_factory.mktemp("shop")) as ready:
        yield ready


def seen_under(command: str, around: Around) -> dict[str, str]:
    with serving(command, around) as shop:
        return {claim: holds(shop) for claim, holds in CLAIMS.items()}


def seen_debugged(command: str, around: Around) -> dict[str, str]:
    with serving(command, around, {"SHOP_DEBUGGER": "1", **NO_PIN}) as shop:
        return {DEBUGGER: debugger(shop)}


def seen_without(model: str, around: Around, changed: bool) -> dict[str, str]:
    """What holds in the test client and under `flask run`, where none of the servers is."""
    app, run = "shop:create_app", RUN
    driver, settings, under = "", {}, []
    if model == "bridge, async views":
        app, run, settings = "shop.async_views:create_app", ASYNC_RUN, NO_POOL if changed else {}
    elif model == "bridge, inline" and not changed:
        driver, run = "asyncpg", ASYNCPG + RUN
    elif model == "gevent":
        under = ["-m", "gevent.monkey"]
    environment: Mapping[str, str] = around.environment | around.database.environment(driver) | settings
    with serving(run, around, settings | NO_PIN) as shop:
        in_development = development_server(shop)
    return {FLASK_RUN: in_development, TEST_CLIENT: in_test_client([*under, "client_try.py", app], environment)}


@pytest.mark.parametrize("model", CELLS[0][1:])
def test_every_cell_of_the_table_is_what_is_seen(model: str, around: Around) -> None:
    """A cell says `needs …` if the app fails or blocks as it is, and does not when it is changed."""
    unchanged, changed = COMMANDS[model]
    seen = seen_under(unchanged, around) | seen_without(model, around, changed=False)
    if changed != "–":
        then = seen_under(changed, around) | seen_without(model, around, changed=True)
        assert [claim for claim in seen if seen[claim] == AS_IT_IS != then[claim]] == []
        seen = {claim: "needs" if AS_IT_IS == then[claim] != first else first for claim, first in seen.items()}
    assert seen | seen_debugged(unchanged, around) == column(model)


def test_both_tables_have_the_same_models() -> None:
    assert list(COMMANDS) == CELLS[0][1:]


def test_the_state_of_a_cell_is_one_of_four() -> None:
    assert [state("needs `httpx`"), state("as it is")] == ["needs", AS_IT_IS]
    for cell in ("works", "needs ", "as it is, mostly"):
        with pytest.raises(AssertionError, match="not one of the states"):
            state(cell)


def test_inline_on_psycopg2_every_query_waits_for_the_one_before(around: Around) -> None:
    with serving("uvicorn --factory shop.served:inline", around) as shop:
        assert queries(shop) == BLOCKS


def test_gunicorns_configuration_imports_nothing_that_is_to_be_patched() -> None:
    """It did once, as a module of the package `shop`: the app's locks were real threads' locks, and requests hung."""
    script = "import gunicorn_gevent, sys; print({'flask', 'requests', 'shop', 'sqlalchemy'} & set(sys.modules))"
    run = subprocess.run([sys.executable, "-c", script], cwd=APPS, capture_output=True, text=True, check=True)
    assert run.stdout == "set()\n"


def test_gunicorn_ends_a_worker_that_stands_in_the_debugger(around: Around) -> None:
    """Which is why the page has `--timeout 0`."""
    with serving(f"{COMMANDS['gevent'][0]} --timeout 2", around) as shop, shop.client() as client:
        with pytest.raises(httpx.RemoteProtocolError):
            client.get("/stop")
        assert "WORKER TIMEOUT" in shop.process.log.read_text(encoding="utf-8")


def test_what_ensure_sync_gives_before_there_is_a_bridge_fails_in_it() -> None:
    app = Flask(__name__)

    async def name() -> str:
        return "user0"

    early = app.ensure_sync(name)

    @app.get("/early")
    async def from_before() -> str:
        return early()

    @app.get("/late")
    async def from_now() -> str:
        return current_app.ensure_sync(name)()

    async def ask() -> list[int]:
        transport = httpx.ASGITransport(LoopBridge(app), raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://shop") as client:
            return [(await client.get(path)).status_code for path in ("/early", "/late")]

    assert asyncio.run(ask()) == [500, 200]


def test_code_on_the_page_is_the_shops() -> None:
    paths = [*APPS.glob("shop/*.py"), APPS / "gunicorn_gevent.py"]
    code = {line.strip() for path in paths for line in path.read_text(encoding="utf-8").splitlines()}
    blocks = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    assert blocks
    assert [line for block in blocks for line in map(str.strip, block.splitlines()) if line not in code] == []
