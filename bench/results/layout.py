"""On which machines was a run, and may two runs be compared by that?

A run on a cluster has its machines in its environment, by a name that says their role; any other was on one machine.
What differs from run to run on the same machines, as round trips do, is no difference between runs.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bench.results.run import Run

__all__ = ["MACHINES", "MEASURED", "Place", "incomparable", "places"]

MACHINES = "machines"
MEASURED = "round_trip_s"


@dataclass(frozen=True)
class Place:
    """A machine of a run."""

    role: str
    """`server`, `load` or `database`."""
    name: str
    host: str
    cpu: str
    """Empty where nothing is known of the machine but its address."""
    cores: int
    generators: int
    """Load generators on it."""
    round_trip_s: float | None
    """Of a server from the bench, of a load machine to the server, and from the server to a database."""


def places(run: Run) -> tuple[Place, ...]:
    """The machines beside the one of the bench; none if that did everything."""
    return tuple(place(one) for one in run.environment.get(MACHINES, {}).values())


def place(content: Mapping[str, Any]) -> Place:
    """A machine from what stands in the file."""
    return Place(content["role"], content["name"], content["host"], content.get("cpu") or "", content.get("cores") or 0,
                 content.get("generators") or 0, content.get(MEASURED))  # fmt: skip


def incomparable(before: Run, after: Run) -> str:
    """Why the figures of two runs are of different layouts; empty if they are of the same."""
    old, new = (said(places(run)) for run in (before, after))
    return f"A was measured on {old}, and B on {new}" if old != new else ""


def said(found: tuple[Place, ...]) -> str:
    """`one machine`, or `a server of 8 cores with load from 2 machines (4 generators), the database elsewhere`."""
    if not found:
        return "one machine"
    cores = "".join(f" of {one.cores} cores" for one in found if one.role == "server")
    loads = [one for one in found if one.role == "load"]
    machines = f"{len(loads)} machine{'s' * (len(loads) != 1)}"
    generators = sum(one.generators for one in loads)
    database = ", the database elsewhere" if any(one.role == "database" for one in found) else ""
    return f"a server{cores} with load from {machines} ({generators} generator{'s' * (generators != 1)}){database}"
