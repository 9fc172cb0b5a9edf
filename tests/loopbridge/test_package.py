"""The library stands by itself: what it imports, what it offers, and how much of it is to be read at once."""

import ast
import sys
from pathlib import Path

import loopbridge

FILES = sorted(Path(loopbridge.__file__).parent.glob("*.py"))


def imported(path: Path) -> set[str]:
    """The first names of all modules that a file imports."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add((node.module or "").partition(".")[0])
    return names


def test_it_needs_the_standard_library_and_greenlet_only() -> None:
    assert len(FILES) > 5
    assert set().union(*map(imported, FILES)) <= sys.stdlib_module_names | {"greenlet", "loopbridge"}


def test_no_file_is_longer_than_200_lines() -> None:
    assert [path.name for path in FILES if len(path.read_text().splitlines()) > 200] == []


def test_it_is_typed_and_names_what_it_offers() -> None:
    assert loopbridge.__all__ == ["LoopBridge", "serve_lifespan", "with_lifespan"]
    assert all(hasattr(loopbridge, name) for name in loopbridge.__all__)
    assert Path(loopbridge.__file__).with_name("py.typed").exists()
