"""Which configurations look concurrent and are not, or break under load, and does each still do so?

trap.py says what a trap is and when it behaves as stated, loads.py has what shows one, tries.py tries them on real
servers, known.py lists them.
"""

from bench.traps.known import TRAPS
from bench.traps.trap import CURED, Expected, Seen, Trap
from bench.traps.tries import find_traps, report, try_all, try_cure, try_trap

__all__ = [
    "CURED",
    "TRAPS",
    "Expected",
    "Seen",
    "Trap",
    "find_traps",
    "report",
    "try_all",
    "try_cure",
    "try_trap",
]
