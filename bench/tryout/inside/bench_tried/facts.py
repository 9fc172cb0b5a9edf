"""What is this application, and what does its environment have? Imports it, and writes the answer to a file as JSON.

`facts.py TARGET FILE`. An application that cannot be had is an answer too: `error` is the kind of mistake.
"""

from __future__ import annotations

import inspect
import json
import os
import sys
import traceback
from importlib import metadata
from typing import Any

from .importing import BadTarget, load, parts

# Those whose class tells what an application is written for; the first that its class inherits from counts.
FRAMEWORKS = {"flask": "Flask", "quart": "Quart", "fastapi": "FastAPI", "starlette": "Starlette", "django": "Django",
              "bottle": "Bottle", "falcon": "Falcon", "pyramid": "Pyramid", "litestar": "Litestar",
              "connexion": "Connexion", "aiohttp": "aiohttp", "tornado": "Tornado"}  # fmt: skip


def facts(target: str) -> dict[str, Any]:
    """Everything that the bench must know before it starts a server."""
    try:
        module = parts(target)[0]
        found = load(target)
        return {**about(found), **place(module), "modules": modules(), "installed": installed()}
    except BadTarget as error:
        return {"error": error.args[0], "detail": error.args[1], "known": candidates(target)}
    except BaseException as error:  # whatever an import may end with, SystemExit and KeyboardInterrupt included
        missing = isinstance(error, ModuleNotFoundError) and is_part_of(error.name or "", target.partition(":")[0])
        return {"error": "missing" if missing else "raises", "detail": last_line(error), "where": where(error)}


def about(found: Any) -> dict[str, Any]:
    """Interface and framework of an application. Raises BadTarget for an object that is none."""
    if not callable(found):
        raise BadTarget("not callable", type(found).__name__)
    kind = interface(found)
    if kind is None:
        raise BadTarget("no application", "class" if inspect.isclass(found) else type(found).__name__)
    return {"interface": kind, "framework": framework(found)}


def interface(found: Any) -> str | None:
    """`asgi` for what is awaited or takes scope, receive and send, `wsgi` for what takes two arguments; else None."""
    if inspect.isclass(found):
        return None
    if inspect.iscoroutinefunction(found) or inspect.iscoroutinefunction(type(found).__call__):
        return "asgi"
    try:
        taken = inspect.signature(found)
    except (TypeError, ValueError):  # written in C
        return "wsgi"
    return next((kind for kind, count in (("wsgi", 2), ("asgi", 3)) if takes(taken, count)), None)


def takes(signature: inspect.Signature, count: int) -> bool:
    """Whether a call with so many positional arguments fits."""
    try:
        signature.bind(*range(count))
    except TypeError:
        return False
    return True


def framework(found: Any) -> str:
    """The framework whose class it is an instance of; empty for a function or a middleware."""
    tops = (each.__module__.partition(".")[0] for each in type(found).__mro__)
    return next((FRAMEWORKS[top] for top in tops if top in FRAMEWORKS), "")


def place(module: str) -> dict[str, Any]:
    """Where the top-level package or module is, as far as it has a place."""
    top = sys.modules[module.partition(".")[0]]
    folders = [os.path.abspath(folder) for folder in getattr(top, "__path__", [])]
    return {"places": folders or [os.path.abspath(file) for file in [getattr(top, "__file__", None)] if file]}


def modules() -> list[str]:
    """The top-level modules that are loaded once the application is imported."""
    return sorted({name.partition(".")[0] for name in sys.modules})


def installed() -> dict[str, str]:
    """Every distribution of the environment, by its normalised name; the first on the path wins, as for imports."""
    found: dict[str, str] = {}
    for each in metadata.distributions():
        described = each.metadata
        if described["Name"]:
            found.setdefault(described["Name"].lower().replace("_", "-").replace(".", "-"), described["Version"])
    return found


def candidates(target: str) -> list[str]:
    """What the module has that might be meant: applications and functions that make one."""
    module = sys.modules.get(target.partition(":")[0])
    found = [name for name, value in vars(module).items() if framework(value)] if module else []
    makers = [f"{name}()" for name in ("create_app", "make_app", "get_app") if hasattr(module, name)]
    return [*found, *makers]


def is_part_of(name: str, module: str) -> bool:
    """Whether the module that was not found is the one that was named, or a package above it."""
    return f"{module}.".startswith(f"{name}.")


def last_line(error: BaseException) -> str:
    """What Python writes last of a traceback, in one line."""
    return " ".join("".join(traceback.format_exception_only(type(error), error)).split())


def where(error: BaseException) -> str:
    """File and line of the innermost place in the working directory that led to it, or of the innermost anywhere."""
    here = os.path.dirname(os.path.abspath(__file__))
    places = [(frame.filename, frame.lineno) for frame in traceback.extract_tb(error.__traceback__)]
    places = [place for place in places if os.path.isabs(place[0]) and os.path.dirname(place[0]) != here]
    own = [place for place in places if place[0].startswith(os.getcwd()) and "site-packages" not in place[0]]
    return "{}:{}".format(*(own or places)[-1]) if places else ""


def main() -> None:
    """Write the answer, and end at once: the import may have started threads that would keep the process alive."""
    answer = json.dumps(facts(sys.argv[1]))
    with open(sys.argv[2], "w", encoding="utf-8") as file:
        file.write(answer)
    sys.stderr.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
