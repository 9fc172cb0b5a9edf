"""Every way to serve serves a small application, as typed too, and leaves nothing behind, however the bench ends."""

import json
import re
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest
from processes import gone, wait_until

from bench.errors import BenchError
from bench.testbed.processes.local_http import local_get
from bench.testbed.processes.ports import free_port
from bench.testbed.processes.temporary import temporary_folder
from bench.testbed.servers.life import server_cores
from bench.tryout.app import App, app_of
from bench.tryout.configuration import notes
from bench.tryout.serving import Served, StartFailed, serving, serving_typed, starting
from bench.tryout.ways import WAYS, Watch, Way, ways_for, ways_of
from tests.tryout.conftest import Place, place_in
from tests.tryout.environments import FLASK, digests, environment

WSGI = [way.name for way in WAYS if way.interface == "wsgi" and way.name not in ("granian", "gevent-psycogreen")]
OVERLAPPING = {"gthread", "gevent", "bridge-threads"}
ROOT = Path(__file__).parents[2]


def asked(url: str) -> None:
    """Ready is who answers."""
    local_get(url)


def found(place: Place, target: str = "shop:app", **variables: str) -> App:
    return app_of(target, python=place.python, folder=place.folder, environment={**place.variables, **variables})


def way_of(app: App, name: str) -> Way:
    (way,) = (way for way in ways_for(app) if way.name == name)
    assert way.unavailable(app) == ""
    return way


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory, flask_python: Path, offline: None) -> App:
    """The shop, for tests that leave it as it is."""
    return found(place_in(tmp_path_factory.mktemp("shop"), flask_python))


@pytest.mark.parametrize("name", WSGI)
def test_every_way_serves_as_measured_watched_and_typed(name: str, shop: App, tmp_path: Path) -> None:
    way, timings = way_of(shop, name), tmp_path / "timings.jsonl"
    with starting(shop, way, tmp_path) as a, starting(shop, way, tmp_path, watch=Watch(timings), name="b") as b:
        for started in (a, b):
            served = started.ready(asked, server_cores())
            assert answer(served) == "home"
            assert all(psutil.Process(pid).cpu_affinity() == [*server_cores()] for pid in served.pids())
        assert meeting(served) == ({"met"} if name in OVERLAPPING else {"alone"})
        wait_for_lines(timings, 4)
    with serving_typed(shop, way, tmp_path, ready=asked) as served:
        assert answer(served) == "home"
    lines = [json.loads(line) for line in timings.read_text(encoding="utf-8").splitlines()]
    assert [line["path"] for line in lines[:2]] == ["/", "/"]
    assert {line["path"] for line in lines[2:]} == {"/meet/a", "/meet/b"}
    assert all(line["cpu_s"] >= 0 and line["wall_s"] > 0 for line in lines)


def wait_for_lines(timings: Path, count: int) -> None:
    """Wait for the last line, which is written after the client has its answer."""
    wait_until(lambda: timings.read_text(encoding="utf-8").count("\n") == count, f"{count} requests are written down")


def answer(served: Served, path: str = "/") -> str:
    """The body of an answer."""
    return local_get(f"{served.url}{path}").text


def meeting(served: Served) -> set[str]:
    """What two requests sent together say of each other."""
    with ThreadPoolExecutor(2) as pool:
        return set(pool.map(lambda one: answer(served, f"/meet/{one}"), "ab"))


@pytest.mark.parametrize(
    ("target", "body"), [("shop:create_app()", "hello"), ("shop:create_app('hi there')", "hi there")]
)
@pytest.mark.parametrize("name", ["sync", "asgiref", "bridge-threads"])
def test_an_application_that_is_made_by_a_call_is_served_too(
    name: str, target: str, body: str, place: Place, tmp_path: Path
) -> None:
    app = found(place, target)
    way = way_of(app, name)
    with (
        starting(app, way, tmp_path, watch=Watch(tmp_path / "t")) as watched,
        starting(app, way, tmp_path, measured=False, name="typed") as typed,
    ):
        assert {answer(one.ready(asked)) for one in (watched, typed)} == {body}


ASGI = """
async def app(scope, receive, send):
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"home"})


def create_app(one=1):
    return app
"""


@pytest.mark.parametrize(
    ("name", "target"),
    [
        ("uvicorn", "ported:app"),
        ("uvicorn", "ported:create_app()"),
        ("uvicorn", "ported:create_app(2)"),
        ("gunicorn-asgi", "ported:app"),
    ],
)
def test_an_asgi_application_is_served_as_it_is(name: str, target: str, place: Place, tmp_path: Path) -> None:
    (place.folder / "ported.py").write_text(ASGI, encoding="utf-8")
    app = found(place, target)
    timings = tmp_path / "timings.jsonl"
    for watch in (None, Watch(timings)):
        with serving(app, way_of(app, name), tmp_path, ready=asked, watch=watch) as served:
            assert answer(served) == "home"
            if watch:
                wait_for_lines(timings, 2)
    with serving_typed(app, way_of(app, name), tmp_path, ready=asked) as served:
        assert answer(served) == "home"


@pytest.mark.parametrize("target", ["shop:create_app()", "shop:create_app('hi')"])
def test_granian_serves_where_the_environment_has_it(target: str, place: Place, tmp_path: Path) -> None:
    python = environment(tmp_path / "venv", (*FLASK, "granian"))
    app = app_of(target, python=python, folder=place.folder, environment=place.variables)
    timings = tmp_path / "timings.jsonl"
    for watch in (None, Watch(timings)):
        with serving(app, way_of(app, "granian"), tmp_path, ready=asked, watch=watch) as served:
            assert local_get(served.url).status_code == 200
            if watch:
                wait_for_lines(timings, 2)
    (granian,) = (way for way in ways_for(found(place)) if way.name == "granian")
    assert granian.unavailable(found(place)) == ("granian is not installed in the app's environment")


DATABASE = """
import psycopg2
import psycopg2.extensions
from flask import Flask

app = Flask(__name__)


@app.get("/")
def home():
    return str(psycopg2.extensions.get_wait_callback())


@app.get("/hook")
def hook():
    import os
    return os.environ.get("THEIR_HOOK", "")
"""
CONFIGURATION = """
import os

FOLDER = os.path.dirname(os.path.abspath(__file__))
bind = "0.0.0.0:1"
workers = 4
worker_class = "sync"
daemon = True
pidfile = os.path.join(FOLDER, "shop.pid")
errorlog = accesslog = os.path.join(FOLDER, "shop.log")
max_requests = 1
raw_env = ["SHOP_RAW=1"]


def post_fork(server, worker):
    os.environ["THEIR_HOOK"] = os.path.basename(FOLDER)
"""


@pytest.fixture
def database_shop(place: Place, tmp_path: Path) -> App:
    """An application that imports psycopg2."""
    python = environment(tmp_path / "venv", (*FLASK, "psycopg2-binary"))
    (place.folder / "rows.py").write_text(DATABASE, encoding="utf-8")
    return app_of("rows:app", python=python, folder=place.folder, environment=place.variables)


@pytest.mark.parametrize("own", [False, True])
def test_psycogreen_is_configured_beside_the_applications_own_hooks(
    own: bool, database_shop: App, tmp_path: Path
) -> None:
    app = database_shop
    if own:
        (app.folder / "gunicorn.conf.py").write_text(CONFIGURATION, encoding="utf-8")
    answers = {}
    for name in ("gevent", "gevent-psycogreen"):
        way = way_of(app, name)
        with (
            serving(app, way, tmp_path, ready=asked) as measured,
            serving_typed(app, way, tmp_path, ready=asked) as typed,
        ):
            answers[name] = {answer(one) for one in (measured, typed)}
            hooks = {answer(one, "/hook") for one in (measured, typed)}
            assert measured.loaded("psycopg2")
            assert not measured.loaded("nowhere")
        assert hooks == {"project" if own else ""}
    assert answers["gevent"] == {"None"}
    assert all("gevent_wait_callback" in answer for answer in answers["gevent-psycogreen"])
    assert sorted(path.name for path in app.folder.iterdir()) == sorted(
        ["rows.py", "shop.py", *(["gunicorn.conf.py"] if own else [])]
    )


def test_psycogreen_is_for_those_who_load_psycopg2(place: Place, database_shop: App) -> None:
    app = found(place)
    (way,) = (way for way in ways_for(app) if way.name == "gevent-psycogreen")
    assert way.unavailable(app) == "the app does not load psycopg2"
    assert way.unavailable(database_shop) == ""
    late = app.with_loaded({"psycopg2"})
    assert "psycopg2" in way.unavailable(late)  # its environment has none
    assert late.loaded > app.loaded


def test_a_configuration_of_gunicorns_is_respected_but_for_what_is_named(place: Place, tmp_path: Path) -> None:
    (place.folder / "gunicorn.conf.py").write_text(CONFIGURATION, encoding="utf-8")
    (place.folder / "hooked.py").write_text(
        "import os\nfrom flask import Flask\napp = Flask(__name__)\n"
        "app.add_url_rule('/', 'home', lambda: os.environ['THEIR_HOOK'] + os.environ['SHOP_RAW'] + str(os.getpid()))\n",
        encoding="utf-8",
    )
    app = found(place, "hooked:app", GUNICORN_CMD_ARGS="--workers 3 --pid here.pid")
    before = digests(place.folder)
    for name in ("sync", "gthread", "gevent"):
        with serving(app, way_of(app, name), tmp_path, ready=asked) as served:
            answers = {answer(served) for _ in range(4)}
            assert len(served.pids()) == 2
        assert len(answers) == 1
        assert re.fullmatch(r"project1\d+", answers.pop())
    assert digests(place.folder) == before
    said = notes(app.folder, app.environment)
    assert len(said) == 2
    assert said[0] == ("gunicorn reads gunicorn.conf.py, but the bench chooses bind, workers, worker_class, daemon, "
                       "max_requests, pidfile, errorlog, accesslog itself.")  # fmt: skip
    assert notes(place.home, {}) == ()


def test_nothing_is_written_into_environment_project_or_home(place: Place, tmp_path: Path) -> None:
    folders = (place.python.parents[1], place.folder, place.home)
    before = digests(*folders)
    with temporary_folder("bytecode-", tmp_path) as kept:
        for bytecode, names in ((None, ["sync", "bridge-inline"]), (kept, WSGI)):
            app = app_of(
                "shop:app", python=place.python, folder=place.folder, environment=place.variables, bytecode=bytecode
            )
            for name in names:
                with serving(app, way_of(app, name), tmp_path, ready=asked) as served:
                    assert answer(served) == "home"
        assert digests(*folders) == before
        assert [*kept.path.rglob("shop.*.pyc")]


@pytest.mark.parametrize("name", ["sync", "gevent", "bridge-threads"])
def test_a_server_that_cannot_start_says_why(name: str, place: Place, tmp_path: Path) -> None:
    app = found(place)
    (place.folder / "shop.py").write_text("raise RuntimeError('the second import fails')\n", encoding="utf-8")
    with (
        pytest.raises(StartFailed, match=rf"{name} ended with exit code (?s:.*)the second import fails"),
        serving(app, way_of(app, name), tmp_path, ready=asked),
    ):
        pass


def test_a_taken_port_is_named(shop: App, tmp_path: Path) -> None:
    app = shop
    port = free_port()
    with serving(app, way_of(app, "sync"), tmp_path, ready=asked, port=port) as served:
        holders = "|".join(map(str, served.pids()))
        with (
            pytest.raises(BenchError, match=f"port {port} is taken by pid ({holders}) "),
            starting(app, way_of(app, "gthread"), tmp_path, port=port),
        ):
            pass


def test_an_unknown_way_is_refused_with_the_known_ones(shop: App) -> None:
    with pytest.raises(BenchError, match="cannot be served as uvicorn, fast; there are sync, gthread, gevent"):
        ways_of([shop], ["sync", "uvicorn", "fast"])


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_no_process_outlives_the_bench(number: signal.Signals, place: Place, tmp_path: Path) -> None:
    script = tmp_path / "bench_here.py"
    script.write_text(
        "import os, sys, time\n"
        "from contextlib import ExitStack\n"
        "from pathlib import Path\n"
        "from bench.testbed.processes.local_http import local_get\n"
        "from bench.tryout.app import app_of\n"
        "from bench.tryout.serving import serving\n"
        "from bench.tryout.ways import ways_of\n"
        "app = app_of('shop:app', python=Path(sys.argv[1]), folder=Path(sys.argv[2]), environment=dict(os.environ))\n"
        "with ExitStack() as open:\n"
        "    for app, way in ways_of([app], ['sync', 'gevent', 'bridge-threads']):\n"
        "        open.enter_context(serving(app, way, Path(sys.argv[3]), ready=lambda url: local_get(url) and None))\n"
        "    print('ready', flush=True)\n"
        "    time.sleep(600)\n",
        encoding="utf-8",
    )
    words = [sys.executable, str(script), str(place.python), str(place.folder), str(tmp_path)]
    variables = {**place.variables, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(words, env=variables, stdout=subprocess.PIPE, text=True) as bench:
        assert bench.stdout is not None
        assert bench.stdout.readline() == "ready\n"
        started = [one.pid for one in psutil.Process(bench.pid).children(recursive=True)]
        assert len(started) >= 8
        bench.send_signal(number)
    wait_until(lambda: gone(*started), "every process has ended")


def test_an_import_that_hangs_ends_with_the_bench(place: Place, tmp_path: Path) -> None:
    (place.folder / "hangs.py").write_text(
        "import time\nprint('here', flush=True)\ntime.sleep(600)\n", encoding="utf-8"
    )
    script = (
        "import os, sys\n"
        "from pathlib import Path\n"
        "from bench.testbed.processes.local_http import local_get\n"
        "from bench.tryout.app import app_of\n"
        "app_of('hangs:app', python=Path(sys.argv[1]), folder=Path(sys.argv[2]), environment=dict(os.environ))\n"
    )
    words = [sys.executable, "-c", script, str(place.python), str(place.folder)]
    (tmp_path / "tmp").mkdir()
    variables = {**place.variables, "PYTHONPATH": str(ROOT), "TMPDIR": str(tmp_path / "tmp")}
    temporary = tmp_path / "tmp"
    with subprocess.Popen(words, env=variables) as bench:
        wait_until(lambda: any("here" in log.read_text() for log in temporary.rglob("log")), "the import has begun")
        started = [one.pid for one in psutil.Process(bench.pid).children(recursive=True)]
        bench.kill()
    wait_until(lambda: gone(*started), "every process has ended")
    wait_until(lambda: not [*temporary.iterdir()], "its folder is gone")
