"""Which application is it, in which environment, and can it be imported there at all?"""

import os
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement

from bench.errors import BenchError
from bench.results.tried import TriedApp
from bench.testbed.processes.temporary import TemporaryFolder
from bench.tryout.interpreter import Interpreter, ItEnded, answer_of, interpreter_at, no_bytecode
from bench.tryout.overlay import SERVERS, overlay_for
from bench.tryout.variables import environment_from

__all__ = ["App", "app_of", "environment_from"]

# What a reader of the results wants to know the version of, where the application's environment has it.
NOTABLE = ("flask", "quart", "fastapi", "starlette", "werkzeug", "django", "sqlalchemy", "flask-sqlalchemy", "psycopg2",
           "psycopg2-binary", "psycopg", "asyncpg", "pymysql", "mysqlclient", "redis", "requests", "httpx", "gunicorn",
           "gevent", "greenlet", "uvicorn", "uvloop", "httptools", "asgiref", "granian", "psycogreen", "eventlet",
           "packaging")  # fmt: skip
# What the ways to serve are made of, by the module whose import tells whether it can be had.
MODULES = ("gunicorn.app.wsgiapp", "gunicorn.workers.gthread", "gunicorn.workers.ggevent", "gunicorn.workers.gasgi",
           "gevent", "uvicorn", "asgiref.wsgi", "greenlet", "loopbridge", "granian", "psycogreen.gevent")  # fmt: skip

# Pages that print a set would differ from server to server, for no other reason than Python's random hashes.
ALIKE = {"PYTHONHASHSEED": "0"}


@dataclass(frozen=True, eq=False)
class App:
    """An application that has been imported in its own environment, and what it can be served with there."""

    target: str
    """`module:app`, or `module:create_app()`."""
    interpreter: Interpreter
    folder: Path
    """The working directory of its processes."""
    environment: Mapping[str, str]
    """All variables of its processes: the user's own, and what keeps an interpreter from writing beside its modules."""
    facts: TriedApp
    roots: tuple[Path, ...]
    """Folders, or single files, of the user's own code: what a place in the application is looked for in."""
    installed: Mapping[str, str]
    """Its environment's own distributions and their versions."""
    loaded: frozenset[str]
    """Top-level modules that are loaded once it is imported, and those that were seen in a server since."""
    overlay: Path | None
    """The folder with what the environment lacks; None where it lacks nothing."""
    bytecode: TemporaryFolder | None = None
    """Where its interpreter keeps compiled modules; it stays for as long as a server may write there."""
    failures: Mapping[str, str] = field(default_factory=dict)
    """By module of the servers, why it cannot be imported with what is there; empty for one that can."""

    @property
    def python(self) -> Path:
        """The interpreter's path."""
        return self.interpreter.python

    def with_loaded(self, modules: Collection[str]) -> "App":
        """The same after a server was seen to have loaded these modules, as an application may import late."""
        return replace(self, loaded=self.loaded | set(modules))


def app_of(
    target: str,
    *,
    python: Path | None,
    folder: Path | None,
    environment: Mapping[str, str],
    bytecode: TemporaryFolder | None = None,
    said: Callable[[str], None] = lambda line: None,
) -> App:
    """The application, imported once in its environment, and what the bench adds to that environment.

    `python` and `folder` are, unless they are given, that of a virtual environment in the folder, and the current one.
    `bytecode` is a folder where its interpreter may keep compiled modules, as it must not beside its sources; servers
    start sooner with one. `said` hears what takes long.

    Raises BenchError if the target names no application there, with the last line of what Python says.
    """
    place = Path(os.path.abspath(folder or Path.cwd()))
    if not place.is_dir():
        raise BenchError(f"there is no folder {place}; pass another with --chdir")
    interpreter = interpreter_at(python, place, environment)
    complete = {**ALIKE, **environment, **no_bytecode(bytecode)}
    found = import_once(target, interpreter, place, complete)
    overlay = overlay_for(interpreter, found["installed"], said)
    asked = ["{file}", *MODULES]
    effect = answer_of(interpreter, "effect", asked, folder=place, environment=complete, overlay=overlay)
    facts = TriedApp(
        target=target,
        folder=str(place),
        python=str(interpreter.python),
        version=interpreter.version,
        interface=found["interface"],
        framework=found["framework"],
        packages={name: found["installed"][name] for name in NOTABLE if name in found["installed"]},
        added={name: version for name, version in effect["versions"].items() if name not in found["installed"]},
    )
    return App(
        target=target,
        interpreter=interpreter,
        folder=place,
        environment=complete,
        facts=facts,
        roots=(place, *(each for each in map(Path, found["places"]) if is_elsewhere(each, place))),
        installed=found["installed"],
        loaded=frozenset(found["modules"]),
        overlay=overlay,
        bytecode=bytecode,
        failures=failures(effect),
    )


def is_elsewhere(code: Path, folder: Path) -> bool:
    """Whether the folder's own code does not include this: a virtual environment beneath it is not its own code."""
    return not code.is_relative_to(folder) or "site-packages" in code.relative_to(folder).parts


def import_once(target: str, interpreter: Interpreter, folder: Path, environment: Mapping[str, str]) -> dict[str, Any]:
    """What the import tells. Raises BenchError if there is no application."""
    if not target.partition(":")[0]:
        raise BenchError(f"{target!r} names no module; write it as gunicorn has it: module:app or module:create_app()")
    try:
        found = answer_of(interpreter, "facts", [target, "{file}"], folder=folder, environment=environment)
    except ItEnded as error:
        raise BenchError(f"importing {target} ends its interpreter: {error}") from None
    if "error" in found:
        raise BenchError(explained(target, found, interpreter, folder))
    return found


def explained(target: str, found: Mapping[str, Any], interpreter: Interpreter, folder: Path) -> str:
    """What is wrong with a target, and what to do about it."""
    module, _, expression = target.partition(":")
    detail, known = found["detail"], found.get("known", [])
    place = f" ({found['where']})" if found.get("where") else ""
    if detail.startswith("SystemExit"):
        place += f", and it said: {found['said']}"
    meant = f"; it has {', '.join(known)}: try {module}:{known[0]}" if known else ""
    match found["error"]:
        case "missing" if module.endswith(".py"):
            return f"{module} is a file, not a module; write {module[:-3].replace('/', '.')}:{expression or 'app'}"
        case "missing":
            return (f"there is no module {module!r}, neither in {folder} nor in the environment of "
                    f"{interpreter.python}; correct the name, or pass --chdir or --python")  # fmt: skip
        case "raises":
            return (f"{target} cannot be had in the environment of {interpreter.python}: {detail}{place}; "
                    f"pass --python, --chdir, --env or --env-file so that it finds what it needs")  # fmt: skip
        case "expression":
            return (f"{expression!r} is neither a name nor a call with literal arguments; write {module}:app or "
                    f"{module}:create_app('test'){meant}")  # fmt: skip
        case "attribute":
            return f"module {module!r} has no {detail!r}{meant or '; name its application after the colon'}"
        case "not callable":
            return f"{target} is of type {detail}, which cannot be called, and so is no application{meant}"
        case _:
            hint = f"if it makes the application, write {target}()" if detail in ("function", "class") else ""
            return (f"{target} is a {detail} that takes neither a WSGI application's two arguments nor an ASGI "
                    f"application's three; {hint or 'name the application'}{meant}")  # fmt: skip


def failures(effect: Mapping[str, Any]) -> dict[str, str]:
    """By module, why it cannot be imported; gevent's greenlet is judged by what gevent says that it needs, too."""
    found = {module: reason for module, reason in effect["failures"].items() if reason}
    versions = {name: version for name, version in effect["versions"].items() if name in SERVERS}
    for text in effect["gevent_needs"]:
        wanted = Requirement(text)
        version = versions.get(wanted.name)
        applies = wanted.marker is None or wanted.marker.evaluate({"extra": ""})
        if wanted.name == "greenlet" and applies and version and not wanted.specifier.contains(version):
            found["gevent"] = f"gevent {versions['gevent']} needs greenlet{wanted.specifier}, and {version} is there"
    return found
