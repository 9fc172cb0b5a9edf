"""Which faults are known?"""

from collections.abc import Sequence

from bench.errors import BenchError
from bench.faults import crash, deploy
from bench.faults.fault import Fault

FAULTS: tuple[Fault, ...] = (
    *deploy.FAULTS,
    *crash.FAULTS,
)


def find_faults(names: Sequence[str] = ()) -> tuple[Fault, ...]:
    """The faults of these names in the order of all; all of them without a name. Raises BenchError."""
    known = [fault.name for fault in FAULTS]
    for name in names:
        if name not in known:
            raise BenchError(f"there is no fault {name!r}; there are {', '.join(known)}")
    return tuple(fault for fault in FAULTS if not names or fault.name in names)
