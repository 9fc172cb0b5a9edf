"""What `pip install .` puts into an environment works outside the checkout, from any folder."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project as its wheel has it, in a folder of its own."""
    folder = tmp_path_factory.mktemp("installed")
    source = tmp_path_factory.mktemp("source") / "project"
    # setuptools writes its build folder beside pyproject.toml, which is not to be the checkout's.
    source.mkdir()
    for path in ROOT.iterdir():
        if path.is_dir() and (path / "__init__.py").exists():
            shutil.copytree(path, source / path.name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    install = ["install", "--quiet", "--disable-pip-version-check", "--no-deps", "--no-build-isolation"]
    subprocess.run(
        [sys.executable, "-m", "pip", *install, "--target", str(folder), str(source)], check=True, capture_output=True
    )
    return folder


@pytest.fixture
def run(installed: Path, tmp_path: Path) -> Run:
    """Runs a command in an empty folder, where only the installed project and its dependencies can be imported."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "BENCH_"))}
    environment |= {"PYTHONPATH": str(installed), "PATH": f"{installed / 'bin'}{os.pathsep}{os.environ['PATH']}"}

    def command(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(words, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120)

    return command


def test_the_console_script_lists_the_models(run: Run) -> None:
    done = run("flask-bench", "list", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    assert {"gevent", "asyncio-bridge"} <= {model["name"] for model in json.loads(done.stdout)["models"]}


def test_a_run_is_published_from_any_folder(run: Run, tmp_path: Path) -> None:
    """The templates of its pictures and texts are in the package."""
    (tmp_path / "README.md").write_text("<!-- from the committed run -->\n<!-- end -->\n", encoding="utf-8")
    done = run("flask-bench", "publish", str(ROOT / "docs" / "results" / "all.json.xz"), "--out", "out")
    assert (done.returncode, done.stderr) == (0, "")
    assert "Take gevent" in (tmp_path / "README.md").read_text(encoding="utf-8")
    assert (tmp_path / "out" / "waits-dark.svg").is_file()


def test_the_bridge_is_imported_without_the_checkout(run: Run, installed: Path) -> None:
    done = run(sys.executable, "-c", "import loopbridge; print(loopbridge.__file__, loopbridge.LoopBridge.__name__)")
    assert (done.returncode, done.stderr) == (0, "")
    path, name = done.stdout.split()
    assert (Path(path).parent.parent, name) == (installed, "LoopBridge")
    assert (installed / "loopbridge" / "py.typed").is_file()


def test_a_scenario_is_measured_and_its_page_written_from_any_folder(run: Run, tmp_path: Path) -> None:
    done = run(
        sys.executable, "-m", "bench", "classic", "--models", "asyncio-bridge", "--seconds", "0.1", "--out", "run"
    )
    assert (done.returncode, done.stderr) == (0, "")
    results = json.loads((tmp_path / "run" / "results.json").read_text(encoding="utf-8"))
    assert [cell["model"] for cell in results["cells"]] == ["asyncio-bridge"]
    assert results["environment"]["commit"] is None
    assert "asyncio_app/views.py" in (tmp_path / "run" / "report.html").read_text(encoding="utf-8")
