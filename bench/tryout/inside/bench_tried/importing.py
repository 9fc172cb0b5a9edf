"""Which object does `module:app` or `module:create_app("test")` name? Found as gunicorn finds it.

Source: `import_app` in gunicorn/util.py; its documentation:
https://gunicorn.org/run/#wsgi-applications
"""

from __future__ import annotations

import ast
import importlib
from typing import Any


class BadTarget(Exception):
    """The target names no application; the first argument is the kind of mistake, the second is about it."""


def parts(target: str) -> tuple[str, str, list[Any] | None, dict[str, Any]]:
    """Module, name, and the arguments of the call (None: it is no call). Raises BadTarget."""
    module, _, expression = target.partition(":")
    try:
        tree = ast.parse(expression or "application", mode="eval").body
        if isinstance(tree, ast.Name):
            return module, tree.id, None, {}
        if isinstance(tree, ast.Call) and isinstance(tree.func, ast.Name):
            named = {str(keyword.arg): ast.literal_eval(keyword.value) for keyword in tree.keywords if keyword.arg}
            return module, tree.func.id, [ast.literal_eval(argument) for argument in tree.args], named
    except (SyntaxError, ValueError):
        pass
    raise BadTarget("expression", expression)


def load(target: str) -> Any:
    """The application. Raises BadTarget, or whatever importing or calling it raises."""
    module_name, name, positional, named = parts(target)
    module = importlib.import_module(module_name)
    try:
        found = getattr(module, name)
    except AttributeError:
        raise BadTarget("attribute", name) from None
    return found if positional is None else found(*positional, **named)
