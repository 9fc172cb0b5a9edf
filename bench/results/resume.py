"""May a run be gone on with here and now, and if not, what differs?"""

import json
import shlex
from collections.abc import Iterator, Mapping
from typing import Any

from bench.errors import BenchError
from bench.results.layout import MEASURED
from bench.results.run import Run

GIVEN = "given"
"""Among a run's arguments: what was typed after `python -m bench`, without folders and without a database's address."""
CLEARED = "cleared_variables"
"""In a run's environment: names of variables that the shell had and that servers were started without."""


def check_same(
    run: Run, environment: Mapping[str, Any], arguments: Mapping[str, Any], flags: Mapping[str, str] | None = None
) -> None:
    """Refuse to go on with a run under other circumstances.

    `flags` has the command line's name of each option. Raises BenchError that names what differs, and the command that
    would go on.
    """
    remedy = f"to go on: {command_line(run)}" if run.arguments.get(GIVEN) else "start a new run"
    if run.arguments.get("command") != arguments.get("command"):
        raise BenchError(f"cannot go on with {run.folder}, which is a run of another command; {remedy}")
    if changes := differing(run.arguments, arguments, flags or {}):
        raise BenchError(f"cannot go on with {run.folder}, other options were given for it: {changes}; {remedy}")
    if changes := differing(run.environment, environment, {}):
        raise BenchError(f"cannot go on with {run.folder}, which was measured elsewhere: {changes}; start a new run")


def differing(old: Mapping[str, Any], new: Mapping[str, Any], flags: Mapping[str, str]) -> str:
    """`--cycles was 10 and is 5`, for everything that differs and that matters; empty if nothing does.

    How it was typed does not matter, nor do variables that no server has, nor what is measured anew.
    """
    before, after = (dict(flat(normal(values))) for values in (old, new))
    names = [
        name
        for name in dict.fromkeys([*before, *after])
        if name not in (GIVEN, CLEARED) and not name.endswith(MEASURED)
    ]
    return "; ".join(
        f"{flags.get(name.rpartition('.')[2], name)} was {shown(before.get(name))} and is {shown(after.get(name))}"
        for name in names
        if before.get(name) != after.get(name)
    )


def command_line(run: Run) -> str:
    """The command that goes on with a run."""
    return f"python -m bench {shlex.join([*run.arguments[GIVEN], '--resume', str(run.folder)])}"


def flat(values: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    """Nested mappings as one, `packages.flask`."""
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from flat(value, f"{before}{name}.")
        else:
            yield f"{before}{name}", value


def shown(value: Any) -> str:
    """A value as a reader would type it."""
    if value is None:
        return "nothing"
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)


def normal(value: Any) -> Any:
    """A value as it comes back from JSON."""
    return json.loads(json.dumps(value))
