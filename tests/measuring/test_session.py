"""A session sets up what a run needs, and its listener hears of the end however it comes."""

import ast
import json
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import pytest

from bench.errors import BenchError
from bench.measuring.session import Inquiry, Place, Session, Workbench
from bench.models import find_models
from bench.report.page import page
from bench.results import Run, load_run
from bench.scenarios import SCENARIOS
from bench.scenarios.base import Options
from bench.scenarios.classic import SECONDS
from bench.testbed.testbed import TestBed
from tests.listeners import Heard

ROOT = Path(__file__).parents[2]


@pytest.fixture
def on_test_bed(test_bed: TestBed, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sessions find the tests' databases, and need not start their own."""
    monkeypatch.setattr("bench.measuring.session.open_testbed", lambda *_, **__: nullcontext(test_bed))


def classic(seed: int) -> Inquiry:
    """The classic's question to one model, in a tenth of a second."""
    options = Options(seed=seed, chosen={SECONDS.name: 0.1})
    return Inquiry("classic", [SCENARIOS["classic"]], find_models("gevent"), options)


@pytest.mark.usefixtures("on_test_bed")
def test_a_run_is_carried_out_and_then_resumed_without_a_step(tmp_path: Path) -> None:
    heard, session = Heard(), Session(Place(out=tmp_path / "o"))
    run = session.carry_out(classic(session.seed), heard)
    assert heard.names == ["started 1", "step 1 of 1", "1 cell", "complete"]
    assert run.calibration is None, "the classic sends its requests without the generator"
    assert run.arguments["options"]["classic_seconds"] == 0.1
    assert (list(run.scenarios), list(run.models)) == (["classic"], ["gevent"])
    again, resumed = Heard(), Session(Place(resume=tmp_path / "o"))
    assert resumed.seed == session.seed
    resumed.carry_out(classic(resumed.seed), again)
    assert again.names == ["started 1", "complete"]
    with pytest.raises(BenchError, match=r"other options were given for it: options\.seed was"):
        Session(Place(resume=tmp_path / "o")).carry_out(classic(session.seed + 1), Heard())
    for field in ("cells", "steps_done"):
        content = json.loads(run.path.read_text(encoding="utf-8"))
        damaged = tmp_path / field
        damaged.mkdir()
        (damaged / "results.json").write_text(json.dumps({**content, field: []}), encoding="utf-8")
        with pytest.raises(BenchError, match="is damaged: what it has measured is not what it says was done"):
            Session(Place(resume=damaged)).carry_out(classic(session.seed), Heard())


@pytest.mark.usefixtures("on_test_bed")
def test_what_a_model_sets_on_purpose_stands_in_its_cell_and_before_its_command(tmp_path: Path) -> None:
    session = Session(Place(out=tmp_path / "o"))
    inquiry = classic(session.seed)
    chosen = replace(inquiry.models[0], environment={"PYTHONMALLOC": "malloc"})
    session.carry_out(replace(inquiry, models=[chosen]), Heard())
    run = load_run(tmp_path / "o")
    (cell,) = run.cells.values()
    assert cell.environment == {"PYTHONMALLOC": "malloc"}
    assert page.commands(run)["gevent"].startswith("PYTHONMALLOC=malloc python -m gunicorn --bind ")


@pytest.mark.usefixtures("on_test_bed")
@pytest.mark.parametrize("error", [KeyboardInterrupt, BenchError])
def test_the_listener_hears_of_the_end_and_that_it_came_too_early(error: type[BaseException], tmp_path: Path) -> None:
    def fail(bench: Workbench, run: Run) -> None:
        raise error

    heard = Heard()
    with pytest.raises(error):
        Session(Place(out=tmp_path / "o")).carry_out(Inquiry("traps"), heard, fail)
    assert heard.names == ["started 0", "not complete"]
    assert load_run(tmp_path / "o").steps_done == []


def test_nothing_to_ask_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    inquiry = Inquiry("pool", [SCENARIOS["pool"]], find_models("sync"), Options())
    with pytest.raises(BenchError, match="pool has no question to sync; name others"):
        Session(Place(out=tmp_path / "o")).carry_out(inquiry, Heard())
    assert not (tmp_path / "o").exists()
    with pytest.raises(BenchError, match="leave out --out"):
        Session(Place(out=tmp_path, resume=tmp_path))


@pytest.mark.parametrize("room", ["scenarios", "measuring"])
def test_whoever_measures_knows_no_report(room: str) -> None:
    for path in (ROOT / "bench" / room).glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            assert not any(name.startswith(("bench.report", "bench.commands")) for name in names), path
