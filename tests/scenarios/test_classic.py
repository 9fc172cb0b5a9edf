"""The six classic situations, told apart by the order and overlap of answers and never by the clock alone."""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from itertools import pairwise
from pathlib import Path

import pytest
from generators import NoLoad

from bench.load.burst import Answer, send_at_once
from bench.measuring.plan import Step, make_plan
from bench.measuring.run import execute
from bench.measuring.subjects import model_facts, questions
from bench.models import MODELS, POOL, Model, find_models
from bench.results import Cell, Run, new_run
from bench.scenarios import classic
from bench.scenarios.base import Options
from bench.scenarios.classic import SECONDS, Round, ideal_s, problem
from bench.testbed.processes.ports import free_port
from bench.testbed.servers.life import Server
from bench.testbed.testbed import TestBed
from tests.listeners import Heard

WAIT_S = 0.3
OPTIONS = Options(chosen={SECONDS.name: WAIT_S})


class Silent(Heard):
    """A listener that keeps what it hears."""

    def __init__(self) -> None:
        super().__init__()
        self.heard: list[object] = []

    def step_started(self, number: int, total: int, step: Step, left_s: float) -> None:
        self.heard.append((number, total, step.contestants[0].name))

    def answered(self, answer: Answer) -> None:
        self.heard.append(answer)

    def step_ended(self, step: Step, cells: Sequence[Cell]) -> None:
        self.heard += cells


def run_them(testbed: TestBed, models: Sequence[Model], folder: Path) -> tuple[list[Cell], Run, Silent]:
    """The classic's cells of these models, measured as the commands do it."""
    listener = Silent()
    run = new_run(folder / "out", {}, {}, seed=1)
    run.scenarios, run.models = questions([classic.SCENARIO], OPTIONS), model_facts(models)
    execute(make_plan([classic.SCENARIO], models, OPTIONS), testbed, OPTIONS, run, NoLoad(), listener)
    return list(run.cells.values()), run, listener


def one_after_the_other(ends: list[float]) -> bool:
    """The second answer came after two whole waits, the third after three, as they must if waits do not overlap."""
    return all(end > 0.9 * number * WAIT_S for number, end in enumerate(ends, 1))


def together(ends: list[float]) -> bool:
    """All answers came before three waits were over, as they cannot if even two at a time overlap."""
    return ends[-1] < 3 * WAIT_S


@pytest.mark.parametrize("model", find_models("classic"), ids=lambda model: model.name)
def test_a_model_shows_its_situation(model: Model, test_bed: TestBed, tmp_path: Path) -> None:
    (cell,), run, listener = run_them(test_bed, [model], tmp_path)
    (seen,) = cell.observations
    assert seen.state == "VALID", seen.reason
    assert seen.figures["total_s"] == seen.figures["python_s"] + seen.figures["database_s"]
    for kind, overlaps in (("python", model.python_waits_overlap), ("database", model.database_waits_overlap)):
        of_kind = "python" if kind == "python" else model.database
        requests = [request for request in seen.raw["answers"] if f"/{of_kind}/" in request["endpoint"]]
        assert [request["status"] for request in requests] == [200] * 5
        ends = sorted(request["end_s"] for request in requests)
        assert together(ends) if overlaps else one_after_the_other(ends)
        assert seen.figures[f"{kind}_s"] == ends[-1]
    assert len(listener.heard) == 1 + 10 + 1
    assert seen.figures["total_per_ideal"] == seen.figures["total_s"] / seen.figures["ideal_s"]
    assert json.loads(run.path.read_text())["cells"][0]["observations"] == [json.loads(json.dumps(asdict(seen)))]


@pytest.mark.parametrize(
    ("name", "requests", "python", "postgres"),
    [
        ("sync", 5, 5, 5),
        ("gevent-blocking-db", 5, 1, 5),
        ("gevent", 5, 1, 1),
        ("asyncio-adapter", 5, 5, 5),
        ("asyncio-blocking-db", 5, 1, 5),
        ("asyncio-bridge", 5, 1, 1),
        ("gevent", 15, 1, 1),
        ("gevent", 16, 1, 2),
        ("asyncio-bridge", 100, 1, 7),
        ("sync", 100, 100, 100),
        ("gthread", 15, 1, 1),
        ("gthread", 100, 7, 7),
        ("gthread-100", 100, 1, 7),
        ("gthread-100", 101, 2, 7),
        ("gevent-4-workers", 100, 1, 7),
        ("asyncio-wsgi", 100, 7, 7),
    ],
)
def test_the_ideal_counts_waits(name: str, requests: int, python: int, postgres: int) -> None:
    (model,) = find_models(name)
    assert ideal_s(model, 2.0, requests) == (python * 2.0, postgres * 2.0)


def test_the_published_figures_are_of_the_three_situations_of_2013() -> None:
    published = {model.name: model.published_2013_s for model in MODELS if model.published_2013_s}
    assert [round(sum_s) for _, _, sum_s in published.values()] == [50, 30, 10]
    for name, (python_s, postgres_s, sum_s) in published.items():
        ideal = ideal_s(find_models(name)[0], 5.0, 5)
        assert python_s == pytest.approx(ideal[0], rel=0.02)
        assert postgres_s == pytest.approx(ideal[1], rel=0.02)
        assert sum_s == pytest.approx(python_s + postgres_s, abs=0.02)


@pytest.mark.parametrize("name", ["sync", "asyncio-blocking-db"])
def test_a_server_that_answers_500_fails_its_cell(name: str, test_bed: TestBed, tmp_path: Path) -> None:
    """A database that is away: both answer within milliseconds, and neither may look fast."""
    away = f"postgresql://bench:x@127.0.0.1:{free_port()}/postgres"
    bed = replace(test_bed, databases={"postgres": replace(test_bed.databases["postgres"], url=away)}, logs=tmp_path)
    (cell,), run, _ = run_them(bed, find_models(name), tmp_path)
    (seen,) = cell.observations
    assert seen.state == "ERRORS"
    assert seen.reason.startswith("10 of 10 requests failed: 10 × status 500; the last lines of ")
    assert "OperationalError" in seen.reason
    saved = json.loads(run.path.read_text())["cells"][0]["observations"][0]
    assert (saved["state"], saved["reason"]) == ("ERRORS", seen.reason)


def test_a_server_that_cannot_start_fails_its_cell_and_the_run_goes_on(test_bed: TestBed, tmp_path: Path) -> None:
    """asyncpg opens its pool at start-up, so without a database there is no server at all."""
    away = f"postgresql://bench:x@127.0.0.1:{free_port()}/postgres"
    bed = replace(test_bed, databases={"postgres": replace(test_bed.databases["postgres"], url=away)}, logs=tmp_path)
    cells, _, _ = run_them(bed, find_models("asyncio-bridge,sync"), tmp_path)
    seen = [(cell.model, one.state) for cell in cells for one in cell.observations]
    assert seen == [("asyncio-bridge", "ERRORS"), ("sync", "ERRORS")]
    (first,) = cells[0].observations
    assert "it ended with exit code 3; the last lines of" in first.reason
    assert "ConnectionRefusedError" in first.reason
    assert "total_s" not in first.figures


def test_the_kinds_of_failure_are_counted_apart() -> None:
    def answer(status: int | None, error: str | None) -> Answer:
        return Answer("/sleep/python/", 0.0, 1.0, status, error)

    failed = (answer(500, "status 500"), answer(500, "status 500"), answer(None, "connection refused"))
    answers = (answer(200, None), *failed)
    assert problem(Round(1, 1, 2, answers)) == "3 of 4 requests failed: 1 × connection refused, 2 × status 500"
    assert problem(Round(1, 1, 2, answers[:1])) is None


@pytest.mark.parametrize("name", ["gevent", "asyncio-bridge"])
def test_more_requests_than_connections_come_back_in_waves(name: str, serve: Callable[[str], Server]) -> None:
    answers = send_at_once(serve(name).url, "/sleep/postgres/?seconds=0.5", 2 * POOL, 30, lambda _: None)
    assert all(answer.ok for answer in answers)
    ends = sorted(answer.end_s for answer in answers)
    gaps = [later - earlier for earlier, later in pairwise(ends)]
    assert gaps.index(max(gaps)) == POOL - 1
