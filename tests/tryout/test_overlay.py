"""What an environment lacks is lent from a folder of the cache, and its own versions are never replaced."""

import shutil
import sys
import threading
from pathlib import Path

import pytest

from bench.errors import BenchError
from bench.tryout.app import App, app_of
from bench.tryout.interpreter import Interpreter
from bench.tryout.overlay import requirement
from bench.tryout.ways import ways_for
from tests.tryout.conftest import Place
from tests.tryout.environments import FLASK, SERVERS, environment, index

NEVER_FITS = "0.4.13"


def found(place: Place, python: Path | None = None, said: list[str] | None = None) -> App:
    hear = (said if said is not None else []).append
    return app_of(
        "shop:app", python=python or place.python, folder=place.folder, environment=place.variables, said=hear
    )


def test_it_is_made_once_and_its_versions_are_those_of_the_bench(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    said: list[str] = []
    first, second = found(place, said=said), found(place, said=said)
    assert len(said) == 1
    assert "gevent==" in said[0]
    assert first.overlay == second.overlay
    assert set(first.facts.added) == {"gunicorn", "gevent", "greenlet", "uvicorn", "asgiref", "packaging"}
    assert not set(first.facts.added) & set(first.facts.packages)
    assert first.failures.keys() == {"granian", "psycogreen.gevent"}


def test_two_benches_that_make_it_at_once_both_have_it(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    apps: list[App] = []
    threads = [threading.Thread(target=lambda: apps.append(found(place))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(apps) == 2
    assert apps[0].overlay == apps[1].overlay
    assert [path.name for path in (tmp_path / "cache" / "flask-concurrency-bench").iterdir()] == [
        apps[0].overlay.name if apps[0].overlay else ""
    ]


def test_an_environment_that_has_all_servers_gets_none(place: Place) -> None:
    assert found(place, Path(sys.executable)).overlay is None


def test_the_environments_own_servers_win(place: Place, tmp_path: Path) -> None:
    python = environment(tmp_path / "venv", (*FLASK, "gunicorn", "packaging"))
    (packages,) = (tmp_path / "venv").glob("lib/python*/site-packages")
    (packages / "gunicorn" / "__init__.py").write_text('__version__ = "0.0.1"\n', encoding="utf-8")
    app = found(place, python)
    assert "gunicorn" in app.facts.packages
    assert app.overlay is not None
    assert not (app.overlay / "gunicorn").exists()
    assert "gunicorn" not in app.facts.added


def test_a_greenlet_that_fits_nothing_is_named_with_what_to_install(place: Place, tmp_path: Path) -> None:
    python = environment(tmp_path / "venv", (*FLASK, "greenlet"))
    (packages,) = (tmp_path / "venv").glob("lib/python*/site-packages")
    (described,) = packages.glob("greenlet-*.dist-info")
    described.rename(packages / f"greenlet-{NEVER_FITS}.dist-info")
    metadata = packages / f"greenlet-{NEVER_FITS}.dist-info" / "METADATA"
    lines = metadata.read_text(encoding="utf-8").splitlines()
    versions = [f"Version: {NEVER_FITS}" if line.startswith("Version: ") else line for line in lines]
    metadata.write_text("\n".join(versions), encoding="utf-8")
    app = found(place, python)
    unavailable = {way.name: way.unavailable(app) for way in ways_for(app)}
    for name in ("gevent",):
        assert f"needs greenlet>=3.2.2, and {NEVER_FITS} is there; run: {python} -m pip" in unavailable[name]
    assert unavailable["sync"] == unavailable["gthread"] == unavailable["bridge-threads"] == ""


def test_without_an_index_the_error_has_the_command_to_run(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    with pytest.raises(
        BenchError,
        match=r"pip could not fetch .*the requirement gunicorn.*PIP_INDEX_URL.*-m pip install gunicorn",
    ):
        found(place)
    assert [*(tmp_path / "cache" / "flask-concurrency-bench").iterdir()] == []


def test_an_index_with_half_of_them_leaves_no_half_a_folder(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wheels = index(tmp_path / "half", [name for name in SERVERS if name not in ("uvicorn", "h11")])
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheels))
    with pytest.raises(BenchError, match="uvicorn"):
        found(place)
    assert [*(tmp_path / "cache" / "flask-concurrency-bench").iterdir()] == []


def interpreter(version: str) -> Interpreter:
    return Interpreter(Path("python"), version, "abi")


@pytest.mark.parametrize(
    ("version", "installed", "pinned"),
    [
        ("3.13.0", {}, True),
        ("3.9.18", {}, False),
        ("3.13.0", {"greenlet": "3.2.2"}, True),
        ("3.13.0", {"greenlet": "3.0.3"}, False),
    ],
)
def test_the_benchs_own_version_is_asked_for_where_it_fits(
    version: str, installed: dict[str, str], pinned: bool
) -> None:
    assert ("==" in requirement("gevent", interpreter(version), installed)) == pinned


def test_the_bridge_and_psycogreen_are_lent_without_pip(place: Place) -> None:
    app = found(place)
    assert app.overlay is not None
    assert not (app.overlay / "loopbridge").exists()
    assert "loopbridge" not in app.failures
    assert "psycopg2" in app.failures["psycogreen.gevent"]  # which is what is missing, not psycogreen
    assert shutil.which("pip", path=str(place.python.parent)) is None
