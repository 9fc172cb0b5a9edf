"""Who may import whom: the rooms of the bench, the two apps, and what lies beside them."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]

# What everybody may import.
EVERYBODY = {"bench.errors", "bench.files", "bench.words"}
# Libraries of ours and rooms of the bench, each with what it may import; arrows go down this list only. A name with a
# dot is a part of a room.
ROOMS = {
    "bench.cli": {"commands"},
    "bench.commands": {
        "report", "tryout", "prediction", "cluster", "measuring", "faults", "traps", "scenarios", "judging", "results",
        "load",
        "testbed", "models",
    },
    "bench.report": {"judging", "prediction", "scenarios", "models", "results", "load"},
    "bench.tryout": {
        "prediction", "faults", "judging", "results", "models", "testbed", "load", "measuring", "scenarios",
    },
    "bench.prediction": {"judging", "results", "models", "testbed", "load", "measuring", "scenarios"},
    "bench.faults": {"scenarios", "testbed", "load", "models", "results", "measuring"},
    "bench.traps": {"scenarios", "testbed", "load", "models", "results", "measuring"},
    "bench.cluster": {"measuring", "testbed", "load", "results"},
    "bench.measuring": {"scenarios", "judging", "testbed", "load", "models", "results"},
    "bench.scenarios": {"models", "testbed", "load", "judging", "results"},
    "bench.judging": {"results", "load"},
    "bench.results": set(),
    "bench.load": {"testbed.processes"},
    "bench.testbed": {"models"},
    "bench.models": set(),
    "bench.files": set(),
    "bench.errors": set(),
    "bench.words": set(),
    "asyncio_app": {"loopbridge"},
    "gevent_app": set(),
    "loopbridge": set(),
    "reference_apps": {"loopbridge", "asyncio_app", "gevent_app"},
    "entrypoints": {"asyncio_app", "gevent_app", "reference_apps", "loopbridge"},
}  # fmt: skip


def modules() -> dict[str, Path]:
    """Every module that we ship, by its name."""
    tops = {name.partition(".")[0] for name in ROOMS}
    paths = [path for top in tops for path in (ROOT / top).rglob("*.py")]
    return {".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path for path in paths}


def imports(path: Path, name: str) -> Iterator[str]:
    """What a module imports, wherever it does: the modules, and the names from them, which may be modules."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            package = name if path.name == "__init__.py" else name.rpartition(".")[0]
            above = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            source = ".".join([*above, *filter(None, [node.module])])
            yield source
            yield from (f"{source}.{alias.name}" for alias in node.names)


def room(name: str) -> str:
    """The room that a module is in; empty for one that is not ours."""
    return next((each for each in ROOMS if name == each or name.startswith(f"{each}.")), "")


def allowed(importer: str, imported: str) -> bool:
    """Whether the table has the arrow."""
    home, target = room(importer), room(imported)
    if target in ("", home) or target in EVERYBODY:
        return True
    wanted = {each if each.partition(".")[0] in {"asyncio_app", "gevent_app", "reference_apps", "loopbridge"}
              else f"bench.{each}" for each in ROOMS[home]}  # fmt: skip
    return any(imported == each or imported.startswith(f"{each}.") for each in wanted)


def against_the_table() -> set[tuple[str, str]]:
    """Every importing module with the module of ours that it must not import."""
    known = modules()
    found = set()
    for name, path in known.items():
        for imported in imports(path, name):
            if imported in known and room(name) and not allowed(name, imported):
                found.add((name, imported))
    return found


def test_nobody_imports_against_the_table() -> None:
    assert against_the_table() == set()


def test_every_module_of_the_bench_has_a_room() -> None:
    assert [name for name in modules() if not room(name) and name not in ("bench", "bench.__main__")] == []


def test_the_table_has_no_way_round_a_circle() -> None:
    names = list(ROOMS)
    upward = [
        (home, target)
        for home in names
        for target in ROOMS[home]
        if (place := f"bench.{target.partition('.')[0]}") in names and names.index(place) < names.index(home)
    ]
    assert upward == []
