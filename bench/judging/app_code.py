"""How do the two apps differ in code? Their functions in pairs, and the lines of each pair that are not the same."""

import ast
import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from bench.errors import BenchError
from bench.files import ROOT

APPS = ("gevent_app", "asyncio_app")
# What a reader compares, in reading order: what answers, then what has to be set up for it.
FILES = (
    ("views.py", "views.py"), ("__init__.py", "__init__.py"), ("wsgi.py", "asgi.py"), ("db.py", "db.py"),
    ("config.py", "config.py"), ("upstream.py", "upstream.py"),
)  # fmt: skip
# What the parts of a module above its first function and below it are called.
TOP, SETTINGS = "imports", "settings"
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


@dataclass(frozen=True)
class View:
    """A function: its endpoint as in the contract if it is a view, its name, its source lines with the decorator."""

    endpoint: str
    name: str
    lines: tuple[str, ...]


@dataclass(frozen=True)
class Pair:
    """The same view in both apps."""

    gevent: View
    asyncio: View

    @property
    def lines(self) -> int:
        """Lines of the longer side."""
        return max(len(self.gevent.lines), len(self.asyncio.lines))

    @property
    def differing_lines(self) -> int:
        """Lines of the longer side that are not the same in the other."""
        matcher = difflib.SequenceMatcher(None, self.gevent.lines, self.asyncio.lines, autojunk=False)
        same = sum(block.size for block in matcher.get_matching_blocks())
        return self.lines - same


def pairs() -> list[Pair]:
    """The views of both apps, in their order."""
    gevent, asyncio = (views(ROOT / app / "views.py") for app in APPS)
    return [Pair(left, right) for left, right in zip(gevent, asyncio, strict=True)]


def views(path: Path) -> list[View]:
    """The view functions of a module."""
    return [piece for piece in pieces(path) if piece.endpoint]


def pieces(path: Path) -> list[View]:
    """A module from top to bottom: its functions, what is above the first one, and what is below as its settings."""
    source = path.read_text(encoding="utf-8")
    lines = source.splitlines()
    found: list[View] = []
    groups = [list(group) for _, group in groupby(ast.parse(source).body, key=named_apart)]
    starts = [0, *(group[-1].end_lineno or 0 for group in groups)]
    for group, start in zip(groups, starts, strict=False):
        text = stripped(lines[start : group[-1].end_lineno])
        if isinstance(group[0], FUNCTIONS):
            decorators = group[0].decorator_list
            found.append(View(endpoint(decorators[0]) if decorators else "", group[0].name, text))
        else:
            found.append(View("", SETTINGS if found else TOP, text))
    return found


def named_apart(node: ast.stmt) -> int:
    """A number that is the same for statements that belong together: all but functions."""
    return node.lineno if isinstance(node, FUNCTIONS) else 0


def stripped(lines: Sequence[str]) -> tuple[str, ...]:
    """The lines without the blank ones at both ends."""
    written = [number for number, line in enumerate(lines) if line.strip()]
    return tuple(lines[written[0] : written[-1] + 1]) if written else ()


def file_pairs(gevent: Path, asyncio: Path) -> list[Pair]:
    """Two modules function by function; one that only one of them has is paired with nothing."""
    left, right = ({piece.name: piece for piece in pieces(path)} for path in (gevent, asyncio))
    nothing = {name: View("", name, ()) for name in (*left, *right)}
    return [Pair(left.get(name, nothing[name]), right.get(name, nothing[name])) for name in nothing]


def endpoint(decorator: ast.expr) -> str:
    """`GET /todos/<id>` from `@views.get(f"/todos/<int(…):key>")`; empty for a decorator that is no route."""
    if not isinstance(decorator, ast.Call):
        return ""
    assert isinstance(decorator.func, ast.Attribute)
    argument = decorator.args[0]
    if isinstance(argument, ast.Constant):
        path = str(argument.value)
    else:
        assert isinstance(argument, ast.JoinedStr)
        assert isinstance(argument.values[0], ast.Constant)
        path = str(argument.values[0].value).partition("<")[0] + "<id>"
    return f"{decorator.func.attr.upper()} {path}"


def find(text: str) -> list[Pair]:
    """The pairs that a path, `GET /path` or function name means. Raises BenchError with what there is."""
    wanted = text.strip().partition("?")[0]
    found = [
        pair
        for pair in pairs()
        if wanted in (pair.gevent.name, pair.gevent.endpoint)
        or wanted.strip("/") == pair.gevent.endpoint.partition(" ")[2].strip("/")
    ]
    if not found:
        known = ", ".join(dict.fromkeys(pair.gevent.endpoint.partition(" ")[2] for pair in pairs()))
        raise BenchError(f"no endpoint {text!r}; there are {known}")
    return found
