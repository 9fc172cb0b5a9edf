"""What if another service that requests wait for hangs: it takes connections, and answers none?"""

from dataclasses import replace

from bench.errors import BenchError
from bench.faults.fault import Asked, Cure, Fault, Scene
from bench.faults.settings import ON_SQLALCHEMY, on, with_variable
from bench.faults.shared import HANGS_S, hang
from bench.models import MODELS, Model

TIMEOUT_MS = 300
# Each keeps a connection: within the time-out fewer come than the pool has, and while the upstream hangs more.
MIXED = Asked(path="/mixed/?seconds=0", rate_rps=20.0, timeout_s=15.0)
TODO = Asked(path="/todos/1", rate_rps=5.0, timeout_s=15.0)
ROOT = Asked(path="/", rate_rps=10.0, timeout_s=15.0)


def commits_first(model: Model) -> Model:
    """The model whose view ends its transaction before it calls."""
    (found,) = (one for one in MODELS if one.name == "gevent-commit-first")
    return replace(found, environment=model.environment)


TIMEOUT = Cure(
    name="time-out for the call",
    setting=f"httpx.Client(timeout={TIMEOUT_MS / 1000})",
    fits=lambda model: on(ON_SQLALCHEMY)(model) and not model.blocks and model.workers == 1,
    changed=with_variable("UPSTREAM_TIMEOUT_MS", TIMEOUT_MS),
)
COMMIT_FIRST = Cure(
    name="no connection held while it calls",
    setting="db.session.commit() before the call",
    fits=lambda model: model.name == "gevent",
    changed=commits_first,
)


def hang_upstream(scene: Scene) -> None:
    """The upstream is stopped for a while."""
    if scene.testbed.upstream is None:
        raise BenchError("this test bed has no upstream of its own")
    hang(scene, scene.testbed.upstream.frozen)


UPSTREAM_HANGS = Fault(
    name="upstream-hangs",
    title="another service that requests wait for hangs",
    done=f"The service that `/mixed/` calls, after it has read a row, is stopped (SIGSTOP) for {HANGS_S:.0f} s. "
    "Meanwhile clients ask for `/mixed/`, and for one row and `/`, which need no other service.",
    asked="Who is answered that does not need the other service?",
    sources=(
        "https://www.python-httpx.org/advanced/timeouts/",
        "https://docs.sqlalchemy.org/en/20/orm/session_basics.html",
    ),
    inflict=hang_upstream,
    load=(ROOT, TODO, MIXED),
    cures=(TIMEOUT, COMMIT_FIRST),
    after_s=3.0,
    leaves_servers=True,
)
