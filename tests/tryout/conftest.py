"""An application in an environment that has Flask and no server, and an index that pip needs no network for."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.tryout.environments import environment, index

SHOP = """
import time

from flask import Flask, Response

app = Flask(__name__)


@app.get("/")
def home():
    return "home"


inside = set()


@app.get("/meet/<name>")
def meet(name):
    # waits until another request is here too, for a second
    inside.add(name)
    for _ in range(50):
        if len(inside) > 1:
            time.sleep(0.1)
            return "met"
        time.sleep(0.02)
    inside.remove(name)
    return "alone"


def create_app(greeting="hello"):
    made = Flask(__name__)
    made.add_url_rule("/", "home", lambda: greeting)
    return made
"""


@dataclass(frozen=True)
class Place:
    """Where somebody's application is: its interpreter, its folder, its home folder, and all variables."""

    python: Path
    folder: Path
    home: Path
    variables: dict[str, str]


@pytest.fixture(scope="session")
def flask_python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of a virtual environment with Flask alone."""
    return environment(tmp_path_factory.mktemp("environment") / "venv")


@pytest.fixture(scope="session")
def servers_index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of wheels: the servers, and what they need."""
    return index(tmp_path_factory.mktemp("index") / "wheels")


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The user's cache folder while these tests run."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def offline(servers_index: Path, cache: Path) -> Iterator[None]:
    """pip knows these wheels and nothing else, and the bench's cache is the test session's."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("PIP_NO_INDEX", "1")
        patched.setenv("PIP_FIND_LINKS", str(servers_index))
        patched.setenv("XDG_CACHE_HOME", str(cache))
        yield


@pytest.fixture
def place(flask_python: Path, tmp_path: Path, offline: None) -> Place:
    """A small shop in a folder of its own, in the environment with Flask alone."""
    return place_in(tmp_path, flask_python)


def place_in(folder: Path, python: Path) -> Place:
    """The shop beneath this folder."""
    project, home = folder / "project", folder / "home"
    for made in (project, home):
        made.mkdir()
    (project / "shop.py").write_text(SHOP, encoding="utf-8")
    variables = {**os.environ, "HOME": str(home)}
    return Place(python, project, home, variables)
