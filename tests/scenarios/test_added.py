"""Adding a scenario takes its own file, its presentation file, and the list. All else finds it from there."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("bench", "gevent_app", "asyncio_app", "reference_apps", "entrypoints")
LIST = Path("bench", "scenarios", "__init__.py")

SCENARIO = '''"""How many bytes does the list have?"""

from bench.scenarios.base import Reading, Scenario, Workload
from bench.scenarios.options import Option

TIMES = Option("echo_times", "--times", "How often the list is read.", 2, 1, 9, quick=1)


def measure(context, workload):
    bodies = [context.fetch("/todos/") for _ in range(workload.parameters["times"])]
    return Reading({"body_bytes": len(bodies[-1]), "reads": len(bodies)}, raw={"bodies": [len(one) for one in bodies]})


SCENARIO = Scenario(
    name="echo",
    question="How many bytes does the list have?",
    workloads=lambda options: [Workload("the list", {"times": options[TIMES]})],
    measure=measure,
    finding=lambda cells: "The list was read.",
    figure="body_bytes",
    options=(TIMES,),
)
'''
PRESENTATION = '''"""The list: how long it is, and how often it was read."""

from bench.report.presentation import Column, Presentation

PRESENTATION = Presentation(columns=(Column("bytes", "body_bytes"), Column("times read", "reads")))
'''


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project with one more scenario."""
    root = tmp_path_factory.mktemp("checkout")
    for package in PACKAGES:
        shutil.copytree(ROOT / package, root / package)  # with what is compiled of it
    (root / "bench/scenarios/echo.py").write_text(SCENARIO)
    (root / "bench/report/scenarios/echo.py").write_text(PRESENTATION)
    old = (root / LIST).read_text()
    new = old.replace(" classic, fanout", " classic, echo, fanout").replace("(classic,", "(classic, echo,")
    assert new.count("echo") == 2
    (root / LIST).write_text(new)
    return root


def bench(root: Path, *arguments: str) -> str:
    """What the bench of that checkout prints."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "bench", *arguments], cwd=root, capture_output=True, text=True,
        env={**os.environ, "PYTHONPATH": str(root), "COLUMNS": "80"}, timeout=120,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


@pytest.fixture(scope="module")
def output(checkout: Path) -> str:
    """One model, end to end."""
    return bench(checkout, "echo", "--times", "3", "--models", "gevent", "--out", "o")


@pytest.mark.usefixtures("checkout")
def test_it_is_a_command_an_option_of_all_and_in_the_list(checkout: Path) -> None:
    assert "classic, echo, throughput" in " ".join(bench(checkout, "all", "--help").split())
    assert "--times" in bench(checkout, "all", "--help")
    assert "How many bytes does the list have?" in bench(checkout, "list")


def test_the_terminal_has_its_question_its_columns_and_its_finding(output: str) -> None:
    lines = output.splitlines()
    assert any(line.startswith("[1/1] echo: gevent; ") for line in lines)
    assert "How many bytes does the list have?" in lines
    (heading,) = (line for line in lines if line.startswith("model "))
    assert heading.split() == ["model", "workload", "bytes", "times", "read", "state"]
    (row,) = (line for line in lines if line.startswith("gevent "))
    assert row.split()[-2:] == ["3", "VALID"]
    assert "The list was read." in lines


@pytest.mark.usefixtures("output")
def test_the_results_file_and_the_page_have_it(checkout: Path) -> None:
    results = json.loads((checkout / "o/results.json").read_text())
    assert results["scenarios"]["echo"]["figure"] == "body_bytes"
    assert results["arguments"]["options"]["echo_times"] == 3
    (cell,) = results["cells"]
    assert cell["observations"][0]["figures"]["reads"] == 3
    page = (checkout / "o/report.html").read_text()
    assert '<section id="echo"' in page
    assert "times read" in page
    assert "The list was read." in page


def test_quick_is_what_it_says_and_all_knows_its_name(checkout: Path) -> None:
    bench(checkout, "all", "--quick", "--scenarios", "echo", "--models", "gevent", "--out", "quick")
    (cell,) = json.loads((checkout / "quick/results.json").read_text())["cells"]
    assert cell["observations"][0]["figures"]["reads"] == 1
