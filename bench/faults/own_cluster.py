"""Where is the database that a fault may stop, freeze, or end connections of? It is the bench's own cluster only."""

from bench.errors import BenchError
from bench.testbed.databases.cluster import Cluster
from bench.testbed.testbed import TestBed


def own_cluster(testbed: TestBed) -> Cluster:
    """The bench's own PostgreSQL. Raises BenchError if the database is another."""
    server = testbed.databases["postgres"].server
    if not isinstance(server, Cluster):
        raise BenchError("this is done to the bench's own database only; leave out --database-url")
    return server
