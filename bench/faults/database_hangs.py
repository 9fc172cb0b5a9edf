"""What if the database hangs: it takes connections and queries, and answers none?"""

from bench.faults.fault import Asked, Fault, Scene
from bench.faults.own_cluster import own_cluster
from bench.faults.settings import MORE_THREADS
from bench.faults.shared import HANGS_S, hang

# A server of 15 threads has none left after 0.8 s.
TODO = Asked(path="/todos/1", rate_rps=20.0, timeout_s=15.0, connections=80)
ROOT = Asked(path="/", rate_rps=10.0, timeout_s=15.0)


def hang_database(scene: Scene) -> None:
    """All processes of the database are stopped for a while."""
    hang(scene, own_cluster(scene.testbed).frozen)


DATABASE_HANGS = Fault(
    name="database-hangs",
    title="the database hangs",
    done=f"All processes of PostgreSQL are stopped (SIGSTOP) for {HANGS_S:.0f} s, while clients ask for one row, "
    "and for `/`, which needs no database.",
    asked="Who is answered that does not need the database?",
    sources=(
        "https://docs.gunicorn.org/en/stable/design.html#how-many-threads",
        "https://github.com/benoitc/gunicorn/issues/3233",
    ),
    inflict=hang_database,
    load=(ROOT, TODO),
    cures=(MORE_THREADS,),
    after_s=3.0,
    hurts_database=True,
    leaves_servers=True,
)
