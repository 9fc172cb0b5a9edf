"""A database server with few connections has fewer servers up at once, and the run says so; with too few it ends."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from sqlalchemy import make_url

from bench.errors import BenchError
from bench.measuring.plan import make_plan
from bench.measuring.room import servers_that_fit
from bench.measuring.session import Inquiry, Place, Session
from bench.models import POOL, Model, find_models
from bench.results import Run, load_run
from bench.scenarios import SCENARIOS, throughput
from bench.scenarios.base import Options
from bench.testbed.databases import seeded_database
from bench.testbed.databases.connections import MARGIN, ConnectionHeadroom
from bench.testbed.databases.database import Database
from bench.testbed.databases.embedded_postgres import SETTINGS
from tests.listeners import Heard

EMPTY = throughput.workloads(Options())[0]
SHORT = replace(SCENARIOS["throughput"], workloads=lambda options: [EMPTY])
OPTIONS = Options(generations=1, cycles=2, slice_s=0.02, budget_s=0)
LIMIT, RESERVED = 64, 3  # of these, 61 are free: room for three servers, and not for four


@dataclass
class Room:
    """In place of a test bed: databases with so many free connections, by name."""

    free: dict[str, int]

    def headroom(self, model: Model) -> ConnectionHeadroom:
        return ConnectionHeadroom(self.free[model.database], 0, 0, 0)

    def database_of(self, model: Model) -> Database:
        return Database("", None, model.database, "1", "own")


@pytest.mark.parametrize(
    ("models", "free", "fits"),
    [
        ("gevent,asyncio-bridge", {"postgres": 200}, 12),
        ("classic", {"postgres": 7 * POOL + MARGIN}, 12),  # the twin is a server too
        ("classic", {"postgres": 7 * POOL + MARGIN - 1}, 6),
        ("classic", {"postgres": 3 * POOL + MARGIN}, 3),
        ("gevent", {"postgres": 2 * POOL + MARGIN}, 12),
        ("classic,mysql", {"postgres": 200, "mysql": 5 * POOL + MARGIN}, 5),
        ("classic,mysql", {"postgres": 4 * POOL + MARGIN, "mysql": 5 * POOL + MARGIN}, 4),
    ],
)
def test_as_many_servers_are_up_at_once_as_every_database_has_connections_for(
    models: str, free: dict[str, int], fits: int
) -> None:
    plan = make_plan([SHORT], find_models(models), OPTIONS)
    assert servers_that_fit(plan, 12, Room(free)) == fits  # type: ignore[arg-type]


def test_servers_with_larger_pools_need_more() -> None:
    wide = replace(find_models("asyncio-bridge")[0], environment={"POOL_SIZE": "40"})
    plan = make_plan([SHORT], [*find_models("gevent,sync"), wide], OPTIONS)
    assert servers_that_fit(plan, 12, Room({"postgres": 3 * 40 + MARGIN})) == 3  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("models", "free", "says"),
    [
        (
            "classic",
            3 * POOL + MARGIN - 1,
            r"has 54 free connections, and 3 servers .* need 55; raise .* by 1, or close",
        ),
        (
            "gevent",
            10,
            r"\(postgres\) has 10 free connections, and 2 servers that are up at once need 40; raise its max",
        ),
        ("gevent", -1, "has 0 free connections, and 2 servers that are up at once need 40; raise .* by 41, or close"),
    ],
)
def test_too_few_for_a_comparison_is_an_error_that_says_how_many_are_missing(models: str, free: int, says: str) -> None:
    plan = make_plan([SHORT], find_models(models), OPTIONS)
    with pytest.raises(BenchError, match=says):
        servers_that_fit(plan, 12, Room({"postgres": free}))  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def users_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """A PostgreSQL of the user's own that allows few connections."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(SETTINGS, "max_connections", str(LIMIT))
        patch.setitem(SETTINGS, "superuser_reserved_connections", str(RESERVED))
        with seeded_database(None, tmp_path_factory.mktemp("users")) as database:
            yield database


def carry_out(place: Place, heard: Heard, models: str, seed: int = 1) -> None:
    """Measure these models on the user's server."""
    inquiry = Inquiry("throughput", [SHORT], find_models(models), replace(OPTIONS, seed=seed))
    Session(place).carry_out(inquiry, heard)


def stopped(users_server: Database, out: Path) -> tuple[str, Run]:
    """The server's URL, and a run of three models on it that was stopped before its second step."""
    url = make_url(users_server.url).render_as_string(hide_password=False)
    with pytest.raises(KeyboardInterrupt):
        carry_out(Place(out=out, database_url=url), Heard(stop_at(2)), "gevent,asyncio-bridge,asyncio-bridge-best")
    return url, load_run(out)


def test_a_run_on_the_users_server_has_groups_that_fit_says_so_and_goes_on_with_them(
    users_server: Database, tmp_path: Path
) -> None:
    url, before = stopped(users_server, tmp_path / "o")
    assert (len(before.steps_done), before.servers_at_once) == (1, 3)

    heard, place = Heard(), Place(resume=tmp_path / "o", database_url=url)
    with ExitStack() as opened:
        for _ in range(10):
            opened.enter_context(users_server.connect())
        with pytest.raises(BenchError, match="the database server"):
            carry_out(place, Heard(), "gevent,asyncio-bridge,asyncio-bridge-best")
    carry_out(place, heard, "gevent,asyncio-bridge,asyncio-bridge-best")
    assert heard.names == [
        "started 1", "3 servers at once and not 12: the database has connections for no more", "step 2 of 2", "2 cell",
        "complete",
    ]  # fmt: skip
    after = load_run(tmp_path / "o")
    rounds = {cell.model: [one.round for one in cell.observations] for cell in after.cells.values()}
    assert rounds == {"gevent": [0, 1], "gevent (again)": [0], "asyncio-bridge": [0], "asyncio-bridge-best": [1]}
    assert {one.state for cell in after.cells.values() for one in cell.observations} <= {"VALID", "UNSTABLE"}


def test_a_run_that_had_more_servers_at_once_than_fit_now_is_not_gone_on_with(
    users_server: Database, tmp_path: Path
) -> None:
    url, run = stopped(users_server, tmp_path / "o")
    run.servers_at_once = 12
    run.steps_done = ["throughput//gevent+gevent (again)+asyncio-bridge+asyncio-bridge-best/0"]
    for cell in list(run.cells.values()):
        run.cells[cell.key] = replace(cell, observations=cell.observations[:1])
    run.save()
    with pytest.raises(BenchError, match="the run had 12 servers at once, and the database has connections for 3 now"):
        carry_out(Place(resume=tmp_path / "o", database_url=url), Heard(), "gevent,asyncio-bridge,asyncio-bridge-best")


def stop_at(load: int) -> Callable[[int], None]:
    """Ctrl-C when that load begins."""

    def at_load(number: int) -> None:
        if number == load:
            raise KeyboardInterrupt

    return at_load
