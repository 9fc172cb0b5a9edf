"""The small applications that the tests of the bridge serve, and how: real servers, on sockets the system chose."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import functools
import gc
import http.client
import json
import os
import re
import socket
import subprocess
import sys
import tarfile
import tempfile
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from importlib import metadata
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import platformdirs
from flask import Flask, Response, current_app, g, jsonify, make_response, request, send_file, session
from flask import stream_with_context as with_context
from flask.views import MethodView

from loopbridge import LoopBridge, client, with_lifespan

client.PATIENCE_S = 0.1  # the tests need not wait for as long as it waits before it looks for a disconnect
HERE = Path(__file__).resolve()
happened: list[str] = []  # what the applications did, in order; GET /events
opened = 0  # connections that a view holds, as of a database pool


# --- HTTP: each view twice, `def` under /sync (so in a thread) and `async def` under /async (so on the loop)

flask = Flask(__name__)
flask.secret_key = "tests"
flask.config["TRAP_HTTP_EXCEPTIONS"] = False


def both(rule: str, **options: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    def register(view: Callable[..., Any]) -> Callable[..., Any]:
        async def asynchronous(**arguments: Any) -> Any:
            return view(**arguments)

        flask.add_url_rule(f"/sync{rule}", f"sync_{view.__name__}", view, **options)
        flask.add_url_rule(f"/async{rule}", f"async_{view.__name__}", asynchronous, **options)
        return view

    return register


def sleep(seconds: float) -> None:
    current_app.ensure_sync(asyncio.sleep)(seconds)


@flask.get("/events")
async def events() -> Response:
    return jsonify(happened)


@flask.post("/forget")
async def forget() -> str:
    happened.clear()
    return "forgotten"


@flask.get("/state")
async def state() -> Response:
    """What must not grow. This request's own task and socket are in it, always."""
    gc.collect()
    fds = [os.readlink(f"/proc/self/fd/{fd}") for fd in os.listdir("/proc/self/fd") if fd.isdigit() and _exists(fd)]
    resident = int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    return jsonify(
        tasks=len(asyncio.all_tasks()),
        threads=threading.active_count(),
        sockets=sum(name.startswith("socket:") for name in fds),
        opened=opened,
        resident_bytes=resident,
        exchanges=sum(type(thing).__name__ == "Exchange" for thing in gc.get_objects()),
    )


def _exists(fd: str) -> bool:
    return os.path.lexists(f"/proc/self/fd/{fd}")


@both("/where")
def where() -> Response:
    return jsonify(thread=threading.current_thread() is not threading.main_thread())


@both("/echo", methods=["POST"])
def echo() -> Response:
    return Response(request.get_data(), content_type="application/octet-stream")


@both("/limited", methods=["POST"])
def limited() -> Response:
    request.max_content_length = 1000
    size = 0
    while part := request.stream.read(400):  # get_data() would stop at the limit of a chunked body without a word
        size += len(part)
    return jsonify(size)


@both("/form", methods=["POST"])
def form() -> Response:
    file = request.files["file"]
    return jsonify(name=request.form["name"], size=len(file.read()), filename=file.filename)


@both("/lines", methods=["POST"])
def lines() -> Response:
    def answer() -> Iterator[bytes]:
        for line in request.stream:
            yield b"got " + line[-4:]

    return Response(with_context(answer()))


@both("/upload", methods=["POST"])
def upload() -> str:
    happened.append("upload began")
    try:
        request.get_data()
    except BaseException as error:
        happened.append(f"upload ended: {type(error).__name__}")
        raise
    return "whole"


@both("/stream")
def stream() -> Response:
    count, seconds = int(request.args.get("count", 3)), float(request.args.get("seconds", 0.05))
    wait = current_app.ensure_sync(asyncio.sleep)

    def events() -> Iterator[str]:
        try:
            for number in range(count):
                yield f"data: {number}\n\n"
                wait(seconds)
        finally:
            happened.append("stream ended")

    response = Response(events(), mimetype="text/event-stream")
    response.call_on_close(lambda: happened.append("closed"))
    return response


@both("/endless")
def endless() -> Response:
    def events() -> Iterator[bytes]:
        try:
            while True:
                happened[-1:] = [f"produced {int(happened[-1].split()[1]) + 1}"]
                yield b"x" * 65536
        finally:
            happened.append("endless ended")

    happened.append("produced 0")
    return Response(events())


LARGE = bytes(range(256)) * (1 << 14)


@both("/large")
def large() -> Response:
    """4 MiB at once; in one piece of unknown length, or with a failure after it, if asked for."""
    response = Response(iter([LARGE]) if "unknown" in request.args else LARGE)
    response.call_on_close(lambda: happened.append("large closed"))
    if "failing" in request.args:
        response.call_on_close(lambda: [][1])
    return response


@flask.get("/sync/blocking")
def blocking() -> Response:
    def events() -> Iterator[str]:
        for number in range(3):
            time.sleep(0.3)
            yield f"{number}\n"

    return Response(events())


@both("/file")
def file() -> Response:
    return send_file(HERE, mimetype="text/plain", conditional=True)


@both("/status/<int:code>")
def status(code: int) -> Response:
    return Response("not for the wire" if code in (204, 304) else "text", status=code)


@both("/cookies")
def cookies() -> Response:
    response = make_response(request.cookies.get("a", "-") + request.cookies.get("b", "-"))
    for name in ("one", "two", "three"):
        response.set_cookie(name, name.upper())
    return response


@both("/path/<path:rest>")
def path(rest: str) -> Response:
    return jsonify(rest=rest, root=request.script_root, path=request.path, url=request.url, query=request.args)


@both("/environ")
def environ() -> Response:
    return jsonify({key: value for key, value in request.environ.items() if isinstance(value, str)})


@both("/error")
def error() -> Response:
    raise ZeroDivisionError("before the first byte")


@both("/exit")
def leave() -> str:
    async def stop() -> None:
        await asyncio.sleep(0)
        raise KeyboardInterrupt if request.args.get("how") == "interrupt" else SystemExit(3)

    if request.args.get("how") == "directly":
        raise SystemExit(3)
    current_app.ensure_sync(stop)()
    return "never"


@both("/broken")
def broken() -> Response:
    def events() -> Iterator[str]:
        yield "first"
        sleep(0)
        raise ZeroDivisionError("after the first byte")

    response = Response(with_context(events()))
    response.call_on_close(lambda: happened.append("broken closed"))
    return response


@both("/wait")
def wait() -> str:
    global opened
    opened += 1
    happened.append("wait began")
    try:
        sleep(float(request.args.get("seconds", 30)))
    except BaseException as error:
        happened.append(f"wait ended: {type(error).__name__}")
        raise
    finally:
        opened -= 1
    happened.append("wait ended")
    return "waited"


@flask.get("/async/gone")
async def gone() -> str:
    try:
        await asyncio.sleep(30)
    finally:
        await asyncio.sleep(0.01)  # what gives a connection back to its pool may wait too
        happened.append("gone: given back")
    return "never"


# --- Context: coroutines wherever Flask takes them

contexts = Flask(__name__)
contexts.secret_key = "tests"
mine: contextvars.ContextVar[str] = contextvars.ContextVar("mine", default="nothing")


def seen() -> dict[str, Any]:
    return {
        "path": request.path,
        "user": session.get("user"),
        "g": getattr(g, "value", None),
        "app": current_app.name,
        "mine": mine.get(),
    }


@contexts.before_request
async def before() -> None:
    g.before = mine.get()
    await asyncio.sleep(0)
    g.value = session["user"] = request.args.get("user")
    mine.set(request.args.get("user", "nobody"))


@contexts.after_request
async def after(response: Response) -> Response:
    await asyncio.sleep(0)
    response.headers["X-Seen"] = json.dumps(seen())
    return response


@contexts.teardown_request
async def teardown(error: BaseException | None) -> None:
    await asyncio.sleep(0)
    happened.append(f"teardown {mine.get()} {type(error).__name__}")


@contexts.teardown_appcontext
async def teardown_app(error: BaseException | None) -> None:
    await asyncio.sleep(0)
    happened.append("teardown app")


@contexts.errorhandler(LookupError)
async def on_lookup_error(error: LookupError) -> tuple[dict[str, Any], int]:
    await asyncio.sleep(0)
    return seen() | {"error": str(error)}, 418


@contexts.errorhandler(404)
async def on_missing(error: Exception) -> tuple[dict[str, Any], int]:
    await asyncio.sleep(0)
    return seen(), 404


@contexts.context_processor
async def processor() -> dict[str, str]:
    await asyncio.sleep(0)
    return {"processed": mine.get()}


async def shout(text: str) -> str:
    await asyncio.sleep(0)
    return f"{text.upper()} {mine.get()}"


contexts.jinja_env.filters["shout"] = lambda text: current_app.ensure_sync(shout)(text)


@contexts.get("/async/all")
async def all_of_it() -> dict[str, Any]:
    async def child(number: int) -> dict[str, Any]:
        await asyncio.sleep(0.01 * number)
        return seen()

    first = seen()
    await asyncio.sleep(0.02)
    gathered = await asyncio.gather(child(1), child(2))
    threaded = await asyncio.to_thread(seen)
    back = await asyncio.to_thread(lambda: contexts.ensure_sync(child)(1))
    return {"all": [first, *gathered, threaded, back, seen()], "before": g.before}


@contexts.get("/sync/all")
def all_in_thread() -> dict[str, Any]:
    async def child(number: int) -> dict[str, Any]:
        return (await asyncio.gather(asyncio.to_thread(seen), nested()))[number]

    async def nested() -> dict[str, Any]:
        await asyncio.sleep(0.01)
        return seen()

    async def setting() -> None:
        await asyncio.sleep(0)
        mine.set(mine.get())

    current_app.ensure_sync(setting)()
    return {"all": [seen(), *(current_app.ensure_sync(child)(n) for n in (0, 1)), seen()], "before": g.before}


@contexts.get("/async/nested")
async def nested() -> dict[str, Any]:
    """A coroutine calls synchronous code that waits for a coroutine that calls synchronous code, and so on."""

    async def down(depth: int) -> dict[str, Any]:
        await asyncio.sleep(0)
        return contexts.ensure_sync(down)(depth - 1) if depth else seen()  # type: ignore[no-any-return]

    return await down(5)


@contexts.get("/<kind>/stream")
async def context_stream(kind: str) -> Response:
    def events() -> Iterator[str]:
        for _ in range(3):
            sleep(0.01)
            yield json.dumps(seen()) + "\n"

    return Response(with_context(events()))


@contexts.get("/sync/streamed")
def sync_stream() -> Response:
    return Response(with_context(json.dumps(seen()) + "\n" for _ in range(3)))


@contexts.get("/template")
async def template() -> str:
    return contexts.jinja_env.from_string("{{ 'hello'|shout }} {{ processed }}").render(await_template())


def await_template() -> dict[str, Any]:
    values: dict[str, Any] = {}
    contexts.update_template_context(values)
    return values


@contexts.get("/raise")
async def raising() -> str:
    await asyncio.sleep(0)
    raise LookupError(mine.get())


@contexts.get("/async/leak")
async def leak() -> dict[str, Any]:
    await asyncio.sleep(0)
    return {"before": g.before}


@contexts.post("/async/leak")
async def leak_body() -> dict[str, Any]:
    return {"before": g.before, "size": len(request.get_data())}


@contexts.get("/sync/leak")
def leak_in_thread() -> dict[str, Any]:
    return {"before": g.before}


@contexts.post("/sync/leak")
def leak_body_in_thread() -> dict[str, Any]:
    return {"before": g.before, "size": len(request.get_data())}


class Methods(MethodView):
    async def get(self) -> dict[str, Any]:
        await asyncio.sleep(0)
        return {"thread": threading.current_thread() is not threading.main_thread(), **seen()}

    def post(self) -> dict[str, Any]:
        return {"thread": threading.current_thread() is not threading.main_thread(), **seen()}


contexts.add_url_rule("/methods", view_func=Methods.as_view("methods"))


def decorated(view: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(view)
    def wrapper(**arguments: Any) -> Any:
        return current_app.ensure_sync(view)(**arguments)

    return wrapper


@contexts.get("/decorated")
@decorated
async def decorated_view() -> dict[str, Any]:
    await asyncio.sleep(0)
    return {"thread": threading.current_thread() is not threading.main_thread(), **seen()}


@contexts.get("/gathered-wait")
async def gathered_wait() -> str:
    async def child() -> str:
        return str(contexts.ensure_sync(shout)("no"))

    return (await asyncio.gather(child()))[0]


# --- Plain WSGI


def plain(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """What PEP 3333 allows and frameworks do not show."""
    headers = [("Content-Type", "text/plain")]
    case = environ["PATH_INFO"]
    if case == "/write":
        write = start_response("200 OK", headers)
        write(b"one ")
        write(b"two ")
        return [b"three"]
    if case == "/twice":
        start_response("200 OK", headers)
        start_response("201 Created", headers)
    if case == "/twice-with-error":
        start_response("200 OK", headers)
        try:
            raise KeyError("before any byte")
        except KeyError:
            start_response("500 Oops", headers, sys.exc_info())
        return [b"an error page"]
    if case == "/late-error":
        return late_error(start_response, headers)
    if case == "/silent":
        return [b"no start_response"]
    if case == "/long":
        start_response("200 OK", [("Content-Length", "5")])
        return [b"123", b"456", b"789"]
    if case == "/head":
        start_response("200 OK", [("Content-Length", "5")])
        return [b"12345"]
    if case == "/read":
        stream = environ["wsgi.input"]
        parts = [stream.readline(), stream.read(3), b"|".join(stream), stream.read(), stream.read(5)]
        start_response("200 OK", headers)
        return [repr(parts).encode()]
    start_response("200 OK", headers)
    return [b"", threading.current_thread().name.encode(), b""]


def late_error(start_response: Callable[..., Any], headers: list[tuple[str, str]]) -> Iterator[bytes]:
    start_response("200 OK", headers)
    yield b"first"
    try:
        raise KeyError("after the first byte")
    except KeyError:
        start_response("500 Oops", headers, sys.exc_info())


def any_head_at_all(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """A response head as the URL says, right or wrong."""
    case, given = environ["PATH_INFO"], unquote(environ["QUERY_STRING"])
    wrong_type = given.encode() if case == "/types" else None
    status = {"/status": given, "/types": wrong_type if given == "status" else "200 OK"}.get(case, "200 OK")
    name = {"/name": given, "/types": wrong_type if given == "name" else "X-Any"}.get(case, "X-Any")
    value = {"/value": given, "/types": wrong_type if given == "value" else "any"}.get(case, "any")
    headers = [(name, value), ("Content-Length", given if case == "/length" else "4")]
    start_response(status, headers)
    return [b"body"]


# --- Life and death


@contextlib.asynccontextmanager
async def lifespan() -> AsyncIterator[None]:
    happened.append("started")
    yield
    print("left the lifespan", file=sys.stderr, flush=True)


@contextlib.asynccontextmanager
async def failing() -> AsyncIterator[None]:
    raise RuntimeError("the database is not there")
    yield


main = LoopBridge(flask, lifespan=lifespan)
finishing = LoopBridge(flask, cancel_on_disconnect=False)
inline = LoopBridge(flask, sync_views="inline")
few_threads = LoopBridge(flask, max_threads=2)
context = LoopBridge(contexts)
wsgi = LoopBridge(plain)
any_head = LoopBridge(any_head_at_all)
wsgi_inline = LoopBridge(plain, sync_views="inline")
unstartable = LoopBridge(flask, lifespan=failing)
wrapped = with_lifespan(LoopBridge(plain), lifespan)


async def both_apps(scope: Any, receive: Any, send: Any) -> None:
    """Two applications on one loop."""
    if scope["type"] == "http" and scope["path"].startswith("/context/"):
        return await context(scope | {"root_path": "/context"}, receive, send)
    return await main(scope, receive, send)


# --- Servers


class Server:
    def __init__(self, process: subprocess.Popen[bytes], port: int, log: Path) -> None:
        self.process, self.port, self.log = process, port, log

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=30)

    def request(self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, path, body, headers or {})
            response = connection.getresponse()
            return Answer(response.status, response.headers, response.read())
        finally:
            connection.close()

    def get(self, path: str, **headers: str) -> Answer:
        return self.request("GET", path, headers={name.replace("_", "-"): value for name, value in headers.items()})

    def post(self, path: str, body: Any, **headers: str) -> Answer:
        return self.request("POST", path, body, {name.replace("_", "-"): value for name, value in headers.items()})

    def raw(self, data: bytes) -> bytes:
        """Send these bytes and read until the server closes."""
        with self.connect() as connection:
            connection.sendall(data)
            return b"".join(iter(lambda: connection.recv(65536), b""))

    def events(self) -> list[str]:
        return list(self.get("/events").json())

    def wait_for(self, event: str, after: int = 0) -> None:
        until(lambda: event in self.events()[after:])


class Answer:
    def __init__(self, status: int, headers: Any, body: bytes) -> None:
        self.status, self.headers, self.body = status, headers, body

    def json(self) -> Any:
        return json.loads(self.body)


def until(condition: Callable[[], Any], seconds: float = 20) -> Any:
    """Wait for what has to happen; how soon is not the question."""
    end = time.monotonic() + seconds
    while True:
        if value := condition():
            return value
        if time.monotonic() > end:
            raise AssertionError("it did not happen")
        time.sleep(0.02)


COMMANDS = {
    "uvicorn": "uvicorn --port {port} --log-level warning {app}",
    "uvicorn-h11": "uvicorn --port {port} --log-level warning --http h11 --loop asyncio {app}",
    "hypercorn": "hypercorn --bind 127.0.0.1:{port} {app}",
    "gunicorn": "gunicorn --bind 127.0.0.1:{port} --worker-class asgi --no-control-socket {app}",
    "granian": "granian --interface asgi --port {port} --log-level warning {app}",
}


@contextlib.contextmanager
def serve(app: str, server: str = "uvicorn", *options: str, module: str = "served_apps") -> Iterator[Server]:
    """A server's process, from its first answer (or its early end) to its last; Python's warnings in its log fail."""
    with tempfile.TemporaryDirectory() as folder, socket.socket() as place, Path(folder, "log").open("wb") as output:
        place.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        place.bind(("127.0.0.1", 0))  # bound and not listening: kept from everyone but the server
        port, log = place.getsockname()[1], Path(folder, "log")
        command = COMMANDS[server].format(port=port, app=f"{module}:{app}").split()
        paths = os.pathsep.join([str(HERE.parent), str(HERE.parents[2]), os.environ.get("PYTHONPATH", "")])
        environment = os.environ | {"PYTHONPATH": paths, "PYTHONWARNINGS": "default", "PYTHONUNBUFFERED": "1"}
        process = subprocess.Popen(
            [sys.executable, "-m", *command, *options], stdout=output, stderr=output, env=environment, cwd=folder
        )
        try:
            until(lambda: process.poll() is not None or answers(port))
            yield Server(process, port, log)
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        complaints = re.findall(r"^\S+\.py:\d+: \w+Warning: .*", log.read_text(), re.MULTILINE)
        assert not complaints, complaints


FLASK_SDISTS = {"3.1.3": "0ef0e52b8a9cd932855379197dd8f94047b359ca0a78695144304cb45f87c9eb"}


def flask_source() -> Path:
    """Flask's source distribution of the installed version, unpacked; pip fetches it once and checks its hash."""
    version = metadata.version("flask")
    if version not in FLASK_SDISTS:
        raise LookupError(f"Flask is {version}: add the sha256 of its source distribution to FLASK_SDISTS")
    folder = platformdirs.user_cache_path("flask-concurrency-bench") / f"flask-{version}-{FLASK_SDISTS[version][:12]}"
    if not folder.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent) as place:
            wanted = Path(place, "wanted.txt")
            wanted.write_text(f"flask=={version} --hash=sha256:{FLASK_SDISTS[version]}\n")
            pip = [sys.executable, "-m", "pip", "download", "--quiet", "--require-hashes", "--no-deps"]
            subprocess.run([*pip, "--no-binary", ":all:", "--dest", place, "--requirement", wanted], check=True)
            with tarfile.open(next(Path(place).glob("*.tar.gz"))) as archive:
                archive.extractall(place, filter="data")
            with contextlib.suppress(OSError):  # another process was faster
                next(path for path in Path(place).iterdir() if path.is_dir()).rename(folder)
    return folder


def answers(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
            connection.sendall(b"GET /events HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            return connection.recv(100).startswith(b"HTTP/1.1 ")
    except OSError:
        return False
