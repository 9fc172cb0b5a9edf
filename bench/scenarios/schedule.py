"""How often is a scenario measured, on which servers, and what does that need? A scenario says it with one value.

bench/measuring/plan.py makes steps of it: a new way to schedule is a class here and a function there.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from bench.load import LoadJob
    from bench.scenarios.base import MeasurementContext, Reading, Workload
    from bench.scenarios.generation import Generation


class Setup(Protocol):
    """How a server is set up, where a scenario needs servers that are set up differently."""

    @property
    def name(self) -> str:
        """It stands in the names of the cells."""

    @property
    def environment(self) -> Mapping[str, str]:
        """What the server finds in its environment beside what every server finds there."""


@dataclass(frozen=True)
class Slices:
    """The servers of all models are up at once, and short loads go round among them; then come fresh servers.

    So models can be compared cycle by cycle. Scenarios with this schedule share the servers unless one is apart.
    """

    measure: "Callable[[Generation, Workload], Mapping[str, Reading]] | None" = None
    """Puts a workload to all servers of a generation in turn; gives what it read by contestant."""
    mixed: "Callable[[MeasurementContext, Workload], LoadJob] | None" = None
    """In place of `measure`: the load of a workload, where all workloads are put to the servers in the same cycles."""
    twin: bool = True
    """Whether the baseline takes part under a second name, to check the method: its ratio to itself should be 1."""
    apart: bool = False
    """Whether it has servers of its own. Its generations and those of the others take turns."""


@dataclass(frozen=True)
class Once:
    """Each model is measured once for each set-up, on a fresh server that no other scenario has."""

    setups: Sequence[Setup | None] = (None,)
    """None is the one that every server has unless a scenario says otherwise."""


@dataclass(frozen=True)
class OnceOnSharedServer:
    """Each model is measured once, on one fresh server for all scenarios with this schedule, in the order of the list.

    What leaves a server busy with requests that nobody waits for any more has to come last.
    """


Schedule = Slices | Once | OnceOnSharedServer
