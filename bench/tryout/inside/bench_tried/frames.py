"""Where is a thread, from the outermost frame to the innermost, and which function in C does it call there?

Only names leave this module: of files, functions, modules and types, never a value.
"""

from __future__ import annotations

import ast
import builtins
import inspect
import itertools
import linecache
import sys
from collections.abc import Collection, Iterator
from types import FrameType, ModuleType
from typing import Any, NamedTuple

DEEPEST = 400
Described = tuple[str, int, str, str]
"""File, line, function and module of a frame."""

# What serves the application, and is in no stack by the application's own doing.
SERVERS = {"__main__", "a2wsgi", "asgiref", "bench_tried", "click", "gevent", "granian", "greenlet", "gunicorn", "h11",
           "httptools", "hypercorn", "loopbridge", "psycogreen", "uvicorn", "uvloop"}  # fmt: skip
# Python 3.9 has no list of its modules; there, those that are beneath a server's thread or loop stand for them.
BENEATH = {"asyncio", "concurrent", "contextvars", "runpy", "selectors", "socketserver", "threading"}
STANDARD: Collection[str] = getattr(sys, "stdlib_module_names", BENEATH)


def outwards(frame: FrameType | None) -> Iterator[FrameType]:
    """The frame, its caller, and so on."""
    while frame is not None:
        yield frame
        frame = frame.f_back


def serves_only(frame: FrameType, below: Collection[int] = ()) -> bool:
    """Whether the server alone is in that stack. `below`: the ids of frames of the loop's own, where the stack ends."""
    for each in outwards(frame):
        if id(each) in below:
            break
        name = each.f_globals.get("__name__") or ""
        if top_of(name) not in SERVERS and top_of(name) not in STANDARD:
            return False
    return True


def top_of(module: str) -> str:
    """The package that a module is in. The parts of this one may be in another package, where they are tested."""
    return "bench_tried" if ".bench_tried" in module else module.partition(".")[0]


class Snapshot(NamedTuple):
    """Where a thread was."""

    frame: FrameType
    """The innermost one; it may have gone on since."""
    instruction: int
    stack: tuple[Described, ...]
    """The innermost last."""


def snapshot(frame: FrameType, below: Collection[int] = ()) -> Snapshot:
    """Where a thread is."""
    taken = itertools.takewhile(lambda each: id(each) not in below, outwards(frame))
    stack = [describe(each) for each in itertools.islice(taken, DEEPEST)]
    return Snapshot(frame, frame.f_lasti, tuple(reversed(stack)))


def describe(frame: FrameType) -> Described:
    code = frame.f_code
    function = getattr(code, "co_qualname", code.co_name)
    return code.co_filename, line_of(frame), function, frame.f_globals.get("__name__") or ""


def line_of(frame: FrameType) -> int:
    """The line that the frame is at; in a template of Jinja the template's, not that of the code made of it."""
    line = frame.f_lineno or frame.f_code.co_firstlineno
    template = frame.f_globals.get("__jinja_template__")
    if template is None:
        return line
    try:
        return int(template.get_corresponding_lineno(line))
    except Exception:
        return line


def callee(where: Snapshot) -> str:
    """The function in C that it was in, as `psycopg2.extensions:cursor.execute`; empty if that cannot be told.

    Such a function has no frame. So the expression that is being evaluated is read, and names in it are looked up in
    the frame without running anything: no property, no `__getattr__`.
    """
    try:
        return name_of(expression_of(where), where.frame)
    except Exception:  # a source that has changed, an object with a class of its own: then there is no name
        return ""


def expression_of(where: Snapshot) -> ast.AST:
    """What was being evaluated, as far as the interpreter tells; before 3.11, the outermost call in the line."""
    code = where.frame.f_code
    if not hasattr(code, "co_positions"):
        return call_in_line(where)
    first, last, start, end = next(itertools.islice(code.co_positions(), where.instruction // 2, None))
    if first is None or last is None:
        raise LookupError("compiled without positions")
    lines = linecache.getlines(code.co_filename, where.frame.f_globals)[first - 1 : last]
    text = [line.encode() for line in lines]
    text[-1] = text[-1][:end]
    text[0] = text[0][start:]
    try:
        return ast.parse(b"(" + b"".join(text) + b"\n)", mode="eval").body
    except SyntaxError:
        return entered(ast.parse(b"".join(text)).body[0])


def entered(statement: ast.stmt) -> ast.AST:
    """What a `with` statement enters or leaves: Python 3.11 says no more than that it is in the statement."""
    if isinstance(statement, ast.With) and len(statement.items) == 1:
        return statement.items[0].context_expr
    raise LookupError("no expression")


def call_in_line(where: Snapshot) -> ast.AST:
    file, number, _, _ = where.stack[-1]
    line = linecache.getline(file, number, where.frame.f_globals).strip()
    tree = ast.parse(f"{line} pass" if line.endswith(":") else line)
    return next(node for node in ast.walk(tree) if isinstance(node, ast.Call))


def name_of(node: ast.AST, frame: FrameType) -> str:
    """What an expression calls; of one that calls nothing by name, as `with lock` or `for row in cursor`, its type."""
    if not isinstance(node, ast.Call):
        return full_name(type(found(node, frame)))
    function = node.func
    if isinstance(function, ast.Attribute):
        owner = found(function.value, frame)
        if isinstance(owner, ModuleType):
            return f"{owner.__name__}:{function.attr}"
        return f"{full_name(as_class(owner))}.{function.attr}"
    return full_name(found(function, frame))


def as_class(owner: Any) -> type:
    """The class itself, or an object's."""
    return owner if isinstance(owner, type) else type(owner)


def full_name(found: Any) -> str:
    """`time:sleep`, `sqlite3:Connection`, `builtins:sorted`."""
    return f"{getattr(found, '__module__', None) or 'builtins'}:{found.__qualname__}"


def found(node: ast.AST, frame: FrameType) -> Any:
    """The object that a name or a chain of attributes stands for. Raises LookupError."""
    if isinstance(node, ast.Name):
        places: list[Any] = [frame.f_locals, frame.f_globals, vars(builtins)]
        return next(place[node.id] for place in places if node.id in place)
    if isinstance(node, ast.Attribute):
        owner = found(node.value, frame)
        return vars(owner)[node.attr] if isinstance(owner, ModuleType) else inspect.getattr_static(owner, node.attr)
    raise LookupError("neither a name nor an attribute of one")
