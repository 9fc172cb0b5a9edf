"""Which faults are known?"""

from collections.abc import Sequence

from bench.errors import BenchError
from bench.faults.computing import COMPUTING
from bench.faults.crash import CRASH
from bench.faults.database_gone import CONNECTIONS_ENDED, DATABASE_RESTART, START_WITHOUT_DATABASE
from bench.faults.database_hangs import DATABASE_HANGS
from bench.faults.deploy import DEPLOY, RELOAD
from bench.faults.fault import Fault
from bench.faults.leaks import LEAKS
from bench.faults.leaving import CLIENTS_LEAVE
from bench.faults.pool_exhausted import POOL_EXHAUSTED
from bench.faults.slow_clients import SLOW_HEADS, SLOW_READERS
from bench.faults.upstream import UPSTREAM_HANGS

# Those that leave servers as they were stand together, so that the next one need not start them again.
FAULTS: tuple[Fault, ...] = (
    DEPLOY,
    RELOAD,
    CRASH,
    START_WITHOUT_DATABASE,
    POOL_EXHAUSTED,
    SLOW_READERS,
    CLIENTS_LEAVE,
    LEAKS,
    SLOW_HEADS,
    COMPUTING,
    UPSTREAM_HANGS,
    DATABASE_HANGS,
    CONNECTIONS_ENDED,
    DATABASE_RESTART,
)


def find_faults(names: Sequence[str] = ()) -> tuple[Fault, ...]:
    """The faults of these names in the order of all; all of them without a name. Raises BenchError."""
    known = [fault.name for fault in FAULTS]
    for name in names:
        if name not in known:
            raise BenchError(f"there is no fault {name!r}; there are {', '.join(known)}")
    return tuple(fault for fault in FAULTS if not names or fault.name in names)
