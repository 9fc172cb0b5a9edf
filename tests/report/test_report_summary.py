"""What a run says in sentences, tables and exports: winners with their intervals, ties, and what nobody can say."""

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from report_runs import MODELS, ODD, cell, sample_run
from rich.console import Console

from bench.judging import judge
from bench.report.export import CSV_COLUMNS, as_csv, as_json, as_markdown
from bench.report.families import family
from bench.report.page import embed
from bench.report.page.code_view import explanations, files
from bench.report.page.page import FILE, page
from bench.report.terminal.summary import in_terminal
from tests.judged_runs import run_of


@pytest.mark.parametrize("rounds", [2, 6])
def test_the_terminal_needs_80_columns(tmp_path: Path, rounds: int) -> None:
    console = Console(width=80, record=True, file=io.StringIO())
    console.print(in_terminal(judge(sample_run(tmp_path, rounds)).verdict))
    text = console.export_text()
    assert max(map(len, text.splitlines())) <= 80
    assert "one small database read" in text


def test_csv_has_a_row_a_cell_and_figure_under_names_that_stay(tmp_path: Path) -> None:
    rows = list(csv.DictReader(io.StringIO(as_csv(sample_run(tmp_path)))))
    assert tuple(rows[0]) == CSV_COLUMNS
    assert CSV_COLUMNS[:3] == ("scenario", "workload", "model")
    (asyncio,) = [row for row in rows if (row["workload"], row["model"], row["figure"]) ==
                  ("GET /queries/?count=1", "asyncio", "throughput_rps")]  # fmt: skip
    assert (asyncio["state"], asyncio["rounds"], asyncio["baseline"], asyncio["rank"]) == ("VALID", "6", "gevent", "1")
    assert float(asyncio["ratio_low"]) < 1900 / 1300 < float(asyncio["ratio_high"])
    assert {row["model"] for row in rows} == set(MODELS)
    assert not any("(again)" in row["model"] for row in rows)


def test_json_has_every_judged_cell(tmp_path: Path) -> None:
    run = sample_run(tmp_path)
    content = json.loads(as_json(run))
    twins = sum("(again)" in one.model for one in run.cells.values())
    assert len(content["cells"]) == len(run.cells) - twins
    failed = next(one for one in content["cells"] if one["state"] == "ERRORS" and one["scenario"] == "throughput")
    assert failed["rank"] is None
    assert failed["reason"].endswith("half of them failed | <i>500</i>")
    assert content["verdict"]["sentences"] == list(judge(run).verdict.sentences)


def test_markdown_tables_survive_any_name(tmp_path: Path) -> None:
    lines = as_markdown(sample_run(tmp_path)).splitlines()
    assert not any("<script>" in line for line in lines)
    tables = [line for line in lines if line.startswith("|")]
    assert {line.count(" | ") for line in tables} == {2, 3}
    assert any("~~" in line and "errors" in line for line in tables)


def test_a_page_without_a_scenario_or_with_nothing_but_traps_renders(tmp_path: Path) -> None:
    run = sample_run(tmp_path)
    for cells in ({}, {key: one for key, one in run.cells.items() if one.scenario == "stream"}):
        run.cells = cells
        assert "one loop" in page(run)


def test_results_too_large_for_the_page_lose_single_requests_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = sample_run(tmp_path)
    monkeypatch.setattr(embed, "RAW_LIMIT_BYTES", 1000)
    packed, whole = embed.packed_results(run)
    assert not whole
    small = json.loads(embed.results(run, whole=False))
    assert len(small["cells"]) == len(run.cells)
    assert '"raw": [{' not in json.dumps(small)
    assert "too large" in page(run)
    assert packed


def test_the_page_is_below_its_limit_without_the_results(tmp_path: Path) -> None:
    assert len(page(sample_run(tmp_path)).encode()) + embed.RAW_LIMIT_BYTES < 6_000_000


def test_every_difference_in_the_code_is_explained_in_two_lines() -> None:
    for file in files():
        for function in file.functions:
            assert bool(function.differing) == (len(function.explanation) == 2), (file.names, function.name)
            assert all(0 < len(line) < 160 for line in function.explanation), (file.names, function.name)


def test_no_explanation_is_left_of_a_function_that_is_gone() -> None:
    there = {(file.names[0].split("/")[1].removesuffix(".py"), function.name) for file in files()
             for function in file.functions if function.differing}  # fmt: skip
    assert {(file, name) for file, table in explanations().items() for name in table} == there


def test_the_code_is_aligned_and_what_differs_is_marked() -> None:
    for function in (function for file in files() for function in file.functions):
        left, right = function.sides
        assert len(left) == len(right)
        for one, other in zip(left, right, strict=True):
            assert one.differs or other.differs or one.code == other.code


def test_an_unknown_model_and_scenario_are_shown(tmp_path: Path) -> None:
    run = run_of(cell("future", ODD, {"name": "a load"}, "speed", {"speed": 2.0}, {"speed": 3.0}), folder=tmp_path)
    found = judge(run)
    assert family(found.models[ODD]) == "other"
    assert [(workload.scenario, workload.shown(ODD)) for workload in found.workloads] == [("future", "2.500")]
    assert "a load" in page(run)


def damaged(text: str) -> Callable[[Path], None]:
    """Something that spoils a good file."""
    return lambda path: path.write_text(path.read_text().replace('"observations": [{', text)) and None


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda path: path.unlink(), "cannot read"),
        (lambda path: path.write_text("nothing"), "it is not JSON"),
        (lambda path: path.write_bytes(b"\xff\xfe\x00"), "it is not UTF-8 text"),
        (lambda path: path.write_text('{"packages": []}'), "no results file of this bench"),
        (lambda path: path.write_text(path.read_text().replace('"schema": 2', '"schema": 99')), "another one"),
        (damaged('"observations": [3, {'), "is damaged"),
        (damaged('"observations": 5, "rest": [{'), "is damaged"),
        (lambda path: path.write_text(path.read_text().replace('"name": "GET /"', '"nome": "GET /"')), "is damaged"),
        (lambda path: path.write_text(path.read_text().replace('"throughput_rps": ', '"throughput_rps": "x", "y": ')),
         "is damaged"),
    ],
)  # fmt: skip
def test_what_is_no_run_is_refused_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], spoil: Callable[[Path], object], says: str
) -> None:
    run = sample_run(tmp_path)
    run.save()
    spoil(run.path)
    for form in ("html", "csv", "md", "json"):
        assert report(str(tmp_path), "--format", form) == 2
        told = capsys.readouterr()
        assert says in told.err
        assert len(told.err.splitlines()) == 1
        assert told.out == ""
    assert not (tmp_path / FILE).exists()


def test_the_command_takes_folder_or_file_and_prints_the_pages_path(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sample_run(tmp_path).save()
    for path in (tmp_path, tmp_path / "results.json"):
        assert report(str(path)) == 0
        assert capsys.readouterr().out == f"{tmp_path / FILE}\n"
        (tmp_path / FILE).unlink()
    assert report(str(tmp_path), "--format", "md") == 0
    assert capsys.readouterr().out.startswith("## gevent or asyncio?")
    assert report(str(tmp_path), "--format", "md", "--open") == 2


def report(*arguments: str) -> int:
    """`python -m bench report …`: its exit code."""
    from bench.cli import main

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.argv", ["bench", "report", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
    return int(ended.value.code or 0)
