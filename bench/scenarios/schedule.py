"""How often is a scenario measured, on which servers, and what does that need? A scenario says it with one value.

bench/measuring/plan.py makes steps of it: a new way to schedule is a class here and a function there.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from bench.judging.validity import SPREAD

if TYPE_CHECKING:
    from bench.scenarios.base import MeasurementContext


class Setup(Protocol):
    """How a server is set up, where a scenario needs servers that are set up differently."""

    @property
    def name(self) -> str:
        """It stands in the names of the cells."""

    @property
    def environment(self) -> Mapping[str, str]:
        """What the server finds in its environment beside what every server finds there."""


@dataclass(frozen=True)
class Rounds:
    """Every round measures all models, each on a fresh server, in an order of its own, so that rounds can be paired.

    The scenarios with this schedule share the servers.
    """

    prepare: "Callable[[MeasurementContext], Mapping[str, Any]] | None" = None
    """What must be found out about each model before the first round."""
    twin: bool = True
    """Whether the baseline takes part under a second name, to show how far the same model's figures are apart."""
    shuffled: bool = True
    """Whether each server gets the workloads in an order of its own."""
    spread_limit: float | None = SPREAD
    """How far a cell's rounds may be apart, as a share of their median; None where only their ratios are looked at."""


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


Schedule = Rounds | Once | OnceOnSharedServer
