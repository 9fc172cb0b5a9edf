"""Which application is it? The right targets tell what they are, and every wrong one says what to do."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from bench.errors import BenchError
from bench.tryout.app import App, app_of
from tests.tryout.conftest import Place
from tests.tryout.environments import environment

MODULES = {
    "wsgi_function.py": "def application(environ, start_response):\n    return []\n",
    "asgi_function.py": "async def app(scope, receive, send): ...\n",
    "asgi_class.py": "class App:\n    async def __call__(self, scope, receive, send): ...\napp = App()\n",
    "asgi_plain.py": "class App:\n    def __call__(self, scope, receive, send): ...\napp = App()\n",
    "wrapped.py": "import functools\ndef serve(name, environ, start_response): ...\n"
    "app = functools.partial(serve, 'a')\n",
    "noisy.py": "import threading, time\nfrom shop import app\nprint('{}')\n"
    "threading.Thread(target=time.sleep, args=(600,)).start()\n",
    "needs.py": "import os\nDATABASE = os.environ['SHOP_DATABASE']\n",
    "lacks.py": "import nobody_has_this\n",
    "ends.py": "import sys\nsys.exit('settings are missing')\n",
    "logs.py": "import sys\nprint('name a repository', file=sys.stderr)\nsys.exit(1)\n",
    "dies.py": "import os\nprint('goodbye')\nimport sys; sys.stdout.flush()\nos._exit(7)\n",
    "broken.py": "def app(:\n",
    "values.py": "config = {}\nclass App: ...\nthing = None\ndef one(x): ...\n",
    "failing.py": "def create_app(a):\n    raise ValueError('no such setting')\n",
}


@pytest.fixture
def shop(place: Place) -> Place:
    """The shop's folder with these modules in it, and a package."""
    for name, text in MODULES.items():
        (place.folder / name).write_text(text, encoding="utf-8")
    (place.folder / "deep" / "inner").mkdir(parents=True)
    (place.folder / "deep" / "__init__.py").touch()
    (place.folder / "deep" / "inner" / "__init__.py").write_text("from shop import app, create_app\n")
    return place


def found(target: str, place: Place) -> App:
    return app_of(target, python=place.python, folder=place.folder, environment=place.variables)


RIGHT = [
    ("shop:app", "wsgi", "Flask"),
    ("shop:create_app()", "wsgi", "Flask"),
    ("shop:create_app('a', )", "wsgi", "Flask"),
    ("shop:create_app(greeting='a')", "wsgi", "Flask"),
    ("deep.inner:app", "wsgi", "Flask"),
    ("wsgi_function", "wsgi", ""),
    ("wrapped:app", "wsgi", ""),
    ("asgi_function:app", "asgi", ""),
    ("asgi_class:app", "asgi", ""),
    ("asgi_plain:app", "asgi", ""),
    ("noisy:app", "wsgi", "Flask"),
]


@pytest.mark.parametrize(("target", "interface", "framework"), RIGHT)
def test_a_target_tells_its_interface_and_framework(target: str, interface: str, framework: str, shop: Place) -> None:
    app = found(target, shop)
    assert (app.facts.interface, app.facts.framework) == (interface, framework)
    assert app.roots == (shop.folder,)


WRONG = [
    (
        "nowhere:app",
        "there is no module 'nowhere', neither in .*project nor in the environment of .*--chdir or --python",
    ),
    ("deep.nowhere:app", "there is no module 'deep.nowhere'"),
    ("shop.py:app", "shop.py is a file, not a module; write shop:app"),
    (":app", "names no module; write it as gunicorn has it: module:app"),
    ("shop", "module 'shop' has no 'application'; it has app, create_app\\(\\): try shop:app"),
    ("shop:ap", "module 'shop' has no 'ap'; it has app"),
    ("shop:app.wsgi", "'app.wsgi' is neither a name nor a call with literal arguments"),
    ("shop:create_app(open)", "neither a name nor a call with literal arguments"),
    ("shop:create_app(", "neither a name nor a call with literal arguments"),
    ("shop:create_app(1, 2)", "TypeError: create_app\\(\\) takes from 0 to 1 positional arguments"),
    (
        "shop:create_app",
        "is a function that takes neither .*; if it makes the application, write shop:create_app\\(\\)",
    ),
    ("failing:create_app('a')", "ValueError: no such setting \\(.*failing.py:2\\); pass --python, --chdir, --env"),
    ("needs:app", "KeyError: 'SHOP_DATABASE' \\(.*needs.py:2\\); pass .*--env or --env-file"),
    ("lacks:app", "ModuleNotFoundError: No module named 'nobody_has_this' \\(.*lacks.py:1\\); pass --python"),
    ("ends:app", "SystemExit: settings are missing"),
    ("logs:app", "SystemExit: 1 \\(.*logs.py:3\\), and it said: name a repository; pass"),
    ("dies:app", "importing dies:app ends its interpreter: .*exit code 7: goodbye"),
    ("broken:app", "SyntaxError"),
    ("values:config", "is of type dict, which cannot be called"),
    ("values:thing", "is of type NoneType, which cannot be called"),
    ("values:App", "is a class that takes neither"),
    ("values:one", "is a function that takes neither"),
]


@pytest.mark.parametrize(("target", "said"), WRONG)
def test_a_wrong_target_is_one_sentence_that_says_what_to_do(target: str, said: str, shop: Place) -> None:
    with pytest.raises(BenchError, match=said) as raised:
        found(target, shop)
    assert "Traceback" not in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_folder_that_is_not_there_is_named(place: Place) -> None:
    with pytest.raises(BenchError, match=r"there is no folder .*nowhere; pass another with --chdir"):
        app_of("shop:app", python=place.python, folder=place.folder / "nowhere", environment=place.variables)


@pytest.mark.parametrize("python", ["/nowhere/python", "/bin/true", "/bin/false", "/etc/passwd"])
def test_what_is_no_interpreter_is_refused(python: str, place: Place) -> None:
    with pytest.raises(BenchError, match=f"{python} is no Python interpreter that runs; pass .*--python"):
        app_of("shop:app", python=Path(python), folder=place.folder, environment=place.variables)


def test_an_interpreter_that_is_too_old_is_refused(place: Place, tmp_path: Path) -> None:
    answer = json.dumps({"version": "3.8.19", "short": [3, 8], "abi": "cpython-38"})
    old = tmp_path / "python"
    old.write_text(f"#!/bin/sh\necho '{answer}'\n", encoding="utf-8")
    old.chmod(0o755)
    with pytest.raises(BenchError, match=r"is Python 3.8.19, and the servers need 3.9 or newer"):
        app_of("shop:app", python=old, folder=place.folder, environment=place.variables)


def test_without_an_interpreter_it_is_that_of_a_virtual_environment_in_the_folder(place: Place) -> None:
    os.symlink(place.python.parents[1], place.folder / ".venv")
    app = app_of("shop:app", python=None, folder=place.folder, environment=place.variables)
    assert app.python == place.folder / ".venv" / "bin" / "python"


def test_a_virtual_environment_may_be_named_by_its_folder(place: Place) -> None:
    folder = place.python.parents[1]
    app = app_of("shop:app", python=folder, folder=place.folder, environment=place.variables)
    assert app.python == place.python


def test_the_environment_is_the_users_own_with_flask_variables_and_all(place: Place) -> None:
    (place.folder / "asked.py").write_text(
        "import os\nfrom flask import Flask\nassert os.environ['FLASK_SECRET'] + os.environ['PYTHONHASHSEED'] == 'a1'\n"
        "app = Flask(__name__)\n",
        encoding="utf-8",
    )
    others = {name: value for name, value in place.variables.items() if name != "PYTHONDONTWRITEBYTECODE"}
    variables = {**others, "FLASK_SECRET": "a", "PYTHONHASHSEED": "1"}
    app = app_of("asked:app", python=place.python, folder=place.folder, environment=variables)
    assert variables.items() <= app.environment.items()


def test_the_folder_of_an_installed_application_is_its_own_code_too(tmp_path: Path, offline: None) -> None:
    python = environment(tmp_path / "venv", ())
    (packages,) = (tmp_path / "venv").glob("lib/python*/site-packages")
    (packages / "sold").mkdir()
    (packages / "sold" / "__init__.py").touch()
    (packages / "sold" / "web.py").write_text("def app(environ, start_response): ...\n", encoding="utf-8")
    (packages / "single.py").write_text("def app(environ, start_response): ...\n", encoding="utf-8")
    (tmp_path / "empty").mkdir()
    roots = [
        app_of(target, python=python, folder=tmp_path / "empty", environment=dict(os.environ)).roots
        for target in ("sold.web:app", "single:app")
    ]
    assert roots == [(tmp_path / "empty", packages / "sold"), (tmp_path / "empty", packages / "single.py")]


def test_what_runs_inside_is_understood_by_the_oldest_python_and_needs_no_other_package() -> None:
    """Parsed as Python 3.9 has it, and imported without site-packages; gunicorn's own part needs gunicorn."""
    inside = Path(sys.modules["bench.tryout.interpreter"].__file__ or "").with_name("inside")
    alone = {path.stem for path in (inside / "bench_tried").glob("*.py")} - {"__init__", "gunicorn_program", "target"}
    code = (
        "import ast, glob, sys\n"
        "for path in glob.glob('bench_tried/*.py'): ast.parse(open(path).read(), feature_version=(3, 9))\n"
        "sys.path.insert(0, '.')\n"
        f"for name in {sorted(alone)}: __import__('bench_tried.' + name)\n"
    )
    subprocess.run([sys.executable, "-I", "-S", "-c", code], cwd=inside, check=True)
