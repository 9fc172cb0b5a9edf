"""What can be chosen of a scenario on the command line, beside what every run has? Each scenario declares its own."""

from dataclasses import dataclass
from typing import Generic, TypeVar

Number = TypeVar("Number", int, float)


@dataclass(frozen=True)
class Option(Generic[Number]):
    """A number on the command line: an int is a whole number there, too."""

    name: str
    """As it stands in the results file, with its unit."""
    flag: str
    help: str
    default: Number
    low: Number
    high: Number
    above_low: bool = False
    """Whether `low` itself is too low."""
    quick: Number | None = None
    """What `--quick` makes of it unless it is chosen; None: nothing."""
    alone: Number | None = None
    """Its default in the command of the scenario that has it; None: the same as in `all`."""


CONNECTIONS = Option("connections", "--connections", "How many connections a closed loop has.", 16, 1, 5000)
