"""What a run says in sentences, tables and exports: winners with their intervals, ties, and what nobody can say."""

import csv
import io
import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from report_runs import LAYERS, MODELS, ODD, cell, sample_run
from rich.console import Console, RenderableType

from bench.judging import judge
from bench.report.columns import value_of
from bench.report.export import CSV_COLUMNS, as_csv, as_json, as_markdown
from bench.report.families import family
from bench.report.page import embed
from bench.report.page.code_view import explanations, files
from bench.report.page.page import FILE, page
from bench.report.scenarios.latency import distribution
from bench.report.terminal.run import summary
from bench.report.terminal.summary import in_terminal
from bench.results import Run
from bench.scenarios import SCENARIOS
from tests.judged_runs import rates, run_of, times


@pytest.mark.parametrize("generations", [2, 6])
def test_the_terminal_needs_80_columns(tmp_path: Path, generations: int) -> None:
    run = sample_run(tmp_path, generations)
    text = printed(run, 80, in_terminal(judge(run).verdict))
    assert max(map(len, text.splitlines())) <= 80
    assert "one small database read" in text


def test_what_spoils_a_verdict_is_said_first_and_in_yellow(tmp_path: Path) -> None:
    run = sample_run(tmp_path)
    found = replace(judge(run).verdict, noise="This machine was too noisy: end other programs.")
    console = Console(width=80, record=True, file=io.StringIO(), force_terminal=True, color_system="standard")
    console.print(in_terminal(found))
    _, _, first, *_ = console.export_text(styles=True).splitlines()
    assert first == "\x1b[1;33mThis machine was too noisy: end other programs.\x1b[0m"


def test_the_terminal_and_the_exports_have_a_row_for_each_data_layer(tmp_path: Path) -> None:
    run = sample_run(tmp_path)
    text = printed(run, 80, in_terminal(judge(run).verdict))
    assert re.search(r"raw driver +0\.8\d \(0\.\d\d–0\.\d\d\),", text)
    assert text.index("How sure") < text.index("raw driver  ") < text.index("kind of work")
    headings, raw, core = json.loads(as_json(run))["verdict"]["matched"]
    assert headings == ["asyncio ÷ gevent, CPU time", "one read", "twenty reads"]
    assert (raw[0], core[0]) == ("raw driver", "SQLAlchemy Core")
    assert f"| {' | '.join(raw)} |" in as_markdown(run)


def printed(run: Run, width: int, *parts: RenderableType) -> str:
    """What a terminal of that width shows of these parts, or of all scenarios."""
    console = Console(width=width, record=True, file=io.StringIO())
    console.print(*parts)
    if not parts:
        summary(console, run, SCENARIOS.values())
    return console.export_text()


@pytest.mark.parametrize(("width", "intervals"), [(80, 1), (100, 2), (140, 2)])
def test_both_compared_figures_have_a_ratio_and_an_interval_where_there_is_room(
    tmp_path: Path, width: int, intervals: int
) -> None:
    text = printed(sample_run(tmp_path), width)
    assert max(map(len, text.splitlines())) <= width
    in_reads = text[text.index("GET /queries/?count=1") :]
    line = next(line for line in in_reads.splitlines() if line.startswith("asyncio-bridge "))
    assert re.search(r" 0\.6\d \(0\.\d\d–0\.\d\d\) +0 [\d,]+ +1\.4\d", line)
    assert line.count("–") == intervals


def test_the_note_says_by_what_models_are_ranked_and_whether_the_method_worked(tmp_path: Path) -> None:
    text = " ".join(printed(sample_run(tmp_path), 120).split())
    assert text.count("ranked by CPU time a request, for every model filled its core; beside it requests a second") == 2
    idle = r"asyncio-bridge left 30 % of its core idle[^;]*"
    assert re.search(f"ranked by requests a second, for {idle}; beside it CPU time a request; A/A", text)
    assert re.search(r"A/A: 1\.00 \(0\.\d\d–1\.\d\d\), passed", text)
    assert "ranked by the rate that can be promised; no A/A pair checked the method" in text


def test_a_method_that_failed_is_said_beneath_the_table() -> None:
    cells = [rates(model, times(factor)) for model, factor in
             (("gevent", 1.0), ("asyncio-bridge", 1.5), ("gevent (again)", 1.3))]  # fmt: skip
    text = " ".join(printed(run_of(*cells), 120).split())
    assert "A/A: 0.77 (0.77–0.77), failed: nothing is compared" in text


def test_every_scenario_says_whether_it_was_measured_once(tmp_path: Path) -> None:
    run = sample_run(tmp_path)
    titles = [line for line in printed(run, 120).splitlines() if line.endswith("──")]
    found = {title.split()[0]: title for title in titles if "(" in title}
    once = {"classic", "scale", "pool", "fanout", "neighbour", "stream"}
    assert {name for name, title in found.items() if "(measured once)" in title} == once
    assert {name for name, title in found.items() if "(in slices, 6 generations of servers)" in title} == {
        "throughput", "pairs", "latency",
    }  # fmt: skip
    assert page(run).count(">measured once</span>") == len(once)


def test_a_percentile_no_generation_has_enough_requests_for_is_that_of_all(tmp_path: Path) -> None:
    """Three hundred requests a generation have no p99, six generations have."""
    common = judge(sample_run(tmp_path)).scenario("latency").workloads[0]  # type: ignore[union-attr]
    gevent, sync = common.cells["gevent"], common.cells["sync"]
    assert gevent.values("p99_s") == []
    p99_s = value_of(gevent, "p99_s")
    assert p99_s is not None
    assert gevent.median("p90_s") < p99_s < 1.3 * gevent.median("p90_s")  # type: ignore[operator]
    assert value_of(sync, "p99_s") is None


def test_the_distribution_is_that_of_all_requests_up_to_where_ten_are_slower(tmp_path: Path) -> None:
    common = judge(sample_run(tmp_path)).scenario("latency").workloads[0]  # type: ignore[union-attr]
    every, few = distribution(common.cells["gevent"]), distribution(common.cells["sync"])
    assert [seconds for _, seconds in every] == sorted(seconds for _, seconds in every)
    assert few[-1][0] <= 100 * (1 - 10 / 300) < every[-1][0] <= 100 * (1 - 10 / 1800)
    assert dict(every)[90.0] == pytest.approx(common.cells["gevent"].median("p90_s"), rel=0.02)


def test_csv_has_a_row_a_cell_and_figure_under_names_that_stay(tmp_path: Path) -> None:
    rows = list(csv.DictReader(io.StringIO(as_csv(sample_run(tmp_path)))))
    assert tuple(rows[0]) == CSV_COLUMNS
    assert CSV_COLUMNS[:3] == ("scenario", "workload", "model")
    of_asyncio = [row for row in rows if (row["workload"], row["model"]) == ("GET /queries/?count=1", "asyncio-bridge")]
    cpu, rate, pauses = of_asyncio
    assert [row["figure"] for row in of_asyncio] == ["cpu_per_request_s", "throughput_rps", "pauses"]
    assert (cpu["state"], cpu["generations"], cpu["baseline"], cpu["rank"]) == ("VALID", "6", "gevent", "1")
    assert float(cpu["ratio_low"]) < 1300 / 1900 < float(cpu["ratio_high"])
    assert float(rate["ratio_low"]) < 1900 / 1300 < float(rate["ratio_high"])
    assert (rate["rank"], rate["verdict"], pauses["ratio"]) == ("", "", "")
    assert {row["model"] for row in rows} == {*MODELS, *LAYERS}
    assert not any("(again)" in row["model"] for row in rows)


def test_json_has_every_judged_cell(tmp_path: Path) -> None:
    run = sample_run(tmp_path)
    content = json.loads(as_json(run))
    twins = sum("(again)" in one.model for one in run.cells.values())
    assert len(content["cells"]) == len(run.cells) - twins
    failed = next(one for one in content["cells"] if one["state"] == "ERRORS" and one["scenario"] == "throughput")
    assert failed["rank"] is None
    assert failed["reason"].endswith("half of them failed | <i>500</i>")
    (write,) = [
        one for one in content["cells"] if (one["workload"], one["model"]) == ("POST /todos/", "asyncio-bridge")
    ]
    assert (write["figure"], write["beside"]["figure"]) == ("throughput_rps", "cpu_per_request_s")
    assert write["figure_because"].startswith("asyncio-bridge left 30 % of its core idle")
    assert write["ratio_low"] > 1 > write["beside"]["ratio_high"]
    assert write["a_a"]["low"] < 1.01
    assert write["method_failed"] == ""
    assert content["verdict"]["sentences"] == list(judge(run).verdict.sentences)


def test_markdown_tables_survive_any_name(tmp_path: Path) -> None:
    lines = as_markdown(sample_run(tmp_path)).splitlines()
    assert not any("<script>" in line for line in lines)
    tables = [line for line in lines if line.startswith("|")]
    assert {line.count(" | ") for line in tables} == {2, 3, 5}
    assert any("~~" in line and "errors" in line for line in tables)
    assert "| model | CPU time a request µs | × gevent | req/s | × gevent | rank |" in tables
    assert any(line.startswith("ranked by requests a second, for asyncio-bridge left 30 %") for line in lines)


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
    slices = [one["raw"]["slices"] for cell in small["cells"] for one in cell["observations"] if "slices" in one["raw"]]
    assert {len(each) for columns in slices for each in (*columns["responses_us"], *columns["services_us"])} == {0}
    assert all(len(columns["responses_us"]) == len(columns["good"]) for columns in slices)
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
        (lambda path: path.write_text(path.read_text().replace('"schema": 3', '"schema": 99')), "another one"),
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
