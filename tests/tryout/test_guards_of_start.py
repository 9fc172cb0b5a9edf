"""Each guard around a start fires: what hangs, what does not fit, and which configuration is read."""

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import httpx
import pytest

from bench.errors import BenchError
from bench.tryout import interpreter, overlay, serving
from bench.tryout.app import app_of
from bench.tryout.configuration import configuration, notes
from bench.tryout.inside.bench_tried import effect
from bench.tryout.serving import StartFailed
from bench.tryout.ways import ways_for
from tests.tryout.conftest import Place


def test_an_import_that_does_not_end_is_given_up(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interpreter, "IMPORT_TIMEOUT_S", 1.0)
    (place.folder / "hangs.py").write_text("import time\nprint('connecting', flush=True)\ntime.sleep(600)\n")
    with pytest.raises(BenchError, match="was not ready within 1 s; its last line: connecting"):
        app_of("hangs:app", python=place.python, folder=place.folder, environment=place.variables)


def test_a_server_that_nobody_gets_an_answer_from_is_given_up(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serving, "START_TIMEOUT_S", 1.0)
    app = app_of("shop:app", python=place.python, folder=place.folder, environment=place.variables)
    way = ways_for(app)[0]

    def never(url: str) -> None:
        raise httpx.ReadTimeout("the read timed out")

    with (
        pytest.raises(
            StartFailed, match="sync gave no answer within 1 s: the first request failed: the read timed out"
        ),
        serving.serving(app, way, tmp_path, ready=never),
    ):
        pass


def test_a_bench_without_pip_says_how_to_get_it(place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(overlay.util, "find_spec", lambda name: None if name == "pip" else find_spec(name))
    with pytest.raises(BenchError, match=r"has no pip; run: .* -m ensurepip"):
        app_of("shop:app", python=place.python, folder=place.folder, environment=place.variables)


def test_an_extension_module_that_was_built_for_another_greenlet_does_not_fit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = "greenlet.greenlet size changed, may indicate binary incompatibility. Expected 152 from C header, got 160"
    (tmp_path / "built_for_another.py").write_text(f"import warnings\nwarnings.warn('{said}', RuntimeWarning)\n")
    (tmp_path / "ends_the_interpreter.py").write_text("raise SystemExit('no')\n")
    monkeypatch.syspath_prepend(tmp_path)
    assert effect.failure("built_for_another") == said
    assert effect.failure("ends_the_interpreter") == "SystemExit: no"
    assert effect.failure("json") == ""


TYPED = [
    ("shop:app", "gunicorn shop:app"),
    ("shop:create_app()", "gunicorn 'shop:create_app()'"),
    ("shop:create_app('a')", """gunicorn "shop:create_app('a')\""""),
    ("shop:create_app('$a')", """gunicorn 'shop:create_app('"'"'$a'"'"')'"""),
]


@pytest.mark.parametrize(("target", "typed"), TYPED)
def test_what_a_reader_types_is_quoted_for_a_shell(target: str, typed: str, place: Place) -> None:
    app = app_of(target, python=place.python, folder=place.folder, environment=place.variables)
    assert ways_for(app)[0].typed(app) == typed


FILES = [
    ("", [], ""),
    ("", ["gunicorn.conf.py"], "gunicorn.conf.py"),
    ("--config other.py", ["gunicorn.conf.py"], "other.py"),
    ("--threads 2 -c other.py", [], "other.py"),
    ("--config=python:shop.settings", [], "python:shop.settings"),
    ("--threads 2", ["gunicorn.conf.py"], "gunicorn.conf.py"),
    ("'not closed", [], ""),
]


@pytest.mark.parametrize(("arguments", "files", "found"), FILES)
def test_the_configuration_is_the_one_that_gunicorn_reads(
    arguments: str, files: list[str], found: str, tmp_path: Path
) -> None:
    for name in files:
        (tmp_path / name).touch()
    assert configuration(tmp_path, {"GUNICORN_CMD_ARGS": arguments}) == found


def test_a_configuration_in_a_module_is_read_for_what_it_sets(tmp_path: Path) -> None:
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "settings.py").write_text("threads: int = 3\nworkers = 2\nsecret = 'x'\n")
    first, _ = notes(tmp_path, {"GUNICORN_CMD_ARGS": "--config python:shop.settings"})
    assert first == "gunicorn reads python:shop.settings, but the bench chooses workers, threads itself."


@pytest.mark.parametrize("option", ["python:settings", "settings.py", "file:settings.py"])
def test_psycogreens_configuration_goes_on_with_whichever_the_application_has(
    option: str, place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    called = []
    (place.folder / "settings.py").write_text(
        "chdir = 'a'\ndef post_fork(server, worker):\n    worker.append('theirs')\n"
    )
    variables = {**place.variables, "GUNICORN_CMD_ARGS": f"--config {option}"}
    app = app_of("shop:app", python=place.python, folder=place.folder, environment=variables)
    (way,) = (way for way in ways_for(app) if way.name == "gevent-psycogreen")
    (text,) = way.files(app).values()
    monkeypatch.chdir(place.folder)
    monkeypatch.syspath_prepend(place.folder)
    monkeypatch.setattr("psycogreen.gevent.patch_psycopg", lambda: called.append("patched"))
    names: dict[str, Any] = {"__name__": "configuration"}
    exec(compile(text, "gunicorn_psycogreen.py", "exec"), names)
    names["post_fork"](None, called)
    assert called == ["patched", "theirs"]
    assert names["chdir"] == "a"
