"""How many servers may be up at once, so that the database has connections for all of them?

The bench's own databases have them for the usual number. The user's own server may have fewer: then the servers of a
generation are measured in more and smaller groups.
"""

from collections.abc import Sequence

from bench.errors import BenchError
from bench.measuring.plan import Step
from bench.testbed.databases.connections import MARGIN
from bench.testbed.testbed import TestBed

# The baseline, its twin or another model, and one more: in smaller groups nothing could be compared to the baseline.
FEWEST_SERVERS = 3


def servers_that_fit(together: Sequence[Step], most: int, testbed: TestBed) -> int:
    """`most`, or as many servers as every database has connections for, if a step has more of them.

    Raises BenchError if that is too few to compare anything.
    """
    models = {each.model.name: each.model for step in together for each in step.contestants}
    needed = max((len(step.contestants) for step in together), default=0)
    for database in sorted({model.database for model in models.values()}):
        waiting = [model for model in models.values() if model.database == database]
        each = max(max(1, model.pool * model.workers) for model in waiting)
        headroom = testbed.headroom(waiting[0])
        fits = headroom.servers_that_fit(each)
        if fits >= needed:
            continue
        if fits < FEWEST_SERVERS:
            fewest = min(needed, FEWEST_SERVERS)
            wanted, free = fewest * each + MARGIN, headroom.free
            product = testbed.database_of(waiting[0]).product
            raise BenchError(f"the database server ({product}) has {max(0, free)} free connections, and {fewest} "
                             f"servers that are up at once need {wanted}; raise its max_connections by "
                             f"{wanted - free}, or close what else is connected")  # fmt: skip
        most = min(most, fits)
    return most
