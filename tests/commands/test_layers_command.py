"""`python -m bench layers`: what is measured on which servers, for real, and what its exit code says."""

import io
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner
from rich.console import Console

from bench.cli import cli
from bench.commands import layers as command
from bench.judging import judge
from bench.measuring.plan import make_plan
from bench.models import find_models
from bench.report.page.charts import Palette
from bench.report.page.page import page
from bench.report.presentation import presentation_of
from bench.report.terminal.run import summary
from bench.results import Run, load_run
from bench.scenarios import APART, SCENARIOS, bridge
from bench.scenarios.base import Options
from bench.scenarios.layers import CELLS, LADDERS, MODELS, ONE_READ, SCENARIO
from tests.judged_runs import run_of
from tests.judging.test_layers import cells, cost_us

CYCLES = 2


def test_it_is_apart_from_all_and_its_servers_are_plain_and_up_at_once() -> None:
    assert SCENARIO.name in APART.keys() - SCENARIOS.keys()
    models = find_models(",".join(MODELS))
    assert {model.server_class for model in models} == {"plain"}
    (step,) = make_plan([SCENARIO], models, Options(generations=1, servers_at_once=len(MODELS)))
    assert {each.name for each in step.contestants} == set(MODELS)


@pytest.mark.parametrize(("factor", "code"), [(1.0, 0), (1.3, 1)])
def test_the_exit_code_says_whether_the_layers_add_up(
    factor: float, code: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    changed = {("gevent", ONE_READ): cost_us("gevent", ONE_READ) * factor}
    monkeypatch.setattr(command, "measure", lambda *_, **__: run_of(*cells(changed), folder=tmp_path))
    assert CliRunner().invoke(cli, ["layers"]).exit_code == code


@pytest.mark.parametrize("arguments", [["--models", "sync"], ["--servers-at-once", "3"], ["--generations", "0"]])
def test_bad_input_is_refused(arguments: list[str]) -> None:
    assert CliRunner().invoke(cli, ["layers", *arguments]).exit_code == 2


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A short generation of real servers, and then a few requests that wait in place of thousands."""
    folder = tmp_path_factory.mktemp("layers") / "run"
    arguments = ["--generations", "1", "--cycles", str(CYCLES), "--budget-s", "0", "--out", str(folder)]
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(bridge, "WAITING", replace(bridge.WAITING, parameters={"requests": 200, "seconds": 0.5}))
        done = CliRunner().invoke(cli, ["layers", *arguments])
    assert done.exit_code in (0, 1), done.output
    return load_run(folder / "results.json")


def test_every_load_is_measured_on_its_server_and_none_failed(run: Run) -> None:
    found = {(cell.model, cell.workload["name"]): cell for cell in run.of("layers")}
    assert found.keys() == CELLS
    for cell in found.values():
        assert [len(one.raw["slices"]["good"]) for one in cell.observations] == [CYCLES], cell.key
        assert {one.raw["slices"]["servers"] for one in cell.observations} == {len(MODELS)}
        assert {one.state for one in cell.observations} <= {"VALID", "UNSTABLE"}, cell.key
        assert not any("nothing to do" in one.reason for one in cell.observations), "other loads on the same server"
    assert {cell.model for cell in run.of("waiting")} == {"gevent", "asyncio-bridge"}


def printed(run: Run) -> list[str]:
    """What a terminal of 80 columns shows."""
    console = Console(width=80, record=True, file=io.StringIO())
    summary(console, run, command.SCENARIOS)
    return console.export_text().splitlines()


def test_the_terminal_has_a_letter_for_each_layer_and_bars_of_them(tmp_path: Path) -> None:
    lines = printed(run_of(*cells(), folder=tmp_path))
    assert max(map(len, lines)) <= 80
    names = {layer.name for ladder in LADDERS for layer in ladder.layers}
    assert all(any(line[3:].startswith(name) for line in lines) for name in names)
    (gevent,) = [line for line in lines if line.startswith("gevent  A")]
    (asyncio,) = [line for line in lines if line.startswith("asyncio A")]
    assert gevent.count("A") == pytest.approx(asyncio.count("A") * 100 / 80, abs=1)
    assert ("C" in gevent, "C" in asyncio) == (False, True), "only asyncio has a bridge"


def test_the_page_has_stacked_bars_for_both_sides(tmp_path: Path) -> None:
    whole = run_of(*cells(), folder=tmp_path)
    draw = presentation_of("layers").charts
    assert draw
    (chart,) = draw(whole, judge(whole).workloads, "gevent", Palette([]))
    assert chart
    bars = [trace for trace in chart.traces if trace["type"] == "bar"]
    assert chart.layout["barmode"] == "relative"
    assert {side for trace in bars for side in trace["x"]} == {"gevent", "asyncio"}
    looks = [(trace["marker"]["color"], trace["marker"]["pattern"]["shape"]) for trace in bars]
    assert len(set(looks)) == len(looks) == len({layer.name for ladder in LADDERS for layer in ladder.layers})
    assert "Of the 13 µs that asyncio saves on one read" in page(whole)
